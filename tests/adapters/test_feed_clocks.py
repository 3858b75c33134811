"""Clocks."""

import pytest

from utb.adapters.clocks import Pacer, SimulatedClock, SystemClock
from utb.errors import InvariantError


def test_simulated_clock_stands_still_until_moved() -> None:
    clock = SimulatedClock(5)
    assert (clock.now_ns(), clock.now_ns()) == (5, 5)


def test_simulated_clock_moves_forward_only() -> None:
    clock = SimulatedClock(5)
    clock.advance_to(9)
    clock.advance_to(9)
    assert clock.now_ns() == 9
    with pytest.raises(InvariantError, match="cannot go back to 8 ns"):
        clock.advance_to(8)


def test_system_clock_is_in_this_century() -> None:
    clock = SystemClock()
    assert 1_600_000_000 * 10**9 < clock.now_ns() < 4_100_000_000 * 10**9


def test_system_clock_elapsed_never_falls() -> None:
    clock = SystemClock()
    first = clock.elapsed_ns()
    assert clock.elapsed_ns() >= first


def test_pacer_holds_a_run_back_to_its_speed() -> None:
    """Two simulated seconds at 100 x take 20 ms."""
    clock, pacer = SystemClock(), Pacer(100.0)
    begin = clock.elapsed_ns()
    pacer.wait_until(0)
    pacer.wait_until(2 * 10**9)
    assert clock.elapsed_ns() - begin >= 20_000_000


def test_pacer_does_not_wait_for_the_past() -> None:
    clock, pacer = SystemClock(), Pacer(1.0)
    pacer.wait_until(10**12)
    begin = clock.elapsed_ns()
    pacer.wait_until(10**12 - 10**9)
    assert clock.elapsed_ns() - begin < 500_000_000
