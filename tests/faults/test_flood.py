"""Ten times the frames, at full pace: nothing of it is applied twice, and memory stays flat."""

import asyncio
import os
from pathlib import Path

import pytest
from staged import Fault, Outcome, Stage, rows_of, run

from utb import bootstrap
from utb.bootstrap import RunOptions
from utb.simnet.server.world import SOURCES

LONG = os.environ.get("UTB_LONG") == "1"
SPEED = 1800.0
"""Market seconds per second; with the flood some 8,000 frames a second, above what eight busy
markets send in a second of real time."""
WALL_S = 600.0 if LONG else 12.0
HOURS = round(WALL_S * SPEED / 3600)
COPIES = 10
SAMPLE_S = 1.0
WARM = 0.25
"""Share of the run in which memory may find its level."""
GROWTH_BYTES_MAX = 8 * 1024 * 1024
"""What may come on top in the rest, in the long form: nine days of orders and trades."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(round(WALL_S * 2) + 120)]


def flood(seconds: float) -> list[Fault]:
    return [Fault(source, "flood", 0, seconds, COPIES) for source in SOURCES]


async def test_memory_is_flat_under_ten_times_the_load(tmp_path: Path) -> None:
    sizes: list[int] = []

    async def sample(stage: Stage) -> None:
        while stage.pulse is None or not stage.pulse.finished:
            await asyncio.sleep(SAMPLE_S)
            assert stage.trade.poll() is None, stage.complaints()
            if not stage.pulse or not stage.pulse.finished:
                sizes.append(stage.rss_bytes())

    outcome = await run(tmp_path, HOURS, flood(HOURS * 3600.0), sample, speed=SPEED)
    level = max(sizes[: round(len(sizes) * WARM)])
    frames = sum(feed.frames for feed in outcome.feeds.values())
    step = len(sizes) / 10
    told = ", ".join(f"{sizes[int(at * step)] / 1e6:.1f}" for at in range(1, 10))
    print(
        f"{frames} frames in {len(sizes) * SAMPLE_S:.0f} s; RSS in tenths {told}; at most "
        f"{level / 1e6:.1f} MB in the first quarter, {max(sizes) / 1e6:.1f} MB in all"
    )
    assert max(sizes) - level < GROWTH_BYTES_MAX
    # It kept up: the market was never far behind its pace.
    assert len(sizes) * SAMPLE_S < WALL_S * 1.5 + 10
    check(outcome)


def check(outcome: Outcome) -> None:
    """See that the copies changed nothing."""
    config, _ = bootstrap.load_config(None)
    calm = bootstrap.build_demo(config, RunOptions(hours=HOURS)).run()
    for source in ("birdeye", "helius"):
        feed = outcome.feeds[source]
        assert feed.items == COPIES * calm.counters["items"][source]["frames"]
    # All but the pools' own accounts, which may come twice, and the frames of the first instant.
    notified = calm.counters["items"]["helius"]["accepted"]
    repeated = outcome.feeds["helius"].rejected["duplicate"]
    assert repeated >= (COPIES - 1) * 0.9 * notified
    assert outcome.feeds["birdeye"].rejected["duplicate"] > 0
    assert outcome.bars() == rows_of(calm.bars)
    assert outcome.unhealthy() == []
