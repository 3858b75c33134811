"""One demo over sockets, from its start to its stop, as a user runs it."""

import fcntl
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from demo import Demo

from utb.bootstrap import RunOptions, build_backtest, load_config

HOURS = 12
SEED = 7
PATIENCE_S = 240.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def demo(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Demo]:
    demo = Demo(tmp_path, seed=SEED, hours=getattr(request, "param", HOURS))
    # One at a time on this machine: two demos that start together choose the same free ports
    with (tmp_path.parents[1] / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        demo.start()
        yield demo
        demo.end()


def test_demo_serves_ends_and_starts_again(demo: Demo) -> None:
    """The journal of a demo over sockets is the backtest's; a finished one stays as it is."""
    config, _ = load_config(None)
    expected = build_backtest(config, RunOptions(seed=SEED, hours=HOURS)).run().journal_hash
    demo.wait_for_result(PATIENCE_S)
    assert demo.result().finished
    assert demo.result().journal_hash == expected
    assert demo.ask("/api/v1/status")["simulated_time"] is True
    page = httpx.get(demo.link("dashboard"), follow_redirects=True)
    assert page.status_code == httpx.codes.OK
    assert "<html" in page.text
    assert demo.settled_rows() == demo.rows()
    assert demo.stop() == []
    demo.start()
    demo.wait_for_result(PATIENCE_S)
    assert demo.result().journal_hash == expected
    assert demo.stop() == []


@pytest.mark.parametrize("demo", [500], indirect=True)
def test_interrupted_demo_says_what_it_came_to(demo: Demo) -> None:
    demo.wait_for_rows(50, PATIENCE_S)
    assert demo.stop(signal.SIGINT) == ["the demo ended with 130: "]
    assert not demo.result().finished
