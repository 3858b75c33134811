"""Where market data comes from."""

from collections.abc import Iterator
from typing import Protocol

import msgspec


class Frame(msgspec.Struct, frozen=True, array_like=True, tag="f"):
    """One message as it came off the wire."""

    source: int
    """Source number of the core (0 dexscreener, 1 birdeye, 2 helius, 3 recorded)."""
    payload: bytes
    ts_recv_ns: int


class ContextUpdate(msgspec.Struct, frozen=True, array_like=True, tag="c"):
    """A slow input of one instrument: whale, sentiment, forecast, hedge or venue context."""

    instrument: int
    payload: bytes
    """JSON as `utb_types::Context` reads it, for example `{"kind": "venue", "price": 150.1}`."""
    ts_ns: int


class Records(msgspec.Struct, frozen=True, array_like=True, tag="r"):
    """A block of recorded events, 64 bytes each, in time order; replayed inside the core."""

    payload: bytes


FeedItem = Frame | ContextUpdate | Records


class Feed(Protocol):
    """A source of items in one total order; the same position always gives the same item."""

    def items(self, start: int) -> Iterator[FeedItem]:
        """Yield items from position `start` (0 = the first) to the end."""
        ...
