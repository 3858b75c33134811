"""What the gate sees: requests, the portfolio, the market. Absent is None, never zero."""

from collections.abc import Mapping

import msgspec

from utb.domain.amounts import (
    PPB,
    mul_div_ceil,
    price_q64_floor,
    quote_value_floor,
    ratio,
)
from utb.domain.market import Instrument
from utb.domain.names import MANUAL, ExitReason, OperatorState
from utb.domain.orders import Position
from utb.domain.records import Breaker


class PositionView(msgspec.Struct, frozen=True, kw_only=True):
    """An open position as risk sees it."""

    position_id: int
    instrument: int
    base_raw: int
    value_raw: int | None
    """Quote raw at the mark; None without one."""
    risk_at_stop_raw: int | None
    """Loss from the mark to the stop, gap allowance included, quote raw; None without a mark."""


class PendingView(msgspec.Struct, frozen=True, kw_only=True):
    """An approved order that has not filled yet."""

    instrument: int
    value_raw: int
    """Reserved quote raw of an entry; 0 for an exit."""
    risk_at_stop_raw: int
    position_id: int | None = None
    """Position an exit reduces; None for an entry."""


class PortfolioView(msgspec.Struct, frozen=True, kw_only=True):
    """The account at one moment."""

    equity_raw: int | None
    """Quote raw; None while something held has no mark."""
    cash_raw: int
    """Quote raw, reservations included."""
    reserved_raw: int
    """Part of the cash that pending entries have taken."""
    sol_lamports: int
    positions: tuple[PositionView, ...]
    pending: tuple[PendingView, ...]
    drawdown: float
    """Fall of the net asset value from its peak, 0..1."""
    operator_state: OperatorState
    breakers: tuple[Breaker, ...]
    """The active ones."""
    correlations: Mapping[int, float | None] = msgspec.field(default_factory=dict)
    """Correlation of the order's instrument with each instrument held or pending."""

    @property
    def exposure_raw(self) -> int | None:
        """Return the value of positions and pending entries; None if one is unknown."""
        total = 0
        for position in self.positions:
            if position.value_raw is None:
                return None
            total += position.value_raw
        for order in self.pending:
            total += order.value_raw
        return total

    @property
    def risk_at_stop_raw(self) -> int | None:
        """Return the loss if every stop is hit; None if one is unknown."""
        total = 0
        for position in self.positions:
            if position.risk_at_stop_raw is None:
                return None
            total += position.risk_at_stop_raw
        for order in self.pending:
            total += order.risk_at_stop_raw
        return total

    @property
    def heat(self) -> float | None:
        """Return exposure / equity, for display; None if unknown."""
        exposure = self.exposure_raw
        if exposure is None or not self.equity_raw:
            return None
        return ratio(exposure, self.equity_raw)

    @property
    def open_count(self) -> int:
        """Return the number of instruments held or about to be."""
        entries = sum(order.position_id is None for order in self.pending)
        return len(self.positions) + entries


class MarketFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument's market at the moment of an order."""

    price: float | None
    """Last price, quote per base."""
    atr: float | None
    """ATR14 of the strategy timeframe, quote units."""
    adx: float | None
    volatility_ratio: float | None
    trend_4h: int | None
    """1 bull, -1 bear, 0 sideways; None before its warm-up."""
    depth_quote_raw: int | None
    """Quote side of the pool."""
    fee_bps: int | None
    """Fee of the pool, of 10,000."""
    sol_price: float | None
    """Quote units per SOL, values network fees."""


class EntryRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to buy."""

    intent_id: str
    ts_ns: int
    instrument: Instrument
    lead: str
    """Strategy name or `manual`."""
    decision_events: int
    stop: float | None
    """None on a manual entry: `risk.stop_loss_atr_multiplier` ATR below the price."""
    target: float | None
    """None on a manual entry: `risk.take_profit_atr_multiplier` ATR above the price."""
    confidence: float | None
    """Of the winning side; None on a manual entry."""
    size_base_raw: int | None = None
    """Wanted base amount of a manual entry: refused rather than shrunk."""

    @property
    def is_manual(self) -> bool:
        """Return whether a person asked."""
        return self.lead == MANUAL


class ExitRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to sell all or part of a position."""

    intent_id: str
    ts_ns: int
    instrument: Instrument
    lead: str
    position_id: int
    decision_events: int
    reason: ExitReason
    fraction: float = 1.0
    """Part of the open quantity, 0..1]; 1 sells everything."""
    size_base_raw: int | None = None
    """Exact base amount, in place of the fraction."""
    epoch: int = 0
    attempt: int = 0
    """Attempts that failed before; each raises the tolerance."""


def position_view(
    position: Position, instrument: Instrument, price: float | None, gap_allowance_ppb: int
) -> PositionView:
    """Return a position's value and risk at a mark.

    Args:
        position: From the ledger.
        instrument: Its instrument.
        price: Mark, quote per base; None if there is none.
        gap_allowance_ppb: Part of the price added to the distance to the stop, parts per billion.
    """
    value = risk = None
    if price is not None and 0.0 < price < float("inf"):
        decimals = instrument.base_decimals, instrument.quote_decimals
        value = quote_value_floor(position.base_raw, price_q64_floor(price, *decimals))
        gap = mul_div_ceil(value, gap_allowance_ppb, PPB)
        stop = price_q64_floor(position.stop, *decimals)
        # A mint that is not liquid is assumed to lose everything
        kept = quote_value_floor(position.base_raw, stop) if instrument.liquid else 0
        risk = max(value - kept + gap, 0)
    return PositionView(
        position_id=position.position_id,
        instrument=position.instrument,
        base_raw=position.base_raw,
        value_raw=value,
        risk_at_stop_raw=risk,
    )


class GateInputs(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an entry's approval was computed from, beside the settings; it is on record."""

    request: EntryRequest
    portfolio: PortfolioView
    facts: MarketFacts
