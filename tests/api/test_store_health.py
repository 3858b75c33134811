"""What `/health/components` and `/metrics` say of the ClickHouse store."""

import os
from pathlib import Path
from typing import Any

import pytest

from utb.api.world import Place, World
from utb.config.load import defaults
from utb.storage.clickhouse.status import Status, write_status
from utb.storage.lock import StateLock
from utb.telemetry.health import Component, Condition
from utb.telemetry.replica import Replica

NOW_NS = 1_800_000_000_000_000_000
SECOND_NS = 1_000_000_000


class Clock:
    def now_ns(self) -> int:
        return NOW_NS

    def elapsed_ns(self) -> int:
        return 0


@pytest.fixture
def world(tmp_path: Path) -> World:
    place = Place(state_dir=tmp_path, config_shown={}, version="")
    return World(defaults(), place, Clock(), Replica(()))


def tell(state_dir: Path, **more: Any) -> None:
    known = {
        "url": "http://127.0.0.1:9/",
        "database": "utb",
        "embedded": False,
        "pid": os.getpid(),
        "stored_seq": 41,
        "trouble": "",
        "since_ns": NOW_NS - 60 * SECOND_NS,
        "told_ns": NOW_NS - SECOND_NS,
    }
    write_status(state_dir / "run", Status(**{**known, **more}))


def row(world: World) -> tuple[Any, ...]:
    found: Component = {one.name: one for one in world.health().components}["analytics"]
    since_s = None if found.since_ns is None else (NOW_NS - found.since_ns) // SECOND_NS
    return found.state, found.reason, since_s, found.age_s


def test_without_its_process_it_is_off_and_what_is_left_says_nothing(world: World) -> None:
    assert row(world) == (Condition.OFF, "not running", 0, None)
    with StateLock(world.place.state_dir, "analytics"):
        tell(world.place.state_dir)
    assert row(world) == (Condition.OFF, "not running", 0, None)
    assert b"utb_analytics_seq" not in world.metrics.text()


def test_it_is_as_its_process_tells(world: World) -> None:
    state_dir = world.place.state_dir
    with StateLock(state_dir, "analytics"):
        assert row(world) == (Condition.STARTING, "it has not told anything yet", 0, None)
        tell(state_dir, pid=os.getpid() + 1)
        assert row(world) == (Condition.STARTING, "it has not told anything yet", 0, None)
        assert b"utb_analytics_seq" not in world.metrics.text()
        tell(state_dir, stored_seq=None)
        assert row(world) == (Condition.STARTING, "the store is being opened", 0, 1.0)
        tell(state_dir)
        assert row(world) == (Condition.UP, "", 60, 1.0)
        assert b"\nutb_analytics_seq 41.0\n" in world.metrics.text()


def test_store_that_does_not_answer_is_degraded_with_reason_since_and_age(world: World) -> None:
    with StateLock(world.place.state_dir, "analytics"):
        tell(world.place.state_dir, stored_seq=None, trouble="the server does not answer (No)")
        reason = "the store does not take what is written: the server does not answer (No)"
        assert row(world) == (Condition.DEGRADED, reason, 60, 1.0)


def test_process_that_tells_nothing_any_more_is_degraded(world: World) -> None:
    with StateLock(world.place.state_dir, "analytics"):
        tell(world.place.state_dir, told_ns=NOW_NS - 16 * SECOND_NS)
        assert row(world) == (Condition.DEGRADED, "silent for 16 s", 0, 16.0)
