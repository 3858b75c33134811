"""Indicators by their definitions in 80-digit decimals: slow, exact, and written apart from ours.

Conventions are TA-Lib's. Every function takes and returns lists; None before the warm-up.
"""

from decimal import Decimal
from itertools import pairwise

DIGITS = 80
ZERO = Decimal(0)
Column = list[Decimal | None]


def exact(values: list[float]) -> list[Decimal]:
    """Return the decimals that equal the floats, digit for digit."""
    return [Decimal(v) for v in values]


def sma(values: list[Decimal], period: int) -> Column:
    """Mean of the last `period` values."""
    return [
        None if i + 1 < period else sum(values[i + 1 - period : i + 1], ZERO) / period
        for i in range(len(values))
    ]


def deviation(values: list[Decimal], period: int) -> Column:
    """Population standard deviation of the last `period` values."""
    out: Column = []
    for i, mean in enumerate(sma(values, period)):
        if mean is None:
            out.append(None)
            continue
        window = values[i + 1 - period : i + 1]
        out.append((sum(((v - mean) ** 2 for v in window), ZERO) / period).sqrt())
    return out


def ema(values: list[Decimal], period: int, start: int | None = None) -> Column:
    """Exponential mean, seeded with the simple mean that ends at `start` (default period - 1)."""
    first = period - 1 if start is None else start
    out: Column = [None] * len(values)
    if len(values) <= first:
        return out
    factor = Decimal(2) / (period + 1)
    now = sum(values[first + 1 - period : first + 1], ZERO) / period
    out[first] = now
    for i in range(first + 1, len(values)):
        now += (values[i] - now) * factor
        out[i] = now
    return out


def macd(values: list[Decimal]) -> tuple[Column, Column, Column]:
    """MACD 12/26, signal 9 and histogram; all start with the signal, at index 33."""
    fast, slow = ema(values, 12, 25), ema(values, 26)
    line = [None if f is None or s is None else f - s for f, s in zip(fast, slow, strict=True)]
    known = [v for v in line if v is not None]
    signal: Column = [None] * min(25, len(values))
    signal += ema(known, 9)
    shown = [None if s is None else v for v, s in zip(line, signal, strict=True)]
    rest = [None if s is None or v is None else v - s for v, s in zip(line, signal, strict=True)]
    return shown, signal, rest


def rsi(values: list[Decimal], period: int = 14) -> Column:
    """Wilder's relative strength index; 0 when nothing moved."""
    out: Column = [None] * len(values)
    moves = [b - a for a, b in pairwise(values)]
    if len(moves) < period:
        return out
    gain = sum((max(m, ZERO) for m in moves[:period]), ZERO) / period
    loss = sum((max(-m, ZERO) for m in moves[:period]), ZERO) / period
    for i in range(period, len(values)):
        if i > period:
            gain = (gain * (period - 1) + max(moves[i - 1], ZERO)) / period
            loss = (loss * (period - 1) + max(-moves[i - 1], ZERO)) / period
        out[i] = ZERO if gain + loss == 0 else 100 * gain / (gain + loss)
    return out


def true_range(high: list[Decimal], low: list[Decimal], close: list[Decimal]) -> list[Decimal]:
    """True range from the second bar on; the first place holds 0."""
    out = [ZERO]
    for i in range(1, len(close)):
        before = close[i - 1]
        out.append(max(high[i] - low[i], abs(high[i] - before), abs(low[i] - before)))
    return out


def atr(high: list[Decimal], low: list[Decimal], close: list[Decimal], period: int = 14) -> Column:
    """Wilder's average true range."""
    ranges = true_range(high, low, close)
    out: Column = [None] * len(close)
    if len(close) <= period:
        return out
    now = sum(ranges[1 : period + 1], ZERO) / period
    out[period] = now
    for i in range(period + 1, len(close)):
        now = (now * (period - 1) + ranges[i]) / period
        out[i] = now
    return out


def adx(
    high: list[Decimal], low: list[Decimal], close: list[Decimal], period: int = 14
) -> tuple[Column, Column, Column]:
    """ADX, +DI and -DI: sums of the first period - 1 moves, then Wilder's smoothing."""
    size = len(close)
    average: Column = [None] * size
    plus: Column = [None] * size
    minus: Column = [None] * size
    ranges = true_range(high, low, close)
    up = down = total = ZERO
    directions: list[Decimal] = []
    now = ZERO
    for i in range(1, size):
        rise, fall = high[i] - high[i - 1], low[i - 1] - low[i]
        smooth = i >= period
        up -= up / period if smooth else ZERO
        down -= down / period if smooth else ZERO
        up += rise if rise > fall and rise > 0 else ZERO
        down += fall if fall > rise and fall > 0 else ZERO
        total = total - (total / period if smooth else ZERO) + ranges[i]
        if not smooth:
            continue
        plus[i] = ZERO if total == 0 else 100 * up / total
        minus[i] = ZERO if total == 0 else 100 * down / total
        both = up + down
        known = total != 0 and both != 0
        index = 100 * abs(up - down) / both if known else None
        if len(directions) < period:
            directions.append(index if index is not None else ZERO)
            if len(directions) == period:
                now = sum(directions, ZERO) / period
                average[i] = now
        else:
            now = now if index is None else (now * (period - 1) + index) / period
            average[i] = now
    return average, plus, minus


def returns(values: list[Decimal]) -> list[Decimal]:
    """Log returns; the first place holds 0."""
    return [ZERO] + [(b / a).ln() for a, b in pairwise(values)]


def volatility(values: list[Decimal], period: int = 20) -> Column:
    """Population standard deviation of the last `period` log returns."""
    return [None, *deviation(returns(values)[1:], period)]


def roc(values: list[Decimal], period: int = 10) -> Column:
    """Rate of change in percent."""
    return [
        None if i < period else (values[i] / values[i - period] - 1) * 100
        for i in range(len(values))
    ]
