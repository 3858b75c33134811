"""The journal of a state directory: one SQLite database, written by one process.

Tables: `records` (the durable records), `commands` (operator commands in the order of inputs),
`snapshot` (one row), `bars` (closed bars), `meta` (schema version, digest of the run's options).
What `sync` returned for survives a crash of the machine with `synchronous = FULL`, and a crash of
the process with NORMAL.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from utb.domain.records import Record
from utb.errors import InvariantError, UsageError
from utb.ports.journal import FeedPosition, LoggedCommand, Snapshot
from utb.storage import schema
from utb.storage.encoding import JournalHash, decode_record, encode_record, is_hashed

FILE_NAME = "journal.sqlite"
BATCH_RECORDS_MAX = 4096
"""Records kept in memory at most before they are written; `sync` writes them at once."""

_Row = tuple[int, int, str, bytes]


class SqliteJournal:
    """Implements the journal port on a file."""

    def __init__(
        self,
        state_dir: Path,
        *,
        options_digest: str,
        wall_ns: Callable[[], int],
        synchronous: str = "FULL",
    ) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self._path = state_dir / FILE_NAME
        self._wall_ns = wall_ns
        self._pending: list[_Row] = []
        self._expected: Iterator[tuple[int, bytes]] | None = None
        self._next: tuple[int, bytes] | None = None
        self._db = schema.open_database(self._path, options_digest, synchronous)
        self._hash = JournalHash()
        self._seq = 0
        for seq, payload in self._payloads(0):
            if seq != self._seq + 1:
                raise InvariantError(f"{self._path}: record {self._seq + 1} is missing")
            self._seq = seq
            if is_hashed(self._decode(seq, payload)):
                self._hash.add(payload)
        self._verified = self._seq

    def append(self, records: Iterable[Record]) -> int:
        """Append records; while verifying, compare each with the stored one instead.

        Records outside the hash (feeds, start and stop) are facts of this process: always new.

        Raises:
            InvariantError: If a stored record differs from the one that came again.
        """
        for record in records:
            payload = encode_record(record)
            if self._next is not None and is_hashed(record):
                self._verify(payload)
                continue
            self._seq += 1
            kind = str(record.__struct_config__.tag)
            self._pending.append((self._seq, self._wall_ns(), kind, payload))
            if is_hashed(record):
                self._hash.add(payload)
        if len(self._pending) >= BATCH_RECORDS_MAX:
            self.sync()
        return self._verified if self._next is not None else self._seq

    def sync(self) -> None:
        """Write what is pending in one transaction; it is durable when this returns."""
        if not self._pending:
            return
        with self._db:
            self._write_pending()
        self._pending.clear()

    def records(self, after: int) -> Iterator[tuple[int, Record]]:
        """Yield (sequence, record) with sequence > `after`."""
        self.sync()
        for seq, payload in self._payloads(after):
            yield seq, self._decode(seq, payload)

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Write pending records and the snapshot in one transaction."""
        with self._db:
            self._write_pending()
            self._db.execute(
                "INSERT OR REPLACE INTO snapshot(id, seq, payload) VALUES (1, ?, ?)",
                (snapshot.seq, msgspec.msgpack.encode(snapshot)),
            )
        self._pending.clear()

    def last_snapshot(self) -> Snapshot | None:
        """Return the latest snapshot, or None."""
        row = self._db.execute("SELECT payload FROM snapshot WHERE id = 1").fetchone()
        return None if row is None else msgspec.msgpack.decode(row[0], type=Snapshot)

    def verify_after(self, seq: int) -> None:
        """Compare what is appended next with the records after `seq` until they are used up."""
        self.sync()
        self._verified = seq
        self._expected = iter(list(self._payloads(seq)))
        self._advance_expected()

    def verifying(self) -> bool:
        """Return whether stored records are still to be met again."""
        return self._next is not None

    def log_command(self, logged: LoggedCommand) -> None:
        """Store a command durably before it has any effect."""
        with self._db:
            self._write_pending()
            self._db.execute(
                "INSERT INTO commands(items, events, payload) VALUES (?, ?, ?)",
                (logged.position.items, logged.position.events, msgspec.msgpack.encode(logged)),
            )
        self._pending.clear()

    def commands(self, after: FeedPosition) -> list[LoggedCommand]:
        """Return the commands taken at or after a feed position, in their order."""
        rows = self._db.execute(
            "SELECT payload FROM commands WHERE (items, events) >= (?, ?) ORDER BY id",
            (after.items, after.events),
        )
        return [msgspec.msgpack.decode(row[0], type=LoggedCommand) for row in rows]

    def journal_hash(self) -> str:
        """Return the hash over the durable records so far."""
        return self._hash.hexdigest()

    def add_bars(self, bars: bytes) -> None:
        """Keep closed bars: 64-byte records as `Pipeline.drain_bars` gives them."""
        if bars:
            with self._db:
                self._db.executemany(schema.INSERT_BAR, schema.bar_rows(bars))

    def add_equity(self, equity: bytes) -> None:
        """Keep equity at bar ends: 16-byte records as `Pipeline.drain_equity` gives them."""
        if equity:
            with self._db:
                self._db.executemany(schema.INSERT_EQUITY, schema.equity_rows(equity))

    def bars(self) -> bytes:
        """Return all kept bars as 64-byte records, by instrument, timeframe and time."""
        query = "SELECT * FROM bars ORDER BY instrument, timeframe, ts_open"
        return schema.bar_bytes(self._db.execute(query))

    def equity(self) -> bytes:
        """Return all kept equity as 16-byte records, oldest first."""
        return schema.equity_bytes(self._db.execute("SELECT * FROM equity ORDER BY ts"))

    def close(self) -> None:
        """Write what is pending and close the file."""
        self.sync()
        self._db.close()

    def _write_pending(self) -> None:
        self._db.executemany(
            "INSERT INTO records(seq, wall_ts, kind, payload) VALUES (?, ?, ?, ?)", self._pending
        )

    def _payloads(self, after: int) -> Iterator[tuple[int, bytes]]:
        query = "SELECT seq, payload FROM records WHERE seq > ? ORDER BY seq"
        yield from self._db.cursor().execute(query, (after,))

    def _decode(self, seq: int, payload: bytes) -> Record:
        try:
            return decode_record(payload)
        except msgspec.DecodeError as error:
            raise UsageError(
                "--state", str(self._path), f"a readable journal (record {seq}: {error})"
            ) from error

    def _verify(self, payload: bytes) -> None:
        """Meet one stored record again."""
        if self._next is None:
            raise InvariantError("nothing is left to verify")
        seq, stored = self._next
        if stored != payload:
            raise InvariantError(
                f"{self._path}: record {seq} came again differently: "
                f"stored {self._decode(seq, stored)!r}, now {decode_record(payload)!r}"
            )
        self._verified = seq
        self._advance_expected()

    def _advance_expected(self) -> None:
        """Step to the next stored record that is part of the hash."""
        self._next = None
        for seq, payload in self._expected or ():
            if is_hashed(self._decode(seq, payload)):
                self._next = (seq, payload)
                return
        self._expected = None


def recompute_hash(path: Path) -> str:
    """Return the `journal_hash` of a journal file, read from its first record to its last."""
    total = JournalHash()
    with schema.open_read_only(path) as database:
        for (payload,) in database.execute("SELECT payload FROM records ORDER BY seq"):
            if is_hashed(decode_record(payload)):
                total.add(payload)
    database.close()
    return total.hexdigest()
