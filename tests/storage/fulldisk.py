"""Tape, journal and reserve, and a full disk.

The disk is full by the limit on a file's length, which the kernel enforces for tape and database as
it does a full disk; the reserve is shorter than both.
"""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from utb.adapters.feeds.tape import InputTape
from utb.bootstrap.reserving import INPUTS, keep_on, open_reserve
from utb.domain.commands import Pause
from utb.domain.records import WarmUp
from utb.ports.feed import FeedItem, Frame
from utb.ports.journal import FeedPosition, LoggedCommand, Snapshot
from utb.storage.journal import SqliteJournal
from utb.storage.overflow import LOOK_TICKS, Overflow
from utb.storage.readers import read_records
from utb.storage.reserve import Reserve, Row

DIGEST = "d"
LENGTH = 1024 * 1024
"""Of tape and database before the disk is full: longer than the reserve can get."""


class Parts(NamedTuple):
    journal: SqliteJournal
    tape: InputTape
    reserve: Reserve
    overflow: Overflow
    durable: list[Row]
    changes: list[str]

    def take(self, number: int, length: int = 10) -> None:
        """Take an input, and record what it made."""
        self.tape.hold(frame(number, length))
        self.journal.append([record(number)])

    def look(self) -> None:
        """Let the owner's timer tick as often as it takes to try the disk again."""
        for _ in range(LOOK_TICKS):
            self.journal.tick()


def frame(number: int, length: int = 10) -> Frame:
    return Frame(1, b"%d" % number + bytes(length), number)


def record(number: int) -> WarmUp:
    return WarmUp(ts_ns=number, instrument=0, gap_ns=1)


def command(number: int) -> LoggedCommand:
    place = FeedPosition(items=number)
    pause = Pause(command_id=f"c{number}", issued_by="test")
    return LoggedCommand(position=place, ts_ns=number, command=pause)


def snapshot(seq: int) -> Snapshot:
    place = FeedPosition(items=seq)
    return Snapshot(
        seq=seq, position=place, ts_ns=1, engine=b"", trader=b"", venue=b"", session=b""
    )


left: list[Parts] = []
"""Opened, and not closed: whoever they belong to was killed."""


def opened(folder: Path) -> Parts:
    """Open everything as a session does."""
    reserve = open_reserve(folder, 1)
    journal = SqliteJournal(folder, options_digest=DIGEST, wall_ns=lambda: 5)
    inputs_tape = InputTape(folder / INPUTS, DIGEST)
    journal.inputs = inputs_tape
    keep_on(reserve, journal, inputs_tape)
    assert journal.overflow is not None
    overflow = journal.overflow
    parts = Parts(journal, inputs_tape, reserve, overflow, [], [])
    journal.on_durable = parts.durable.extend
    left.append(parts)
    overflow.on_change = lambda: parts.changes.append(overflow.reason)
    return parts


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow past `LENGTH`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LENGTH, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def numbers(folder: Path) -> list[int]:
    """Return the records of the journal's file."""
    return [found.ts_ns for _, _, found in read_records(folder / "journal.sqlite", 0)]


def inputs(folder: Path) -> list[FeedItem]:
    again = InputTape(folder / INPUTS, DIGEST)
    found = list(again.items(0))
    again.close()
    return found


def everything(last: int) -> list[FeedItem]:
    """Return the inputs up to a number."""
    return [frame(number, LENGTH if number == 11 else 10) for number in range(1, last + 1)]
