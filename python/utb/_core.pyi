# ruff: noqa: PYI021 - the extension has no other place for its documentation
"""The compiled core (`rust/py`). `utb.engine` is the only module that imports it.

Every refusal is a `ValueError` whose text names the field, its value and what it must be.
"""

from typing import TypeAlias, final

import numpy as np
from _typeshed import ReadableBuffer as Buffer
from numpy.typing import NDArray

__all__ = [
    "Pipeline",
    "Replay",
    "explode",
    "indicators",
    "indicators_peek",
    "merge",
    "patterns",
    "resample",
]

_Floats: TypeAlias = Buffer | NDArray[np.float64]
_Times: TypeAlias = Buffer | NDArray[np.int64]

@final
class Pipeline:
    """Prices, contexts and positions in; decisions and fired triggers out.

    Single-threaded and deterministic: the same calls give the same bytes. Order per market event
    at `ts`: ends of UTC days and strategy bars up to `ts`; bars of all instruments whose end +
    grace is at or before `ts`, oldest first, each stamped end + grace; the own bars that end at or
    before `ts`; then the price.
    Methods that return `bytes | None` return a MessagePack list of `EngineEvent`
    (`utb.domain.engine`), None when nothing happened.
    """

    def __new__(cls, params: bytes, instruments: bytes, finest: str = "1m") -> Pipeline:
        """Start with JSON parameters and instruments; no timeframe finer than `finest` is built."""

    def set_params(self, params: bytes) -> None:
        """Swap the parameters; windows and the default timeframe cannot change in a run."""

    def set_context(self, instrument: int, context: bytes, ts_ns: int) -> None:
        """Set a slow input (JSON of `rust/types` Context), made at `ts_ns`."""

    def bind(self, source: int, key: str, instrument: int, role: str) -> None:
        """Say what subscription `key` delivers: base_vault, quote_vault or pool."""

    def ingest(self, source: int, payload: Buffer, ts_recv_ns: int) -> bytes | None:
        """Process one frame; what is wrong with it is counted."""

    def advance_to(self, ts_ns: int) -> bytes | None:
        """Run the timers: close bars whose end + grace is at or before `ts_ns`."""

    def next_timer_ns(self) -> int:
        """Return a time before which `advance_to` does nothing."""

    def arm(self, position: bytes) -> None:
        """Watch a position's exits (JSON of `ArmedPosition`); replaces one with the same id."""

    def disarm(self, position_id: int) -> None:
        """Forget a position."""

    def release(self, position_id: int) -> None:
        """Make a position's triggers live again: its exit order failed."""

    def tighten(self, instrument: int | None, atr_multiple: float) -> bytes | None:
        """Raise stops to at most so many ATR below the last price."""

    def set_portfolio(self, portfolio: bytes) -> None:
        """Set (JSON) cash, holdings [[instrument, quantity]], peak, max_drawdown or null."""

    def mark(self, instrument: int) -> tuple[float, int, int, float | None, float | None] | None:
        """Return the fields of `domain.market.Mark`, or None before the first price."""

    def features(
        self, instrument: int
    ) -> tuple[float | None, float | None, float | None, int | None, int, float | None] | None:
        """Return the fields of `domain.engine.DecisionFeatures` at the last closed bar."""

    def equity(self) -> tuple[float, float] | None:
        """Return (equity, peak) at the last marks; None while one is missing."""

    def correlation(self, a: int, b: int) -> float | None:
        """Return the shrunk correlation of 1h log returns over 30 days."""

    def diversity(self) -> list[float]:
        """Return the mean positive vote correlation of each strategy with the others."""

    def counters(self) -> bytes:
        """Return counters as JSON."""

    def view(self, instrument: int) -> bytes:
        """Return one instrument's state as JSON, for display."""

    def log(self, *, bars: bool, equity: bool, votes: bool) -> None:
        """Switch the logs on or off."""

    def drain_bars(self) -> bytes:
        """Return 64-byte records of the bars closed since the last call."""

    def drain_equity(self) -> bytes:
        """Return 16-byte records of equity at ends of strategy bars since the last call."""

    def drain_votes(self) -> bytes:
        """Return 64-byte records of the votes at closed strategy bars since the last call."""

    def save(self) -> bytes:
        """Return the whole state, versioned."""

    def load(self, state: Buffer) -> None:
        """Replace the state; the parameters stay."""

    def __len__(self) -> int:
        """Return the number of instruments."""

@final
class Replay:
    """Recorded events (64-byte EventRecords), copied and checked once."""

    def __new__(cls, records: Buffer) -> Replay:
        """Copy and check records: size, order of ts_recv_ns, kinds, sources."""

    def __len__(self) -> int:
        """Return the number of records."""

    def advance(
        self, pipeline: Pipeline, start: int, until_ts_ns: int, stop_instrument: int = -1
    ) -> tuple[int, bytes | None]:
        """Process records with ts_recv_ns <= `until_ts_ns`; return (next index, events).

        Stops after a record that yields events, before one whose time lets a timer yield events,
        and after one of `stop_instrument`; otherwise the timers up to `until_ts_ns` run. The GIL
        is released.
        """

def explode(
    ts_ns: _Times,
    open: _Floats,  # noqa: A002
    high: _Floats,
    low: _Floats,
    close: _Floats,
    volume: _Floats,
    span_ns: int,
    instrument: int,
) -> bytes:
    """Return four EventRecords per recorded bar (int64 times, float64 columns)."""

def merge(streams: list[Buffer]) -> bytes:
    """Return record streams, each sorted by time, as one by (time, instrument)."""

def indicators(
    open: _Floats,  # noqa: A002
    high: _Floats,
    low: _Floats,
    close: _Floats,
    volume: _Floats,
) -> dict[str, bytes]:
    """Return float64 columns of every indicator after each closed bar; NaN = absent."""

def indicators_peek(
    open: _Floats,  # noqa: A002
    high: _Floats,
    low: _Floats,
    close: _Floats,
    volume: _Floats,
) -> dict[str, bytes]:
    """Return what `indicators` returns, each row from a peek before its bar closed."""

def resample(records: Buffer, finest: str, timeframe: str) -> dict[str, bytes]:
    """Return the closed bars of `timeframe` from one instrument's records.

    Columns: ts (int64), open, high, low, close, volume (float64). The last bar is included if the
    last record is its last nanosecond.
    """

def patterns(
    open: _Floats,  # noqa: A002
    high: _Floats,
    low: _Floats,
    close: _Floats,
    volume: _Floats,
) -> list[tuple[int, str, float, float | None, bool]]:
    """Return (row, name, strength, target, confirmed) of the strongest pattern per side and row."""
