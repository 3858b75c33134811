"""Housekeeping transactions as the journal knows them: announced, and what became of them. Pure.

A flow of a fee and a signature, without lamports, announces a transaction before it leaves. The
next flow of a fee with that signature closes it: with the fee it paid, or without lamports again if
it is proven never to land. Rent that it brought back is booked before that, so a transaction whose
booking was cut short is still open, and it is known what of it is booked.
"""

from typing import Final

import msgspec

from utb.domain.orders import FlowCause, VenueFlow
from utb.domain.records import Flow

FEE_LAMPORTS_MAX: Final = 10_000
"""More than such a transaction costs: one signature is 5,000, its compute units some hundred."""


class Announced(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction that is announced and not closed."""

    signature: str
    reason: str
    """What it is for, in words."""
    rent_booked: bool
    """Whether the rent it brought back is in the book; its fee is not."""


class Announcements:
    """Follows the flows of a journal."""

    def __init__(self) -> None:
        self._open: dict[str, Announced] = {}

    def learn(self, flow: Flow | VenueFlow) -> None:
        """Take a flow, in the order of the journal."""
        signature = flow.signature
        known = self._open.get(signature)
        if known is None:
            if signature and flow.cause is FlowCause.HOUSEKEEPING_FEE and flow.lamports == 0:
                self._open[signature] = Announced(
                    signature=signature, reason=flow.reason, rent_booked=False
                )
        elif flow.cause is FlowCause.HOUSEKEEPING_FEE:
            del self._open[signature]
        elif flow.cause is FlowCause.RENT:
            self._open[signature] = msgspec.structs.replace(known, rent_booked=True)

    @property
    def open(self) -> tuple[Announced, ...]:
        """Return what is announced and not closed, in the order of its announcement."""
        return tuple(self._open.values())
