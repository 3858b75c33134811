"""Input log: what was written comes back, and damage is told apart from an unfinished write."""

import os
import struct
from pathlib import Path

import pytest

from utb.adapters.feeds.inputlog import InputLogDamaged, InputLogFeed
from utb.adapters.feeds.inputwriter import InputLogWriter
from utb.domain.commands import Command, Pause, Resume, Shutdown, Trade
from utb.domain.names import Side
from utb.errors import UsageError
from utb.ports.feed import ContextUpdate, FeedItem, Frame, Records
from utb.ports.journal import FeedPosition, LoggedCommand

ITEMS: list[FeedItem] = [
    Frame(1, b'{"type":"PRICE_DATA"}', 100),
    ContextUpdate(2, b'{"kind":"venue","price":1.5}', 101),
    Records(bytes(128)),
    Frame(2, b"x" * 300_000, 2**62),
]


def taken(command: Command, items: int, events: int = 0) -> LoggedCommand:
    position = FeedPosition(items=items, events=events)
    return LoggedCommand(position=position, ts_ns=1_000 + items, command=command)


PAUSE = taken(Pause(command_id="a", issued_by="op"), 1)
TRADE = taken(
    Trade(command_id="b", issued_by="op", instrument=0, side=Side.BUY, size_base_raw=2**62), 2, 17
)
RESUME = taken(Resume(command_id="c", issued_by="op"), 2, 17)
SHUTDOWN = taken(Shutdown(command_id="d", issued_by="op"), 3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "session.log"


def write(path: Path, items: list[FeedItem]) -> None:
    with InputLogWriter(path, "abc") as log:
        for item in items:
            log.append(item)


def test_log_gives_back_its_items_from_any_position(path: Path) -> None:
    write(path, ITEMS)
    feed = InputLogFeed(path, "abc")
    for start in range(len(ITEMS) + 2):
        assert list(feed.items(start)) == ITEMS[start:]
    assert feed.cut is None


def test_log_synced_items_are_in_the_file_before_close(path: Path) -> None:
    log = InputLogWriter(path, "abc")
    log.append(ITEMS[0])
    log.sync()
    assert list(InputLogFeed(path).items(0)) == ITEMS[:1]
    log.close()


def test_log_opened_again_goes_on_where_it_ended(path: Path) -> None:
    write(path, ITEMS[:2])
    with InputLogWriter(path, "abc") as log:
        assert (log.count, log.cut) == (2, None)
        log.append(ITEMS[2])
        assert log.count == 3
    assert list(InputLogFeed(path).items(0)) == ITEMS[:3]


def test_log_cut_at_every_byte_of_its_last_frame_loses_only_that(path: Path) -> None:
    write(path, ITEMS[:2])
    whole = path.stat().st_size
    write(path, ITEMS[2:3])
    full = path.read_bytes()
    for size in range(whole + 1, len(full)):
        path.write_bytes(full[:size])
        feed = InputLogFeed(path)
        assert list(feed.items(0)) == ITEMS[:2]
        assert feed.cut == (
            f"{path}: cut {size - whole} bytes at byte {whole}, after 2 items (unfinished write)"
        )


def test_log_writer_cuts_a_damaged_tail_and_says_so(path: Path) -> None:
    write(path, ITEMS[:3])
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(bytes(4096))
    with InputLogWriter(path, "abc") as log:
        assert log.count == 3
        assert log.cut is not None
        assert f"cut 4096 bytes at byte {size}, after 3 items" in log.cut
        log.append(ITEMS[0])
    assert list(InputLogFeed(path).items(0)) == [*ITEMS[:3], ITEMS[0]]


@pytest.mark.parametrize("place", ["length", "checksum", "body"])
def test_log_damaged_before_its_end_is_an_error(path: Path, place: str) -> None:
    write(path, ITEMS[:1])
    begin = path.stat().st_size
    write(path, ITEMS[1:3])
    at = begin + {"length": 0, "checksum": 5, "body": 12}[place]
    raw = bytearray(path.read_bytes())
    raw[at] ^= 0xFF
    path.write_bytes(raw)
    with pytest.raises(InputLogDamaged, match=f"damaged at byte {begin}, after 1 items"):
        list(InputLogFeed(path).items(0))
    with pytest.raises(InputLogDamaged):
        InputLogWriter(path, "abc")


def test_log_of_other_options_is_refused(path: Path) -> None:
    write(path, ITEMS)
    with pytest.raises(UsageError, match="expected def"):
        InputLogFeed(path, "def")
    with pytest.raises(UsageError, match="expected def"):
        InputLogWriter(path, "def")


def test_log_that_is_no_log_is_refused(path: Path) -> None:
    path.write_bytes(b"something else entirely")
    with pytest.raises(UsageError, match="starts with 'UTB input log'"):
        InputLogFeed(path)
    with pytest.raises(UsageError, match="starts with 'UTB input log'"):
        InputLogWriter(path, "abc")


def test_log_of_another_schema_is_refused(path: Path) -> None:
    write(path, [])
    raw = path.read_bytes()
    # The header's body holds the schema as one byte, fixint 1.
    head = raw.index(b"schema") + len(b"schema")
    body = bytearray(raw[14 + 8 :])
    body[head - 22] = 2
    from zlib import crc32

    path.write_bytes(raw[:14] + struct.pack("<II", len(body), crc32(body)) + body)
    with pytest.raises(UsageError, match="is 2, expected 1"):
        InputLogFeed(path)


def test_log_sync_reaches_the_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    log = InputLogWriter(path, "abc")
    monkeypatch.setattr(os, "fdatasync", calls.append)
    log.append(ITEMS[0])
    assert calls == []
    log.sync()
    assert len(calls) == 1
    log.close()


def test_log_gives_commands_by_position_and_items_without_them(path: Path) -> None:
    with InputLogWriter(path, "abc") as log:
        log.append(ITEMS[0])
        log.append(ITEMS[1])
        log.append_command(PAUSE)
        log.append(ITEMS[2])
        log.append_command(TRADE)
        log.append_command(RESUME)
        log.append(ITEMS[3])
        assert log.count == 4
    feed = InputLogFeed(path, "abc")
    assert feed.commands() == [PAUSE, TRADE, RESUME]
    for start in range(5):
        assert list(feed.items(start)) == ITEMS[start:]


def test_log_command_that_was_added_late_comes_at_its_place(path: Path) -> None:
    """A crash can leave a command out of the log that the journal holds."""
    write(path, ITEMS)
    with InputLogWriter(path, "abc") as log:
        log.append_command(TRADE)
        log.append_command(PAUSE)
    assert InputLogFeed(path).commands() == [PAUSE, TRADE]


def test_log_opened_again_knows_its_commands(path: Path) -> None:
    with InputLogWriter(path, "abc") as log:
        log.append(ITEMS[0])
        log.append_command(PAUSE)
    with InputLogWriter(path, "abc") as log:
        assert (log.count, log.command_ids) == (1, {"a"})


def test_log_keeps_the_shutdown_that_ended_the_session(path: Path) -> None:
    with InputLogWriter(path, "abc") as log:
        log.go_on()
        for item in ITEMS:
            log.append(item)
        log.append_command(PAUSE)
        log.append_command(SHUTDOWN)
    assert InputLogFeed(path).commands() == [PAUSE, SHUTDOWN]


def test_log_drops_a_shutdown_after_which_the_session_went_on(path: Path) -> None:
    with InputLogWriter(path, "abc") as log:
        for item in ITEMS:
            log.append(item)
        log.append_command(PAUSE)
        log.append_command(SHUTDOWN)
    last = taken(Shutdown(command_id="e", issued_by="op"), 4)
    with InputLogWriter(path, "abc") as log:
        log.go_on()
        assert log.count == 4
        log.append_command(last)
    assert InputLogFeed(path).commands() == [PAUSE, last]


def test_log_header_is_in_the_file_at_once(path: Path) -> None:
    """A process killed before its first item leaves a log that can be gone on with."""
    log = InputLogWriter(path, "abc")
    assert list(InputLogFeed(path, "abc").items(0)) == []
    log.close()
