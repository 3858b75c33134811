"""Recorded bars: parquet or CSV files of `ts, open, high, low, close, volume`, checked on loading.

`ts` is the bar's open time: a timestamp column (any unit; without a zone it is UTC) or an integer
of milliseconds, microseconds or nanoseconds since the epoch, told apart by magnitude: below 1e14
milliseconds, below 1e17 microseconds, else nanoseconds.
"""

import re
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from utb.adapters.feeds.bars import TIMEFRAME_OF, TIMEFRAMES, Column, RecordedBars
from utb.errors import UsageError

COLUMNS: Final = ("ts", "open", "high", "low", "close", "volume")

_SYMBOL: Final = re.compile(r"[A-Z0-9]+-[A-Z0-9]+")
_MARKET: Final = re.compile(r"(?:^|[_.-])([A-Z0-9]+?)[_-]?(?:USDT|USDC|USD)(?=$|[_.-])")
_MILLISECONDS_BELOW: Final = 10**14
_MICROSECONDS_BELOW: Final = 10**17
_INT_TS_MIN: Final = 10**11


def load_bars(argument: str, *, strategy_timeframe: str) -> RecordedBars:
    """Load and check one `--prices` argument, `PATH` or `SYMBOL=PATH`.

    Args:
        argument: The instrument is the symbol given, or comes from the file's name: a part that
            ends in USDT, USDC or USD (`binance_SOLUSDT_5m...` is SOL-USDC).
        strategy_timeframe: Coarser bars than this are an error.

    Raises:
        UsageError: With file, row, field, value and what was expected.
    """
    symbol, path = _split(argument)
    table = _read(path)
    ts_ns = _timestamps(path, table)
    columns = {name: _numbers(path, table, name) for name in COLUMNS[1:]}
    span_ns, gaps = _span(path, ts_ns)
    bars = RecordedBars(
        symbol=symbol,
        path=path,
        span_ns=span_ns,
        ts_ns=ts_ns,
        open=columns["open"],
        high=columns["high"],
        low=columns["low"],
        close=columns["close"],
        volume=columns["volume"],
        gaps=gaps,
    )
    _check_values(bars)
    if span_ns > TIMEFRAMES[strategy_timeframe]:
        raise UsageError(
            f"bar size of {path}",
            bars.timeframe,
            f"{strategy_timeframe} or finer: the strategy timeframe (strategies.timeframe) "
            "cannot be built from coarser bars",
        )
    return bars


def load_all(arguments: list[str], *, strategy_timeframe: str) -> list[RecordedBars]:
    """Load several arguments; each must be another instrument.

    Raises:
        UsageError: If a file is wrong, or two are of the same instrument.
    """
    loaded: dict[str, RecordedBars] = {}
    for argument in arguments:
        bars = load_bars(argument, strategy_timeframe=strategy_timeframe)
        other = loaded.get(bars.symbol)
        if other is not None:
            raise UsageError(
                "--prices", f"{bars.symbol} twice ({other.path}, {bars.path})", "each market once"
            )
        loaded[bars.symbol] = bars
    return list(loaded.values())


def _split(argument: str) -> tuple[str, Path]:
    left, sign, right = argument.partition("=")
    if sign and _SYMBOL.fullmatch(left):
        return left, Path(right)
    path = Path(argument)
    if not path.is_file():
        if sign and "/" not in left:
            expected = "SYMBOL=PATH with the symbol of a market in capitals, such as SOL-USDC"
            raise UsageError("--prices", argument, expected)
        raise UsageError("--prices", argument, "a file that exists")
    found = _MARKET.search(path.stem)
    if found is None:
        raise UsageError(
            "--prices", argument, "SYMBOL=PATH, or a file name with the market (SOLUSDT)"
        )
    return f"{found[1]}-USDC", path


def _read(path: Path) -> pa.Table:
    if not path.is_file():
        raise UsageError("--prices", str(path), "a file that exists")
    try:
        if path.suffix == ".parquet":
            table = pa.parquet.read_table(path)
        elif path.suffix == ".csv":
            table = pa.csv.read_csv(path)
        else:
            raise UsageError("--prices", str(path), "a file that ends in .parquet or .csv")
    except (pa.ArrowException, OSError) as error:
        raise UsageError("--prices", str(path), f"a readable file ({error})") from error
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise UsageError(
            f"columns of {path}",
            ", ".join(table.column_names),
            f"{', '.join(COLUMNS)} (missing: {', '.join(missing)})",
        )
    return table


