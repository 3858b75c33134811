"""Square-root prices of Whirlpool ticks, in integers.

For t >= 0 the constants are floor(2^96 x 1.0001^(2^k / 2)), their products shifted right by 96
and the result by 32; for t < 0 they are floor(2^64 x 1.0001^(-2^k / 2)), shifted by 64. Rounding
to nearest gives other numbers. Here the constants are computed with 400 more bits.
"""

from functools import lru_cache
from math import isqrt, log
from typing import Final

TICK_MAX: Final = 443_636
SQRT_PRICE_MIN: Final = 4_295_048_016
SQRT_PRICE_MAX: Final = 79_226_673_515_401_279_992_447_579_055
_BITS: Final = TICK_MAX.bit_length()
_EXTRA: Final = 400
_LOG_ROOT: Final = log(1.0001) / 2


def _constants() -> tuple[tuple[int, ...], tuple[int, ...]]:
    precision = 96 + _EXTRA
    one = 1 << precision
    # sqrt(1.0001) to `precision` bits; each square is the next constant.
    power = isqrt((10_001 << (2 * precision)) // 10_000)
    positive, negative = [], []
    for _ in range(_BITS):
        positive.append(power >> _EXTRA)
        negative.append((one * one // power) >> (precision - 64))
        power = power * power >> precision
    return tuple(positive), tuple(negative)


_POSITIVE, _NEGATIVE = _constants()


@lru_cache(maxsize=65_536)
def sqrt_price_at(tick: int) -> int:
    """Return the square-root price of a tick, Q64.64.

    Args:
        tick: -443636..443636.

    Raises:
        ValueError: If the tick is out of range.
    """
    if abs(tick) > TICK_MAX:
        raise ValueError(f"tick is {tick}, expected -{TICK_MAX} to {TICK_MAX}")
    constants, width = (_POSITIVE, 96) if tick >= 0 else (_NEGATIVE, 64)
    ratio = 1 << width
    rest = abs(tick)
    for constant in constants:
        if rest & 1:
            ratio = ratio * constant >> width
        rest >>= 1
    return ratio >> (width - 64)


def tick_at(sqrt_price: int) -> int:
    """Return the tick whose square-root price is the highest not above `sqrt_price`."""
    guess = int(log(sqrt_price / 2**64) / _LOG_ROOT) if sqrt_price else 0
    tick = max(-TICK_MAX, min(TICK_MAX, guess))
    while tick > -TICK_MAX and sqrt_price_at(tick) > sqrt_price:
        tick -= 1
    while tick < TICK_MAX and sqrt_price_at(tick + 1) <= sqrt_price:
        tick += 1
    return tick
