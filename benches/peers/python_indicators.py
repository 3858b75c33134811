"""Per-tick cost of the indicator set in Python libraries: TA-Lib stream and nautilus_trader.

The set: SMA 20/50/200, EMA 12/26, RSI 14, MACD 12/26/9, Bollinger 20, ADX 14, ATR 14.
Prints one JSON object per library.
"""

import json
import time
from collections.abc import Callable

import numpy as np
from nautilus_trader.indicators import (
    AverageTrueRange,
    BollingerBands,
    DirectionalMovement,
    ExponentialMovingAverage,
    MovingAverageConvergenceDivergence,
    RelativeStrengthIndex,
    SimpleMovingAverage,
)
from talib import stream

BARS = 6000
WINDOW = 300


def prices() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return distinct high, low and close columns."""
    draw = np.random.default_rng(7)
    close = 100.0 * np.exp(np.cumsum(draw.normal(0, 0.002, BARS)))
    spread = close * np.abs(draw.normal(0, 0.001, BARS))
    return close + spread, close - spread, close


def talib_stream(high: np.ndarray, low: np.ndarray, close: np.ndarray, at: int) -> None:
    """Compute the set on the trailing window, as TA-Lib's stream functions need it."""
    window = slice(at - WINDOW, at)
    h, lo, c = high[window], low[window], close[window]
    for period in (20, 50, 200):
        stream.SMA(c, period)
    stream.EMA(c, 12)
    stream.EMA(c, 26)
    stream.RSI(c, 14)
    stream.MACD(c)
    stream.BBANDS(c, 20)
    stream.ADX(h, lo, c, 14)
    stream.ATR(h, lo, c, 14)


def nautilus() -> Callable[[float, float, float], None]:
    """Return one update of the set (its DirectionalMovement has no ADX smoothing)."""
    on_close = [SimpleMovingAverage(n) for n in (20, 50, 200)]
    on_close += [ExponentialMovingAverage(12), ExponentialMovingAverage(26)]
    on_close += [RelativeStrengthIndex(14), MovingAverageConvergenceDivergence(12, 26)]
    bands, atr, movement = BollingerBands(20, 2.0), AverageTrueRange(14), DirectionalMovement(14)

    def update(high: float, low: float, close: float) -> None:
        for indicator in on_close:
            indicator.update_raw(close)
        bands.update_raw(high, low, close)
        atr.update_raw(high, low, close)
        movement.update_raw(high, low)

    return update


def main() -> None:
    """Time both and print a row each."""
    high, low, close = prices()
    began = time.perf_counter()
    for at in range(WINDOW, BARS):
        talib_stream(high, low, close, at)
    talib_ns = (time.perf_counter() - began) / (BARS - WINDOW) * 1e9
    update = nautilus()
    rows = list(zip(high.tolist(), low.tolist(), close.tolist(), strict=True))
    began = time.perf_counter()
    for row in rows:
        update(*row)
    nautilus_ns = (time.perf_counter() - began) / BARS * 1e9
    print(json.dumps({"library": "TA-Lib stream", "ns_per_tick": talib_ns}))
    print(json.dumps({"library": "nautilus_trader", "ns_per_tick": nautilus_ns}))


if __name__ == "__main__":
    main()
