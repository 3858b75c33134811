"""Indicators on inputs made to break them, against the exact oracle; TA-Lib's error beside."""

from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import oracle
import pytest
import talib
from numpy.typing import NDArray

from utb import engine

BARS = 420
RELATIVE = 1e-9
Column = NDArray[Any]


def _alternating() -> Column:
    return np.where(np.arange(BARS) % 2 == 0, 1.0, 1e9)


def _one_spike() -> Column:
    close: Column = 1.0 + np.arange(BARS) * 1e-7
    close[60] += 1e9
    return close


def _jumps() -> Column:
    steps = np.random.default_rng(3).choice([1e-6, 1.0, 1e6], BARS)
    return steps * (1 + np.random.default_rng(4).random(BARS))


TAPES: dict[str, Callable[[], Column]] = {
    "constant": lambda: np.full(BARS, 100.0),
    "constant not a binary fraction": lambda: np.full(BARS, 0.1),
    "huge with a tiny change": lambda: 1e12 + np.arange(BARS) % 3 * 1e-3,
    "tiny": lambda: 1e-12 * (1 + 0.01 * np.sin(np.arange(BARS))),
    "1, 1e9, 1, ...": _alternating,
    "one spike to 1e9": _one_spike,
    "jumps over twelve decades": _jumps,
}


def exact_columns(high: Column, low: Column, close: Column) -> dict[str, oracle.Column]:
    """Return the oracle's columns under our names."""
    h, l, c = (oracle.exact(x.tolist()) for x in (high, low, close))
    macd, signal, histogram = oracle.macd(c)
    adx, plus, minus = oracle.adx(h, l, c)
    middle, sd = oracle.sma(c, 20), oracle.deviation(c, 20)
    band = [
        (None, None) if m is None or s is None else (m + 2 * s, m - 2 * s)
        for m, s in zip(middle, sd, strict=True)
    ]
    return {
        "sma20": middle,
        "sma50": oracle.sma(c, 50),
        "sma200": oracle.sma(c, 200),
        "ema12": oracle.ema(c, 12),
        "ema26": oracle.ema(c, 26),
        "rsi14": oracle.rsi(c),
        "macd": macd,
        "macd_signal": signal,
        "macd_histogram": histogram,
        "bollinger_upper": [b[0] for b in band],
        "bollinger_lower": [b[1] for b in band],
        "adx14": adx,
        "plus_di14": plus,
        "minus_di14": minus,
        "atr14": oracle.atr(h, l, c),
        "volatility": oracle.volatility(c),
        "roc10": oracle.roc(c),
    }


def errors(
    expected: dict[str, oracle.Column], got: dict[str, Column], close: Column
) -> dict[str, float]:
    """Return the largest error of each column, relative to the size of what it is made of.

    A band or a MACD part is a difference of prices: its error is measured against the largest
    price it still sees. RSI, ADX and DI are percentages of their own 100. Log returns below 1e-7
    are the rounding of the prices themselves, so volatility is not asked for less.
    """
    worst = {}
    slow = [0.0 if v is None else float(v) for v in expected["ema26"]]
    for name in (n for n in expected if n in got):
        error = 0.0
        for i, value in enumerate(expected[name]):
            if value is None:
                continue
            seen = (
                slow[i] if name.startswith("macd") else float(close[max(0, i - 19) : i + 1].max())
            )
            off = abs(float(Decimal(got[name][i]) - value))
            error = max(error, off / _size(name, float(value), seen))
        worst[name] = error
    return worst


def _size(name: str, value: float, seen: float) -> float:
    if name.startswith(("rsi", "adx", "plus", "minus")):
        return 100.0
    if name.startswith(("macd", "bollinger")):
        return seen
    floors = {"roc10": 1.0, "volatility": 1e-7}
    return max(abs(value), floors.get(name, 1e-300))


@pytest.mark.parametrize("tape", TAPES)
def test_indicators_on_adversarial_input_equal_the_exact_oracle(tape: str) -> None:
    close = TAPES[tape]()
    high, low = close * 1.001, close * 0.999
    got = engine.indicators(close, high, low, close, np.ones(BARS))
    with localcontext(prec=oracle.DIGITS):
        expected = exact_columns(high, low, close)
        worst = errors(expected, got, close)
        macd, signal, histogram = talib.MACD(close, 12, 26, 9)
        upper, _, lower = talib.BBANDS(close, 20, 2.0, 2.0)
        library = {
            "sma20": talib.SMA(close, 20),
            "bollinger_upper": upper,
            "bollinger_lower": lower,
            "macd": macd,
            "macd_signal": signal,
            "macd_histogram": histogram,
            "rsi14": talib.RSI(close, 14),
        }
        drift = errors(expected, library, close)
    for name, column in expected.items():
        absent = [v is None for v in column]
        assert absent == np.isnan(got[name]).tolist(), f"{name}: other warm-up"
    print(
        f"\n{tape}: ours {max(worst.values()):.1e}; TA-Lib",
        {k: f"{v:.1e}" for k, v in drift.items()},
    )
    tolerance = {n: v for n, v in worst.items() if v > RELATIVE}
    assert tolerance == {}
