"""Equity over time: at ends of strategy bars, and at the marks on record."""

from bisect import bisect_right
from typing import Final

import numpy as np

from utb.engine import EQUITY_DTYPE
from utb.telemetry.figures import EquityCurve

POINTS_KEPT: Final = 120_000
"""More than three years of 15m bars."""


class EquityLog:
    """Points in time order, the newest kept; a later value of one time replaces the earlier."""

    def __init__(self) -> None:
        self._ts_ns: list[int] = []
        self._equity: list[float] = []

    def __len__(self) -> int:
        return len(self._ts_ns)

    @property
    def last_ns(self) -> int:
        """Return the time of the last point, 0 before the first."""
        return self._ts_ns[-1] if self._ts_ns else 0

    @property
    def last(self) -> float | None:
        """Return the last value."""
        return self._equity[-1] if self._equity else None

    def add(self, ts_ns: int, equity: float) -> None:
        """Add one point, quote units; what is no amount is left out."""
        if not 0.0 < equity < float("inf"):
            return
        times = self._ts_ns
        if not times or ts_ns > times[-1]:
            times.append(ts_ns)
            self._equity.append(equity)
        else:
            place = bisect_right(times, ts_ns)
            if place and times[place - 1] == ts_ns:
                self._equity[place - 1] = equity
            else:
                times.insert(place, ts_ns)
                self._equity.insert(place, equity)
        if len(times) > POINTS_KEPT:
            # A tenth at once, so that this happens rarely
            del times[: POINTS_KEPT // 10], self._equity[: POINTS_KEPT // 10]

    def add_rows(self, rows: bytes) -> None:
        """Add 16-byte equity records."""
        points = np.frombuffer(rows, dtype=EQUITY_DTYPE)
        for ts_ns, equity in zip(points["ts_ns"].tolist(), points["equity"].tolist(), strict=True):
            self.add(ts_ns, equity)

    def curve(self) -> EquityCurve:
        """Return the points as arrays."""
        return EquityCurve(
            ts_ns=np.array(self._ts_ns, dtype=np.int64),
            equity=np.array(self._equity, dtype=np.float64),
        )

    def newest(self, limit: int) -> list[tuple[int, float, float]]:
        """Return (time, equity, fall from the highest before it) of the newest points.

        The peak is that of all kept points, so the first row already has its drawdown.
        """
        if not self._equity:
            return []
        equity = np.array(self._equity, dtype=np.float64)
        fall = (1.0 - equity / np.maximum.accumulate(equity))[-limit:]
        return list(zip(self._ts_ns[-limit:], self._equity[-limit:], fall.tolist(), strict=True))
