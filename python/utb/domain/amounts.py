"""Exact integer arithmetic on money: every rounding is named, every conversion is written once.

Amounts are integers in base units, prices that meet amounts are `q64`: quote raw per base raw,
times 2^64, as an integer. A float price enters in `price_q64_floor` or `price_q64_ceil` and
nowhere else; a binary float is an exact ratio, so nothing is lost but what the rounding says.
Floats leave in `ratio`, `price_of` and `units_of`, for display and statistics only.
"""

from typing import Final

PPB: Final = 1_000_000_000
"""Parts per billion in one: the integer form of configured fractions."""

BPS: Final = 10_000
"""Basis points in one."""

LAMPORT_DECIMALS: Final = 9
"""Decimals of SOL."""

Q64_SHIFT: Final = 64
"""Binary places of a `q64` price."""

AMOUNT_MAX: Final = (1 << 63) - 1
"""Largest amount in base units: what the journal, the snapshots and the chain can hold."""

_POW10: Final[tuple[int, ...]] = tuple(10**n for n in range(40))


def div_floor(numerator: int, denominator: int) -> int:
    """Return the quotient rounded towards minus infinity."""
    return numerator // denominator


def div_ceil(numerator: int, denominator: int) -> int:
    """Return the quotient rounded towards plus infinity."""
    return -(-numerator // denominator)


def mul_div_floor(amount: int, numerator: int, denominator: int) -> int:
    """Return `amount * numerator / denominator` rounded down; the product is exact."""
    return amount * numerator // denominator


def mul_div_ceil(amount: int, numerator: int, denominator: int) -> int:
    """Return `amount * numerator / denominator` rounded up; the product is exact."""
    return -(-amount * numerator // denominator)


def price_q64_floor(price: float, base_decimals: int, quote_decimals: int) -> int:
    """Return a price as quote raw per base raw, times 2^64, rounded down.

    Args:
        price: Quote per base, finite.
        base_decimals: Decimals of the base asset, 0..18.
        quote_decimals: Decimals of the quote asset, 0..18.

    Raises:
        ValueError: If `price` is NaN.
        OverflowError: If `price` is infinite.
    """
    numerator, denominator = price.as_integer_ratio()
    shift = quote_decimals - base_decimals
    if shift >= 0:
        return (numerator << Q64_SHIFT) * _POW10[shift] // denominator
    return (numerator << Q64_SHIFT) // (denominator * _POW10[-shift])


def price_q64_ceil(price: float, base_decimals: int, quote_decimals: int) -> int:
    """Return `price_q64_floor`'s figure rounded up."""
    return -price_q64_floor(-price, base_decimals, quote_decimals)


def quote_value_floor(base_raw: int, price_q64: int) -> int:
    """Return the quote raw value of a base amount, rounded down."""
    return (base_raw * price_q64) >> Q64_SHIFT


def quote_value_ceil(base_raw: int, price_q64: int) -> int:
    """Return the quote raw value of a base amount, rounded up."""
    return -((-base_raw * price_q64) >> Q64_SHIFT)


def base_amount_floor(quote_raw: int, price_q64: int) -> int:
    """Return how much base a quote amount is worth at a price > 0, rounded down."""
    return (quote_raw << Q64_SHIFT) // price_q64


def ppb(fraction: float) -> int:
    """Return a configured fraction in parts per billion, to the nearest.

    Nearest, because a person wrote a decimal: 0.7 must be 700,000,000 although the binary float
    next to it is a little less.

    Raises:
        ValueError: If `fraction` is NaN.
        OverflowError: If `fraction` is infinite.
    """
    return round(fraction * PPB)


def raw_nearest(units: float, decimals: int) -> int:
    """Return a configured amount in base units, to the nearest (for the reason `ppb` gives).

    Raises:
        ValueError: If `units` is NaN.
        OverflowError: If `units` is infinite.
    """
    numerator, denominator = units.as_integer_ratio()
    return (2 * numerator * _POW10[decimals] + denominator) // (2 * denominator)


def raw_floor(units: float, decimals: int) -> int:
    """Return a measured amount in base units, rounded down.

    Raises:
        ValueError: If `units` is NaN.
        OverflowError: If `units` is infinite.
    """
    numerator, denominator = units.as_integer_ratio()
    return numerator * _POW10[decimals] // denominator


def units_of(raw: int, decimals: int) -> float:
    """Return an amount in whole units, for display."""
    return raw / _POW10[decimals]


def price_of(base_raw: int, quote_raw: int, base_decimals: int, quote_decimals: int) -> float:
    """Return the price two amounts of a fill make, quote per base; `base_raw` > 0."""
    return quote_raw * _POW10[base_decimals] / (base_raw * _POW10[quote_decimals])


def ratio(numerator: int, denominator: int) -> float:
    """Return a quotient of integers as the nearest float, for display and statistics."""
    return numerator / denominator


def scaled_floor(value: float, scale: int) -> int:
    """Return `value * scale` rounded down, exactly.

    Raises:
        ValueError: If `value` is NaN.
        OverflowError: If `value` is infinite.
    """
    numerator, denominator = value.as_integer_ratio()
    return numerator * scale // denominator
