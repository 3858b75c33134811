"""What a supervisor does when a process ends: a pure decision."""

from typing import Final

import msgspec

DONE: Final = 0
REFUSALS: Final = frozenset({2, 3, *range(10, 16)})
"""Exit codes of wrong use or configuration, refusals for safety, live trading refused: another
start would end the same way."""


class RestartPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How patient a supervisor is."""

    first_s: float = 0.25
    """Wait before the first restart."""
    factor: float = 2.0
    """Of each wait to the one before it."""
    longest_s: float = 30.0
    jitter: float = 0.25
    """Waits are drawn between 1 - jitter and 1 + jitter times their length, so that processes that
    fell together do not come back together."""
    quiet_s: float = 60.0
    """A process that ran this long has recovered: its earlier failures are forgotten."""
    attempts_max: int = 12
    """Restarts without a quiet period between them."""


class Exit(msgspec.Struct, frozen=True, kw_only=True):
    """How a process ended."""

    code: int
    """Its exit code; negative: the signal that ended it."""
    ran_s: float
    failures: int
    """Restarts so far without a quiet period."""
    may_end: bool = False
    """Whether exit code 0 means that its work is done."""


class Restart(msgspec.Struct, frozen=True):
    """Start it again."""

    wait_s: float
    failures: int
    """Restarts without a quiet period, this one included."""


class GiveUp(msgspec.Struct, frozen=True):
    """It will not do better: too many restarts."""

    failures: int


class Refused(msgspec.Struct, frozen=True):
    """It said no for a reason that stays."""

    code: int


class Done(msgspec.Struct, frozen=True):
    """Its work is done."""


Verdict = Restart | GiveUp | Refused | Done


def judge(policy: RestartPolicy, ended: Exit, draw: float) -> Verdict:
    """Return what to do about a process that ended.

    Args:
        policy: How patient to be.
        ended: How it ended.
        draw: A number in [0, 1) that nobody can foresee.
    """
    if ended.code == DONE and ended.may_end:
        return Done()
    if ended.code in REFUSALS:
        return Refused(ended.code)
    failures = 0 if ended.ran_s >= policy.quiet_s else ended.failures
    if failures >= policy.attempts_max:
        return GiveUp(failures)
    wait_s = min(policy.longest_s, policy.first_s * policy.factor**failures)
    wait_s *= 1.0 + policy.jitter * (2.0 * draw - 1.0)
    return Restart(wait_s, failures + 1)
