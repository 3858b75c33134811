"""The store as the follower writes it: in one thread, with what the journal has beside it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from utb.analytics.intake import ANALYTICS, DAMAGED, Waiting
from utb.analytics.ports import ReadRecords
from utb.domain.market import Instrument
from utb.errors import TransientError, UsageError
from utb.storage.clickhouse import history
from utb.storage.clickhouse.lane import KINDS
from utb.storage.clickhouse.records import Journaled, Projector, payload
from utb.storage.clickhouse.writer import Batch, Writer

CHUNK_RECORDS: Final = 2_048


class Archive:
    """What is stored, and what comes next; every method runs in the writer's thread."""

    def __init__(self, writer: Writer, read: ReadRecords) -> None:
        self._writer = writer
        self._read = read
        self._projector: Projector | None = None
        self._instruments: tuple[Instrument, ...] = ()
        self._unwritten: Batch | None = None
        self._source: Iterator[Journaled] | None = None
        self._uncertain = False

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Return the instruments; empty while none are known."""
        return self._instruments

    @property
    def seq(self) -> int:
        """Return the last record that was seen."""
        return 0 if self._projector is None else self._projector.seq

    def recall(self) -> None:
        """Take the instruments of the store, if it has some: then no greeting is needed."""
        found = self._writer.instruments()
        if found:
            self._begin(found)

    def meet(self, instruments: tuple[Instrument, ...], wall_ns: int) -> None:
        """Take the instruments of a greeting.

        Raises:
            UsageError: If the store holds others: it belongs to another run.
            TransientError: If they cannot be written.
        """
        if not self._instruments:
            self._writer.write_instruments(instruments, wall_ns)
            self._begin(instruments)
        elif self._instruments != instruments:
            raise _foreign("the instruments differ")

    def _begin(self, instruments: tuple[Instrument, ...]) -> None:
        self._instruments = instruments
        self._projector = Projector(instruments)

    def catch_up(self, journal: Path, upto: int | None) -> bool:
        """Write the next chunk of the journal's file; return whether there may be more.

        Raises:
            UsageError: If the store does not continue this journal.
            TransientError: If a write fails; call again.
        """
        projector = self._projector
        if projector is None or not journal.exists():
            return False
        self._finish()
        if self._source is None:
            self._source = self._read(journal, projector.seq, upto)
        chunk = list(islice(self._source, CHUNK_RECORDS))
        self.add(chunk)
        if len(chunk) == CHUNK_RECORDS:
            return True
        self._source = None
        if projector.seq < self._writer.held:
            raise _foreign(f"the store has {self._writer.held} records, it has {projector.seq}")
        return False

    def abandon(self) -> None:
        """Let go of a journal's file that was being read."""
        self._source = None

    def add(self, entries: Iterable[Journaled]) -> None:
        """See records that follow the last one seen, and write those that are not stored.

        What was seen is passed over, and nothing behind a gap is taken: it comes again with
        `catch_up`. So after a failure the same records may simply be given again.

        Raises:
            UsageError: If the store does not continue this journal.
            TransientError: If a write fails; what is left is written first next time.
        """
        projector = self._projector
        if projector is None:
            raise _foreign("nobody has said which instruments there are")
        self._finish()
        fresh: list[Journaled] = []
        for entry in entries:
            if entry[0] <= projector.seq + len(fresh):
                continue
            if entry[0] > projector.seq + len(fresh) + 1:
                break
            if entry[0] <= self._writer.held:
                projector.skip(entry)
                if entry[0] == self._writer.held:
                    self._compare(entry)
            else:
                fresh.append(entry)
        if fresh:
            self._unwritten = projector.rows(fresh)
            self._finish()

    def _compare(self, entry: Journaled) -> None:
        if self._writer.last_event() != payload(entry[2]):
            raise _foreign(f"record {entry[0]} differs")

    def _finish(self) -> None:
        """Write what an earlier failure left; the store is asked first what of it has arrived."""
        if self._unwritten is None:
            return
        if self._uncertain:
            self._writer.look()
        self._uncertain = True
        self._writer.write_durable(self._unwritten)
        self._uncertain = False
        self._unwritten = None

    def write_lane(self, waiting: Waiting, wall_ns: int) -> Counter[tuple[str, str]]:
        """Write the second lane; return what was lost of it, by (kind, cause)."""
        lost: Counter[tuple[str, str]] = Counter()
        symbols = [instrument.symbol for instrument in self._instruments]
        for name, parts in waiting.lane.items():
            kind = KINDS[name]
            columns, unknown = kind.columns(b"".join(parts), symbols)
            if unknown:
                lost[name, DAMAGED] += unknown
            try:
                self._writer.write_lane(kind.table, columns)
            except TransientError:
                lost[name, ANALYTICS] += len(columns[0])
        counted = waiting.drops + lost
        drops = [(wall_ns, kind, cause, rows) for (kind, cause), rows in counted.items()]
        for table, rows in ((history.STAGE_TOTALS, waiting.totals), (history.LANE_DROPS, drops)):
            if rows:
                self._write(table, rows, lost)
        if lost[history.LANE_DROPS.name, ANALYTICS]:
            return counted
        return Counter()

    def _write(self, table: Any, rows: list[Any], lost: Counter[tuple[str, str]]) -> None:
        try:
            self._writer.write_lane(table, list(zip(*rows, strict=True)))
        except TransientError:
            lost[table.name, ANALYTICS] += len(rows)


def _foreign(why: str) -> UsageError:
    return UsageError(
        "the ClickHouse store",
        f"of another journal ({why})",
        "the store of this state directory: remove its clickhouse/ directory, or name another "
        "database in CLICKHOUSE_URL; everything durable is written again from the journal",
    )
