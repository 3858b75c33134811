"""Answers and bodies of positions."""

from decimal import Decimal
from typing import Annotated, Final

import msgspec
from msgspec import Meta


class PositionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One open position; size in base units, money in quote units, null = unknown."""

    id: str
    """Intent of the entry."""
    symbol: str
    side: str
    size: float
    entry_price: float
    current_price: float | None
    pnl: float | None
    """Of the whole open size, network fees apart."""
    pnl_pct: float | None
    strategy: str
    stop: float
    target: float | None
    opened_at: str | None
    risk_at_stop: float | None
    """Loss from the present price to the stop, quote units."""
    value: float | None
    age_s: float | None
    """Age of `current_price`."""
    stale: bool


class Positions(msgspec.Struct, frozen=True, kw_only=True):
    """All open positions."""

    positions: tuple[PositionRow, ...]
    as_of: str | None
    age_s: float | None


class CloseBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of a position to close."""

    fraction: Annotated[
        Decimal, Meta(description="Part of the open size, above 0 and at most 1.", examples=[0.5])
    ] = Decimal(1)


EXAMPLE: Final = Positions(
    positions=(
        PositionRow(
            id="9f86d081884c7d65",
            symbol="SOL-USDC",
            side="LONG",
            size=100.0,
            entry_price=150.25,
            current_price=152.5,
            pnl=225.0,
            pnl_pct=0.014975,
            strategy="momentum_breakthrough",
            stop=147.1,
            target=158.0,
            opened_at="2025-10-07T10:30:00.000Z",
            risk_at_stop=555.25,
            value=15_250.0,
            age_s=0.4,
            stale=False,
        ),
    ),
    as_of="2025-10-07T11:30:00.000Z",
    age_s=0.2,
)
