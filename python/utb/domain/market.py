"""Instruments, amounts and events of the market."""

from typing import NewType

import msgspec

UnixNanos = NewType("UnixNanos", int)
"""Nanoseconds since the Unix epoch, UTC."""

RawAmount = NewType("RawAmount", int)
"""Integer base units of a token: lamports of SOL, micro-USDC of USDC."""


class Instrument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One tradable pair; `index` is its dense number in the core."""

    index: int
    symbol: str
    """`BASE-QUOTE`, for example `SOL-USDC`."""
    base_mint: str
    quote_mint: str
    base_decimals: int
    quote_decimals: int
    primary: str
    """Name of the source whose prices and volumes make the bars."""
    liquid: bool
    """Whether the base mint is on the liquid list (else it is assumed to lose everything)."""
    min_order_quote_raw: int
    """Smallest order value, quote base units."""

    @property
    def base(self) -> str:
        """Return the base asset's name, the part before the dash."""
        return self.symbol.partition("-")[0]

    @property
    def quote(self) -> str:
        """Return the quote asset's name, the part after the dash."""
        return self.symbol.partition("-")[2]


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """Last known price of an instrument, as the core holds it."""

    price: float
    """Quote per base, > 0."""
    ts_ns: int
    events: int
    """Price events seen so far; tells whether one came after a decision."""
    liquidity_quote: float | None
    """Quote-side liquidity in quote units, if the source gives it."""
    atr: float | None
    """ATR14 of the strategy timeframe at its last closed bar, quote units; None in warm-up."""
