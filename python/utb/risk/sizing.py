"""Size of an entry: base x volatility x trend x confidence x risk budget x heat.

Everything that decides a limit is exact: the largest size whose loss at the stop fits a budget is
the integer root of a quadratic, so a larger stop distance or cost can never give a larger size.
"""

from math import isqrt

import msgspec

from utb.domain.amounts import BPS, PPB, div_ceil, mul_div_ceil, mul_div_floor
from utb.domain.orders import RiskFactor
from utb.risk.costs import SWAPS, Pool
from utb.risk.settings import RiskSettings

MIN_CONFIDENCE_FACTOR = 0.5
"""Confidence factor at `trading.min_confidence`; it rises linearly to 1 at 1."""

_BULL = 1
_BEAR = -1


class Features(msgspec.Struct, frozen=True):
    """What the factors look at, checked."""

    volatility_ratio: float
    adx: float
    trend_4h: int | None
    confidence: float
    drawdown: float


def volatility_factor(ratio: float, settings: RiskSettings) -> float:
    """Return the factor of the volatility ratio."""
    if ratio > settings.high_volatility_ratio:
        return settings.high_volatility_factor
    if ratio < settings.low_volatility_ratio:
        return settings.low_volatility_factor
    return 1.0


def trend_factor(adx: float, trend_4h: int | None, settings: RiskSettings) -> float:
    """Return the factor of the trend's strength times that of the 4h market.

    A strong trend counts only when the 4h trend is known to go with the trade, up. An absent 4h
    trend has the factor 1.
    """
    factor = 1.0
    if adx > settings.strong_trend_adx and trend_4h == _BULL:
        factor = settings.strong_trend_factor
    elif adx < settings.weak_trend_adx:
        factor = settings.weak_trend_factor
    if trend_4h is None:
        return factor
    if trend_4h == _BULL:
        return factor * settings.bull_market_factor
    if trend_4h == _BEAR:
        return factor * settings.bear_market_factor
    return factor * settings.sideways_factor


def confidence_factor(confidence: float, min_confidence: float) -> float:
    """Return 0.5 at `min_confidence`, rising linearly to 1 at 1."""
    share = (confidence - min_confidence) / (1.0 - min_confidence)
    return MIN_CONFIDENCE_FACTOR + (1.0 - MIN_CONFIDENCE_FACTOR) * share


def risk_budget_factor(drawdown: float, settings: RiskSettings) -> float:
    """Return what a drawdown leaves of the budget, not below its floor."""
    return max(1.0 - drawdown / settings.max_drawdown, settings.risk_budget_floor)


def factors(features: Features, heat: float, settings: RiskSettings) -> tuple[RiskFactor, ...]:
    """Return the five factors by name; `heat` is `heat.heat_factor`."""
    trend = trend_factor(features.adx, features.trend_4h, settings)
    confidence = confidence_factor(features.confidence, settings.min_confidence)
    return (
        RiskFactor("volatility", volatility_factor(features.volatility_ratio, settings)),
        RiskFactor("trend", trend),
        RiskFactor("confidence", confidence),
        RiskFactor("risk_budget", risk_budget_factor(features.drawdown, settings)),
        RiskFactor("heat", heat),
    )


def scaled(base_raw: int, parts: tuple[RiskFactor, ...]) -> int:
    """Return a size times its factors, rounded down."""
    product = 1.0
    for part in parts:
        product *= part.value
    return mul_div_floor(base_raw, int(product * PPB), PPB)


def loss_slope_ppb(pool: Pool, stop_q64: int, gap_allowance_ppb: int) -> int:
    """Return the loss at the stop per quote spent, without impact and network fees.

    (entry - stop) / entry + gap allowance + the pool fees of both swaps, in parts per billion,
    rounded up.
    """
    distance = div_ceil((pool.price_q64 - stop_q64) * PPB, pool.price_q64)
    return distance + gap_allowance_ppb + SWAPS * pool.fee_ppb


def loss_at_stop_raw(pool: Pool, slope_ppb: int, quote_raw: int) -> int:
    """Return the loss if the stop is hit, costs and gap allowance included, rounded up."""
    impact = div_ceil(SWAPS * quote_raw * quote_raw, pool.depth_raw)
    return mul_div_ceil(quote_raw, slope_ppb, PPB) + impact + pool.network_raw


def size_for_loss(pool: Pool, slope_ppb: int, budget_raw: int) -> int:
    """Return the largest size whose loss at the stop fits a budget, quote raw.

    The root of 2 q^2 / depth + slope q = budget - network, exact in integers.
    """
    # Two base units for the two roundings inside the loss
    budget = budget_raw - pool.network_raw - 2
    if budget <= 0:
        return 0
    linear = slope_ppb * pool.depth_raw
    quadratic = SWAPS * PPB
    root = isqrt(linear * linear + 4 * quadratic * budget * pool.depth_raw * PPB)
    return (root - linear) // (2 * quadratic)


def sizes_for_target(pool: Pool, target_ppb: int, costs_ppb: int) -> tuple[int, int] | None:
    """Return the smallest and largest size whose target pays for the round trips asked for.

    Between them gain at the target >= costs x (fees + impact + network): below, the network fee
    is too large a part; above, the impact is.

    Args:
        pool: Where both swaps happen.
        target_ppb: Distance from entry to target, of the entry, parts per billion.
        costs_ppb: `risk.min_target_costs`, parts per billion, > 0.

    Returns:
        Both ends, quote raw, or None when no size does.
    """
    # (2 m / depth) q^2 - (t - 2 m f) q + m n <= 0, times depth x BPS; n holds two roundings
    slope = (target_ppb * BPS - SWAPS * costs_ppb * pool.fee_bps) * pool.depth_raw
    if slope <= 0:
        return None
    quadratic = SWAPS * costs_ppb * BPS
    constant = costs_ppb * (pool.network_raw + 2) * pool.depth_raw * BPS
    discriminant = slope * slope - 4 * quadratic * constant
    if discriminant < 0:
        return None
    root = isqrt(discriminant)
    return div_ceil(slope - root, 2 * quadratic), (slope + root) // (2 * quadratic)
