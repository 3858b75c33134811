"""Where market data comes from."""

from collections.abc import Iterator
from typing import Protocol

import msgspec

from utb.domain.orders import VenueEvent


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


class Past(msgspec.Struct, frozen=True, array_like=True, tag="y"):
    """A message with bars of the past, for the indicators: what they decide is over."""

    source: int
    payload: bytes
    ts_recv_ns: int


class Moment(msgspec.Struct, frozen=True, array_like=True, tag="t"):
    """Time passed without a price and something was due: a bar's end, an order's landing."""

    ts_ns: int


class Binding(msgspec.Struct, frozen=True, array_like=True, tag="k"):
    """A subscription was answered: what its key delivers from now on."""

    source: int
    key: str
    instrument: int
    role: str
    """`base_vault`, `quote_vault` or `pool`."""


class Health(msgspec.Struct, frozen=True, array_like=True, tag="h"):
    """The system, or one instrument's feed, became unhealthy or healthy again."""

    ts_ns: int
    instrument: int | None
    """None: the system."""
    healthy: bool
    cause: str


class Cursor(msgspec.Struct, frozen=True, array_like=True, tag="i"):
    """In a market that can be asked for any item: which one comes next."""

    index: int


class FromVenue(msgspec.Struct, frozen=True, array_like=True, tag="v"):
    """What a venue with a world of its own told of an order."""

    event: VenueEvent


FeedItem = Frame | ContextUpdate | Records | Past | Moment | Binding | Health | Cursor | FromVenue


class Feed(Protocol):
    """A source of items in one total order; the same position always gives the same item."""

    def items(self, start: int) -> Iterator[FeedItem]:
        """Yield items from position `start` (0 = the first) to the end."""
        ...
