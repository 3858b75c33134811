"""Checks of an entry that come before its size: states, guards, inputs, counts."""

from math import isfinite

import msgspec

from utb.domain.amounts import AMOUNT_MAX, BPS
from utb.domain.names import BreakerKind, OperatorState, RefusalCode
from utb.risk.correlation import highest_correlation
from utb.risk.settings import RiskSettings
from utb.risk.view import EntryRequest, MarketFacts, PortfolioView

_STATE_CODES = {
    OperatorState.EMERGENCY_STOP: RefusalCode.EMERGENCY_STOP,
    OperatorState.SAFE_MODE: RefusalCode.OPERATOR_SAFE_MODE,
    OperatorState.PAUSED: RefusalCode.OPERATOR_PAUSED,
}

_BREAKER_CODES = {
    BreakerKind.DRAWDOWN: RefusalCode.EMERGENCY_STOP,
    BreakerKind.UNHEALTHY: RefusalCode.UNHEALTHY,
    BreakerKind.RECONCILIATION: RefusalCode.RECONCILIATION,
    BreakerKind.PORTFOLIO_VOLATILITY: RefusalCode.PORTFOLIO_VOLATILITY,
    BreakerKind.FLASH_CRASH: RefusalCode.FLASH_CRASH,
    BreakerKind.WHALE_MANIPULATION: RefusalCode.WHALE_MANIPULATION,
}
"""Breakers that stop entries; DRAWDOWN_WARNING only tells."""

ADX_MAX = 100.0


class Denial(msgspec.Struct, frozen=True):
    """A reason to refuse, with its numbers."""

    code: RefusalCode
    message: str
    limit: float = 0.0
    value: float = 0.0
    order_value: float = 0.0


def positive(value: float) -> bool:
    """Return whether a number is finite and above zero."""
    return value > 0 and isfinite(value)


def whole(*values: object) -> bool:
    """Return whether all are integers: a float that looks like an amount is not one."""
    return set(map(type, values)) == {int}


def state_denial(view: PortfolioView, instrument: int, settings: RiskSettings) -> Denial | None:
    """Return why the operator's state or a guard stops entries."""
    if view.operator_state != OperatorState.RUNNING:
        code = _STATE_CODES.get(view.operator_state, RefusalCode.EMERGENCY_STOP)
        return Denial(code, f"the operator state is {view.operator_state}")
    for breaker in view.breakers:
        code_of = _BREAKER_CODES.get(breaker.kind)
        if code_of is None or breaker.instrument not in {None, instrument}:
            continue
        return Denial(code_of, breaker.cause, breaker.limit, breaker.value, breaker.value)
    known = view.equity_raw is not None
    if known and settings.emergency_stop_enabled and view.drawdown > settings.max_drawdown:
        limit, value = settings.max_drawdown, view.drawdown
        message = "the drawdown is above its limit"
        return Denial(RefusalCode.EMERGENCY_STOP, message, limit, value, value)
    return None


def market_denial(facts: MarketFacts) -> Denial | None:
    """Return what is absent or impossible in the market's figures."""
    if facts.price is None or facts.sol_price is None:
        return Denial(RefusalCode.MARK_ABSENT, "no price of the instrument or of SOL")
    if facts.depth_quote_raw is None or facts.fee_bps is None or facts.depth_quote_raw == 0:
        return Denial(RefusalCode.LIQUIDITY_UNKNOWN, "no depth or fee of the pool")
    if facts.adx is None or facts.volatility_ratio is None:
        return Denial(RefusalCode.WARM_UP, "ADX or the volatility ratio is in its warm-up")
    if facts.atr is None or facts.atr == 0.0:
        return Denial(RefusalCode.ATR_ABSENT, "no ATR")
    possible = (
        positive(facts.price)
        and positive(facts.sol_price)
        and positive(facts.atr)
        and whole(facts.depth_quote_raw, facts.fee_bps)
        and 0 < facts.depth_quote_raw <= AMOUNT_MAX
        and 0 <= facts.fee_bps < BPS
        and 0.0 <= facts.adx <= ADX_MAX
        and facts.volatility_ratio >= 0.0
        and isfinite(facts.volatility_ratio)
        and facts.trend_4h in {None, -1, 0, 1}
    )
    return None if possible else invalid("the market's figures", facts)


def account_denial(view: PortfolioView) -> Denial | None:
    """Return what is absent or impossible in the account's figures."""
    equity, exposure, risk = view.equity_raw, view.exposure_raw, view.risk_at_stop_raw
    if equity is None or exposure is None or risk is None:
        return Denial(RefusalCode.MARK_ABSENT, "something held has no mark")
    possible = (
        whole(equity, exposure, risk, view.cash_raw, view.reserved_raw, view.sol_lamports)
        and 0 < equity <= AMOUNT_MAX
        and view.reserved_raw >= 0
        and 0 <= view.cash_raw <= AMOUNT_MAX
        and 0 <= view.sol_lamports <= AMOUNT_MAX
        and 0.0 <= view.drawdown <= 1.0
    )
    for position in view.positions:
        possible &= (position.value_raw or 0) >= 0 <= (position.risk_at_stop_raw or 0)
    for order in view.pending:
        possible &= order.value_raw >= 0 <= order.risk_at_stop_raw
    return None if possible else invalid("the account's figures", view.equity_raw)


def book_denial(
    request: EntryRequest, view: PortfolioView, settings: RiskSettings
) -> Denial | None:
    """Return why the positions and orders there are leave no place for another."""
    if not view.positions and not view.pending:
        return None
    index = request.instrument.index
    held = [p.instrument for p in view.positions]
    if index in held:
        return Denial(RefusalCode.POSITION_EXISTS, "one entry per position", 1.0, 1.0, 2.0)
    for order in view.pending:
        if order.instrument == index:
            message = "an order of this instrument is on its way"
            return Denial(RefusalCode.ORDER_IN_FLIGHT, message, 1.0, 1.0, 2.0)
        if order.position_id is None:
            held.append(order.instrument)
    count, most = len(held), settings.max_concurrent_positions
    if count >= most:
        message = f"{count} positions are open or on their way"
        code = RefusalCode.MAX_CONCURRENT_POSITIONS
        return Denial(code, message, float(most), float(count), float(count + 1))
    worst = highest_correlation(view.correlations, held)
    if worst is not None and worst[1] > settings.correlation_limit:
        message = f"moves with instrument {worst[0]}, which is held"
        if view.correlations.get(worst[0]) is None:
            message = f"how it moves with instrument {worst[0]}, which is held, is not known: 1"
        limit, value = settings.correlation_limit, worst[1]
        return Denial(RefusalCode.CORRELATION, message, limit, value, value)
    return None


def fee_denial(view: PortfolioView, settings: RiskSettings) -> Denial | None:
    """Return whether the SOL reserve could be touched, by this order and those on their way."""
    limit = settings.fee_reserve_lamports
    left = view.sol_lamports - (len(view.pending) + 1) * settings.max_fee_lamports
    if left >= limit:
        return None
    message = "the SOL reserve would be traded"
    code = RefusalCode.FEE_RESERVE
    return Denial(code, message, float(limit), float(view.sol_lamports), float(left))


def invalid(what: str, value: object) -> Denial:
    """Return the denial of an input that cannot be."""
    return Denial(RefusalCode.INVALID_INPUT, f"{what} cannot be: {value!r}"[:300])
