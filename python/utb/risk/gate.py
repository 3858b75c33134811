"""The gate: the only maker of `RiskApproved`. Every order passes it, manual ones included.

An entry is checked in this order, and the first failure is the refusal's code:

1. operator state (EMERGENCY_STOP, OPERATOR_SAFE_MODE, OPERATOR_PAUSED), active breakers
   (EMERGENCY_STOP, UNHEALTHY, PORTFOLIO_VOLATILITY, FLASH_CRASH, WHALE_MANIPULATION);
2. the market's figures (MARK_ABSENT, LIQUIDITY_UNKNOWN, WARM_UP, ATR_ABSENT, INVALID_INPUT) and
   the account's (MARK_ABSENT, INVALID_INPUT);
3. stop and target (STOP_NOT_BELOW_ENTRY, INVALID_INPUT), MIN_CONFIDENCE;
4. the book: POSITION_EXISTS, ORDER_IN_FLIGHT, MAX_CONCURRENT_POSITIONS, CORRELATION;
5. PORTFOLIO_HEAT above its top tier, FEE_RESERVE;
6. the size: formula, then caps. A cap that leaves less than the venue's minimum is the code
   (RISK_PER_TRADE, RISK_AT_STOP, MAX_POSITION_SIZE, PORTFOLIO_HEAT, INSUFFICIENT_CASH, SLIPPAGE,
   COST_GATE); else BELOW_MINIMUM. A manual size is refused rather than shrunk.

An exit is refused only when it makes no sense: NO_POSITION, ORDER_IN_FLIGHT (of the same
position), MARK_ABSENT, INVALID_INPUT, BELOW_MINIMUM (it would bring nothing). No operator state
and no breaker stops it.

Input that cannot be is a refusal, not an exception.
"""

from math import isfinite

import msgspec

from utb.domain.amounts import (
    AMOUNT_MAX,
    BPS,
    PPB,
    div_ceil,
    mul_div_floor,
    ppb,
    price_q64_ceil,
    price_q64_floor,
    quote_value_floor,
    ratio,
)
from utb.domain.market import Instrument
from utb.domain.names import RefusalCode, Side
from utb.domain.orders import OrderIntent, RiskApproved, RiskFactor, RiskRefused
from utb.risk import costs, permits
from utb.risk.heat import heat_factor
from utb.risk.limits import CAPS, Terms, caps, figures, loss_raw, target_sizes, words
from utb.risk.permits import Denial, invalid, positive
from utb.risk.settings import RiskSettings
from utb.risk.sizing import Features, factors, loss_slope_ppb, scaled
from utb.risk.view import EntryRequest, ExitRequest, MarketFacts, PortfolioView, PositionView

Verdict = RiskApproved | RiskRefused

_NONSENSE = (ArithmeticError, ValueError, TypeError, AttributeError, LookupError)
"""What arithmetic on impossible input raises."""


class _Entry(msgspec.Struct, frozen=True):
    """An entry whose inputs are checked."""

    price: float
    stop: float
    target: float
    terms: Terms
    heat: float
    features: Features | None
    """None on a manual entry: the caller sized it."""


def approve_entry(
    request: EntryRequest, view: PortfolioView, facts: MarketFacts, settings: RiskSettings
) -> Verdict:
    """Size an entry, or check the size a person gave; approve or refuse it."""
    try:
        entry = _checked(request, view, facts, settings)
        if isinstance(entry, Denial):
            return _refused(request, entry)
        return _sized(request, entry, settings)
    except _NONSENSE as error:
        return _refused(request, invalid("an input", error))


def approve_exit(
    request: ExitRequest, view: PortfolioView, facts: MarketFacts, settings: RiskSettings
) -> Verdict:
    """Approve a reduction of a position, unless it makes no sense."""
    try:
        return _exit(request, view, facts, settings)
    except _NONSENSE as error:
        return _refused(request, invalid("an input", error))


