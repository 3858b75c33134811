"""Answers and bodies of trades."""

from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from utb.domain.names import Side


class TradeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A manual order."""

    symbol: Annotated[str, Meta(max_length=64, examples=["SOL-USDC"])]
    side: Annotated[Side, Meta(examples=["BUY"])]
    size: Annotated[
        Decimal, Meta(description="Base units, above 0; digits below the base unit are cut.")
    ]
    order_type: Annotated[str, Meta(description="MARKET is the only one.", max_length=16)] = (
        "MARKET"
    )
    strategy: Annotated[str, Meta(description="`manual`.", max_length=64)] = "manual"
    stop: Annotated[
        float | None, Meta(description="Quote per base; absent on a BUY: 1.5 ATR below.")
    ] = None
    target: Annotated[
        float | None, Meta(description="Quote per base; absent on a BUY: 2.5 ATR above.")
    ] = None
    client_order_id: (
        Annotated[
            str,
            Meta(min_length=1, max_length=64, description="A repeat is answered, not repeated."),
        ]
        | None
    ) = None


class TradeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a manual order."""

    order_id: str
    status: str
    """PENDING, FILLED, or how it ended: EXPIRED, FAILED_ON_CHAIN, CANCELLED, DENIED."""
    symbol: str
    side: str
    size: float
    filled_size: float
    price: float | None
    fees: float | None
    timestamp: str | None
    reason: str


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """What a trade cost, quote units."""

    pool_fees: float
    network_fees: float
    slippage: float
    """Against the decisions' prices; negative = better."""


class TradeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A closed round trip."""

    id: str
    symbol: str
    side: str
    """Of the entry."""
    size: float
    price: float
    """Of the entry."""
    fees: float
    """Pool and network fees."""
    timestamp: str | None
    """When it closed."""
    strategy: str
    pnl: float
    """After all costs."""
    exit_price: float
    exit_reason: str
    opened_at: str | None
    slippage_bps: float
    execution_ms: float
    r_multiple: float | None
    """Net profit / initial risk."""
    costs: Costs


class Trades(msgspec.Struct, frozen=True, kw_only=True):
    """Closed trades, newest first."""

    trades: tuple[TradeRow, ...]
    total: int
    next_offset: int | None


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    """A fill on a chart."""

    time: int
    """Unix seconds."""
    side: str
    price: float
    size: float
    reason: str
    trade_id: str
    strategy: str


class Markers(msgspec.Struct, frozen=True, kw_only=True):
    """Fills of one instrument, oldest first."""

    symbol: str
    markers: tuple[Marker, ...]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One record of a trade's life."""

    seq: int
    timestamp: str | None
    kind: str
    """decision, order, fill, trigger_armed, trigger_moved, trigger_fired or refused."""
    text: str
    data: dict[str, Any]


class TradeDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A trade, or an open position, from its decision to its last fill."""

    id: str
    symbol: str
    strategy: str
    open: bool
    trade: TradeRow | None
    timeline: tuple[Event, ...]


ROW_EXAMPLE: Final = TradeRow(
    id="trade_123",
    symbol="SOL-USDC",
    side="BUY",
    size=50.0,
    price=150.25,
    fees=0.75,
    timestamp="2025-10-07T10:30:00.000Z",
    strategy="momentum_breakthrough",
    pnl=25.5,
    exit_price=150.79,
    exit_reason="TARGET",
    opened_at="2025-10-07T08:30:00.000Z",
    slippage_bps=1.2,
    execution_ms=912.0,
    r_multiple=0.4,
    costs=Costs(pool_fees=0.74, network_fees=0.01, slippage=1.8),
)
TRADES_EXAMPLE: Final = Trades(trades=(ROW_EXAMPLE,), total=150, next_offset=50)
ANSWER_EXAMPLE: Final = TradeAnswer(
    order_id="9f86d081884c7d65",
    status="FILLED",
    symbol="SOL-USDC",
    side="BUY",
    size=50.0,
    filled_size=50.0,
    price=150.31,
    fees=3.01,
    timestamp="2025-10-07T10:30:00.912Z",
    reason="",
)
