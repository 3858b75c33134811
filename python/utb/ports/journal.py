"""Where durable records go."""

from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec

from utb.domain.commands import Command
from utb.domain.records import Record


class FeedPosition(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """How much of the feed is consumed."""

    items: int = 0
    """Whole items consumed."""
    events: int = 0
    """Events consumed of the next item, when that is a block of recorded events."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """State of a session at one journal sequence and feed position."""

    seq: int
    """Sequence of the last record the state holds."""
    position: FeedPosition
    ts_ns: int
    engine: bytes
    trader: bytes
    venue: bytes
    session: bytes
    """The runner's own clock and counters."""


class LoggedCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command and where in the order of inputs it was taken."""

    position: FeedPosition
    ts_ns: int
    command: Command


class Tail(msgspec.Struct, frozen=True, kw_only=True):
    """Inputs that are written and perhaps not on the disk yet, as they stand in their file."""

    log: int
    """Position of the first item of the input log they are in."""
    offset: int
    """Byte of that log at which they begin."""
    body: bytes
    first: bool
    """Whether everything before them is on the disk: earlier tails are not needed any more."""


class Inputs(Protocol):
    """What must be durable whenever the journal is: the inputs it was computed from."""

    def unsynced(self) -> Tail | None:
        """Return what a transaction of the journal must hold; None: all is on the disk."""
        ...

    def kept(self, tail: Tail) -> None:
        """Learn that a tail is durable in the journal."""
        ...


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

    def save_snapshot(self, snapshot: Snapshot) -> bool:
        """Store the snapshot and sync, atomically, replacing the one before.

        Returns:
            False if there was no room: what was appended is durable, the snapshot is not stored.
        """
        ...

    def last_snapshot(self) -> Snapshot | None:
        """Return the latest snapshot, or None."""
        ...


class ResumableJournal(Journal, Protocol):
    """A journal that outlives its process, so that a session can go on in it."""

    def verify_after(self, seq: int) -> None:
        """Compare what is appended next with the records after `seq` until they are used up."""
        ...

    def verifying(self) -> bool:
        """Return whether stored records are still to be met again."""
        ...

    def log_command(self, logged: LoggedCommand) -> None:
        """Store a command durably before it has any effect."""
        ...

    def commands(self, after: FeedPosition) -> list[LoggedCommand]:
        """Return the commands taken at or after a feed position, in their order."""
        ...

    def journal_hash(self) -> str:
        """Return the hash over the durable records so far."""
        ...


class SessionStore(ResumableJournal, Protocol):
    """A journal that also keeps what a run draws: bars and equity."""

    def add_bars(self, bars: bytes) -> None:
        """Keep closed bars, 64-byte records."""
        ...

    def add_equity(self, equity: bytes) -> None:
        """Keep equity at bar ends, 16-byte records."""
        ...

    def bars(self) -> bytes:
        """Return all kept bars."""
        ...

    def equity(self) -> bytes:
        """Return all kept equity."""
        ...

    def close(self) -> None:
        """Give the store up, pending records written."""
        ...
