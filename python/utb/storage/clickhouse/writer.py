"""What reaches the store, once each: durable rows by their sequence, the second lane as it comes.

An insert into one partition is one part, which is there whole or not at all. So a table's rows are
inserted partition by partition in the order of their sequence, and the highest sequence a table
holds says that it holds every one before. `events` has a row for each record and is written last:
what it holds, all tables hold.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from utb.domain.market import Instrument
from utb.storage.clickhouse import durable, history
from utb.storage.clickhouse.migrations import keep_history, migrate
from utb.storage.clickhouse.native import Labels, block
from utb.storage.clickhouse.store import Store
from utb.storage.clickhouse.table import Place, Table

Row = tuple[Any, ...]
"""Values of a table's written columns; of a durable one the first two are sequence and ns."""
Batch = Mapping[str, Sequence[Row]]
"""Durable rows by table, each in the order of their sequence."""

_MONTH: Final = "datetime64[M]"
_DAY_NS: Final = 86_400 * 10**9
_INSTRUMENT_FIELDS: Final = (
    "index",
    "symbol",
    "base_mint",
    "quote_mint",
    "primary",
    "base_decimals",
    "quote_decimals",
    "liquid",
    "min_order_quote_raw",
)
"""In the order of the columns of `instruments`."""


class Writer:
    """Writes to one store; used by one thread at a time."""

    def __init__(self, store: Store, place: Place, *, wall_ns: Callable[[], int]) -> None:
        """Write nothing yet; `open` comes first. `wall_ns` tells how old a row is from now on."""
        self._store = store
        self._wall_ns = wall_ns
        self._place = place
        self._held: dict[str, int] = {}

    def open(self, history_days: int) -> None:
        """Bring the schema up to date and find out what each table holds.

        Raises:
            UsageError: If the store is of a newer schema.
            TransientError: If the store does not answer.
        """
        migrate(self._store, self._place)
        keep_history(self._store, self._place, history_days)
        self.look()

    def look(self) -> None:
        """Find out what each table holds; after a failed insert, before it is tried again.

        Raises:
            TransientError: If the store does not answer.
        """
        self._held = {
            table.name: int(
                self._store.rows(f"SELECT max(seq) FROM {self._place.name(table.name)}")[0][0]
            )
            for table in durable.DURABLE
        }

    @property
    def held(self) -> int:
        """Return the last sequence that every table holds whatever it has of."""
        return self._held[durable.EVENTS.name]

    def last_event(self) -> str | None:
        """Return the last record held, as JSON, or None."""
        query = (
            f"SELECT payload FROM {self._place.name(durable.EVENTS.name)} WHERE seq = {self.held}"
        )
        rows = self._store.rows(query)
        return str(rows[0][0]) if rows else None

    def write_durable(self, batch: Batch) -> None:
        """Insert what is not there yet.

        Raises:
            TransientError: If an insert fails: `look`, then give the same batch again.
        """
        for table in durable.DURABLE:
            held = self._held[table.name]
            rows = [row for row in batch.get(table.name, ()) if row[0] > held]
            for run in months(rows):
                self._insert(table, list(zip(*run, strict=True)))
                self._held[table.name] = run[-1][0]

    def write_lane(self, table: Table, columns: Sequence[Any]) -> None:
        """Insert rows of the second lane, given as columns without the day they are stored.

        Raises:
            TransientError: If an insert fails; some of the rows may be there.
        """
        if table.history:
            day = self._wall_ns() // _DAY_NS
            columns = [*columns, np.full(len(columns[0]), day, dtype=np.uint16)]
        ts_ns = np.asarray(columns[table.index_of("ts")], dtype=np.int64)
        for chosen in partitions(ts_ns):
            part = columns if chosen is None else [take(column, chosen) for column in columns]
            self._insert(table, part)

    def write_instruments(self, instruments: Sequence[Instrument], wall_ns: int) -> None:
        """Insert what the instruments are, as of a wall time.

        Raises:
            TransientError: If the insert fails.
        """
        rows = [
            (*(getattr(instrument, name) for name in _INSTRUMENT_FIELDS), wall_ns)
            for instrument in instruments
        ]
        if rows:
            self._insert(history.INSTRUMENTS, list(zip(*rows, strict=True)))

    def instruments(self) -> tuple[Instrument, ...]:
        """Return the instruments the store knows.

        Raises:
            TransientError: If the store does not answer.
        """
        names = ", ".join(f"`{name}`" for name in history.INSTRUMENTS.names[:-1])
        table = self._place.name(history.INSTRUMENTS.name)
        rows = self._store.rows(f"SELECT {names} FROM {table} FINAL ORDER BY instrument")
        return tuple(
            msgspec.convert(
                dict(zip(_INSTRUMENT_FIELDS, row, strict=True)), type=Instrument, strict=False
            )
            for row in rows
        )

    def _insert(self, table: Table, columns: Sequence[Any]) -> None:
        data = block(table.names, table.types, columns)
        self._store.insert(self._place.name(table.name), table.names, data)


def months(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Cut rows of (sequence, ns, ...) where the UTC month changes, order kept."""
    if not rows:
        return
    ts_ns = np.fromiter((row[1] for row in rows), dtype=np.int64, count=len(rows))
    month = _months(ts_ns)
    cuts = np.flatnonzero(month[1:] != month[:-1]) + 1
    begin = 0
    for end in (*cuts.tolist(), len(rows)):
        yield rows[begin:end]
        begin = end


def partitions(ts_ns: NDArray[np.int64]) -> Iterator[NDArray[Any] | None]:
    """Yield the rows of each UTC month; None when all are of one."""
    if not len(ts_ns):
        return
    ends = _months(np.array([ts_ns.min(), ts_ns.max()]))
    if ends[0] == ends[1]:
        yield None
        return
    month = _months(ts_ns)
    for value in np.unique(month):
        yield np.flatnonzero(month == value)


def take(column: Any, chosen: NDArray[Any]) -> Any:
    """Return the chosen rows of a column."""
    if isinstance(column, Labels):
        return column.take(chosen)
    if isinstance(column, np.ndarray):
        return column[chosen]
    return [column[index] for index in chosen.tolist()]


def _months(ts_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    return ts_ns.astype("datetime64[ns]").astype(_MONTH).astype(np.int64)
