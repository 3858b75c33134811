"""The engine by itself, each test in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from story import INSTRUMENTS, story, write_journal

from process import environment, needs_chdb
from utb.storage.clickhouse import durable
from utb.storage.clickhouse.records import Projector
from utb.storage.journal import FILE_NAME
from utb.storage.readers import read_records

pytestmark = [needs_chdb, pytest.mark.timeout(1_200)]

HERE = Path(__file__).parent
TRADES = 14


def alone(what: str, state_dir: Path, number: int = 0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(HERE / "alone.py"), what, str(state_dir), str(number)],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return msgspec.json.decode(done.stdout)


def test_schema_migrates_with_rows_in_it(tmp_path: Path) -> None:
    """Two ticks before the roll-ups exist, two after: all are kept, the later rolled up."""
    first, last, again, later, bars, kept, names, refused = answer(alone("migration", tmp_path))
    assert (first, last, again, later) == (1, 3, 3, 99)
    assert bars == [[2, 2, 1, 1, 2]]
    assert kept == [[4]]
    assert names == [[1, "tables"], [2, "roll-ups"], [3, "signs"]]
    assert refused == (
        "the ClickHouse store's schema is version 99, expected at most 3: it was written by a "
        "newer version of utb"
    )


def test_readers_connection_refuses_by_itself(tmp_path: Path) -> None:
    found = answer(alone("readonly", tmp_path))
    timeout = found.pop("SELECT count() FROM numbers(1000000000000)")
    assert timeout == "Code: 159."
    assert set(found.values()) == {"Code: 164."}, found


KILLS = 50 if os.environ.get("UTB_LONG") else 5


def test_every_record_is_stored_once_whenever_the_writer_dies(tmp_path: Path) -> None:
    """A process dies before or after an insert into some table and month; the next one goes on.

    The last one dies nowhere. A trade's rows need the fold of everything before it.
    """
    journal = write_journal(tmp_path, story(TRADES * KILLS // 5))
    journal.close()
    deaths = 0
    for number in range(KILLS):
        done = alone("catch_up", tmp_path, 5 + 7 * number % 23)
        deaths += done.returncode == -9
        assert done.returncode in {0, -9}, done.stderr
    assert deaths >= KILLS // 2
    assert answer(alone("catch_up", tmp_path)) == journal.durable_seq
    assert stored(tmp_path) == expected(tmp_path)


def expected(state_dir: Path) -> dict[str, list[int]]:
    """Return the sequences each table must hold."""
    entries = read_records(state_dir / FILE_NAME, 0)
    batch = Projector(INSTRUMENTS).rows(entries)
    return {table.name: [row[0] for row in batch[table.name]] for table in durable.DURABLE}


def stored(state_dir: Path) -> dict[str, list[int]]:
    return dict(answer(alone("sequences", state_dir)))
