"""What a crash left on the reserve: the next start has it, once, in order."""

import sqlite3
from pathlib import Path

import pytest
from fulldisk import (
    LENGTH,
    Parts,
    command,
    everything,
    full_disk,
    numbers,
    opened,
)

from utb.bootstrap.reserving import INPUTS, open_reserve, reserve_of
from utb.errors import InvariantError, TransientError
from utb.ports.journal import FeedPosition
from utb.storage.reserve import FILE_NAME, Reserve


def test_next_start_takes_back_what_a_kill_left(tmp_path: Path, parts: Parts) -> None:
    with full_disk():
        for number in (12, 13):
            parts.take(number)
            parts.journal.sync()
        parts.journal.log_command(command(13))
        parts.take(14)  # never synced: it may be lost
    again = opened(tmp_path)
    assert not again.reserve.in_use
    assert [seq for seq, _ in again.journal.records(0)] == list(range(1, 14))
    assert again.journal.commands(FeedPosition()) == [command(13)]
    assert list(again.tape.items(0)) == everything(13)
    again.take(14)
    again.journal.sync()
    assert numbers(tmp_path) == list(range(1, 15))


@pytest.mark.parametrize("done", ["inputs", "inputs and records"])
def test_taking_back_that_a_crash_interrupted_is_repeated(
    tmp_path: Path, parts: Parts, done: str
) -> None:
    with full_disk():
        for number in (12, 13):
            parts.take(number)
            parts.journal.sync()
        parts.journal.log_command(command(13))
    parts.overflow.let_go()
    if done == "inputs and records":
        parts.journal._transact()
    assert parts.reserve.in_use
    again = opened(tmp_path)
    assert [seq for seq, _ in again.journal.records(0)] == list(range(1, 14))
    assert again.journal.commands(FeedPosition()) == [command(13)]
    assert list(again.tape.items(0)) == everything(13)


def test_full_disk_at_the_next_start_loses_nothing(tmp_path: Path, parts: Parts) -> None:
    with full_disk():
        parts.take(12)
        parts.journal.sync()
        with pytest.raises(TransientError, match="cannot be moved into the journal yet"):
            open_reserve(tmp_path, 1)
    opened(tmp_path)
    assert numbers(tmp_path) == list(range(1, 13))


def test_another_record_in_a_kept_ones_place_is_an_error(tmp_path: Path, parts: Parts) -> None:
    with full_disk():
        parts.take(12)
        parts.journal.sync()
    with sqlite3.connect(tmp_path / "journal.sqlite") as other:
        other.execute("INSERT INTO records VALUES (12, 5, 'x', x'00')")
    other.close()
    with pytest.raises(InvariantError, match="record 12 is not the one"):
        open_reserve(tmp_path, 1)


def test_tape_with_room_while_the_database_has_none(tmp_path: Path) -> None:
    parts = opened(tmp_path)
    parts.journal.note("bulk", "x" * LENGTH)
    with full_disk():
        for number in range(1, 4):
            parts.take(number)
            parts.journal.sync()
            # The tape is let go, and held back again as the records find no room
            parts.look()
            assert parts.journal.trouble
    assert numbers(tmp_path) == []
    again = opened(tmp_path)
    assert [seq for seq, _ in again.journal.records(0)] == [1, 2, 3]
    assert list(again.tape.items(0)) == everything(3)


def test_inputs_that_are_gone_are_missed(tmp_path: Path, parts: Parts) -> None:
    with full_disk():
        parts.take(12)
        parts.journal.sync()
    (tmp_path / INPUTS / "0000000000000000.inputs").unlink()
    with pytest.raises(InvariantError, match="holds no inputs"):
        open_reserve(tmp_path, 1)
    reserve = Reserve(tmp_path / FILE_NAME, 1024 * 1024)
    assert reserve.in_use
    reserve.close()


@pytest.mark.parametrize("live", [True, False])
def test_who_comes_next_takes_it_back_whoever_it_is(
    tmp_path: Path, parts: Parts, *, live: bool
) -> None:
    with full_disk():
        parts.take(12)
        parts.journal.sync()
    reserve = reserve_of(tmp_path, 1, live=live)
    assert (reserve is not None) is live
    if reserve is not None:
        assert not reserve.in_use
        reserve.close()
    assert numbers(tmp_path) == list(range(1, 13))


def test_paper_makes_no_reserve(tmp_path: Path) -> None:
    assert reserve_of(tmp_path, 1, live=False) is None
    assert list(tmp_path.iterdir()) == []
