"""Indicators against TA-Lib on every recorded market."""

import numpy as np
import pytest
import talib
from numpy.typing import NDArray
from recorded import DATA, columns, markets, needs_data

from utb import engine

Column = NDArray[np.float64]
RELATIVE = 1e-9


def ours(market: str) -> dict[str, Column]:
    c = columns(market)
    return engine.indicators(c["open"], c["high"], c["low"], c["close"], c["volume"])


def theirs(market: str) -> dict[str, Column]:
    """Return TA-Lib's columns under our names."""
    c = columns(market)
    high, low, close = c["high"], c["low"], c["close"]
    macd, signal, histogram = talib.MACD(close, 12, 26, 9)
    upper, _, lower = talib.BBANDS(close, 20, 2.0, 2.0)
    return {
        "sma20": talib.SMA(close, 20),
        "sma50": talib.SMA(close, 50),
        "sma200": talib.SMA(close, 200),
        "ema12": talib.EMA(close, 12),
        "ema26": talib.EMA(close, 26),
        "rsi14": talib.RSI(close, 14),
        "macd": macd,
        "macd_signal": signal,
        "macd_histogram": histogram,
        "bollinger_upper": upper,
        "bollinger_lower": lower,
        "adx14": talib.ADX(high, low, close, 14),
        "plus_di14": talib.PLUS_DI(high, low, close, 14),
        "minus_di14": talib.MINUS_DI(high, low, close, 14),
        "atr14": talib.ATR(high, low, close, 14),
        "roc10": talib.ROC(close, 10),
    }


def scale(name: str, expected: Column, close: Column) -> Column:
    """Return what an error is measured against: the price for MACD, 1 for ROC, else the value."""
    if name.startswith("macd"):
        return close
    if name == "roc10":
        return np.ones_like(close)
    return np.abs(expected)


@needs_data
@pytest.mark.parametrize("market", markets() if (DATA / "ohlcv").is_dir() else [])
def test_indicators_on_recorded_bars_equal_talib(market: str) -> None:
    close, got = columns(market)["close"], ours(market)
    worst: dict[str, float] = {}
    for name, expected in theirs(market).items():
        present = ~np.isnan(expected)
        assert np.array_equal(present, ~np.isnan(got[name])), f"{name}: other warm-up"
        if not present.any():
            continue
        error = np.abs(got[name] - expected)[present] / scale(name, expected, close)[present]
        worst[name] = float(error.max(initial=0.0))
    print(market, {name: f"{value:.1e}" for name, value in worst.items()})
    assert {name: v for name, v in worst.items() if v > RELATIVE} == {}


@needs_data
@pytest.mark.parametrize("market", markets() if (DATA / "ohlcv").is_dir() else [])
def test_peek_equals_an_update_on_a_copy(market: str) -> None:
    """The peeked columns are made by peeking every bar before it closes."""
    c = {name: column[:3000] for name, column in columns(market).items()}
    arguments = (c["open"], c["high"], c["low"], c["close"], c["volume"])
    closed, peeked = engine.indicators(*arguments), engine.indicators_peek(*arguments)
    for name, column in closed.items():
        assert np.array_equal(column, peeked[name], equal_nan=True), name


@needs_data
@pytest.mark.parametrize("market", markets() if (DATA / "ohlcv").is_dir() else [])
def test_volume_and_channel_columns_equal_numpy(market: str) -> None:
    """Volume mean, its ratio, Donchian and volatility against windows taken by NumPy."""
    c, got = columns(market), ours(market)
    window = np.lib.stride_tricks.sliding_window_view
    mean = window(c["volume"], 20)[:-1].mean(axis=1)
    np.testing.assert_allclose(got["volume_mean20"][20:], mean, rtol=1e-9)
    positive = mean > 0
    np.testing.assert_allclose(
        got["volume_ratio"][20:][positive],
        (c["volume"][20:] / np.where(positive, mean, 1))[positive],
        rtol=1e-9,
    )
    assert np.isnan(got["volume_ratio"][20:][~positive]).all()
    assert np.array_equal(got["donchian_high"][20:], window(c["high"], 20)[:-1].max(axis=1))
    assert np.array_equal(got["donchian_low"][20:], window(c["low"], 20)[:-1].min(axis=1))
    sigma = window(np.diff(np.log(c["close"])), 20).std(axis=1)
    np.testing.assert_allclose(got["volatility"][20:], sigma, rtol=1e-9, atol=1e-15)
