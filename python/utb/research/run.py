"""What a finished run hands to reports: values only, no live object."""

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from utb.domain.market import Instrument
from utb.domain.orders import Trade
from utb.telemetry.figures import EquityCurve


class Bars(msgspec.Struct, frozen=True, kw_only=True):
    """Bars of one instrument for a chart, oldest first."""

    open_ns: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]


class FillMark(msgspec.Struct, frozen=True, kw_only=True):
    """One fill on a chart."""

    instrument: int
    ts_ns: int
    price: float
    side: str
    label: str
    """Lead of an entry, reason of an exit."""


class BuyAndHold(msgspec.Struct, frozen=True, kw_only=True):
    """Equal parts of every instrument, bought at its first price and held to its last."""

    total_return: float | None
    max_drawdown: float | None
    by_instrument: dict[str, float]
    """Return of each instrument, fraction."""


class FinishedRun(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a report shows."""

    title: str
    command: str
    instruments: tuple[Instrument, ...]
    summary: Mapping[str, object]
    """The object that `--json` prints."""
    trades: tuple[Trade, ...]
    fills: tuple[FillMark, ...]
    curve: EquityCurve
    hold_curve: EquityCurve
    """Equity of buy-and-hold from the same opening value."""
    bars: dict[int, Bars]
    notes: tuple[str, ...]
    """Sentences a reader must know, such as strategies that abstained."""


def buy_and_hold(
    bars: Mapping[int, Bars], instruments: tuple[Instrument, ...], opening: float
) -> tuple[BuyAndHold, EquityCurve]:
    """Return buy-and-hold of equal parts beside the curve it draws.

    An instrument whose data starts later holds its part as cash until then.

    Args:
        bars: Bars by instrument index, all of one timeframe.
        instruments: The run's instruments.
        opening: Opening equity in quote units, > 0.
    """
    present = [
        (i, bars[i.index]) for i in instruments if i.index in bars and bars[i.index].open_ns.size
    ]
    if not present:
        empty = EquityCurve(ts_ns=np.empty(0, np.int64), equity=np.empty(0))
        return BuyAndHold(total_return=None, max_drawdown=None, by_instrument={}), empty
    times = np.unique(np.concatenate([b.open_ns for _, b in present]))
    part = opening / len(present)
    equity = np.zeros(times.size)
    returns: dict[str, float] = {}
    for instrument, series in present:
        at = np.searchsorted(series.open_ns, times, side="right") - 1
        first = float(series.open[0])
        equity += np.where(at < 0, part, part * series.close[np.maximum(at, 0)] / first)
        returns[instrument.symbol] = float(series.close[-1] / first - 1.0)
    marked = np.concatenate(([opening], equity))
    fall = float(np.max(1.0 - marked / np.maximum.accumulate(marked)))
    hold = BuyAndHold(
        total_return=float(equity[-1] / opening - 1.0), max_drawdown=fall, by_instrument=returns
    )
    return hold, EquityCurve(ts_ns=times, equity=equity)
