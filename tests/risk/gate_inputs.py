"""Inputs of the gate that pass, to be varied by one field at a time."""

from functools import cache

from msgspec.structs import replace

from utb.config.load import defaults
from utb.domain.market import Instrument
from utb.domain.names import ExitReason, OperatorState
from utb.risk.settings import RiskSettings, risk_settings
from utb.risk.view import (
    EntryRequest,
    ExitRequest,
    MarketFacts,
    PendingView,
    PortfolioView,
    PositionView,
)

USDC = 1_000_000
SOL = 1_000_000_000


@cache
def settings() -> RiskSettings:
    return risk_settings(defaults())


INSTRUMENT = Instrument(
    index=0,
    symbol="SOL-USDC",
    base_mint="So11111111111111111111111111111111111111112",
    quote_mint="EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
    base_decimals=9,
    quote_decimals=6,
    primary="birdeye",
    liquid=True,
    min_order_quote_raw=10 * USDC,
)

FACTS = MarketFacts(
    price=150.0,
    atr=2.0,
    adx=22.0,
    volatility_ratio=1.0,
    trend_4h=0,
    depth_quote_raw=50_000_000 * USDC,
    fee_bps=4,
    sol_price=150.0,
)

VIEW = PortfolioView(
    equity_raw=100_000 * USDC,
    cash_raw=100_000 * USDC,
    reserved_raw=0,
    sol_lamports=SOL,
    positions=(),
    pending=(),
    drawdown=0.0,
    operator_state=OperatorState.RUNNING,
    breakers=(),
)

ENTRY = EntryRequest(
    intent_id="00000000000000aa",
    ts_ns=1_700_000_000_000_000_000,
    instrument=INSTRUMENT,
    lead="trend_following",
    decision_events=7,
    stop=147.0,
    target=156.0,
    confidence=1.0,
)

EXIT = ExitRequest(
    intent_id="00000000000000bb",
    ts_ns=1_700_000_000_000_000_000,
    instrument=INSTRUMENT,
    lead="trend_following",
    position_id=1,
    decision_events=9,
    reason=ExitReason.STOP,
)

HELD = PositionView(
    position_id=1,
    instrument=0,
    base_raw=100 * SOL,
    value_raw=15_000 * USDC,
    risk_at_stop_raw=300 * USDC,
)


def other(index: int, value_usdc: int, risk_usdc: int = 0) -> PositionView:
    """Return an open position of another instrument."""
    return PositionView(
        position_id=index,
        instrument=index,
        base_raw=1,
        value_raw=value_usdc * USDC,
        risk_at_stop_raw=risk_usdc * USDC,
    )


def holding(*positions: PositionView, pending: tuple[PendingView, ...] = ()) -> PortfolioView:
    """Return the account with positions it paid for, all of them uncorrelated."""
    spent = sum(p.value_raw or 0 for p in positions)
    held = [p.instrument for p in positions] + [o.instrument for o in pending]
    return replace(
        VIEW,
        positions=positions,
        pending=pending,
        cash_raw=100_000 * USDC - spent,
        reserved_raw=sum(o.value_raw for o in pending),
        correlations=dict.fromkeys(held, 0.1),
    )
