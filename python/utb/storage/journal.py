"""The journal of a state directory: one SQLite database, written by one process.

Tables: `records` (the durable records), `commands` (operator commands in the order of inputs),
`snapshot` (one row), `bars` (closed bars), `tail` (inputs that are not on the disk elsewhere),
`meta` (schema version, digest of the run's options).
What `sync` returned for survives a crash of the machine with `synchronous = FULL`, and a crash of
the process with NORMAL. A full disk is `overflow`'s to deal with, where there is one.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import msgspec

from utb.domain.market import Instrument
from utb.domain.records import Record
from utb.errors import InvariantError, UsageError
from utb.ports.journal import FeedPosition, Inputs, LoggedCommand, Snapshot, Tail
from utb.storage import schema
from utb.storage.encoding import JournalHash, decode_record, encode_record, is_hashed
from utb.storage.overflow import Overflow
from utb.storage.reserve import Row

FILE_NAME = "journal.sqlite"
INSTRUMENTS = "instruments"
"""Fact of the journal: what its instrument numbers mean."""
BATCH_RECORDS_MAX = 4096
"""Records kept in memory at most before they are written; `sync` writes them at once. On the
reserve they stay in memory."""

CHECKPOINT_COMMITS = 200
"""Commits after which `checkpointing` finds the log of writes long."""

OnDurable = Callable[[list[Row]], None]
"""Takes rows that are in the file now, durably."""


class SqliteJournal:
    """Implements the journal port on a file."""

    def __init__(
        self,
        state_dir: Path,
        *,
        options_digest: str,
        wall_ns: Callable[[], int],
        synchronous: str = "FULL",
        may_change: bool = False,
        instruments: Sequence[Instrument] = (),
    ) -> None:
        """Open or create the journal of `state_dir`.

        Args:
            state_dir: Made if absent.
            options_digest: Of the run; another run's directory is an error.
            wall_ns: Stamps the rows.
            synchronous: FULL or NORMAL, SQLite's durability.
            may_change: Whether a session that was stopped in order may go on with other options.
            instruments: What the instruments' numbers mean, kept for who reads the file alone.

        Raises:
            UsageError: If the file is no journal, damaged, or of other options.
            InvariantError: If a record is missing.
        """
        state_dir.mkdir(parents=True, exist_ok=True)
        self._path = state_dir / FILE_NAME
        self._wall_ns = wall_ns
        self._pending: list[Row] = []
        self._commands: list[LoggedCommand] = []
        self._bars = b""
        self._equity = b""
        self._expected: Iterator[tuple[int, bytes]] | None = None
        self._next: tuple[int, bytes] | None = None
        self._commits = 0
        """Since the last checkpoint outside."""
        self.inputs: Inputs | None = None
        """What is made durable with every write: one wait for the disk, not two."""
        self.on_durable: OnDurable | None = None
        """Told of records as soon as they are in the file, in order."""
        self.overflow: Overflow | None = None
        """Where everything goes while the disk is full; None: that is an error."""
        described = msgspec.json.encode(instruments).decode()
        facts = {INSTRUMENTS: described} if instruments else {}
        self._db = schema.open_database(self._path, options_digest, synchronous, facts)
        self._hash = JournalHash()
        self._seq = 0
        for seq, payload in self._payloads(0):
            if seq != self._seq + 1:
                raise InvariantError(f"{self._path}: record {self._seq + 1} is missing")
            self._seq = seq
            if is_hashed(self._decode(seq, payload)):
                self._hash.add(payload)
        self._verified = self._seq
        self.changed = False
        """Whether the options are other ones than before; `adopt_options` makes that final."""
        if schema.options_of(self._db) != options_digest:
            self._check_change(may_change=may_change)
        for key, value in facts.items():
            if schema.noted(self._db, key) != value:
                schema.note(self._db, key, value)

    def _check_change(self, *, may_change: bool) -> None:
        """See that nothing of the old options is left to be computed again.

        Raises:
            UsageError: If that may not be.
        """
        snapshot = self.last_snapshot()
        tail = [] if snapshot is None else list(self.records(snapshot.seq))
        at_rest = snapshot is not None and not any(is_hashed(record) for _, record in tail)
        if not may_change or not at_rest:
            self._db.close()
            expected = "a run of the same options, or another directory for this one"
            if may_change:
                expected = (
                    "the options of the run that was killed there: start it with those, stop it "
                    "in order, and then change them"
                )
            raise UsageError("--state", str(self._path), expected)
        self.changed = True

    def adopt_options(self, options_digest: str) -> None:
        """Go on with the changed options: what was kept under the old ones is put aside by now."""
        schema.adopt_options(self._db, options_digest)

    def note(self, key: str, value: str) -> None:
        """Keep a fact that is no record, durably."""
        schema.note(self._db, key, value)

    def noted(self, key: str) -> str | None:
        """Return a fact that `note` kept; None if nobody did."""
        return schema.noted(self._db, key)

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
        if len(self._pending) >= BATCH_RECORDS_MAX and not self.trouble:
            self.sync()
        return self._verified if self._next is not None else self._seq

    def sync(self) -> None:
        """Write what is pending in one transaction; it is durable when this returns."""
        if self._pending:
            self._commit()

    def tick(self) -> None:
        """Write what is pending; on the reserve, see whether the disk has room again."""
        overflow = self.overflow
        if overflow is None or not overflow.active:
            self.sync()
        elif overflow.may_leave():
            self._leave(overflow)
        elif overflow.is_long():
            overflow.keep(self._pending, self._commands)

    @property
    def trouble(self) -> str:
        """Return why the file cannot be written; empty: it can."""
        return "" if self.overflow is None else self.overflow.reason

    @property
    def path(self) -> Path:
        """Return the database file."""
        return self._path

    @property
    def durable_seq(self) -> int:
        """Return the sequence of the last record that is in the file."""
        return self._pending[0][0] - 1 if self._pending else self._seq

    def records(self, after: int) -> Iterator[tuple[int, Record]]:
        """Yield (sequence, record) with sequence > `after`."""
        self.sync()
        for seq, payload in self._payloads(after):
            yield seq, self._decode(seq, payload)
        # On the reserve they are not in the file yet
        for seq, _, _, payload in tuple(self._pending):
            if seq > after:
                yield seq, self._decode(seq, payload)

    def save_snapshot(self, snapshot: Snapshot) -> bool:
        """Write pending records and the snapshot in one transaction.

        Returns:
            Whether the snapshot is stored; the reserve takes none.
        """
        return self._commit(
            "INSERT OR REPLACE INTO snapshot(id, seq, payload) VALUES (1, ?, ?)",
            (snapshot.seq, msgspec.msgpack.encode(snapshot)),
        )

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
        self._commands.append(logged)
        self._commit()

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

    def checkpoint_outside(self) -> None:
        """Leave it to `checkpointing` to move what was written from the log to the database."""
        schema.checkpoint_late(self._db)

    def checkpointing(self) -> Callable[[], None] | None:
        """Return what another thread calls to shorten the log of writes; None: it is short."""
        if self._commits < CHECKPOINT_COMMITS:
            return None
        self._commits = 0
        return partial(schema.checkpoint, self._path)

    def tails(self) -> list[Tail]:
        """Return the inputs that a power loss may have taken from their file."""
        return schema.tails(self._db)

    def forget_tails(self) -> None:
        """Forget them: they are on the disk where they belong."""
        schema.forget_tails(self._db)

    def add_bars(self, bars: bytes) -> None:
        """Keep closed bars: 64-byte records as `Pipeline.drain_bars` gives them."""
        self._bars += bars
        self._draw()

    def add_equity(self, equity: bytes) -> None:
        """Keep equity at bar ends: 16-byte records as `Pipeline.drain_equity` gives them."""
        self._equity += equity
        self._draw()

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

    def _commit(self, more: str = "", values: tuple[object, ...] = ()) -> bool:
        """Make what is pending durable, in the file or on the reserve; return whether in the file.

        Args:
            more: One more statement of the transaction, which the reserve leaves out.
            values: Of the statement.
        """
        overflow = self.overflow
        if overflow is None or not overflow.active:
            try:
                self._transact(more, values)
            except (OSError, sqlite3.Error) as error:
                if overflow is None:
                    raise
                overflow.enter(error)
            else:
                return True
        overflow.keep(self._pending, self._commands)
        return False

    def _leave(self, overflow: Overflow) -> None:
        """Move to the file what the reserve holds; without room it stays there."""
        try:
            overflow.let_go()
            self._transact()
        except (OSError, sqlite3.Error) as error:
            overflow.enter(error)
        else:
            overflow.leave()

    def _transact(self, more: str = "", values: tuple[object, ...] = ()) -> None:
        tail = None if self.inputs is None else self.inputs.unsynced()
        with self._db:
            self._db.executemany(schema.INSERT_RECORD, self._pending)
            for logged in self._commands:
                place = logged.position
                row = (place.items, place.events, msgspec.msgpack.encode(logged))
                self._db.execute(schema.INSERT_COMMAND, row)
            if more:
                self._db.execute(more, values)
            if tail is not None:
                schema.keep_tail(self._db, tail)
        self._commits += 1
        if self.inputs is not None and tail is not None:
            self.inputs.kept(tail)
        self._commands.clear()
        rows, self._pending = self._pending, []
        if rows and self.on_durable is not None:
            self.on_durable(rows)

    def _draw(self) -> None:
        """Write bars and equity, or keep them in memory while the disk is full."""
        overflow = self.overflow
        if not (self._bars or self._equity) or (overflow is not None and overflow.active):
            return
        try:
            with self._db:
                self._db.executemany(schema.INSERT_BAR, schema.bar_rows(self._bars))
                self._db.executemany(schema.INSERT_EQUITY, schema.equity_rows(self._equity))
        except sqlite3.Error as error:
            if overflow is None:
                raise
            overflow.enter(error)
        else:
            self._bars = self._equity = b""

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
