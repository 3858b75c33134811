"""What crosses the seam between the trading process and its readers: two tagged unions.

The trading process listens on a Unix socket; every message is a length (u32, little-endian) and a
MessagePack body. A reader says what it wants with `Attach`, gets `Hello`, and from then on
`Records` (durable, in sequence, none left out) and the messages of the second lane, which may be
dropped and then say how many were. Records older than `Hello.seq` are in the journal's file, which
a reader opens read-only: catching up costs the trading process nothing. A reader that does not
keep up is disconnected, and attaches again from the last sequence it has.
"""

from enum import StrEnum
from typing import Final

import msgspec

from utb.domain.commands import Answer, Command
from utb.domain.market import Instrument
from utb.domain.names import OperatorState, TradingMode

SEAM_VERSION: Final = 1

MESSAGE_BYTES_MAX: Final = 16 * 1024 * 1024
"""Longest message; a length above it is damage, and ends the connection."""


class FeedStatus(StrEnum):
    """How a feed is."""

    STARTING = "STARTING"
    """Never had an item yet."""
    FRESH = "FRESH"
    STALE = "STALE"
    """Connected or not, its last item is older than `feeds.stale_after_seconds`."""
    DISCONNECTED = "DISCONNECTED"
    """No connection, and trying."""
    OFF = "OFF"
    """Not used: its key is missing, or no instrument needs it."""


class FeedHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One feed as the trading process sees it."""

    source: str
    status: FeedStatus
    reason: str
    """A sentence for a person; empty when there is nothing to say."""
    since_ns: int
    """When it came into this status, feed time."""
    last_item_ns: int | None
    """Receive time of its last item; None before the first."""
    connected: bool
    frames: int
    items: int
    rejected: dict[str, int]
    """What was not used, by reason: frames and requests of this process that failed, and the items
    that the core rejected, knew or found too late, or to differ from the primary's price, since the
    session's start."""
    reconnects: int
    requests: int
    """HTTP requests made."""
    latency_p50_ms: float | None = None
    """Source time to receive time; None where the source gives no time."""
    latency_p99_ms: float | None = None
    request_p50_ms: float | None = None
    """Round trip of its HTTP requests or pings."""
    request_p99_ms: float | None = None


class RpcHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One RPC endpoint as the trading process sees it."""

    name: str
    answers: bool
    """It may be asked, and answered when it was asked last."""
    reason: str
    """Why not, or what failed last; empty: nothing."""
    latency_ms: float | None
    """Moving average; None before the first answer."""
    lag_slots: int | None
    """Behind the best endpoint; None: unknown."""
    requests: int
    failures: int
    connected: bool
    """Whether its WebSocket is open."""


class ChainHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The way to the chain, in live trading."""

    endpoints: tuple[RpcHealth, ...]
    slot: int | None
    """Newest slot that any endpoint told."""
    slot_age_s: float | None
    """Wall seconds since then."""
    blockhash: str
    """Why nothing can be signed for want of a recent blockhash; empty: there is one."""
    signer: str
    """Why the signer cannot be asked; empty: it can."""
    discrepancy: str
    """What differs between chain and book and stops entries; empty: nothing."""
    not_compared: str
    """Why the last comparison could not be made; empty: it was."""
    compared_age_s: float | None
    """Wall seconds since the last comparison; None: none yet."""
    sends: dict[str, dict[str, int]]
    """Answers to sends by sender and kind."""

    @property
    def rpc(self) -> str:
        """Return why no endpoint can be relied on; empty: one answers."""
        if any(one.answers for one in self.endpoints):
            return self.blockhash
        told = "; ".join(f"{one.name}: {one.reason or 'silent'}" for one in self.endpoints)
        return f"no RPC endpoint answers ({told})"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return why no entry may go out; empty: it may."""
        signer = f"the signer cannot be asked: {self.signer}" if self.signer else ""
        differs = f"chain and book differ: {self.discrepancy}" if self.discrepancy else ""
        return tuple(filter(None, (self.rpc, signer, differs)))


class StageHistogram(msgspec.Struct, frozen=True, kw_only=True):
    """Durations of one stage since the process started."""

    stage: str
    count: int
    sum_ns: int
    max_ns: int
    p50_ns: int
    """Of the last minute or so; 0 when empty."""
    p99_ns: int
    buckets: tuple[int, ...]
    """Cumulative counts at or below each bound of `STAGE_BOUNDS_NS`."""


STAGE_BOUNDS_NS: Final = (
    250,
    500,
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    1_000_000_000,
)
"""Upper bounds of the stage histograms; what is longer is only in `count`."""


class Attach(msgspec.Struct, frozen=True, kw_only=True, tag="attach"):
    """A reader's first message."""

    reader: str
    """Who reads, for logs: `serve`, `analytics`, `cli`."""
    version: int = SEAM_VERSION
    records: bool = True
    lane: bool = True
    """Whether the second lane is wanted."""


