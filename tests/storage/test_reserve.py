"""The reserve's file: allocated beforehand, written in place, read back to its torn end."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from utb.errors import InvariantError, UsageError
from utb.storage.reserve import BLOCK, Kept, Reserve, ReserveFull

SIZE = 64 * 1024


_opened: list[Reserve] = []


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "reserve"
    while _opened:
        _opened.pop().close()


def opened(path: Path, size: int = SIZE) -> Reserve:
    _opened.append(Reserve(path, size))
    return _opened[-1]


def kept(number: int, length: int = 2_000) -> Kept:
    # Bytes that do not shrink: the file's room is what is tested
    return Kept(
        position=number,
        inputs=os.urandom(length),
        commands=(b"command",),
        rows=((number, 5, "kind", b"payload"),),
    )


def filled(path: Path, *chunks: Kept) -> None:
    reserve = opened(path)
    for one in chunks:
        reserve.put(one)
    reserve.close()


def test_every_block_is_there_before_anything_is_kept(path: Path) -> None:
    Reserve(path, SIZE).close()
    status = path.stat()
    assert status.st_size == SIZE
    assert status.st_blocks * 512 >= SIZE
    assert status.st_mode & 0o777 == 0o600


def test_what_was_kept_comes_back_in_order(path: Path) -> None:
    chunks = [kept(1), kept(2, 0), kept(3, 9_000)]
    filled(path, *chunks)
    again = opened(path)
    assert again.in_use
    assert list(again.kept()) == chunks
    assert path.stat().st_size == SIZE


def test_another_run_does_not_meet_the_chunks_of_the_one_before(path: Path) -> None:
    filled(path, kept(1), kept(2), kept(3))
    reserve = opened(path)
    reserve.clear()
    assert not reserve.in_use
    assert list(reserve.kept()) == []
    only = kept(9)
    reserve.put(only)
    reserve.close()
    assert list(opened(path).kept()) == [only]


@pytest.mark.parametrize("back", [1, 700, 2_600])
def test_torn_last_chunk_is_left_out(path: Path, back: int) -> None:
    first = kept(1)
    reserve = opened(path)
    reserve.put(first)
    begin = SIZE - reserve.free_bytes
    reserve.put(kept(2, 3_000))
    end = SIZE - reserve.free_bytes
    reserve.close()
    with path.open("r+b") as file:
        # A write that the power cut: its end is what was there before
        file.seek(max(begin, end - BLOCK - back))
        file.write(bytes(BLOCK + back))
    assert list(opened(path).kept()) == [first]


def test_damaged_chunk_before_a_whole_one_is_an_error(path: Path) -> None:
    filled(path, kept(1), kept(2), kept(3))
    with path.open("r+b") as file:
        file.seek(BLOCK + 100)
        file.write(b"damage")
    with pytest.raises(UsageError, match="number 0 is damaged and byte 3072 has another"):
        list(opened(path).kept())


def test_header_that_is_no_header_is_an_error(path: Path) -> None:
    filled(path, kept(1))
    with path.open("r+b") as file:
        file.seek(10)
        file.write(b"x")
    with pytest.raises(UsageError, match="a reserve of this program, undamaged"):
        Reserve(path, SIZE)


def test_what_does_not_fit_is_refused_and_what_was_kept_stays(path: Path) -> None:
    reserve = opened(path)
    chunks = [kept(number) for number in range((SIZE - BLOCK) // 2_560)]
    for one in chunks:
        reserve.put(one)
    with pytest.raises(ReserveFull, match="nothing more is sent"):
        reserve.put(kept(99))
    assert list(reserve.kept()) == chunks
    assert path.stat().st_size == SIZE


def test_nothing_is_written_over_what_was_not_taken_back(path: Path) -> None:
    filled(path, kept(1))
    with pytest.raises(InvariantError, match="not moved into the journal yet"):
        opened(path).put(kept(2))


def test_size_changes_only_while_it_is_empty(path: Path) -> None:
    filled(path, kept(1))
    held = opened(path, 2 * SIZE)
    assert path.stat().st_size == SIZE
    held.clear()
    held.close()
    Reserve(path, 2 * SIZE).close()
    assert path.stat().st_size == 2 * SIZE


def test_room_that_is_not_there_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "absent"
    with pytest.raises(UsageError, match=r"room for 65536 bytes, node\.reserve_mib"):
        Reserve(folder / "reserve", SIZE)
