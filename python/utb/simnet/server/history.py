"""Past prices: bars of any timeframe, made of the market's own steps."""

import threading
from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from utb.simnet.grid import SECOND_NS
from utb.simnet.paths import Array

TYPES_S: Final = {
    "1m": 60,
    "3m": 180,
    "5m": 300,
    "15m": 900,
    "30m": 1800,
    "1H": 3600,
    "2H": 7200,
    "4H": 14_400,
    "6H": 21_600,
    "8H": 28_800,
    "12H": 43_200,
    "1D": 86_400,
    "3D": 259_200,
    "1W": 604_800,
}
"""Birdeye's bar sizes, seconds."""


class Columns(NamedTuple):
    """Steps of one instrument, oldest first; the arrays are of one length."""

    step_ns: int
    """Length of a step."""
    ts_ns: NDArray[np.int64]
    """Open times."""
    open: Array
    high: Array
    low: Array
    close: Array
    volume: Array
    """Base units."""


class History(Protocol):
    """The past of every instrument."""

    def columns(self, instrument: int, until_ns: int) -> Columns:
        """Return all steps that are over at `until_ns`; may take a while: call it in a thread."""
        ...


class Bar(NamedTuple):
    """One bar; `unix_s` is its open time."""

    unix_s: int
    open: float
    high: float
    low: float
    close: float
    volume: float


def bars(columns: Columns, kind: str, from_s: int) -> Iterator[Bar]:
    """Yield the bars of a type that open at or after `from_s`, the last one possibly forming.

    Nothing comes where the type is finer than the steps.
    """
    length_ns = TYPES_S[kind] * SECOND_NS
    if length_ns < columns.step_ns:
        return
    first = -(-from_s * SECOND_NS // length_ns) * length_ns
    begin = int(np.searchsorted(columns.ts_ns, first))
    ts_ns = columns.ts_ns[begin:]
    if not ts_ns.size:
        return
    opens = ts_ns // length_ns * length_ns
    edges = np.flatnonzero(np.diff(opens, prepend=opens[0] - 1))
    lasts = np.append(edges[1:], len(opens)) - 1
    rows = zip(
        (opens[edges] // SECOND_NS).tolist(),
        columns.open[begin:][edges].tolist(),
        np.maximum.reduceat(columns.high[begin:], edges).tolist(),
        np.minimum.reduceat(columns.low[begin:], edges).tolist(),
        columns.close[begin:][lasts].tolist(),
        np.add.reduceat(columns.volume[begin:], edges).tolist(),
        strict=True,
    )
    yield from map(Bar._make, rows)


class Slots(Protocol):
    """A stretch of a generated market."""

    @property
    def begin_ns(self) -> int:
        """Return when it begins."""
        ...

    @property
    def price(self) -> Array:
        """Return the last price of each slot, shape (instruments, slots)."""
        ...

    @property
    def volume(self) -> Array:
        """Return the base volume of each slot, of the same shape."""
        ...


class GeneratedHistory:
    """History of a generated market, walked as far as anyone asks."""

    def __init__(self, chunks: Iterator[Slots], slot_ns: int) -> None:
        self._chunks = chunks
        self._slot_ns = slot_ns
        self._ts_ns: list[NDArray[np.int64]] = []
        self._price: list[Array] = []
        self._volume: list[Array] = []
        self._end_ns = 0
        self._lock = threading.Lock()

    def columns(self, instrument: int, until_ns: int) -> Columns:
        """Return the slots that are over at `until_ns`."""
        with self._lock:
            self._walk(until_ns)
            if not self._ts_ns:
                empty = np.empty(0)
                return Columns(self._slot_ns, empty.astype(np.int64), *[empty] * 5)
            ts_ns = np.concatenate(self._ts_ns)
            price = np.concatenate([part[instrument] for part in self._price])
            volume = np.concatenate([part[instrument] for part in self._volume])
        over = int(np.searchsorted(ts_ns, until_ns - self._slot_ns, side="right"))
        price = price[:over]
        return Columns(self._slot_ns, ts_ns[:over], price, price, price, price, volume[:over])

    def _walk(self, until_ns: int) -> None:
        while self._end_ns < until_ns:
            chunk = next(self._chunks, None)
            if chunk is None:
                return
            slots = chunk.price.shape[1]
            self._ts_ns.append(chunk.begin_ns + np.arange(slots) * self._slot_ns)
            self._price.append(chunk.price)
            self._volume.append(chunk.volume)
            self._end_ns = chunk.begin_ns + slots * self._slot_ns


class RecordedHistory:
    """History of recorded bars."""

    def __init__(self, markets: dict[int, Columns]) -> None:
        """Take each instrument's bars."""
        self._markets = markets

    def columns(self, instrument: int, until_ns: int) -> Columns:
        """Return the bars that are over at `until_ns`."""
        step_ns, ts_ns, *rest = self._markets[instrument]
        over = int(np.searchsorted(ts_ns, until_ns - step_ns, side="right"))
        return Columns(step_ns, ts_ns[:over], *(column[:over] for column in rest))
