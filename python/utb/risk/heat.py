"""Portfolio heat: how much of the account is at work, and what that leaves for a new entry.

Heat is the market value of open positions and pending entries over equity: at spot the whole
value is at risk. The tiers are the user guide's ("Heat Management Rules"); their lower bound
belongs to the tier.
"""

from typing import Final

from utb.domain.amounts import PPB

TIERS: Final = ((500_000_000, 1.0), (700_000_000, 0.8), (800_000_000, 0.5))
"""(heat below which, in parts per billion; factor on the size); the last bound is included."""


def heat_factor(exposure_raw: int, equity_raw: int, limit_ppb: int) -> float:
    """Return the size factor of the heat before the trade; 0 = no new position.

    Args:
        exposure_raw: Positions and pending entries, quote raw, >= 0.
        equity_raw: Quote raw, > 0.
        limit_ppb: `risk.portfolio_heat_limit`; above it no new position, whatever the tier.
    """
    scaled = exposure_raw * PPB
    top = TIERS[-1][0]
    if scaled > min(top, limit_ppb) * equity_raw:
        return 0.0
    for bound, factor in TIERS:
        if scaled < bound * equity_raw:
            return factor
    return TIERS[-1][1]


def heat_room(exposure_raw: int, equity_raw: int, limit_ppb: int) -> int:
    """Return how much may still be bought before heat reaches its limit, quote raw."""
    return max(limit_ppb * equity_raw // PPB - exposure_raw, 0)
