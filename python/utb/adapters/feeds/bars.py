"""Recorded bars in memory; `adapters/feeds/barfiles.py` reads them from files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]

TIMEFRAMES: Final = {
    "1m": 60_000_000_000,
    "5m": 300_000_000_000,
    "15m": 900_000_000_000,
    "1h": 3_600_000_000_000,
    "4h": 14_400_000_000_000,
    "1d": 86_400_000_000_000,
}
"""Bar sizes by name, nanoseconds: those the core has."""

TIMEFRAME_OF: Final = {span: name for name, span in TIMEFRAMES.items()}
"""Name of each bar size."""


@dataclass(frozen=True, slots=True)
class RecordedBars:
    """The bars of one instrument, oldest first."""

    symbol: str
    path: Path
    span_ns: int
    ts_ns: NDArray[np.int64]
    """Open times, strictly increasing, on the grid of `span_ns`."""
    open: Column
    high: Column
    low: Column
    close: Column
    volume: Column
    """Base units, >= 0."""
    gaps: int
    """Places where bars are missing."""

    @property
    def timeframe(self) -> str:
        """Return the name of the bar size."""
        return TIMEFRAME_OF[self.span_ns]
