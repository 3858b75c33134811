"""Messages of `/ws`."""

from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from utb.api.market.schemas import BarRow, DecisionNow, VoteRow


class Channel(StrEnum):
    """What can be subscribed to."""

    TRADES = "trades"
    POSITIONS = "positions"
    PERFORMANCE = "performance"
    ALERTS = "alerts"
    MARKET = "market"


class Ask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client says."""

    action: Annotated[str, Meta(max_length=16)]
    """auth, subscribe, unsubscribe or ping."""
    channels: Annotated[tuple[str, ...], Meta(max_length=16)] = ()
    since: Annotated[int, Meta(ge=0)] | None = None
    """Send again what came after this sequence on `trades` and `alerts`, if it is still kept."""
    key: Annotated[str, Meta(max_length=256)] | None = None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Something new on a channel."""

    channel: Channel
    seq: int
    """Last durable record it follows from."""
    timestamp: str | None
    data: Any


class MarketNews(msgspec.Struct, frozen=True, kw_only=True):
    """Data of `market`: one instrument, at most five times a second."""

    symbol: str
    price: float | None
    ts: str | None
    timeframe: str
    forming: BarRow | None
    closed: BarRow | None
    """A bar of the strategy timeframe that closed since the last message."""
    regime: str | None
    bar_time: str | None
    """Open of the bar that was evaluated."""
    votes: tuple[VoteRow, ...]
    decision: DecisionNow


class FillNews(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="fill"):
    """Data of `trades`: a fill."""

    id: str
    """Of its order."""
    trade_id: str
    symbol: str
    side: str
    size: float
    price: float
    fees: float
    timestamp: str | None
    strategy: str
    reason: str
