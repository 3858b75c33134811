"""What the analytics process tells of its store in `run/analytics.json`."""

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from process import START_S, Analytics, running
from utb.analytics import bulletin
from utb.analytics.bulletin import Bulletin
from utb.errors import TransientError
from utb.storage.clickhouse.status import Status, read_status


class Broken:
    """A store of which a part does not work."""

    def __init__(self) -> None:
        self.wrong: dict[str, str] = {}

    def _call(self, what: str) -> None:
        if what in self.wrong:
            raise TransientError("clickhouse", self.wrong[what])

    def command(self, _: str) -> None:
        self._call("command")

    def rows(self, _: str) -> list[list[object]]:
        self._call("rows")
        return [[7]]

    def insert(self, table: str, _: Sequence[str], __: bytes) -> None:
        self._call(table)

    def close(self) -> None:
        pass


class Clock:
    def __init__(self) -> None:
        self.ns = 1_000

    def __call__(self) -> int:
        self.ns += 1
        return self.ns


@pytest.fixture
def told(tmp_path: Path) -> Bulletin:
    (tmp_path / "run").mkdir()
    return Bulletin(
        tmp_path / "run", url="http://store/", database="utb", embedded=False, wall_ns=Clock()
    )


def status(told: Bulletin) -> Status:
    found = read_status(told.tell().parents[1])
    assert found is not None
    return found


def test_it_tells_where_the_store_is_and_what_it_holds(told: Bulletin) -> None:
    first = status(told)
    assert (first.url, first.database, first.embedded) == ("http://store/", "utb", False)
    assert (first.pid, first.stored_seq, first.trouble) == (os.getpid(), None, "")
    told.stored_seq = lambda: 12
    second = status(told)
    assert (second.stored_seq, second.since_ns) == (12, first.since_ns)
    assert second.told_ns > first.told_ns


def test_store_that_is_not_there_is_trouble_until_it_answers(told: Bulletin) -> None:
    def refused() -> Broken:
        raise TransientError("clickhouse", "nobody answers")

    with pytest.raises(TransientError):
        told.watched(refused)
    before = status(told)
    assert before.trouble == "nobody answers"
    with pytest.raises(TransientError):
        told.watched(refused)
    assert status(told).since_ns == before.since_ns
    store = told.watched(Broken)
    after = status(told)
    assert (after.trouble, store.rows("SELECT 7")) == ("", [[7]])
    assert after.since_ns > before.since_ns


def test_table_that_takes_nothing_is_trouble_until_it_does(told: Bulletin) -> None:
    """Another try begins with a question that succeeds: that is no sign that it works."""
    broken = Broken()
    store = told.watched(lambda: broken)
    broken.wrong["utb.events"] = "the disk is full"
    with pytest.raises(TransientError):
        store.insert("utb.events", (), b"")
    since_ns = status(told).since_ns
    store.rows("SELECT max(seq) FROM utb.events")
    store.insert("utb.ticks", (), b"")
    found = status(told)
    assert (found.trouble, found.since_ns) == ("the disk is full", since_ns)
    broken.wrong.clear()
    store.insert("utb.events", (), b"")
    assert status(told).trouble == ""


def test_insert_that_succeeds_ends_the_trouble_of_other_statements(told: Bulletin) -> None:
    broken = Broken()
    store = told.watched(lambda: broken)
    broken.wrong["rows"] = "timed out"
    with pytest.raises(TransientError):
        store.rows("SELECT 7")
    assert status(told).trouble == "timed out"
    store.insert("utb.ticks", (), b"")
    assert status(told).trouble == ""


async def test_it_goes_on_telling_after_a_write_that_failed(
    told: Bulletin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulletin, "EVERY_S", 0.001)
    (tmp_path / "run").rmdir()
    telling = asyncio.ensure_future(told.keep_telling())
    await asyncio.sleep(0.01)
    (tmp_path / "run").mkdir()
    async with asyncio.timeout(START_S):
        while read_status(tmp_path) is None:  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.001)
    assert not telling.done()
    telling.cancel()


def wait_for_trouble(analytics: Analytics) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        found = read_status(analytics.state_dir)
        if found is not None and found.trouble:
            return found.trouble
        analytics.process_wait(0.05)
    raise AssertionError("no trouble is told")


def test_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    with running(tmp_path, CLICKHOUSE_URL="http://me:canary@127.0.0.1:9/utb") as analytics:
        reason = os.strerror(111)
        assert wait_for_trouble(analytics) == f"the server does not answer ({reason})"
        assert "canary" not in (tmp_path / "run" / "analytics.json").read_text()
        assert analytics.stop() == 0
