"""Orders on their way, and what they reserve."""

from typing import Final

import msgspec

from utb.domain.chain import Attempt
from utb.domain.names import OrderStatus, Side
from utb.domain.orders import OrderIntent, Shares

ENDED: Final = frozenset(
    {
        OrderStatus.DENIED,
        OrderStatus.EXPIRED,
        OrderStatus.FAILED_ON_CHAIN,
        OrderStatus.CANCELLED,
        OrderStatus.SETTLED,
    }
)
"""States after which an order reserves nothing, with or without a fill."""


class PendingOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that has neither filled nor ended."""

    intent: OrderIntent
    status: OrderStatus
    reserved_quote_raw: int
    """Cash set aside for it: a BUY's whole input."""
    risk_at_stop_raw: int
    round_trip_cost_raw: int
    shares: Shares
    attempts: tuple[Attempt, ...] = ()
    """Its signed transactions, oldest first."""
    position_id: int | None = None
    """Position of its fill that vanished: where it lands again it is of the same one, which orders
    on their way name. None: none of its fills has vanished."""

    @property
    def is_entry(self) -> bool:
        """Return whether it adds exposure."""
        return self.intent.side == Side.BUY

    @property
    def in_flight(self) -> bool:
        """Return whether the gate has approved it, so that exposure may come of it."""
        return self.status != OrderStatus.INTENT
