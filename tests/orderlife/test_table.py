"""The order life table, state by state."""

import itertools

import pytest

from utb.domain.names import OrderStatus as S
from utb.errors import InvariantError
from utb.ledger.pending import ENDED
from utb.orderlife.table import FAILED, IN_FLIGHT, TERMINAL, TRANSITIONS, advance

ALLOWED = {
    (S.INTENT, S.APPROVED),
    (S.INTENT, S.DENIED),
    (S.APPROVED, S.RESERVED),
    (S.APPROVED, S.SENT),
    (S.APPROVED, S.SIGNED),
    (S.APPROVED, S.CANCELLED),
    (S.RESERVED, S.SIGNED),
    (S.RESERVED, S.CANCELLED),
    (S.SIGNED, S.SENT),
    (S.SIGNED, S.CANCELLED),
    (S.SENT, S.SEEN),
    (S.SENT, S.SIGNED),
    (S.SENT, S.UNKNOWN),
    (S.SENT, S.CONFIRMED),
    (S.SENT, S.EXPIRED),
    (S.SENT, S.FAILED_ON_CHAIN),
    (S.SEEN, S.CONFIRMED),
    (S.SEEN, S.SIGNED),
    (S.SEEN, S.SENT),
    (S.SEEN, S.UNKNOWN),
    (S.SEEN, S.EXPIRED),
    (S.SEEN, S.FAILED_ON_CHAIN),
    (S.CONFIRMED, S.FINAL),
    (S.CONFIRMED, S.SENT),
    (S.CONFIRMED, S.UNKNOWN),
    (S.FINAL, S.SETTLED),
    (S.UNKNOWN, S.SEEN),
    (S.UNKNOWN, S.SENT),
    (S.UNKNOWN, S.SIGNED),
    (S.UNKNOWN, S.CONFIRMED),
    (S.UNKNOWN, S.EXPIRED),
    (S.UNKNOWN, S.FAILED_ON_CHAIN),
}
"""Written out from the order life of the specification, not from the table."""

ALLOWED |= {
    # The reservation is in the record of APPROVED
    (S.APPROVED, S.SIGNED),
    # Past its limit without proof, though nobody ever said it was on the chain
    (S.SENT, S.UNKNOWN),
    # An exit's next attempt is signed while an earlier one is on its way
    *((state, S.SIGNED) for state in (S.SENT, S.SEEN, S.UNKNOWN)),
    # The earlier one is told of before the next one is sent
    *((S.SIGNED, state) for state in (S.SEEN, S.CONFIRMED, S.UNKNOWN)),
    # The earlier one is dead or failed, the next one never became durable
    *((S.SIGNED, state) for state in (S.EXPIRED, S.FAILED_ON_CHAIN)),
    # An attempt expired before it was durable and the next one is signed
    (S.SIGNED, S.SIGNED),
    # The unknown one is dead, a later one is on its way
    (S.UNKNOWN, S.SENT),
}
"""Of the chain, where orders have attempts."""


@pytest.mark.parametrize(("present", "to"), list(itertools.product(S, S)))
def test_transition_is_allowed_exactly_where_the_order_life_says(present: S, to: S) -> None:
    if (present, to) in ALLOWED:
        assert advance("ab", present, to) is to
    else:
        with pytest.raises(InvariantError, match=f"ab: {present} cannot become {to}"):
            advance("ab", present, to)


def test_table_has_every_state() -> None:
    assert set(TRANSITIONS) == set(S)


def test_terminal_states_are_those_the_ledger_ends_at() -> None:
    assert TERMINAL == ENDED == FAILED | {S.SETTLED}


def test_every_state_in_flight_can_end_without_a_fill() -> None:
    """Liveness: from each of them an expiry or failure is at most two steps away."""
    for state in IN_FLIGHT:
        near = TRANSITIONS[state] | {t for s in TRANSITIONS[state] for t in TRANSITIONS[s]}
        assert {S.EXPIRED, S.FAILED_ON_CHAIN} & near
