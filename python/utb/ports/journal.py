"""Where durable records go."""

from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec

from utb.domain.records import Record


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """State of a session at one journal sequence and feed position."""

    seq: int
    """Sequence of the last record the state holds."""
    feed_position: int
    """Items of the feed already consumed."""
    ts_ns: int
    engine: bytes
    trader: bytes
    venue: bytes


class Journal(Protocol):
    """An append-only sequence of records; what is synced survives any crash."""

    def append(self, records: Iterable[Record]) -> int:
        """Append records and return the sequence of the last one (first record: 1)."""
        ...

    def sync(self) -> None:
        """Return when everything appended is durable."""
        ...

    def records(self, after: int) -> Iterator[tuple[int, Record]]:
        """Yield (sequence, record) with sequence > `after`."""
        ...

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Store the snapshot and sync, atomically, replacing the one before."""
        ...

    def last_snapshot(self) -> Snapshot | None:
        """Return the latest snapshot, or None."""
        ...