def _timestamps(path: Path, table: pa.Table) -> NDArray[np.int64]:
    column = table.column("ts")
    if column.null_count:
        raise _bad(path, int(np.argmax(_is_null(column))), "ts", "missing", "a time")
    kind = column.type
    if pa.types.is_timestamp(kind):
        unit = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[kind.unit]
        raw: NDArray[np.int64] = column.cast(pa.int64()).to_numpy()
        return raw * unit
    if not pa.types.is_integer(kind):
        raise UsageError(
            f"type of ts in {path}", str(kind), "a timestamp, or an integer of ms, us or ns"
        )
    raw = column.cast(pa.int64()).to_numpy()
    first = int(raw[0]) if len(raw) else 0
    if first < _INT_TS_MIN:
        raise _bad(path, 0, "ts", str(first), "ms, us or ns since 1970 (at least 100000000000)")
    if first < _MILLISECONDS_BELOW:
        return raw * 10**6
    return raw * 10**3 if first < _MICROSECONDS_BELOW else raw


def _is_null(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    nulls: NDArray[np.bool_] = pc.is_null(column).to_numpy()
    return nulls


def _numbers(path: Path, table: pa.Table, name: str) -> Column:
    column = table.column(name)
    if column.null_count:
        raise _bad(path, int(np.argmax(_is_null(column))), name, "missing", "a number")
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        raise UsageError(f"type of {name} in {path}", str(column.type), "numbers")
    numbers: Column = np.ascontiguousarray(column.cast(pa.float64(), safe=False).to_numpy())
    return numbers


def _span(path: Path, ts_ns: NDArray[np.int64]) -> tuple[int, int]:
    """Return the bar size (the most common step) and the number of gaps."""
    if len(ts_ns) < 2:  # noqa: PLR2004 - one step needs two bars
        raise UsageError(f"rows of {path}", str(len(ts_ns)), "at least 2, to tell the bar size")
    steps = np.diff(ts_ns)
    if steps.min() <= 0:
        row = int(np.argmax(steps <= 0)) + 1
        raise _bad(path, row, "ts", str(ts_ns[row]), f"above the row before ({ts_ns[row - 1]})")
    values, counts = np.unique(steps, return_counts=True)
    span_ns = int(values[np.argmax(counts)])
    if span_ns not in TIMEFRAME_OF:
        raise UsageError(
            f"bar size of {path}", f"{span_ns / 1e9:g} s", f"one of {', '.join(TIMEFRAMES)}"
        )
    uneven = steps % span_ns != 0
    if uneven.any():
        row = int(np.argmax(uneven)) + 1
        raise _bad(
            path,
            row,
            "ts",
            str(ts_ns[row]),
            f"a whole number of bars ({TIMEFRAME_OF[span_ns]}) "
            f"after the row before ({ts_ns[row - 1]})",
        )
    if ts_ns[0] % span_ns:
        raise _bad(path, 0, "ts", str(ts_ns[0]), f"a multiple of {span_ns} ns: bars are on UTC")
    return span_ns, int((steps > span_ns).sum())


def _check_values(bars: RecordedBars) -> None:
    for name in ("open", "high", "low", "close"):
        column: Column = getattr(bars, name)
        _check(bars, name, ~(np.isfinite(column) & (column > 0)), "a finite price above 0")
    _check(
        bars,
        "volume",
        ~(np.isfinite(bars.volume) & (bars.volume >= 0)),
        "a finite volume, 0 or more",
    )
    top = np.maximum(bars.open, bars.close)
    bottom = np.minimum(bars.open, bars.close)
    _check(bars, "high", bars.high < bars.low, "at least the low")
    _check(bars, "high", bars.high < top, "at least open and close")
    _check(bars, "low", bars.low > bottom, "at most open and close")


def _check(bars: RecordedBars, name: str, wrong: NDArray[np.bool_], expected: str) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        column: Column = getattr(bars, name)
        raise _bad(bars.path, row, name, repr(float(column[row])), expected)


def _bad(path: Path, row: int, name: str, value: str, expected: str) -> UsageError:
    """Make the error of one value; rows count from 1, without the header."""
    return UsageError(f"{path}: row {row + 1}: {name}", value, expected)