def _checked(
    request: EntryRequest, view: PortfolioView, facts: MarketFacts, settings: RiskSettings
) -> _Entry | Denial:
    denial = (
        permits.state_denial(view, request.instrument.index, settings)
        or permits.market_denial(facts)
        or permits.account_denial(view)
    )
    if denial is not None:
        return denial
    levels = _levels(request, facts, settings)
    if isinstance(levels, Denial):
        return levels
    denial = (
        _confidence_denial(request, settings)
        or permits.book_denial(request, view, settings)
        or permits.fee_denial(view, settings)
    )
    if denial is not None:
        return denial
    return _entry(request, view, facts, settings, levels)


def _levels(
    request: EntryRequest, facts: MarketFacts, settings: RiskSettings
) -> tuple[float, float] | Denial:
    """Return stop and target, those of a manual entry filled in from the ATR."""
    price, atr = facts.price or 0.0, facts.atr or 0.0
    stop, target = request.stop, request.target
    if request.is_manual:
        stop = price - settings.stop_loss_atr_multiplier * atr if stop is None else stop
        target = price + settings.take_profit_atr_multiplier * atr if target is None else target
    if stop is None or target is None:
        return invalid("an entry without stop or target", request.lead)
    if not positive(stop) or not positive(target) or target <= price:
        return invalid("stop and target", (stop, price, target))
    if stop >= price:
        message = f"the stop {stop} is not below the entry {price}"
        return Denial(RefusalCode.STOP_NOT_BELOW_ENTRY, message, price, stop, stop)
    return stop, target


def _confidence_denial(request: EntryRequest, settings: RiskSettings) -> Denial | None:
    confidence = request.confidence
    if request.is_manual and confidence is None:
        return None
    if confidence is None or not 0.0 <= confidence <= 1.0:
        return invalid("confidence", confidence)
    if confidence >= settings.min_confidence:
        return None
    limit = settings.min_confidence
    message = "the confidence is below its limit"
    return Denial(RefusalCode.MIN_CONFIDENCE, message, limit, confidence, confidence)


def _entry(
    request: EntryRequest,
    view: PortfolioView,
    facts: MarketFacts,
    settings: RiskSettings,
    levels: tuple[float, float],
) -> _Entry | Denial:
    instrument = request.instrument
    equity, exposure = view.equity_raw or 0, view.exposure_raw or 0
    heat = heat_factor(exposure, equity, settings.portfolio_heat_limit_ppb)
    if heat <= 0.0:
        limit, value = settings.portfolio_heat_limit_ppb / PPB, ratio(exposure, equity)
        return Denial(RefusalCode.PORTFOLIO_HEAT, "the portfolio is hot", limit, value, value)
    pool = _pool(facts, settings, instrument)
    base_decimals, quote_decimals = instrument.base_decimals, instrument.quote_decimals
    stop_q64 = price_q64_floor(levels[0], base_decimals, quote_decimals)
    target_q64 = price_q64_floor(levels[1], base_decimals, quote_decimals)
    if not 0 < stop_q64 < pool.price_q64 < target_q64:
        return invalid("prices too close or too small", (levels[0], facts.price, levels[1]))
    terms = Terms(
        equity,
        exposure,
        view.risk_at_stop_raw or 0,
        view.cash_raw - view.reserved_raw,
        pool,
        loss_slope_ppb(pool, stop_q64, settings.gap_allowance_ppb),
        mul_div_floor(target_q64 - pool.price_q64, PPB, pool.price_q64),
        instrument.liquid,
    )
    features = None
    if request.size_base_raw is None:
        features = Features(
            facts.volatility_ratio or 0.0,
            facts.adx or 0.0,
            facts.trend_4h,
            1.0 if request.confidence is None else request.confidence,
            view.drawdown,
        )
    return _Entry(facts.price or 0.0, *levels, terms, heat, features)


