"""What a journal does while its disk has no room: everything goes to the reserve.

Only a write that found no room leads here; a failed fsync leaves unknown what is durable and ends
the process. What the reserve holds stays in memory as well, and goes to the tape and the journal in
one piece as soon as there is room; only a new process has to read it (`take_back`).
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
import structlog

from utb.errors import InvariantError, UtbError
from utb.ports.journal import LoggedCommand
from utb.ports.room import HeldInputs, NoRoom
from utb.storage import schema
from utb.storage.reserve import Kept, Reserve, Row

LOOK_TICKS: Final = 10
"""Looks of the owner between two tries to write to the disk again."""
SPARE_BYTES: Final = 1024 * 1024
"""Room beyond what is kept that there must be before it is tried: pages of SQLite."""
LONG_BYTES: Final = 256 * 1024
"""Inputs in memory alone at most; a longer run of them also compresses better."""

_log = structlog.get_logger("trade")


class Overflow:
    """Keeps on a reserve what tape and journal cannot take."""

    def __init__(self, reserve: Reserve, inputs: HeldInputs) -> None:
        """Begin with an empty reserve, unused."""
        self._reserve = reserve
        self._inputs = inputs
        self.reason = ""
        """Why the reserve is used; empty: it is not."""
        self.on_change: Callable[[], None] = lambda: None
        """Called when the reserve begins or ceases to be used."""
        self._rows = 0
        self._commands = 0
        """How many of the journal's pending rows and commands are on the reserve."""
        self._bytes = 0
        self._looks = 0
        self._failed: Exception | None = None
        """Why nothing may be kept any more: what is missing must not be followed by anything."""

    @property
    def active(self) -> bool:
        """Return whether the reserve is used."""
        return bool(self.reason)

    def enter(self, error: Exception) -> None:
        """Use the reserve from now on, for an error that says that the disk has no room.

        Raises:
            Exception: The error, if it says something else.
        """
        if not _lacks_room(error):
            self._failed = error
            raise error
        with self._final():
            self._inputs.hold_back()
        if self.active:
            return
        self.reason = (
            f"the journal cannot be written ({error}): entries stop, exits go on from the reserve"
        )
        self._rows = self._commands = self._bytes = self._looks = 0
        _log.error("alarm", words=self.reason, reserve=self._reserve.free_bytes)
        self.on_change()

    def keep(self, rows: Sequence[Row], commands: Sequence[LoggedCommand]) -> None:
        """Return when every input so far and these rows and commands are durable.

        Args:
            rows: All that are not in the journal's file; those kept before come first.
            commands: Likewise.

        Raises:
            ReserveFull: If they do not fit: nothing they tell of may leave.
            OSError: If they cannot be written: likewise.
        """
        with self._final():
            position, inputs = self._inputs.next_held()
            kept = Kept(
                position=position,
                inputs=inputs,
                commands=tuple(map(msgspec.msgpack.encode, commands[self._commands :])),
                rows=tuple(rows[self._rows :]),
            )
            if kept.inputs or kept.commands or kept.rows:
                self._reserve.put(kept)
        self._rows, self._commands = len(rows), len(commands)
        self._bytes += len(inputs) + sum(len(row[3]) for row in kept.rows)

    @contextmanager
    def _final(self) -> Iterator[None]:
        """Let an error be the last word: what comes after it raises it again."""
        if self._failed is not None:
            raise self._failed
        try:
            yield
        except (OSError, UtbError) as error:
            self._failed = error
            words = f"the reserve cannot be written either ({error}): nothing is sent, trading ends"
            _log.error("alarm", words=words)
            raise

    def is_long(self) -> bool:
        """Return whether so many inputs are in memory alone that they are to be kept."""
        return self._inputs.next_held_bytes() >= LONG_BYTES

    def may_leave(self) -> bool:
        """Return whether it is time to try the disk again, and it says that it has room."""
        self._looks += 1
        if self._looks % LOOK_TICKS:
            return False
        disk = os.statvfs(self._reserve.path.parent)
        needed = self._bytes + self._inputs.next_held_bytes() + SPARE_BYTES
        return disk.f_bavail * disk.f_frsize >= needed

    def let_go(self) -> None:
        """Give the inputs to the tape; the journal's turn is after that.

        Raises:
            NoRoom: If there is none.
        """
        self._inputs.let_go()

    def leave(self) -> None:
        """Forget what the reserve holds: tape and journal have it, durably.

        Raises:
            OSError: If that cannot be written.
        """
        with self._final():
            self._reserve.clear()
        self.reason = ""
        _log.warning("reserve_left", words="the journal is written again")
        self.on_change()


def _lacks_room(error: Exception) -> bool:
    """Return whether an error says that a write failed, and that nothing of it stays."""
    if isinstance(error, sqlite3.Error):
        return schema.lacks_room(error)
    return isinstance(error, NoRoom)


def take_back(database_path: Path, kept: Iterable[Kept]) -> None:
    """Put what a reserve held into a closed journal, durably; what it has already is compared.

    A transaction that failed may be in the file none the less, when a crash came before the next.

    Raises:
        InvariantError: If the journal is gone, or has another record in a kept one's place.
        sqlite3.Error: If there is no room for it.
    """
    if not database_path.exists():
        raise InvariantError(f"{database_path} is gone, and the reserve has records behind it")
    database = schema.open_database(database_path, "", "FULL", {})
    try:
        with database:
            for one in kept:
                for row in one.rows:
                    _put_row(database, database_path, row)
                for payload in one.commands:
                    _put_command(database, payload)
    finally:
        database.close()


def _put_row(database: sqlite3.Connection, path: Path, row: Row) -> None:
    seq, payload = row[0], row[3]
    stored = database.execute("SELECT payload FROM records WHERE seq = ?", (seq,)).fetchone()
    if stored is None:
        database.execute(schema.INSERT_RECORD, row)
    elif stored[0] != payload:
        raise InvariantError(f"{path}: record {seq} is not the one that the reserve has")


def _put_command(database: sqlite3.Connection, payload: bytes) -> None:
    stored = database.execute("SELECT 1 FROM commands WHERE payload = ?", (payload,)).fetchone()
    if stored is None:
        position = msgspec.msgpack.decode(payload, type=LoggedCommand).position
        database.execute(schema.INSERT_COMMAND, (position.items, position.events, payload))
