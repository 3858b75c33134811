"""Bars of higher timeframes, built by the core from recorded 5m bars, against the recorded ones."""

import numpy as np
import pytest
from recorded import columns, needs_data

from utb import engine

FINE = "SOLUSDT_5m_2024H1"
PRICES = ("open", "high", "low", "close")


@needs_data
@pytest.mark.parametrize("timeframe", ["15m", "1h", "4h", "1d"])
def test_resampled_bars_equal_the_recorded_ones(timeframe: str) -> None:
    """Prices exactly, volume to 1e-12 relative; the last bar has no later event to close it."""
    fine, coarse = columns(FINE), columns(f"SOLUSDT_{timeframe}_2024H1")
    bars = engine.Bars(**{name: fine[name] for name in ("ts_ns", *PRICES, "volume")})
    built = engine.resample(bars, finest="5m", timeframe=timeframe)
    size = built["ts"].size
    assert size >= coarse["close"].size - 1
    assert np.array_equal(built["ts"], coarse["ts_ns"][:size])
    for name in PRICES:
        assert np.array_equal(built[name], coarse[name][:size]), name
    volume = built["volume"].astype(np.float64)
    np.testing.assert_allclose(volume, coarse["volume"][:size], rtol=1e-12)
