"""The tape: items come back in order over several logs, behind any snapshot that is needed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import pytest

from utb.adapters.feeds.inputwriter import FRESH_BYTES_MAX
from utb.adapters.feeds.tape import SETTLE_BYTES, InputTape, restore
from utb.domain.orders import FlowCause, VenueFlow
from utb.errors import InvariantError, UsageError
from utb.ports.feed import (
    Binding,
    ContextUpdate,
    Cursor,
    FeedItem,
    Frame,
    FromVenue,
    Health,
    Moment,
    Past,
    Records,
)
from utb.ports.journal import Tail

DIGEST = "d"

Open = Callable[[str], InputTape]


@pytest.fixture
def tape_of(tmp_path: Path) -> Iterator[Open]:
    opened: list[InputTape] = []

    def open_one(digest: str) -> InputTape:
        opened.append(InputTape(tmp_path, digest))
        return opened[-1]

    yield open_one
    for tape in opened:
        tape.close()


ITEMS: list[FeedItem] = [
    Binding(2, "17", 4, "pool"),
    Frame(1, b"one", 10),
    ContextUpdate(0, b"{}", 11),
    Moment(12),
    Health(13, None, healthy=False, cause="silence"),
    Cursor(9),
    Past(1, b"{}", 12),
    Records(bytes(128)),
    FromVenue(VenueFlow(ts_ns=13, cause=FlowCause.EXTERNAL, lamports=5, reason="opening")),
    Frame(0, b"two", 14),
]


def put(tape: InputTape, items: list[FeedItem]) -> None:
    for item in items:
        tape.hold(item)


def test_every_kind_of_item_comes_back(tape_of: Open) -> None:
    tape = tape_of(DIGEST)
    put(tape, ITEMS)
    tape.close()
    assert {type(item) for item in ITEMS} == set(get_args(FeedItem))
    again = tape_of(DIGEST)
    assert again.end == len(ITEMS)
    assert list(again.items(0)) == ITEMS
    assert list(again.items(5)) == ITEMS[5:]


def test_sync_writes_the_item_that_is_handled(tape_of: Open) -> None:
    tape = tape_of(DIGEST)
    tape.hold(Frame(1, b"held", 10))
    assert list(tape_of(DIGEST).items(0)) == []
    tape.sync()
    assert list(tape_of(DIGEST).items(0)) == [Frame(1, b"held", 10)]


def test_turning_keeps_what_a_snapshot_before_still_needs(tmp_path: Path, tape_of: Open) -> None:
    tape = tape_of(DIGEST)
    put(tape, ITEMS[:3])
    tape.turn(3)
    put(tape, ITEMS[3:5])
    tape.turn(5)
    put(tape, ITEMS[5:])
    assert sorted(int(path.stem) for path in tmp_path.iterdir()) == [3, 5]
    assert list(tape.items(3)) == ITEMS[3:]
    with pytest.raises(InvariantError, match="holds items 3 to 10, and the last snapshot is at 2"):
        list(tape.items(2))
    put(tape, [Moment(20)])
    assert tape.end == len(ITEMS) + 1


def test_turning_an_empty_log_does_nothing(tmp_path: Path, tape_of: Open) -> None:
    tape = tape_of(DIGEST)
    tape.turn(0)
    assert [path.name for path in tmp_path.iterdir()] == ["0000000000000000.inputs"]


def test_unfinished_write_is_cut_and_said(tmp_path: Path, tape_of: Open) -> None:
    tape = tape_of(DIGEST)
    put(tape, ITEMS)
    tape.close()
    file = tmp_path / "0000000000000000.inputs"
    file.write_bytes(file.read_bytes()[:-3])
    again = tape_of(DIGEST)
    assert again.end == len(ITEMS) - 1
    assert again.cut is not None


def test_tail_is_what_neither_disk_nor_journal_has(tape_of: Open) -> None:
    tape = tape_of(DIGEST)
    assert tape.unsynced() is None
    put(tape, ITEMS[:2])
    lost = tape.unsynced()
    assert lost is not None
    assert lost.first
    again = tape.unsynced()
    assert again == lost, "a transaction that failed holds nothing"
    tape.kept(lost)
    assert tape.unsynced() is None
    put(tape, ITEMS[2:4])
    more = tape.unsynced()
    assert more is not None
    assert not more.first
    assert more.offset == lost.offset + len(lost.body)
    tape.sync()
    put(tape, ITEMS[4:5])
    newest = tape.unsynced()
    assert newest is not None
    assert newest.first, "what came before is on the disk"
    assert newest.offset == more.offset + len(more.body)


def test_long_tail_goes_to_the_disk_instead(tape_of: Open) -> None:
    tape = tape_of(DIGEST)
    put(tape, [Frame(1, bytes(FRESH_BYTES_MAX), 10)])
    assert tape.unsynced() is None
    put(tape, ITEMS[:1])
    tail = tape.unsynced()
    assert tail is not None
    assert tail.first


def test_what_comes_while_the_disk_is_waited_for_outside_is_still_tail(tape_of: Open) -> None:
    tape = tape_of(DIGEST)
    put(tape, ITEMS[:1])
    assert tape.settling() is None, "so little can wait"
    put(tape, [Frame(1, bytes(SETTLE_BYTES), 10)])
    settling = tape.settling()
    assert settling is not None
    wait, done = settling
    before = tape.unsynced()
    assert before is not None
    put(tape, ITEMS[1:2])
    wait()
    done()
    after = tape.unsynced()
    assert after is not None
    assert after.first
    assert after.offset == before.offset + len(before.body)
    assert tape.settling() is None


def test_sync_while_the_disk_is_waited_for_outside_leaves_nothing(tape_of: Open) -> None:
    tape = tape_of(DIGEST)
    put(tape, [Frame(1, bytes(SETTLE_BYTES + 1), 10)])
    settling = tape.settling()
    assert settling is not None
    wait, done = settling
    tape.turn(0)
    put(tape, ITEMS[:1])
    wait()
    done()
    tail = tape.unsynced()
    assert tail is not None
    assert tail.log == 1


@pytest.mark.parametrize("left", [0, 1, 7])
def test_power_loss_is_made_good_from_the_tails(tmp_path: Path, tape_of: Open, left: int) -> None:
    """Whatever of the unsynced bytes survived, torn or not."""
    tape = tape_of(DIGEST)
    put(tape, ITEMS[:3])
    tape.sync()
    tails = []
    for item in ITEMS[3:6]:
        put(tape, [item])
        tail = tape.unsynced()
        assert tail is not None
        tape.kept(tail)
        tails.append(tail)
    tape.close()
    file = tmp_path / "0000000000000000.inputs"
    file.write_bytes(file.read_bytes()[: tails[0].offset + left])
    restore(tmp_path, tails)
    assert list(tape_of(DIGEST).items(0)) == ITEMS[:6]


def test_tail_of_a_removed_log_is_left_out_and_one_behind_a_gap_refused(
    tmp_path: Path, tape_of: Open
) -> None:
    tape = tape_of(DIGEST)
    put(tape, ITEMS[:3])
    tape.turn(3)
    tape.turn(3)
    put(tape, ITEMS[3:5])
    tape.turn(5)
    put(tape, ITEMS[5:])
    tape.close()
    assert sorted(int(path.stem) for path in tmp_path.iterdir()) == [3, 5]
    restore(tmp_path, [Tail(log=0, offset=100, body=b"x", first=True)])
    size = (tmp_path / "0000000000000005.inputs").stat().st_size
    with pytest.raises(InvariantError, match=f"has {size} bytes, and the journal knows it from"):
        restore(tmp_path, [Tail(log=5, offset=size + 1, body=b"x", first=True)])
    with pytest.raises(InvariantError, match="has 0 bytes"):
        restore(tmp_path, [Tail(log=9, offset=30, body=b"x", first=True)])


def test_log_missing_between_two_is_an_error(tmp_path: Path, tape_of: Open) -> None:
    tape = tape_of(DIGEST)
    put(tape, ITEMS[:3])
    tape.turn(0)
    put(tape, ITEMS[3:5])
    tape.turn(0)
    put(tape, ITEMS[5:])
    tape.close()
    (tmp_path / "0000000000000003.inputs").unlink()
    again = tape_of(DIGEST)
    with pytest.raises(InvariantError, match="ends at item 3, the next begins at 5"):
        list(again.items(0))


def test_tape_of_other_options_is_refused(tape_of: Open) -> None:
    tape_of(DIGEST).close()
    with pytest.raises(UsageError, match="options of"):
        tape_of("other")
