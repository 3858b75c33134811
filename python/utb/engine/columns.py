"""The core's bars and indicators over whole columns, for research and for tests against others."""

import numpy as np
from numpy.typing import NDArray

from utb import _core
from utb.engine.records import TIMEFRAMES, Bars, explode
from utb.engine.refusals import usage_error

Column = NDArray[np.float64]
MINUTE_NS = 60_000_000_000
SPANS_NS = dict(zip(TIMEFRAMES, (MINUTE_NS * n for n in (1, 5, 15, 60, 240, 1440)), strict=True))


def indicators(
    opened: Column, high: Column, low: Column, close: Column, volume: Column
) -> dict[str, Column]:
    """Return the indicator set of `rust/types` TfFeatures after each bar.

    Args:
        opened: Open prices, shape (n,), finite, > 0; the others likewise.
        high: High prices.
        low: Low prices.
        close: Close prices.
        volume: Base volumes, >= 0; NaN where unknown.

    Returns:
        Columns of shape (n,) by name; NaN before the warm-up.

    Raises:
        UsageError: If the columns differ in length.
    """
    try:
        found = _core.indicators(*map(_contiguous, (opened, high, low, close, volume)))
    except ValueError as error:
        raise usage_error(error) from error
    return {name: np.frombuffer(column) for name, column in found.items()}


def indicators_peek(
    opened: Column, high: Column, low: Column, close: Column, volume: Column
) -> dict[str, Column]:
    """Return the same columns, each value peeked before its bar is taken."""
    try:
        found = _core.indicators_peek(*map(_contiguous, (opened, high, low, close, volume)))
    except ValueError as error:
        raise usage_error(error) from error
    return {name: np.frombuffer(column) for name, column in found.items()}


def resample(bars: Bars, *, finest: str, timeframe: str) -> dict[str, NDArray[np.generic]]:
    """Return the closed bars of a coarser timeframe as the core builds them.

    Args:
        bars: Bars of `finest`, oldest first.
        finest: Their timeframe.
        timeframe: The timeframe to build.

    Returns:
        `ts` (open, ns) and open, high, low, close, volume.

    Raises:
        UsageError: If a timeframe or a bar is not acceptable.
    """
    try:
        found = _core.resample(
            explode(bars, span_ns=SPANS_NS[finest], instrument=0), finest, timeframe
        )
    except ValueError as error:
        raise usage_error(error) from error
    dtypes: dict[str, type[np.generic]] = {"ts": np.int64}
    return {
        name: np.frombuffer(column, dtype=dtypes.get(name, np.float64))
        for name, column in found.items()
    }


def _contiguous(column: Column) -> Column:
    return np.ascontiguousarray(column, dtype=np.float64)
