"""The pure restart policy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utb.bootstrap.restart import (
    Done,
    Exit,
    GiveUp,
    Refused,
    Restart,
    RestartPolicy,
    Verdict,
    judge,
)

POLICY = RestartPolicy(
    first_s=0.5, factor=2.0, longest_s=30.0, jitter=0.25, quiet_s=60.0, attempts_max=12
)


def after(
    code: int, *, failures: int = 0, ran_s: float = 1.0, may_end: bool = False, draw: float = 0.5
) -> Verdict:
    ended = Exit(code=code, ran_s=ran_s, failures=failures, may_end=may_end)
    return judge(POLICY, ended, draw)


@pytest.mark.parametrize(
    ("failures", "wait_s"), [(0, 0.5), (1, 1.0), (2, 2.0), (5, 16.0), (6, 30.0), (11, 30.0)]
)
def test_wait_doubles_up_to_the_longest(failures: int, wait_s: float) -> None:
    """0.5 * 2^n s without jitter (a draw of one half), at most 30 s."""
    assert after(1, failures=failures) == Restart(wait_s, failures + 1)


@pytest.mark.parametrize(("draw", "wait_s"), [(0.0, 3.0), (0.25, 3.5), (0.75, 4.5)])
def test_wait_is_jittered_by_a_quarter(draw: float, wait_s: float) -> None:
    assert after(1, failures=3, draw=draw) == Restart(wait_s, 4)


def test_failures_are_forgotten_after_a_quiet_period() -> None:
    assert after(1, failures=9, ran_s=60.0) == Restart(0.5, 1)
    assert after(1, failures=9, ran_s=59.9) == Restart(30.0, 10)


def test_too_many_restarts_end_it() -> None:
    assert after(1, failures=12) == GiveUp(12)
    assert after(1, failures=12, ran_s=61.0) == Restart(0.5, 1)


@pytest.mark.parametrize("code", [2, 3, 10, 11, 12, 13, 14, 15])
def test_refusal_is_not_tried_again(code: int) -> None:
    assert after(code) == Refused(code)
    assert after(code, ran_s=1e6) == Refused(code)


@pytest.mark.parametrize("code", [1, 4, 9, 16, 127, 130, -9, -11, -15])
def test_any_other_failure_is(code: int) -> None:
    assert isinstance(after(code), Restart)
    assert isinstance(after(code, may_end=True), Restart)


def test_end_is_done_only_where_work_can_be_done() -> None:
    assert after(0, may_end=True) == Done()
    assert after(0) == Restart(0.5, 1)


@given(
    code=st.integers(-64, 255),
    failures=st.integers(0, 10_000),
    ran_s=st.floats(0.0, 1e9),
    draw=st.floats(0.0, 1.0, exclude_max=True),
)
def test_waits_are_bounded_and_failures_counted(
    code: int, failures: int, ran_s: float, draw: float
) -> None:
    verdict = after(code, failures=failures, ran_s=ran_s, draw=draw)
    if isinstance(verdict, Restart):
        assert 0.0 < verdict.wait_s <= 30.0 * 1.25
        assert 1 <= verdict.failures <= POLICY.attempts_max
        assert verdict.failures <= failures + 1