class Give(msgspec.Struct, frozen=True, kw_only=True, tag="give"):
    """A command; its answer comes back on the same connection as `Answered`."""

    command: Command


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag="hello"):
    """What a reader needs before anything else."""

    version: int
    session: str
    """Of this process: another one after each start."""
    mode: TradingMode
    simulated_time: bool
    instruments: tuple[Instrument, ...]
    seq: int
    """Last durable record; later ones follow as `Records`, earlier ones are in `journal`."""
    journal: str
    """Path of the journal's file."""
    started_wall_ns: int
    timeframe: str
    """Timeframe of the strategies."""
    span_ns: tuple[int, int] | None
    """Start and end of a simulated run; None where there is no end."""


class Records(msgspec.Struct, frozen=True, kw_only=True, tag="records"):
    """Durable records in order, without a gap to what came before."""

    first_seq: int
    wall_ns: int
    payloads: tuple[bytes, ...]
    """Bytes of `storage.encoding.encode_record`."""


class Answered(msgspec.Struct, frozen=True, kw_only=True, tag="answered"):
    """The answer to a command."""

    answer: Answer


class Pulse(msgspec.Struct, frozen=True, kw_only=True, tag="pulse"):
    """How the trading process is, a few times a second."""

    ts_ns: int
    """Market time: simulated in a simulated run."""
    wall_ns: int
    operator: OperatorState
    finished: bool
    """A recording came to its end; nothing moves any more, and nothing is looked at."""
    recovering: bool
    """The journal's tail is met again; no command is taken yet."""
    equity: float | None
    """Quote units at the last marks; None while a mark is missing."""
    peak: float | None
    cash: float
    feeds: tuple[FeedHealth, ...]
    stages: tuple[StageHistogram, ...]
    holds_by_reason: dict[str, int]
    evaluations: int
    items: int
    """Market items handled since the session began."""
    journal_writable: bool
    clock_sound: bool
    reasons: tuple[str, ...]
    """Why the process is not healthy; empty when it is."""
    chain: ChainHealth | None = None
    """None: orders do not go to the chain, or nothing is known of it yet or any more."""
    lane_dropped: int
    """Messages of the second lane that readers did not get, all readers together."""


class View(msgspec.Struct, frozen=True, kw_only=True, tag="view"):
    """One instrument's state, each at most five times a second."""

    instrument: int
    ts_ns: int
    view: bytes
    """JSON of `Pipeline.view` (`rust/core/src/view.rs`)."""


class Rows(msgspec.Struct, frozen=True, kw_only=True, tag="rows"):
    """Flat records of the core's logs."""

    kind: str
    """`ticks` (EventRecord), `bars` (BarRecord), `votes` (VoteRecord), `equity`, `stages`."""
    rows: bytes
    dropped: int = 0
    """Rows of this kind that were lost before these since the last message."""


ToTrader = Attach | Give
FromTrader = Hello | Records | Answered | Pulse | View | Rows
