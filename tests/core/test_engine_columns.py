"""Pure functions of the core over columns."""

import numpy as np
import pytest
from engine_cases import DATA, MINUTE_NS, records, walk
from numpy.typing import NDArray

from utb import _core

pq = pytest.importorskip("pyarrow.parquet")


def columns(count: int) -> tuple[NDArray[np.float64], ...]:
    bars = walk(count)
    return bars.open, bars.high, bars.low, bars.close, bars.volume


def floats(column: bytes) -> NDArray[np.float64]:
    return np.frombuffer(column)


def test_indicators_peek_equals_the_update_to_the_bit() -> None:
    updated = _core.indicators(*columns(600))
    peeked = _core.indicators_peek(*columns(600))
    assert updated == peeked
    assert len(updated) == 23


def test_indicators_simple_mean_equals_numpy() -> None:
    close = walk(300).close
    expected = np.convolve(close, np.full(50, 1 / 50), "valid")
    found = floats(_core.indicators(*columns(300))["sma50"])
    assert np.isnan(found[:49]).all()
    np.testing.assert_allclose(found[49:], expected, rtol=1e-12)


def test_resample_of_recorded_5m_equals_the_recorded_15m() -> None:
    source = DATA / "ohlcv" / "binance_SOLUSDT_5m_2024H1.parquet"
    if not source.exists():
        pytest.skip(f"{source} is not there")
    table = pq.read_table(source)
    names = ("open", "high", "low", "close", "volume")
    ts_ns = table["ts"].to_numpy().astype("datetime64[ns]").astype(np.int64)
    opened, high, low, close, volume = (table[name].to_numpy() for name in names)
    block = _core.explode(ts_ns, opened, high, low, close, volume, 5 * MINUTE_NS, 0)
    found = _core.resample(block, "5m", "15m")
    recorded = pq.read_table(DATA / "ohlcv" / "binance_SOLUSDT_15m_2024H1.parquet")
    for name in names[:4]:
        np.testing.assert_array_equal(floats(found[name]), recorded[name].to_numpy())
    np.testing.assert_allclose(floats(found["volume"]), recorded["volume"].to_numpy(), rtol=1e-12)


def test_resample_of_a_finer_timeframe_is_empty() -> None:
    assert _core.resample(records(10), "5m", "1m")["ts"] == b""
    with pytest.raises(ValueError, match="timeframe is 3m, must be one of 1m"):
        _core.resample(records(10), "5m", "3m")


def test_patterns_name_what_they_find() -> None:
    found = _core.patterns(*columns(2_000))
    rows = [row for row, *_ in found]
    assert rows == sorted(rows)
    assert len({name for _, name, *_ in found}) > 3
    assert all(0.0 <= strength <= 1.0 for _, _, strength, *_ in found)


def test_columns_of_unequal_length_are_refused() -> None:
    opened, high, low, close, volume = columns(10)
    with pytest.raises(ValueError, match="must be the same in all columns"):
        _core.indicators(opened, high, low, close, volume[:-1])
    with pytest.raises(ValueError, match="not contiguous"):
        _core.indicators(opened[::2], high[::2], low[::2], close[::2], volume[::2])
