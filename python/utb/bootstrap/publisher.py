"""What the trading process tells its readers: records as they become durable, and the second lane.

Nothing here is read by a decision. It runs between two market items, on timers of the loop, and
each call is short: instruments are shown one at a time, in turn.
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from utb.adapters.seam.server import SeamServer
from utb.bootstrap.tradelog import TradeLog
from utb.domain.market import Instrument
from utb.domain.names import TradingMode
from utb.domain.seam import (
    SEAM_VERSION,
    ChainHealth,
    FeedHealth,
    Hello,
    Pulse,
    Records,
    Rows,
    View,
)
from utb.engine import Engine
from utb.node.runner import Runner
from utb.storage.journal import SqliteJournal

PULSE_EVERY: Final = 5
"""Ticks of the publisher between two pulses."""
STORE_EVERY: Final = 20
"""Ticks of the publisher between two writes of bars and equity: each is a transaction."""
VIEWS_PER_SECOND: Final = 5
"""Of each instrument."""
TICK_S: Final = 0.1
LANE_CHUNK_BYTES: Final = 1024 * 1024

NOT_USED: Final = ("late", "duplicate", "diverged")
"""What the core counts beside rejections; a price that diverged differs from the primary's."""

Row = tuple[int, int, str, bytes]


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """What the publisher cannot know itself."""

    feeds: tuple[FeedHealth, ...]
    reasons: tuple[str, ...]
    clock_sound: bool
    finished: bool
    chain: ChainHealth | None


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What every reader is told first, and does not change."""

    mode: TradingMode
    simulated_time: bool
    instruments: tuple[Instrument, ...]
    journal: Path
    timeframe: str
    span_ns: tuple[int, int] | None


def _with_core(feed: FeedHealth, counted: Mapping[str, Mapping[str, Any]]) -> FeedHealth:
    """Return a feed's health with what the core did not use of its items, by reason."""
    core = counted.get(feed.source)
    if core is None:
        return feed
    rejected = Counter(feed.rejected)
    rejected.update(core["rejected"])
    rejected.update({name: core[name] for name in NOT_USED if core[name]})
    return replace(feed, rejected=dict(rejected))


class Publisher:
    """Publishes one runner."""

    def __init__(
        self,
        about: About,
        runner: Runner,
        engine: Engine,
        journal: SqliteJournal,
        *,
        wall_ns: Callable[[], int],
    ) -> None:
        """Publish nothing yet; `attach` says where to."""
        self._about = about
        self._runner = runner
        self._engine = engine
        self._journal = journal
        self._wall_ns = wall_ns
        self._session = uuid.uuid4().hex
        self._started_wall_ns = wall_ns()
        self._server: SeamServer | None = None
        self._ticks = 0
        self._next_view = 0
        self._lost: dict[str, int] = {}
        self._bars = b""
        self._equity = b""
        self._unsent: list[Row] = []
        self._log = TradeLog(about.instruments)
        journal.on_durable = self._durable

    def attach(self, server: SeamServer) -> None:
        """Publish on a server from now on."""
        self._server = server

    def hello(self) -> Hello:
        """Return what a reader needs before anything else."""
        # Who attaches now begins behind `seq`: what it covers must not come again
        self.send_records()
        about = self._about
        return Hello(
            version=SEAM_VERSION,
            session=self._session,
            mode=about.mode,
            simulated_time=about.simulated_time,
            instruments=about.instruments,
            seq=self._journal.durable_seq,
            journal=str(about.journal),
            started_wall_ns=self._started_wall_ns,
            timeframe=about.timeframe,
            span_ns=about.span_ns,
        )

    def _rows(self, kind: str, rows: bytes) -> None:
        """Send flat records; a long run of them in several messages."""
        server = self._server
        lost = self._engine.log_dropped()[kind]
        dropped, self._lost[kind] = lost - self._lost.get(kind, 0), lost
        if server is None or not server.has_readers or not (rows or dropped):
            return
        for at in range(0, max(len(rows), 1), LANE_CHUNK_BYTES):
            server.publish(Rows(kind=kind, rows=rows[at : at + LANE_CHUNK_BYTES], dropped=dropped))
            dropped = 0

    def drain_logs(self) -> None:
        """Send what the core logged; bars and equity are stored now and then."""
        engine = self._engine
        bars, equity = engine.drain_bars().tobytes(), engine.drain_equity().tobytes()
        self._bars += bars
        self._equity += equity
        self._rows("bars", bars)
        self._rows("equity", equity)
        self._rows("votes", engine.drain_votes().tobytes())
        self._rows("ticks", engine.drain_ticks().tobytes())
        self._rows("stages", engine.drain_stages().tobytes())
        if self._ticks % STORE_EVERY == 0:
            self._store()

    def store_logs(self) -> None:
        """Send what the core logged, and store bars and equity at once: before a snapshot."""
        self.drain_logs()
        self._store()

    def _store(self) -> None:
        bars, self._bars = self._bars, b""
        equity, self._equity = self._equity, b""
        self._journal.add_bars(bars)
        self._journal.add_equity(equity)

    def tick(self, condition: Callable[[], Condition]) -> None:
        """Publish what is due; called every `TICK_S` seconds."""
        self._ticks += 1
        self.send_records()
        self._log.write()
        server = self._server
        if server is None or not server.has_readers:
            return
        count = len(self._about.instruments)
        for _ in range(max(1, round(count * VIEWS_PER_SECOND * TICK_S))):
            self._view(server, self._next_view)
            self._next_view = (self._next_view + 1) % count
        if self._ticks % PULSE_EVERY == 0:
            server.publish(self.pulse(condition()))

    def pulse(self, condition: Condition) -> Pulse:
        """Return how the process is."""
        runner = self._runner
        trader = runner.wiring.trader
        known = self._engine.equity()
        counters = self._engine.counters()
        book = trader.book
        return Pulse(
            ts_ns=runner.now_ns,
            wall_ns=self._wall_ns(),
            operator=trader.desk.state.operator,
            finished=condition.finished,
            recovering=runner.wiring.journal.verifying(),
            equity=None if known is None or not trader.is_open else known[0],
            peak=None if known is None or not trader.is_open else known[1],
            cash=book.cash_quote_raw / 10**trader.desk.quote_decimals,
            feeds=tuple(_with_core(feed, counters["items"]) for feed in condition.feeds),
            stages=self._engine.stages(),
            holds_by_reason=counters["holds_by_reason"],
            evaluations=counters["evaluations"],
            items=runner.session.items,
            journal_writable=not self._journal.trouble,
            clock_sound=condition.clock_sound,
            reasons=condition.reasons,
            chain=condition.chain,
            lane_dropped=0 if self._server is None else self._server.dropped,
        )

    def _view(self, server: SeamServer, instrument: int) -> None:
        server.publish(
            View(
                instrument=instrument,
                ts_ns=self._runner.now_ns,
                view=self._engine.view_json(instrument),
            )
        )

    def _durable(self, rows: Sequence[Row]) -> None:
        """Take records that just became durable; they are sent when the order is on its way."""
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self.send_records)
        self._unsent += rows

    def send_records(self) -> None:
        """Send the durable records that were not sent yet."""
        rows, self._unsent = self._unsent, []
        for _, _, kind, payload in rows:
            self._log.take(kind, payload)
        if rows and self._server is not None:
            self._server.publish_records(
                Records(
                    first_seq=rows[0][0],
                    wall_ns=rows[-1][1],
                    payloads=tuple(row[3] for row in rows),
                )
            )
