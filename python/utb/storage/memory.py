"""A journal in memory: for backtests, which are repeated rather than resumed."""

from collections.abc import Iterable, Iterator
from typing import Final

from utb.domain.records import Record
from utb.ports.journal import FeedPosition, LoggedCommand, Snapshot
from utb.storage.encoding import JournalHash, encode_record, is_hashed

HASH_BATCH_RECORDS: Final = 32
"""Records encoded and hashed at a time: between two orders of a backtest the core's work has pushed
this code out of the processor's caches, so the first record costs several times what the others do.
"""


class MemoryJournal:
    """Keeps records in a list; the same records give the same hash as in a file."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._commands: list[LoggedCommand] = []
        self._snapshot: Snapshot | None = None
        self._hash = JournalHash()
        self._hashed = 0
        """Records that are in the hash, or do not belong there."""
        self._bars = bytearray()
        self._equity = bytearray()

    def append(self, records: Iterable[Record]) -> int:
        """Append records and return the sequence of the last one."""
        self._records.extend(records)
        if len(self._records) - self._hashed >= HASH_BATCH_RECORDS:
            self._add_to_hash()
        return len(self._records)

    def sync(self) -> None:
        """Return at once: memory is as durable as the process."""

    def records(self, after: int) -> Iterator[tuple[int, Record]]:
        """Yield (sequence, record) with sequence > `after`."""
        yield from enumerate(self._records[after:], start=after + 1)

    def save_snapshot(self, snapshot: Snapshot) -> bool:
        """Keep the snapshot, replacing the one before."""
        self._snapshot = snapshot
        return True

    def last_snapshot(self) -> Snapshot | None:
        """Return the latest snapshot, or None."""
        return self._snapshot

    def verify_after(self, seq: int) -> None:
        """Do nothing: a journal in memory never holds a tail from before."""

    def verifying(self) -> bool:
        """Return False: there is nothing to meet again."""
        return False

    def log_command(self, logged: LoggedCommand) -> None:
        """Keep a command."""
        self._commands.append(logged)

    def commands(self, after: FeedPosition) -> list[LoggedCommand]:
        """Return the commands taken at or after a feed position."""
        return [c for c in self._commands if c.position >= after]

    def journal_hash(self) -> str:
        """Return the hash over the durable records so far."""
        self._add_to_hash()
        return self._hash.hexdigest()

    def _add_to_hash(self) -> None:
        add = self._hash.add
        for record in self._records[self._hashed :]:
            if is_hashed(record):
                add(encode_record(record))
        self._hashed = len(self._records)

    def add_bars(self, bars: bytes) -> None:
        """Keep closed bars."""
        self._bars += bars

    def add_equity(self, equity: bytes) -> None:
        """Keep equity at bar ends."""
        self._equity += equity

    def bars(self) -> bytes:
        """Return all kept bars as 64-byte records, in the order they closed."""
        return bytes(self._bars)

    def equity(self) -> bytes:
        """Return all kept equity as 16-byte records, oldest first."""
        return bytes(self._equity)

    def close(self) -> None:
        """Do nothing: there is no file."""
