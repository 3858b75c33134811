"""The journal on a file."""

import hashlib
import sqlite3
import struct
from pathlib import Path

import msgspec
import pytest

from utb.domain.commands import Pause
from utb.domain.names import OperatorState as RunState
from utb.domain.records import CashMoved, FeedState, OperatorState, Record, WarmUp
from utb.errors import InvariantError, UsageError
from utb.ports.journal import FeedPosition, LoggedCommand, Snapshot
from utb.storage.encoding import encode_record, hash_records, is_hashed
from utb.storage.journal import SqliteJournal
from utb.storage.lock import StateLock
from utb.storage.memory import MemoryJournal
from utb.storage.readers import recompute_hash


def journal_in(path: Path, digest: str = "ab") -> SqliteJournal:
    return SqliteJournal(path, options_digest=digest, wall_ns=lambda: 5, synchronous="FULL")


def gap(ts_ns: int) -> WarmUp:
    return WarmUp(ts_ns=ts_ns, instrument=0, gap_ns=1)


FEED = FeedState(ts_ns=1, source="birdeye", state="stale", reason="silence")
START = OperatorState(
    ts_ns=1,
    state=RunState.RUNNING,
    previous=None,
    issued_by="system",
    cause="start",
    lifecycle=True,
)
PAUSED = msgspec.structs.replace(START, lifecycle=False)


