"""The journal's file as others see it: none, or a whole one."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from utb.errors import UsageError
from utb.simnet.profiles import instruments
from utb.storage.journal import FILE_NAME, SqliteJournal
from utb.storage.readers import (
    read_bars,
    read_equity,
    read_instruments,
    read_noted,
    read_records,
    recompute_hash,
)

JOURNALS = 20
INSTRUMENTS = tuple(instruments())

KILLED = """
import os, sys
from pathlib import Path
from utb.storage.journal import SqliteJournal
sys.addaudithook(lambda event, _: os._exit(9) if event == "os.rename" else None)
SqliteJournal(Path(sys.argv[1]), options_digest="ab", wall_ns=lambda: 5)
"""
"""Ends like a kill when everything is written and the file has not its own name yet."""


def journal_in(path: Path) -> SqliteJournal:
    return SqliteJournal(path, options_digest="ab", wall_ns=lambda: 5, instruments=INSTRUMENTS)


def test_reader_beside_a_journal_that_is_created_sees_none_or_a_whole_one(tmp_path: Path) -> None:
    """A thread reads each file from its first moment on, also while WAL mode is entered."""
    found: list[object] = []
    place, over = [tmp_path / "0"], threading.Event()

    def read() -> None:
        while not over.is_set():
            path = place[0] / FILE_NAME
            try:
                if path.exists():
                    assert read_instruments(path) == INSTRUMENTS
                    assert list(read_records(path, 0)) == []
                    found.append(path)
            except Exception as error:  # noqa: BLE001 - it is told below
                found.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(JOURNALS):
            place[0] = tmp_path / str(number)
            journal = journal_in(place[0])
            before = len(found)
            while len(found) < before + 2 and reader.is_alive():
                pass
            journal.close()
    finally:
        over.set()
        reader.join()
    assert [one for one in found if isinstance(one, Exception)] == []
    assert len(set(found)) == JOURNALS


def test_kill_while_a_journal_is_created_leaves_none_and_the_next_start_makes_it(
    tmp_path: Path,
) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert done.returncode == 9
    left = {path.name for path in tmp_path.iterdir()}
    assert left
    assert FILE_NAME not in left
    journal_in(tmp_path).close()
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    assert read_instruments(tmp_path / FILE_NAME) == INSTRUMENTS


@pytest.mark.parametrize(
    "read",
    [
        lambda path: list(read_records(path, 0)),
        read_instruments,
        lambda path: read_noted(path, "opening_slot"),
        lambda path: read_bars(path, 0, 1, before_ns=1, limit=1),
        read_equity,
        recompute_hash,
    ],
)
def test_reader_of_no_journal_is_told_which_file(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    path = tmp_path / FILE_NAME
    with pytest.raises(UsageError, match=r"--state is .*journal\.sqlite, expected a journal that"):
        read(path)
    assert not path.exists()
    path.touch()
    with pytest.raises(UsageError, match="a journal of this program"):
        read(path)
    path.write_bytes(b"not a database" * 400)
    with pytest.raises(UsageError, match="a journal database"):
        read(path)


def test_file_without_anything_becomes_a_journal(tmp_path: Path) -> None:
    """A crash of an earlier version could leave one."""
    (tmp_path / FILE_NAME).touch()
    journal_in(tmp_path).close()
    assert read_instruments(tmp_path / FILE_NAME) == INSTRUMENTS


def test_log_of_a_journal_that_is_gone_is_refused_and_left_alone(tmp_path: Path) -> None:
    """SQLite would write its pages into the new file."""
    journal = journal_in(tmp_path)
    log = tmp_path / f"{FILE_NAME}-wal"
    kept = log.read_bytes() or b"kept"
    journal.close()
    (tmp_path / FILE_NAME).unlink()
    log.write_bytes(kept)
    with pytest.raises(UsageError, match=r"journal\.sqlite-wal, expected journal\.sqlite beside"):
        journal_in(tmp_path)
    assert log.read_bytes() == kept
    assert list(tmp_path.iterdir()) == [log]


def test_journal_at_a_path_with_signs_of_an_address_is_read(tmp_path: Path) -> None:
    place = tmp_path / "50% of #1?"
    journal_in(place).close()
    assert read_instruments(place / FILE_NAME) == INSTRUMENTS


def test_journal_is_in_wal_mode_from_its_first_moment(tmp_path: Path) -> None:
    """Its mode could not be changed while somebody reads."""
    journal_in(tmp_path).close()
    database = sqlite3.connect(tmp_path / FILE_NAME)
    try:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    finally:
        database.close()
