"""Caps on an entry after all factors: no combination of factors exceeds one.

Every cap is the largest size it allows, in quote raw; the factors only shrink what they leave.
"""

from typing import Final

import msgspec

from utb.domain.amounts import PPB, mul_div_floor, ratio
from utb.domain.names import RefusalCode
from utb.risk.costs import Pool, impact_size_max, one_way_cost_ppb, round_trip_raw
from utb.risk.heat import heat_room
from utb.risk.settings import RiskSettings
from utb.risk.sizing import loss_at_stop_raw, size_for_loss, sizes_for_target

UNBOUNDED: Final = 1 << 62
"""A size larger than any account."""


class Terms(msgspec.Struct, frozen=True):
    """The numbers of one entry, checked: amounts in quote raw, none negative."""

    equity_raw: int
    exposure_raw: int
    risk_at_stop_raw: int
    available_raw: int
    pool: Pool
    slope_ppb: int
    """Loss at the stop per quote spent, `sizing.loss_slope_ppb`."""
    target_ppb: int
    liquid: bool


CAPS: Final = (
    RefusalCode.RISK_PER_TRADE,
    RefusalCode.RISK_AT_STOP,
    RefusalCode.MAX_POSITION_SIZE,
    RefusalCode.PORTFOLIO_HEAT,
    RefusalCode.INSUFFICIENT_CASH,
    RefusalCode.SLIPPAGE,
    RefusalCode.COST_GATE,
)
"""The caps, in the order `caps` returns their sizes."""


def loss_raw(terms: Terms, size_raw: int) -> int:
    """Return what an entry can lose: at its stop, or everything where the mint is not liquid."""
    if terms.liquid:
        return loss_at_stop_raw(terms.pool, terms.slope_ppb, size_raw)
    return size_raw + terms.pool.network_raw


def _size_for_loss(terms: Terms, budget_raw: int) -> int:
    if terms.liquid:
        return size_for_loss(terms.pool, terms.slope_ppb, budget_raw)
    return max(budget_raw - terms.pool.network_raw, 0)


def caps(terms: Terms, settings: RiskSettings, target_max_raw: int) -> tuple[int, ...]:
    """Return the largest size each of `CAPS` allows; the first is that of its own loss.

    Args:
        terms: The entry.
        settings: The limits.
        target_max_raw: Largest size that passes the cost gate.
    """
    equity = terms.equity_raw
    budget = mul_div_floor(equity, settings.risk_per_trade_ppb, PPB)
    own = _size_for_loss(terms, budget)
    room = settings.max_concurrent_positions * budget - terms.risk_at_stop_raw
    return (
        own,
        own if room >= budget else _size_for_loss(terms, room),
        mul_div_floor(equity, settings.max_position_size_ppb, PPB),
        heat_room(terms.exposure_raw, equity, settings.portfolio_heat_limit_ppb),
        max(terms.available_raw, 0),
        impact_size_max(terms.pool, settings.slippage_tolerance_ppb),
        target_max_raw,
    )


def target_sizes(terms: Terms, settings: RiskSettings) -> tuple[int, int]:
    """Return the smallest and largest size that pass the cost gate; (0, 0) if none does."""
    if settings.min_target_costs_ppb <= 0:
        return 0, UNBOUNDED
    costs_ppb = settings.min_target_costs_ppb
    return sizes_for_target(terms.pool, terms.target_ppb, costs_ppb) or (0, 0)


def figures(
    code: RefusalCode, terms: Terms, settings: RiskSettings, size_raw: int
) -> tuple[float, float, float]:
    """Return (limit, present value, value with the order) of a cap, for a refusal.

    Shares of equity, but: cash in quote raw, slippage as a fraction of the order, the cost gate
    in round trips.
    """
    equity = terms.equity_raw
    match code:
        case RefusalCode.RISK_PER_TRADE:
            limit, now, then = settings.risk_per_trade_ppb, 0, loss_raw(terms, size_raw)
        case RefusalCode.RISK_AT_STOP:
            limit = settings.max_concurrent_positions * settings.risk_per_trade_ppb
            now = terms.risk_at_stop_raw
            then = now + loss_raw(terms, size_raw)
        case RefusalCode.MAX_POSITION_SIZE:
            limit, now, then = settings.max_position_size_ppb, 0, size_raw
        case RefusalCode.PORTFOLIO_HEAT:
            limit, now = settings.portfolio_heat_limit_ppb, terms.exposure_raw
            then = now + size_raw
        case RefusalCode.SLIPPAGE:
            cost = one_way_cost_ppb(terms.pool, size_raw)
            return settings.slippage_tolerance_ppb / PPB, terms.pool.fee_ppb / PPB, cost / PPB
        case RefusalCode.COST_GATE:
            gain = size_raw * terms.target_ppb
            trips = ratio(gain, PPB * max(round_trip_raw(terms.pool, size_raw), 1))
            return settings.min_target_costs_ppb / PPB, terms.target_ppb / PPB, trips
        case _:
            return float(terms.available_raw), float(terms.available_raw), float(size_raw)
    return limit / PPB, ratio(now, equity), ratio(then, equity)


_WORDS: Final = {
    RefusalCode.RISK_PER_TRADE: (
        "the order could lose {then:.2%} of equity, at most {limit:.2%} is risked"
    ),
    RefusalCode.RISK_AT_STOP: (
        "all stops together could lose {then:.2%} of equity with the order, {now:.2%} without, "
        "at most {limit:.2%} is risked"
    ),
    RefusalCode.MAX_POSITION_SIZE: (
        "the position would be {then:.1%} of equity, at most {limit:.1%} is allowed"
    ),
    RefusalCode.PORTFOLIO_HEAT: (
        "positions would be {then:.2%} of equity with the order, {now:.2%} without, "
        "at most {limit:.1%} is allowed"
    ),
    RefusalCode.INSUFFICIENT_CASH: "the order needs more cash than is free",
    RefusalCode.SLIPPAGE: (
        "the order would cost {then:.2%} one way, at most {limit:.2%} is accepted"
    ),
    RefusalCode.COST_GATE: (
        "the target pays {then:.2f} times the costs of a round trip, at least {limit:g} is wanted"
    ),
}


def words(code: RefusalCode, limit: float, now: float, then: float) -> str:
    """Return the sentence of one of `CAPS` that leaves too little, with its `figures`."""
    return _WORDS[code].format(limit=limit, now=now, then=then)