def test_records_come_back_in_order(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    assert journal.append([gap(1), FEED]) == 2
    assert journal.append([gap(2)]) == 3
    assert list(journal.records(1)) == [(2, FEED), (3, gap(2))]


def test_hash_is_sha256_over_the_hashed_records_only(tmp_path: Path) -> None:
    records: list[Record] = [START, gap(1), FEED, PAUSED, gap(2)]
    journal, memory = journal_in(tmp_path), MemoryJournal()
    journal.append(records)
    memory.append(records)
    journal.sync()
    payloads = b"".join(msgspec.msgpack.encode(r) for r in (gap(1), PAUSED, gap(2)))
    expected = hashlib.sha256(payloads).hexdigest()
    assert journal.journal_hash() == memory.journal_hash() == hash_records(records) == expected
    assert recompute_hash(tmp_path / "journal.sqlite") == expected
    journal.close()
    assert journal_in(tmp_path).journal_hash() == expected


def test_hash_sees_every_field() -> None:
    assert hash_records([gap(1)]) != hash_records([gap(2)])
    moved = CashMoved(ts_ns=1, quote_raw=5, lamports=0, cause="opening")
    assert hash_records([moved]) != hash_records([msgspec.structs.replace(moved, cause="x")])
    assert [is_hashed(r) for r in (START, PAUSED, FEED, gap(1))] == [False, True, False, True]


def test_unsynced_records_are_not_in_the_file_and_synced_ones_are(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    journal.append([gap(1)])
    assert count(tmp_path) == 0
    journal.sync()
    assert count(tmp_path) == 1


def count(path: Path) -> int:
    with sqlite3.connect(path / "journal.sqlite") as other:
        (rows,) = other.execute("SELECT count(*) FROM records").fetchone()
    other.close()
    return int(rows)


def test_snapshot_is_stored_with_the_records_before_it(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    assert journal.last_snapshot() is None
    snapshot = Snapshot(
        seq=1,
        position=FeedPosition(items=3, events=4),
        ts_ns=9,
        engine=b"e",
        trader=b"t",
        venue=b"v",
        session=b"s",
    )
    journal.append([gap(1)])
    journal.save_snapshot(snapshot)
    later = msgspec.structs.replace(snapshot, seq=2)
    journal.append([gap(2)])
    journal.save_snapshot(later)
    assert count(tmp_path) == 2
    journal.close()
    assert journal_in(tmp_path).last_snapshot() == later


def test_verified_records_are_not_appended_twice(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    journal.append([gap(1), FEED, gap(2)])
    journal.verify_after(1)
    assert journal.verifying()
    assert journal.append([START, gap(2)]) == 4
    assert not journal.verifying()
    assert journal.append([gap(3)]) == 5
    assert [r for _, r in journal.records(0)] == [gap(1), FEED, gap(2), START, gap(3)]


def test_record_that_came_again_differently_stops_with_both(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    journal.append([gap(1)])
    journal.sync()
    journal.verify_after(0)
    with pytest.raises(InvariantError, match=r"record 1 .*ts_ns=1.*ts_ns=7"):
        journal.append([gap(7)])


def test_commands_come_back_from_their_position_on(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    logged = [
        LoggedCommand(
            position=FeedPosition(items=items, events=events),
            ts_ns=1,
            command=Pause(command_id=f"{items}.{events}", issued_by="op"),
        )
        for items, events in ((1, 0), (2, 5), (3, 0))
    ]
    for one in logged:
        journal.log_command(one)
    assert journal.commands(FeedPosition(items=2, events=5)) == logged[1:]
    assert journal.commands(FeedPosition(items=2, events=6)) == logged[2:]


def test_bars_are_kept_with_unknown_volume_as_null(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    rows = [(60, 1, 0, 1.0, 2.0, 0.5, 1.5, 7.0), (120, 1, 0, 1.5, 2.0, 1.0, 1.0, float("nan"))]
    journal.add_bars(b"".join(struct.pack("<qIIddddd8x", *row) for row in rows))
    with sqlite3.connect(tmp_path / "journal.sqlite") as other:
        kept = other.execute("SELECT * FROM bars ORDER BY ts_open").fetchall()
    other.close()
    assert kept == [(1, 0, 60, 1.0, 2.0, 0.5, 1.5, 7.0), (1, 0, 120, 1.5, 2.0, 1.0, 1.0, None)]


def test_other_options_are_refused(tmp_path: Path) -> None:
    journal_in(tmp_path, "ab").close()
    with pytest.raises(UsageError, match="same options"):
        journal_in(tmp_path, "cd")


def test_foreign_database_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "journal.sqlite") as other:
        other.execute("CREATE TABLE t(x)")
    other.close()
    with pytest.raises(UsageError, match="foreign database"):
        journal_in(tmp_path)


def test_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"not a database" * 400)
    with pytest.raises(UsageError, match="journal database"):
        journal_in(tmp_path)


def test_later_schema_is_refused(tmp_path: Path) -> None:
    journal_in(tmp_path).close()
    with sqlite3.connect(tmp_path / "journal.sqlite") as other:
        other.execute("PRAGMA user_version = 9")
    other.close()
    with pytest.raises(UsageError, match="schema version 1, found 9"):
        journal_in(tmp_path)


def test_missing_record_is_an_invariant_error(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    journal.append([gap(n) for n in range(5)])
    journal.close()
    with sqlite3.connect(tmp_path / "journal.sqlite") as other:
        other.execute("DELETE FROM records WHERE seq = 3")
    other.close()
    with pytest.raises(InvariantError, match="record 3 is missing"):
        journal_in(tmp_path)


def test_payload_is_the_canonical_encoding(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    journal.append([gap(3)])
    journal.sync()
    with sqlite3.connect(tmp_path / "journal.sqlite") as other:
        row = other.execute("SELECT wall_ts, kind, payload FROM records").fetchone()
    other.close()
    assert row == (5, "warm_up", encode_record(gap(3)))


def test_state_directory_belongs_to_one_process(tmp_path: Path) -> None:
    lock = StateLock(tmp_path)
    with pytest.raises(UsageError, match="no process trades in"):
        StateLock(tmp_path)
    lock.release()
    with StateLock(tmp_path):
        assert (tmp_path / "run" / "trade.pid").read_text().strip().isdigit()


def test_hash_in_memory_is_that_of_the_records_so_far_whenever_it_is_read() -> None:
    records: list[Record] = [FEED, *(gap(ts_ns) for ts_ns in range(70)), START, PAUSED]
    read, unread = MemoryJournal(), MemoryJournal()
    for number, record in enumerate(records, start=1):
        read.append([record])
        unread.append([record])
        assert read.journal_hash() == hash_records(records[:number])
    assert unread.journal_hash() == hash_records(records)