def _pool(facts: MarketFacts, settings: RiskSettings, instrument: Instrument) -> costs.Pool:
    lamports = costs.SWAPS * settings.network_fee_lamports
    decimals = instrument.quote_decimals
    return costs.Pool(
        # Up: a bought amount and a distance to the target are never overstated
        price_q64_ceil(facts.price or 0.0, instrument.base_decimals, decimals),
        facts.depth_quote_raw or 0,
        facts.fee_bps or 0,
        costs.network_fee_raw(lamports, facts.sol_price or 0.0, decimals),
    )


def _sized(request: EntryRequest, entry: _Entry, settings: RiskSettings) -> Verdict:
    """Find the size and hold it against every cap."""
    terms, least = entry.terms, max(request.instrument.min_order_quote_raw, 1)
    target_min, target_max = target_sizes(terms, settings)
    limits = caps(terms, settings, target_max)
    tightest = min(limits)
    parts: tuple[RiskFactor, ...] = ()
    if entry.features is None:
        asked = _asked(request, terms.pool, settings)
        if isinstance(asked, Denial):
            return _refused(request, asked)
        size = wanted = asked
    else:
        share = mul_div_floor(terms.equity_raw, settings.max_entry_share_ppb, PPB)
        base = min(limits[0], share)
        parts = factors(entry.features, entry.heat, settings)
        wanted = scaled(base, parts)
        size = min(wanted, tightest)
        parts = (RiskFactor("base", ratio(base, terms.equity_raw)), *parts)
    if tightest < max(size, least):
        short = entry.features is None and size > terms.available_raw
        code = RefusalCode.INSUFFICIENT_CASH if short else CAPS[limits.index(tightest)]
        numbers = figures(code, terms, settings, max(size, least))
        return _refused(request, Denial(code, words(code, *numbers), *numbers))
    if size < least:
        message = "the order is below the venue's minimum"
        return _refused(request, Denial(RefusalCode.BELOW_MINIMUM, message, least, size, size))
    if size < target_min:
        numbers = figures(RefusalCode.COST_GATE, terms, settings, size)
        message = "the target does not pay for the network fees of so small an order"
        return _refused(request, Denial(RefusalCode.COST_GATE, message, *numbers))
    return _approved(request, entry, settings, size, parts)


def _asked(request: EntryRequest, pool: costs.Pool, settings: RiskSettings) -> int | Denial:
    """Return the quote that buys the base amount a person asked for."""
    asked = request.size_base_raw or 0
    if not permits.whole(asked) or not 0 < asked <= AMOUNT_MAX:
        return invalid("size", request.size_base_raw)
    needed = costs.quote_needed(pool, asked)
    if needed is not None:
        return needed
    limit = settings.slippage_tolerance_ppb / PPB
    message = "the pool does not hold as much"
    return Denial(RefusalCode.SLIPPAGE, message, limit, pool.fee_ppb / PPB, 1.0)


def _approved(
    request: EntryRequest,
    entry: _Entry,
    settings: RiskSettings,
    size: int,
    parts: tuple[RiskFactor, ...],
) -> Verdict:
    pool = entry.terms.pool
    quoted = costs.quoted_base(pool, size)
    least = div_ceil(quoted * (BPS - settings.slippage_bps_max), BPS)
    if quoted <= 0:
        message = "the order would not buy one base unit"
        return _refused(request, Denial(RefusalCode.BELOW_MINIMUM, message, 1.0))
    if quoted > AMOUNT_MAX or size > AMOUNT_MAX:
        return _refused(request, invalid("the quoted amount", quoted))
    intent = OrderIntent(
        intent_id=request.intent_id,
        instrument=request.instrument.index,
        side=Side.BUY,
        lead=request.lead,
        ts_ns=request.ts_ns,
        decision_price=entry.price,
        decision_events=request.decision_events,
        amount_in_raw=size,
        min_out_raw=least,
        stop=entry.stop,
        target=entry.target,
        slippage_bps_max=settings.slippage_bps_max,
    )
    return RiskApproved(
        intent=intent,
        factors=parts,
        risk_at_stop_raw=loss_raw(entry.terms, size),
        expected_cost_raw=costs.round_trip_raw(pool, size),
    )


