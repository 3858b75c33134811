"""Recorded markets for the parity tests: where they are, and how they are read."""

import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("UTB_DATA", ROOT.parent / "shared" / "data"))
FULL = os.environ.get("UTB_PARITY") == "full"
"""Every recorded market (`just parity`); the default run takes a few."""
SHORT = ("SOLUSDT_5m_2024H1", "WIFUSDT_5m_2024H1", "SOLUSDT_1d_2024H1")

needs_data = pytest.mark.skipif(
    not (DATA / "ohlcv").is_dir(),
    reason=f"no recorded markets: UTB_DATA={DATA} has no ohlcv folder",
)


def markets() -> list[str]:
    """Return the names of the recorded markets of this run."""
    names = sorted(p.stem.removeprefix("binance_") for p in (DATA / "ohlcv").glob("*.parquet"))
    return names if FULL else [n for n in names if n in SHORT]


@cache
def columns(market: str) -> dict[str, NDArray[Any]]:
    """Return open, high, low, close, volume as float64 and ts as nanoseconds."""
    table = pq.read_table(DATA / "ohlcv" / f"binance_{market}.parquet")
    found: dict[str, NDArray[Any]] = {
        name: table[name].to_numpy().astype(np.float64)
        for name in ("open", "high", "low", "close", "volume")
    }
    found["ts_ns"] = table["ts"].to_numpy().astype("datetime64[ns]").astype(np.int64)
    return found
