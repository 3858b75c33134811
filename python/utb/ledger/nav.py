"""Unitised net asset value: deposits and withdrawals change the units, not the value of one."""

from typing import Final

import msgspec

from utb.domain.amounts import PPB, div_ceil, mul_div_floor, scaled_floor
from utb.domain.records import EquityMarked

NAV_SCALE: Final = 1_000_000_000_000
"""A net asset value is held in trillionths; the account opens at exactly one."""


class Nav(msgspec.Struct):
    """Units of the account and the highest value a unit has had."""

    units_raw: int = 0
    peak_nav_e12: int = 0
    last_equity_raw: int = 0
    """Equity at the last mark on record."""


def nav_e12(nav: Nav, equity_raw: int) -> int:
    """Return the value of one unit in trillionths, rounded down; 0 while there are no units."""
    return mul_div_floor(equity_raw, NAV_SCALE, nav.units_raw) if nav.units_raw > 0 else 0


def issue(nav: Nav, value_quote_raw: int, equity_before_raw: int) -> None:
    """Issue units for a deposit, or cancel them for a withdrawal (negative value).

    The first deposit opens the account at a value of one per unit. Issued units are rounded
    down and cancelled ones up in size, so that the value of a unit never falls by it.
    """
    if nav.units_raw <= 0 or equity_before_raw <= 0:
        nav.units_raw = max(nav.units_raw, 0) + max(value_quote_raw, 0)
        nav.peak_nav_e12 = max(nav.peak_nav_e12, NAV_SCALE)
    else:
        # Floor of a negative number grows its size: more units are cancelled
        change = mul_div_floor(value_quote_raw, nav.units_raw, equity_before_raw)
        nav.units_raw = max(nav.units_raw + change, 0)
    nav.last_equity_raw = max(equity_before_raw + value_quote_raw, 0)


def mark(nav: Nav, record: EquityMarked) -> None:
    """Fold a mark of equity: the peak only rises, unless an operator's reset restarts it."""
    value = nav_e12(nav, record.equity_quote_raw)
    nav.last_equity_raw = record.equity_quote_raw
    nav.peak_nav_e12 = (
        value
        if record.peak_reset
        else max(nav.peak_nav_e12, value, scaled_floor(record.peak_nav, NAV_SCALE))
    )


def drawdown_ppb(nav: Nav, equity_raw: int) -> int:
    """Return the fall of a unit's value from its peak, parts per billion, rounded up."""
    if nav.peak_nav_e12 <= 0:
        return 0
    fall = nav.peak_nav_e12 - nav_e12(nav, equity_raw)
    return max(div_ceil(fall * PPB, nav.peak_nav_e12), 0)
