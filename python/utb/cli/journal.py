"""Reading the journal of a state directory, for commands that ask and change nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from utb.domain.market import Instrument
from utb.domain.records import Record
from utb.errors import UsageError
from utb.storage.journal import FILE_NAME
from utb.storage.readers import read_instruments, read_records

DEFAULT: Final = Path("state")


def journal_of(state: Path | None) -> Path:
    """Return the journal's file.

    Raises:
        UsageError: If the directory holds none.
    """
    directory = DEFAULT if state is None else state
    path = directory / FILE_NAME
    if not path.is_file():
        raise UsageError("--state", str(directory), "a directory a bot has traded in")
    return path


def rows_of(path: Path) -> Iterator[tuple[int, Record]]:
    """Yield (sequence, record) of a whole journal."""
    return ((seq, record) for seq, _, record in read_records(path, 0))


def instruments_of(path: Path) -> tuple[Instrument, ...]:
    """Return what the journal's instrument numbers mean.

    Raises:
        InvariantError: If the journal does not say.
    """
    return read_instruments(path)
