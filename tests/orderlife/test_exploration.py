"""Every order of events around one order: no double landing, no dead end, no untrue end."""

import pytest
from exploration import Explored, explore
from msgspec.structs import replace
from small_world import BrokenRuleError, start

from utb.domain.names import OrderStatus as S
from utb.orderlife import evidence
from utb.orderlife.actions import Action, Journal, Send, Sign
from utb.orderlife.events import Event, Signed
from utb.orderlife.life import Life, OrderKind, Rules
from utb.orderlife.step import step

EXIT_STATES_MAX = 6_000
"""Of the default run; `just explore` visits all of them."""


def show(name: str, found: Explored) -> None:
    print(f"\n{name}: {found.states:,} states, {found.moves:,} moves, complete {found.complete}")


@pytest.mark.timeout(300)
def test_entry_with_a_lying_endpoint_every_state_ends_and_none_is_untrue() -> None:
    """All states there are: crash, send, status, lie, fork, expiry in every order."""
    found = explore(start(OrderKind.ENTRY, unguarded_first=False), states_max=1_000_000)
    show("entry, lies", found)
    assert found.complete
    assert found.dead_ends == 0
    assert found.ends == {S.SETTLED, S.EXPIRED, S.FAILED_ON_CHAIN, S.CANCELLED}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("unguarded_first", [False, True])
@pytest.mark.parametrize("liar", [False, True])
def test_exit_with_two_attempts_lands_once_and_has_no_dead_end(
    *, unguarded_first: bool, liar: bool
) -> None:
    found = explore(
        start(OrderKind.EXIT, unguarded_first=unguarded_first),
        states_max=EXIT_STATES_MAX,
        liar=liar,
    )
    show(f"exit, unguarded first {unguarded_first}, lies {liar}", found)
    assert found.dead_ends == 0
    assert found.ends >= {S.SETTLED, S.FAILED_ON_CHAIN, S.CANCELLED}


def test_exploration_finds_bytes_that_leave_before_they_are_durable() -> None:
    def early(life: Life, event: Event, rules: Rules) -> tuple[Life, tuple[Action, ...]]:
        life, actions = step(life, event, rules)
        sends = tuple(Send(a.signature) for a in actions if isinstance(a, Journal))
        return life, (*actions, *sends)

    with pytest.raises(BrokenRuleError, match="before it was durable"):
        explore(start(OrderKind.ENTRY, unguarded_first=False), states_max=5_000, stepped=early)


def test_exploration_finds_one_null_taken_as_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "is_dead", lambda attempt, *_: len(attempt.nulls) > 0)
    with pytest.raises(BrokenRuleError, match="ended"):
        explore(start(OrderKind.ENTRY, unguarded_first=False), states_max=50_000, fair=False)


def test_exploration_finds_a_dead_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "is_dead", lambda *_: False)
    first = start(OrderKind.ENTRY, unguarded_first=False)
    assert explore(first, states_max=2_000).dead_ends > 0


def test_exploration_finds_a_partial_exit_signed_again_without_guard() -> None:
    """The life believes in guards that are not on the chain: two attempts land."""

    def unguarded(life: Life, event: Event, rules: Rules) -> tuple[Life, tuple[Action, ...]]:
        if isinstance(event, Signed):
            event = replace(event, guarded=True)
        life, actions = step(life, event, rules)
        bare = replace(life, attempts=tuple(replace(a, guarded=False) for a in life.attempts))
        return bare, tuple(replace(a, guarded=False) if isinstance(a, Sign) else a for a in actions)

    with pytest.raises(BrokenRuleError, match="two attempts landed"):
        explore(
            start(OrderKind.EXIT, unguarded_first=False),
            states_max=100_000,
            liar=False,
            stepped=unguarded,
            fair=False,
        )
