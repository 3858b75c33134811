"""Flat records of the second lane -> columns of their tables."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from utb.domain.names import STRATEGIES
from utb.domain.seam import Pulse
from utb.engine.records import (
    BAR_DTYPE,
    EQUITY_DTYPE,
    EVENT_DTYPE,
    TIMEFRAMES,
    VOTE_DTYPE,
    as_array,
)
from utb.storage.clickhouse import history
from utb.storage.clickhouse.native import Labels
from utb.storage.clickhouse.table import Table

STAGE_DTYPE: Final = np.dtype(
    [("ts_ns", "<i8"), ("ns", "<u4"), ("stage", "<u2"), ("instrument", "<u2")]
)
"""One duration: `stage` is the position in `history.STAGES`; 16 bytes."""

_MINUTE_NS: Final = 60 * 10**9
_KINDS: Final = ("price", "check", "other")
_SOURCES: Final = ("dexscreener", "birdeye", "helius", "recorded", "other")
_SIDES: Final = ("HOLD", "BUY", "SELL", "other")
_MARKS: Final = "-FT"
"""Of a condition: 0 missing, 1 failed, 2 held."""
_CONDITION_STATES: Final = 3
_CONDITION_NAMES: Final = tuple(
    "".join(_MARKS[number // _CONDITION_STATES**place % _CONDITION_STATES] for place in range(4))
    for number in range(_CONDITION_STATES**4)
)

Rows = NDArray[Any]
Columns = list[Any]


def _ticks(rows: Rows, symbols: Sequence[str]) -> Columns:
    return [
        rows["ts_ns"],
        rows["ts_recv_ns"],
        rows["instrument"],
        Labels(rows["instrument"], symbols),
        _named(rows["kind"], _KINDS),
        _named(rows["source"], _SOURCES),
        rows["price"],
        rows["volume"],
        rows["liquidity"],
        rows["slot"],
        rows["index"],
    ]


def _bars(rows: Rows, symbols: Sequence[str]) -> Columns:
    return [
        rows["ts_ns"],
        rows["instrument"],
        Labels(rows["instrument"], symbols),
        _named(rows["timeframe"], (*TIMEFRAMES, "other")),
        *(rows[name] for name in ("open", "high", "low", "close", "volume")),
    ]


def _votes(rows: Rows, symbols: Sequence[str]) -> Columns:
    return [
        rows["ts_ns"],
        rows["instrument"],
        Labels(rows["instrument"], symbols),
        _named(rows["strategy"], (*STRATEGIES, "other")),
        _named(rows["side"], _SIDES),
        *(rows[name] for name in ("close", "strength", "confidence", "stop", "target")),
        _conditions(rows["buy"]),
        _conditions(rows["sell"]),
        rows["exits"] & 1,
        (rows["exits"] >> 1) & 1,
    ]


def _equity(rows: Rows, _: Sequence[str]) -> Columns:
    return [rows["ts_ns"], rows["equity"]]


def _latencies(rows: Rows, _: Sequence[str]) -> Columns:
    stage = rows["stage"].astype(np.int16)
    return [
        rows["ts_ns"],
        rows["ts_ns"] // _MINUTE_NS,
        np.where((stage >= 0) & (stage < len(history.STAGES)), stage, -1).astype(np.int8),
        rows["instrument"],
        rows["ns"],
    ]


class Kind:
    """One kind of flat record: its table, its layout and its columns."""

    def __init__(
        self, table: Table, dtype: np.dtype[Any], columns: Callable[[Rows, Sequence[str]], Columns]
    ) -> None:
        self.table = table
        self.dtype = dtype
        self._columns = columns

    def columns(self, data: bytes, symbols: Sequence[str]) -> tuple[Columns, int]:
        """Return the columns of flat records, and how many of them name no known instrument."""
        rows = as_array(data, self.dtype)
        known = np.ones(len(rows), dtype=bool)
        if "instrument" in (self.dtype.names or ()) and self.table is not history.LATENCIES:
            known = rows["instrument"] < len(symbols)
        if not known.all():
            rows = rows[known]
        return self._columns(rows, symbols), int(len(known) - known.sum())


KINDS: Final = {
    "ticks": Kind(history.TICKS, EVENT_DTYPE, _ticks),
    "bars": Kind(history.BARS, BAR_DTYPE, _bars),
    "votes": Kind(history.VOTES, VOTE_DTYPE, _votes),
    "equity": Kind(history.EQUITY_CURVE, EQUITY_DTYPE, _equity),
    "stages": Kind(history.LATENCIES, STAGE_DTYPE, _latencies),
}
"""By the name they have on the seam."""


def stage_totals(pulse: Pulse, session: str) -> list[tuple[Any, ...]]:
    """Return a pulse's stages as rows."""
    return [
        (
            pulse.wall_ns,
            session,
            stage.stage,
            stage.count,
            stage.sum_ns,
            stage.max_ns,
            stage.p50_ns,
            stage.p99_ns,
            stage.buckets,
        )
        for stage in pulse.stages
    ]


def _named(numbers: NDArray[Any], names: Sequence[str]) -> Labels:
    """Return numbers as names; what has none is the last."""
    return Labels(np.minimum(numbers, len(names) - 1), names)


def _conditions(states: NDArray[Any]) -> Labels:
    """Return four condition states per row as four letters."""
    places = _CONDITION_STATES ** np.arange(4, dtype=np.uint16)
    capped = np.minimum(states, _CONDITION_STATES - 1).astype(np.uint16)
    return Labels(capped @ places, _CONDITION_NAMES)
