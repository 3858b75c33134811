"""The `/clock` protocol: simulated time in lock step between the stand-in world and the bot.

The bot sends `Join`, and gets `Market`; it connects its feeds, sends `Ready`, and gets `Schedule`
after `Schedule`. Every entry is one thing that happens next, in order of time; the frame behind it
comes on its source's own connection. When all of a schedule is handled, and what it set off on the
network has come to rest, the bot sends `Taken`. At most `WINDOW` schedules are under way, so the
stand-in never runs ahead by more. Messages are binary WebSocket messages, one MessagePack body
each.
"""

from typing import Final

import msgspec

from utb.domain.market import Instrument

ENTRIES_MAX: Final = 512
"""Most entries of one schedule."""

WINDOW: Final = 2
"""Most schedules that are sent and not yet taken."""

TIME_STEP_NS: Final = 5_000_000_000
"""While items are lost, time moves on by entries of its own at least this often."""

MESSAGE_BYTES_MAX: Final = 4 * 1024 * 1024
"""Longest message, either way."""

ITEM_HEADER: Final = "x-market-item"
"""Request header of a DexScreener poll that an entry set off: the entry's `index`, decimal. With
it the answer is exactly that item's body; without it (a retry, a person) the latest one."""

DEXSCREENER: Final = 0
"""Kind of an entry: the bot makes one poll now, and the answer's body is the frame."""
BIRDEYE: Final = 1
"""Kind of an entry: the next message of the Birdeye WebSocket connection."""
HELIUS: Final = 2
"""Kind of an entry: the next notification of the Helius WebSocket connection."""
CONTEXT: Final = -1
"""Kind of an entry: a context; `instrument` and `payload` are its own."""
TIME: Final = -2
"""Kind of an entry: nothing happens but that time passes."""
END: Final = -3
"""Kind of an entry: the market is over; the last entry of the last schedule."""


class Account(msgspec.Struct, frozen=True, array_like=True):
    """An account that a Helius feed subscribes to, and what it means to an instrument."""

    key: str
    """The account's address, as `accountSubscribe` takes it."""
    instrument: int
    role: str
    """base_vault, quote_vault or pool."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One thing that happens."""

    ts_ns: int
    """When, market time; never before the entry before it. The frame's `ts_recv_ns`."""
    kind: int
    """`DEXSCREENER`, `BIRDEYE`, `HELIUS`, `CONTEXT`, `TIME` or `END`."""
    index: int
    """Market item it stands for; -1 for `TIME` and `END`. Indices may jump (an item was lost) or
    come again (duplicates); only delayed items come out of order."""
    instrument: int = -1
    """Of a context; else -1."""
    payload: bytes = b""
    """JSON of a context; else empty."""


class Join(msgspec.Struct, frozen=True, kw_only=True, tag="join"):
    """The bot's first message."""

    cursor: int
    """Index of the first market item it wants, >= 0."""


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag="ready"):
    """The bot's feeds are connected, or have given up for now."""


class Taken(msgspec.Struct, frozen=True, kw_only=True, tag="taken"):
    """All entries of the oldest schedule under way are handled."""

    cursor: int
    """Index of the next market item the bot wants."""


class Market(msgspec.Struct, frozen=True, kw_only=True, tag="market"):
    """What is traded; the answer to `Join`."""

    instruments: tuple[Instrument, ...]
    start_ns: int
    end_ns: int
    """All items are before this time."""
    seed: int | None
    """Of a generated market; None for recorded prices."""
    identity: str
    """Tells this market from others: another one cannot continue a run."""
    finest: str
    """Smallest bar the market makes, for example 1m: the `chartType` to subscribe to."""
    accounts: tuple[Account, ...]
    speed: float | None = None
    """Simulated seconds per second that the stand-in sends at; None: as fast as it is taken."""


class Schedule(msgspec.Struct, frozen=True, kw_only=True, tag="schedule"):
    """What happens next, in order."""

    entries: list[Entry]
    """1 to `ENTRIES_MAX`."""


ToClock = Join | Ready | Taken
FromClock = Market | Schedule
