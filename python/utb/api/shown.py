"""What the views of several nouns share."""

from typing import Final

from utb.api.errors import invalid
from utb.api.world import World
from utb.domain.amounts import price_of
from utb.domain.market import Instrument
from utb.domain.orders import Fill
from utb.domain.times import iso, parse_iso
from utb.telemetry.replica import Replica

_TIME: Final = "ISO 8601 time, for example 2025-10-07T10:30:00Z"
_TIME_MAX_NS: Final = (1 << 63) - 1
PRICE_DIGITS = 5
"""Significant digits of a price."""


def when(ts_ns: int | None) -> str | None:
    """Return a time as JSON has it."""
    return None if ts_ns is None or ts_ns <= 0 else iso(ts_ns)


def time_of(field: str, text: str | None) -> int | None:
    """Return the nanoseconds since the epoch of a time that a request names; None: it names none.

    Raises:
        ApiError: If it is no time, or none that 64 bits hold: the years 1678 to 2261.
    """
    if text is None:
        return None
    try:
        ts_ns = parse_iso(text)
    except (ValueError, OverflowError):
        raise invalid(field, text, _TIME) from None
    if abs(ts_ns) > _TIME_MAX_NS:
        raise invalid(field, text, f"{_TIME}, of the years 1678 to 2261")
    return ts_ns


def as_of(world: World) -> str | None:
    """Return the market time of what we know."""
    return when(world.replica.now_ns)


def decimals_of(price: float | None) -> int:
    """Return how many decimals show a price with its significant digits, 2..12."""
    if price is None or price <= 0:
        return 2
    decimals = PRICE_DIGITS - 1
    while price >= 10.0 and decimals > 2:  # noqa: PLR2004 - decimal places
        price, decimals = price / 10.0, decimals - 1
    while price < 1.0 and decimals < 12:  # noqa: PLR2004
        price, decimals = price * 10.0, decimals + 1
    return decimals


def price_age_s(world: World, instrument: int) -> float | None:
    """Return the age of an instrument's price; a silent trading process ages it too."""
    mark = world.replica.market.mark(instrument)
    if mark is None:
        return None
    age_s = world.replica.age_s(mark[1])
    silent_s = world.age_s
    if not world.link.connected and silent_s is not None:
        age_s += silent_s
    return round(age_s, 3)


def is_stale(world: World, instrument: int) -> bool:
    """Return whether a price is too old to act on, or of a process that is gone."""
    age_s = price_age_s(world, instrument)
    limit = world.config.feeds.stale_after_seconds
    return age_s is None or not world.link.connected or age_s > limit


def fill_price(fill: Fill, instrument: Instrument) -> float:
    """Return the price of a fill, quote per base."""
    decimals = instrument.base_decimals, instrument.quote_decimals
    return price_of(fill.base_raw, fill.quote_raw, *decimals)


def trade_id(position_id: int) -> str:
    """Return the name of a closed trade."""
    return f"trade_{position_id}"


def timeframe_of(replica: Replica, world: World, instrument: int) -> str:
    """Return the strategy timeframe of an instrument."""
    view = replica.market.view(instrument)
    if view is not None and view.timeframe:
        return view.timeframe
    symbol = replica.symbol(instrument)
    own = {i.symbol: i.timeframe for i in world.config.instruments}
    return own.get(symbol) or world.config.strategies.timeframe