def _exit(
    request: ExitRequest, view: PortfolioView, facts: MarketFacts, settings: RiskSettings
) -> Verdict:
    position = _position(request, view)
    if isinstance(position, Denial):
        return _refused(request, position)
    if facts.price is None:
        return _refused(request, Denial(RefusalCode.MARK_ABSENT, "no price to sell at"))
    amount = _exit_amount(request, position)
    if not positive(facts.price) or amount is None or request.attempt < 0:
        what = facts.price, request.fraction, request.size_base_raw, request.attempt
        return _refused(request, invalid("price, amount or attempt", what))
    instrument = request.instrument
    quoted, value = _exit_quote(facts, instrument, amount)
    if quoted <= 0:
        message = "the sale would bring nothing"
        return _refused(request, Denial(RefusalCode.BELOW_MINIMUM, message, 1.0))
    steps = request.attempt * settings.exit_slippage_step_bps
    tolerance = min(settings.slippage_bps_max + steps, BPS - 1)
    intent = OrderIntent(
        intent_id=request.intent_id,
        instrument=instrument.index,
        side=Side.SELL,
        lead=request.lead,
        ts_ns=request.ts_ns,
        decision_price=facts.price,
        decision_events=request.decision_events,
        amount_in_raw=amount,
        min_out_raw=div_ceil(quoted * (BPS - tolerance), BPS),
        position_id=request.position_id,
        exit_reason=request.reason,
        exit_epoch=request.epoch,
        attempt=request.attempt,
        slippage_bps_max=tolerance,
    )
    cost = max(value - quoted, 0)
    return RiskApproved(intent=intent, factors=(), risk_at_stop_raw=0, expected_cost_raw=cost)


def _position(request: ExitRequest, view: PortfolioView) -> PositionView | Denial:
    index = request.instrument.index
    for position in view.positions:
        if position.position_id != request.position_id or position.instrument != index:
            continue
        if any(order.position_id == request.position_id for order in view.pending):
            message = "an exit of this position is on its way"
            return Denial(RefusalCode.ORDER_IN_FLIGHT, message, 1.0, 1.0, 2.0)
        return position
    return Denial(RefusalCode.NO_POSITION, f"no position {request.position_id}")


def _exit_amount(request: ExitRequest, position: PositionView) -> int | None:
    """Return the base amount to sell, at least one unit; None if it cannot be."""
    held, wanted = position.base_raw, request.size_base_raw
    if wanted is not None:
        return wanted if permits.whole(wanted) and 0 < wanted <= held else None
    if not 0.0 < request.fraction <= 1.0 or held <= 0:
        return None
    if request.fraction == 1.0:
        return held
    return max(mul_div_floor(held, ppb(request.fraction), PPB), 1)


def _exit_quote(facts: MarketFacts, instrument: Instrument, amount: int) -> tuple[int, int]:
    """Return what a sale is expected to bring, and its value at the price.

    An exit does not wait for a depth or a fee that is unknown: it is quoted at the price then.
    """
    price_q64 = price_q64_floor(
        facts.price or 0.0, instrument.base_decimals, instrument.quote_decimals
    )
    value = quote_value_floor(amount, price_q64)
    depth, fee_bps = facts.depth_quote_raw, facts.fee_bps
    if depth is None or fee_bps is None or not permits.whole(depth, fee_bps):
        return value, value
    if depth <= 0 or not 0 <= fee_bps < BPS:
        return value, value
    return costs.quoted_quote(costs.Pool(price_q64, depth, fee_bps, 0), amount), value


def _refused(request: EntryRequest | ExitRequest, denial: Denial) -> RiskRefused:
    limit, value, order_value = (
        float(number) if isfinite(number) else 0.0
        for number in (denial.limit, denial.value, denial.order_value)
    )
    return RiskRefused(
        intent_id=request.intent_id,
        instrument=request.instrument.index,
        ts_ns=request.ts_ns,
        code=denial.code,
        limit=limit,
        value=value,
        order_value=order_value,
        message=denial.message,
    )
