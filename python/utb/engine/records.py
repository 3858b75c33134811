"""Recorded events and the core's flat records as NumPy arrays."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from utb import _core
from utb.engine.refusals import usage_error

EVENT_DTYPE: Final = np.dtype(
    [
        ("ts_ns", "<i8"),
        ("ts_recv_ns", "<i8"),
        ("instrument", "<u4"),
        ("kind", "<u2"),
        ("source", "<u2"),
        ("price", "<f8"),
        ("volume", "<f8"),
        ("liquidity", "<f8"),
        ("slot", "<u8"),
        ("index", "<u8"),
    ]
)
"""`EventRecord` of `rust/types/src/event.rs`, 64 bytes."""

BAR_DTYPE: Final = np.dtype(
    [
        ("ts_ns", "<i8"),
        ("instrument", "<u4"),
        ("timeframe", "<u4"),
        ("open", "<f8"),
        ("high", "<f8"),
        ("low", "<f8"),
        ("close", "<f8"),
        ("volume", "<f8"),
        ("reserved", "<u8"),
    ]
)
"""A closed bar: `timeframe` is the position in 1m, 5m, 15m, 1h, 4h, 1d; volume NaN = unknown."""

VOTE_DTYPE: Final = np.dtype(
    [
        ("ts_ns", "<i8"),
        ("instrument", "<u4"),
        ("strategy", "u1"),
        ("side", "u1"),
        ("buy", "u1", (4,)),
        ("sell", "u1", (4,)),
        ("exits", "u1"),
        ("reserved", "u1"),
        ("close", "<f8"),
        ("strength", "<f8"),
        ("confidence", "<f8"),
        ("stop", "<f8"),
        ("target", "<f8"),
    ]
)
"""A vote at a closed bar: `ts_ns` its open; side 0 HOLD, 1 BUY, 2 SELL; conditions 0 missing,
1 failed, 2 held; exits bit 0 would leave a long, bit 1 a short; stop and target NaN = none."""

STAGE_DTYPE: Final = np.dtype(
    [
        ("ts_ns", "<i8"),
        ("duration_ns", "<u4"),
        ("stage", "u1"),
        ("source", "u1"),
        ("instrument", "<u2"),
    ]
)
"""How long a stage took, 16 bytes: `stage` is a `Stage`; source 255 and instrument 65535 = none;
a duration above 2^32-1 ns is that."""

EQUITY_DTYPE: Final = np.dtype([("ts_ns", "<i8"), ("equity", "<f8")])
"""Equity at the last marks before an end of a strategy bar."""

TIMEFRAMES: Final = ("1m", "5m", "15m", "1h", "4h", "1d")
"""Names by the core's number."""


class Bars(msgspec.Struct, frozen=True, kw_only=True):
    """Recorded bars of one instrument as columns of one length, oldest first."""

    ts_ns: NDArray[np.int64]
    """Open times."""
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
    """Base volume; NaN = unknown."""


def explode(bars: Bars, *, span_ns: int, instrument: int) -> bytes:
    """Return the event records of recorded bars, four each.

    Args:
        bars: The bars.
        span_ns: Length of a bar.
        instrument: Dense index in the core.

    Raises:
        UsageError: With the first row that is no bar.
    """
    ts_ns = np.ascontiguousarray(bars.ts_ns, dtype=np.int64)
    opened, high, low, close, volume = (
        np.ascontiguousarray(column, dtype=np.float64)
        for column in (bars.open, bars.high, bars.low, bars.close, bars.volume)
    )
    try:
        return _core.explode(ts_ns, opened, high, low, close, volume, span_ns, instrument)
    except ValueError as error:
        raise usage_error(error) from error


def merge(streams: Sequence[bytes]) -> bytes:
    """Return record streams as one, by (time, instrument); each must be sorted by time.

    Raises:
        UsageError: If one is not.
    """
    try:
        return _core.merge(list(streams))
    except ValueError as error:
        raise usage_error(error) from error


def as_array(records: bytes, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return flat records as a structured array that shares their memory (read-only)."""
    return np.frombuffer(records, dtype=dtype)
