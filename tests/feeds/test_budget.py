"""How often a source is asked, in simulated time."""

import asyncio
from bisect import bisect_right

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from stand_ins import SimulatedWorld

from utb.adapters.net.backoff import Backoff
from utb.adapters.net.budget import SECOND_NS, WINDOW_NS, RateBudget

TASKS = 10


def most_in_a_window(times_ns: list[int], window_ns: int) -> int:
    """Return the most grants of any closed window: it begins at one of them."""
    return max(
        bisect_right(times_ns, at_ns + window_ns) - index for index, at_ns in enumerate(times_ns)
    )


async def ask(limit: int, asked: list[float], holds: list[float]) -> list[int]:
    """Let ten tasks ask with pauses in between, and return when each request was granted."""
    world = SimulatedWorld()
    budget = RateBudget(limit, world.timer, world.clock.now_ns)
    granted: list[int] = []

    async def caller(pauses: list[float]) -> None:
        for pause_s in pauses:
            await world.timer.sleep(pause_s)
            await budget.acquire()
            granted.append(world.clock.now_ns())
            if holds:
                budget.hold(holds.pop())

    tasks = [asyncio.ensure_future(caller(asked[number::TASKS])) for number in range(TASKS)]
    await world.run_until(lambda: all(task.done() for task in tasks))
    for task in tasks:
        task.result()
    return granted


@settings(max_examples=30, deadline=None)
@given(
    limit=st.integers(1, 130),
    asked=st.lists(st.floats(0.0, 20.0), min_size=1, max_size=300),
    holds=st.lists(st.floats(0.0, 90.0), max_size=3),
)
def test_budget_with_ten_tasks_is_never_above_the_limit_in_any_window(
    limit: int, asked: list[float], holds: list[float]
) -> None:
    granted = asyncio.run(ask(limit, asked, holds))
    assert len(granted) == len(asked)
    assert granted == sorted(granted)
    assert most_in_a_window(granted, WINDOW_NS) <= limit
    assert most_in_a_window(granted, SECOND_NS) <= -(-limit // 60)


def test_budget_gives_what_the_limit_allows_without_waste() -> None:
    """300 a minute = 5 a second: 300 requests at once take 59 s, the 301st waits for 60 s."""
    granted = asyncio.run(ask(300, [0.0] * 301, []))
    assert round((granted[299] - granted[0]) / 1e9, 3) == 59.0
    assert round((granted[300] - granted[0]) / 1e9, 3) == 60.0


def test_hold_of_a_source_holds_every_task_to_the_second() -> None:
    async def run() -> tuple[bool, list[float]]:
        world = SimulatedWorld()
        budget = RateBudget(6000, world.timer, world.clock.now_ns)
        begun_ns = world.clock.now_ns()
        budget.hold(17)
        at_once = budget.try_acquire()
        waits: list[float] = []

        async def caller() -> None:
            await budget.acquire()
            waits.append((world.clock.now_ns() - begun_ns) / 1e9)

        tasks = [asyncio.ensure_future(caller()) for _ in range(TASKS)]
        await world.run_until(lambda: all(task.done() for task in tasks))
        return at_once, waits

    at_once, waits = asyncio.run(run())
    assert not at_once
    assert waits == [17.0] * TASKS


def test_backoff_stays_between_its_bounds_and_grows() -> None:
    backoff = Backoff(0.5, 30.0, np.random.default_rng(3).random)
    waits = [backoff.next() for _ in range(200)]
    assert all(0.5 <= wait <= 30.0 for wait in waits)
    assert max(waits) == 30.0
    assert len(set(waits)) > 100
    backoff.reset()
    assert backoff.next() <= 1.5


def test_backoff_repeats_with_its_seed() -> None:
    first, second = (Backoff(0.5, 30.0, np.random.default_rng(9).random) for _ in range(2))
    assert [first.next() for _ in range(20)] == [second.next() for _ in range(20)]
