"""Order life as one table: which state may follow which.

INTENT, APPROVED, RESERVED, SIGNED, SENT, SEEN, CONFIRMED, FINAL, SETTLED; ends DENIED, EXPIRED,
FAILED_ON_CHAIN, CANCELLED. The record of APPROVED carries the reservation, so SIGNED may follow it.
A venue without signatures (the simulated one) goes from APPROVED straight to SENT, and from SENT to
CONFIRMED; nothing it confirms can vanish again, so its orders end there.

An exit has several attempts: the next one is SIGNED while an earlier one is SENT, SEEN or UNKNOWN,
and what becomes of the earlier one may be told before the next one is SENT.
"""

from types import MappingProxyType
from typing import Final

from utb.domain.names import OrderStatus
from utb.errors import InvariantError

S = OrderStatus

TRANSITIONS: Final = MappingProxyType(
    {
        S.INTENT: frozenset({S.APPROVED, S.DENIED}),
        S.APPROVED: frozenset({S.RESERVED, S.SIGNED, S.SENT, S.CANCELLED}),
        S.RESERVED: frozenset({S.SIGNED, S.CANCELLED}),
        S.SIGNED: frozenset(
            {
                S.SIGNED,
                S.SENT,
                S.SEEN,
                S.CONFIRMED,
                S.UNKNOWN,
                S.CANCELLED,
                S.EXPIRED,
                S.FAILED_ON_CHAIN,
            }
        ),
        S.SENT: frozenset({S.SIGNED, S.SEEN, S.CONFIRMED, S.UNKNOWN, S.EXPIRED, S.FAILED_ON_CHAIN}),
        S.SEEN: frozenset({S.SIGNED, S.SENT, S.CONFIRMED, S.UNKNOWN, S.EXPIRED, S.FAILED_ON_CHAIN}),
        S.CONFIRMED: frozenset({S.FINAL, S.SENT, S.UNKNOWN}),
        S.FINAL: frozenset({S.SETTLED}),
        S.UNKNOWN: frozenset({S.SIGNED, S.SENT, S.SEEN, S.CONFIRMED, S.EXPIRED, S.FAILED_ON_CHAIN}),
        S.SETTLED: frozenset(),
        S.DENIED: frozenset(),
        S.EXPIRED: frozenset(),
        S.FAILED_ON_CHAIN: frozenset(),
        S.CANCELLED: frozenset(),
    }
)
"""Every state with the states that may follow it."""

TERMINAL: Final = frozenset(state for state, after in TRANSITIONS.items() if not after)
"""States no order leaves."""

IN_FLIGHT: Final = frozenset({S.SIGNED, S.SENT, S.SEEN, S.UNKNOWN})
"""States in which a transaction may still land."""

FAILED: Final = frozenset({S.EXPIRED, S.FAILED_ON_CHAIN, S.CANCELLED, S.DENIED})
"""Ends without a fill."""


def advance(intent_id: str, present: OrderStatus, to: OrderStatus) -> OrderStatus:
    """Return `to`, the order's next state.

    Raises:
        InvariantError: If the table does not allow it.
    """
    if to not in TRANSITIONS[present]:
        raise InvariantError(f"order {intent_id}: {present} cannot become {to}")
    return to
