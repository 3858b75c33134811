"""Room for exits when the disk is full: what a session begins with, and what a crash left there."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import structlog

from utb.adapters.feeds import tape
from utb.errors import TransientError
from utb.storage import journal, overflow
from utb.storage.journal import SqliteJournal
from utb.storage.reserve import FILE_NAME, Reserve

INPUTS: Final = "inputs"
"""Directory of the tape."""
MIB: Final = 1024 * 1024

_log = structlog.get_logger("trade")


def reserve_of(state_dir: Path, size_mib: int, *, live: bool) -> Reserve | None:
    """Return the empty reserve of a live session; None: it is not live and uses none.

    What live trading left in it is moved to its place for whoever comes next.

    Raises:
        UtbError: As `open_reserve`.
    """
    if not live and not (state_dir / FILE_NAME).exists():
        return None
    reserve = open_reserve(state_dir, size_mib)
    if live:
        return reserve
    reserve.close()
    return None


def keep_on(reserve: Reserve, kept: SqliteJournal, inputs: tape.InputTape) -> None:
    """Let journal and tape go on in a reserve where the disk has no room."""
    kept.overflow = overflow.Overflow(reserve, inputs)
    inputs.no_room = kept.overflow.enter


def open_reserve(state_dir: Path, size_mib: int) -> Reserve:
    """Return the empty reserve of a state directory that nobody else uses.

    What an earlier process left in it is moved into tape and journal first: inputs before records,
    and it is forgotten when both are durable. A crash in between repeats that, and what is there
    already is left out.

    Raises:
        UsageError: If the file is damaged, or there is no room to make it.
        InvariantError: If tape or journal contradict it, or something is missing.
        TransientError: If the disk is still full; nothing is lost.
    """
    reserve = Reserve(state_dir / FILE_NAME, size_mib * MIB)
    if not reserve.in_use:
        return reserve
    with closing(reserve):
        kept = list(reserve.kept())
        try:
            tape.take_back(state_dir / INPUTS, [(one.position, one.inputs) for one in kept])
            overflow.take_back(state_dir / journal.FILE_NAME, kept)
        except (OSError, sqlite3.OperationalError) as error:
            words = f"what it holds cannot be moved into the journal yet ({error})"
            raise TransientError(str(reserve.path), words) from error
        reserve.clear()
    records = sum(len(one.rows) for one in kept)
    _log.warning("reserve_taken_back", writes=len(kept), records=records)
    # Its size is the configured one again, if that was changed meanwhile
    return Reserve(state_dir / FILE_NAME, size_mib * MIB)
