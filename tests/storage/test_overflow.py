"""A full disk: tape and journal go on in the reserve, and have everything again afterwards."""

import errno
import os
from pathlib import Path

import pytest
from fulldisk import (
    LENGTH,
    Parts,
    command,
    everything,
    frame,
    full_disk,
    inputs,
    numbers,
    opened,
    record,
    snapshot,
)

from utb.adapters.feeds import tape
from utb.adapters.feeds.inputwriter import FRESH_BYTES_MAX
from utb.bootstrap.reserving import INPUTS
from utb.ports.feed import Frame
from utb.ports.journal import FeedPosition
from utb.storage.journal import BATCH_RECORDS_MAX
from utb.storage.overflow import LONG_BYTES
from utb.storage.reserve import ReserveFull


def test_sync_on_a_full_disk_is_durable_in_the_reserve(tmp_path: Path, parts: Parts) -> None:
    with full_disk():
        parts.take(12)
        parts.journal.sync()
        parts.take(13)
        parts.journal.log_command(command(13))
        assert "entries stop" in parts.journal.trouble
        assert parts.changes == [parts.journal.trouble]
    # What a kill leaves: nothing of it in the files, all of it in the reserve
    assert numbers(tmp_path) == list(range(1, 12))
    chunks = list(parts.reserve.kept())
    assert [[row[0] for row in one.rows] for one in chunks] == [[12], [13]]
    assert [len(one.commands) for one in chunks] == [0, 1]
    assert [one.position for one in chunks] == [11, 12]
    assert len(parts.durable) == 11
    assert parts.journal.durable_seq == 11
    # The process itself knows all of them
    assert [seq for seq, _ in parts.journal.records(10)] == [11, 12, 13]


def test_room_brings_everything_into_the_files_once(tmp_path: Path, parts: Parts) -> None:
    with full_disk():
        for number in (12, 13):
            parts.take(number)
            parts.journal.sync()
        parts.journal.log_command(command(13))
        parts.look()
        assert parts.journal.trouble
        parts.take(14)
    parts.look()
    assert parts.journal.trouble == ""
    assert parts.changes[-1] == ""
    assert not parts.reserve.in_use
    parts.take(15)
    parts.journal.sync()
    assert numbers(tmp_path) == list(range(1, 16))
    assert [row[0] for row in parts.durable] == list(range(1, 16))
    assert parts.journal.commands(FeedPosition()) == [command(13)]
    parts.journal.close()
    parts.tape.close()
    assert inputs(tmp_path) == everything(15)


def test_snapshot_on_a_full_disk_is_left_out_and_its_records_are_not(
    tmp_path: Path, parts: Parts
) -> None:
    assert parts.journal.save_snapshot(snapshot(11))
    with full_disk():
        parts.take(12)
        assert not parts.journal.save_snapshot(snapshot(12))
        parts.tape.turn(12)
    found = opened(tmp_path).journal
    stored = found.last_snapshot()
    assert stored is not None
    assert stored.seq == 11
    assert [seq for seq, _ in found.records(0)] == list(range(1, 13))


def test_tape_that_cannot_be_turned_goes_on(
    tmp_path: Path, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(path: Path, _: str) -> None:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(tape, "InputLogWriter", no_room)
        parts.tape.turn(11)
    assert parts.journal.trouble
    assert [path.name for path in (tmp_path / INPUTS).iterdir()] == ["0000000000000000.inputs"]
    parts.look()
    parts.take(12)
    parts.journal.sync()
    parts.tape.turn(12)
    assert len(list((tmp_path / INPUTS).iterdir())) == 2
    assert list(parts.tape.items(0)) == everything(12)


def test_bars_and_equity_wait_for_room(parts: Parts) -> None:
    bar = bytes(8) + bytes(4) + bytes(4) + bytes(48)
    with full_disk():
        parts.journal.add_bars(bar)
        assert parts.journal.trouble
        parts.journal.add_equity(bytes(16))
    assert parts.journal.bars() == b""
    parts.look()
    parts.journal.add_bars(b"")
    assert len(parts.journal.bars()) == len(bar)
    assert len(parts.journal.equity()) == 16


def test_long_inputs_go_to_the_reserve_before_anything_leaves(parts: Parts) -> None:
    with full_disk():
        parts.take(12)
        parts.journal.sync()
        parts.tape.hold(Frame(1, os.urandom(LONG_BYTES), 13))
        parts.journal.tick()
    assert [one.position for one in parts.reserve.kept()] == [11, 12]


def test_room_that_came_back_is_not_used_behind_the_reserves_back(
    tmp_path: Path, parts: Parts
) -> None:
    with full_disk():
        parts.take(12)
        parts.journal.sync()
    file = tmp_path / INPUTS / "0000000000000000.inputs"
    before = file.stat().st_size
    parts.take(13, LONG_BYTES)
    parts.take(14)
    parts.journal.sync()
    assert file.stat().st_size == before
    again = opened(tmp_path)
    assert list(again.tape.items(11)) == [frame(12), frame(13, LONG_BYTES), frame(14)]
    assert numbers(tmp_path) == list(range(1, 15))


def test_full_reserve_ends_it_before_anything_leaves(tmp_path: Path, parts: Parts) -> None:
    with full_disk():
        parts.take(12)
        parts.journal.sync()
        before = list(parts.reserve.kept())
        parts.tape.hold(Frame(1, os.urandom(LENGTH), 13))
        parts.journal.append([record(13)])
        with pytest.raises(ReserveFull):
            parts.journal.sync()
        # What follows would fit, and must not be there without what is missing
        parts.take(14)
        with pytest.raises(ReserveFull):
            parts.journal.close()
        assert list(parts.reserve.kept()) == before
    found = opened(tmp_path)
    assert [seq for seq, _ in found.journal.records(0)] == list(range(1, 13))
    assert list(found.tape.items(0)) == everything(12)


def test_failed_fsync_on_the_way_back_is_the_end(
    tmp_path: Path, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with full_disk():
        parts.take(12)
        parts.journal.sync()
        parts.take(13)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", broken)
        with pytest.raises(OSError, match="Input/output error"):
            parts.look()
    # The tape does not know what it has: nothing may follow, least of all records
    parts.take(14)
    with pytest.raises(OSError, match="Input/output error"):
        parts.journal.close()
    assert [row[0] for one in parts.reserve.kept() for row in one.rows] == [12]
    assert [seq for seq, _ in opened(tmp_path).journal.records(0)] == list(range(1, 13))


def test_failed_fsync_is_no_full_disk(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    # More than goes into the journal's transaction: the tape's own file is waited for
    parts.take(12, FRESH_BYTES_MAX)
    monkeypatch.setattr(os, "fdatasync", broken)
    with pytest.raises(OSError, match="No space left"):
        parts.journal.sync()
    assert not parts.overflow.active
    assert not parts.reserve.in_use


def test_many_records_on_the_reserve_are_not_kept_one_by_one(parts: Parts) -> None:
    with full_disk():
        parts.take(12)
        parts.journal.sync()
        parts.journal.append([record(number) for number in range(13, 13 + BATCH_RECORDS_MAX)])
        parts.journal.append([record(9_999)])
        assert len(list(parts.reserve.kept())) == 1
        parts.journal.sync()
        assert len(list(parts.reserve.kept())) == 2


def test_without_a_reserve_a_full_disk_is_an_error(parts: Parts) -> None:
    parts.journal.overflow = parts.tape.no_room = None
    with full_disk():
        parts.take(12)
        with pytest.raises(OSError, match="File too large"):
            parts.journal.sync()
