"""The runner's side of a venue on the chain: orders and signed transactions out, nothing drawn.

Its events come as items of the feed and are on the tape. While a restarted session meets its tape
again, what it asks for was asked for before: nothing goes out until `start`.
"""

from typing import TYPE_CHECKING, Final

from utb.domain.chain import ChainFill
from utb.domain.names import OrderStatus
from utb.ports.chain import ChainVenue, OpenOrder

if TYPE_CHECKING:
    from collections.abc import Callable

    from utb.domain.orders import Fill, OrderEnd, Submission, VenueFilled
    from utb.ledger.pending import PendingOrder
    from utb.node.desk import Desk
    from utb.node.result import ChainHeld


CONFIRMED: Final = OrderStatus.CONFIRMED


class ChainSide:
    """A venue whose world is outside: nothing of its own is due, and nothing is saved."""

    def __init__(self) -> None:
        """Let nothing out yet."""
        self._venue: ChainVenue | None = None
        self.outlet: Callable[[Callable[[], None]], None] | None = None
        """Calls what hands an order out, when its time has come; None: at once."""
        self.held: ChainHeld | None = None
        """What the wallet holds at the market's end, beside the ledger; None: not read."""

    @property
    def started(self) -> bool:
        """Return whether orders go out."""
        return self._venue is not None

    def start(self, venue: ChainVenue, desk: "Desk") -> None:
        """Let orders out from now on, beginning with those that were on their way."""
        self._venue = venue
        venue.recover(open_orders(desk))

    def submit(self, submission: "Submission", now_ns: int) -> None:
        """Hand an approved order to the venue."""
        venue = self._venue
        if venue is None:
            return
        if self.outlet is None:
            venue.submit(submission, now_ns)
        else:
            self.outlet(lambda: venue.submit(submission, now_ns))

    def release(self, signature: str) -> None:
        """Let a signed transaction leave: its record is durable."""
        if self._venue is not None:
            self._venue.release(signature)

    def next_event_ns(self) -> int | None:
        """Return None: its events come by themselves."""
        return None

    def waiting_instruments(self) -> tuple[int, ...]:
        """Return (): no order waits for a price."""
        return ()

    def observe(self, now_ns: int) -> None:
        """Do nothing."""

    def poll(self, now_ns: int) -> "list[OrderEnd]":
        """Return nothing."""
        del now_ns
        return []

    def finish(self, now_ns: int) -> "list[OrderEnd]":
        """Return nothing: an order on the chain ends on the chain."""
        del now_ns
        return []

    def close_out(self, submission: "Submission", now_ns: int) -> "VenueFilled | None":
        """Return None: there is no price but the chain's."""
        del submission, now_ns
        return None

    def save(self) -> bytes:
        """Return nothing: the journal holds every transaction that was signed."""
        return b""

    def load(self, state: bytes) -> None:
        """Take nothing."""
        del state


def open_orders(desk: "Desk") -> tuple[OpenOrder, ...]:
    """Return the orders whose end the chain has not told, or that may still vanish.

    A fill that waits for its entry is one the venue told: it has to know it, to tell it vanished.
    """
    book, told = desk.book, desk.state.told
    waiting: list[tuple[PendingOrder, OrderStatus, Fill | None]] = []
    for intent_id, order in book.pending.items():
        if intent_id in told:
            waiting.append((order, CONFIRMED, told[intent_id].fill))
        else:
            waiting.append((order, order.status, None))
    waiting += [(one.order, CONFIRMED, one.record.fill) for one in book.provisional.values()]
    return tuple(
        OpenOrder(
            intent=order.intent,
            status=status,
            fee_lamports_max=desk.settings.max_fee_lamports,
            attempts=order.attempts,
            fill=None if fill is None else _on_chain(fill),
        )
        for order, status, fill in waiting
    )


def _on_chain(fill: "Fill") -> ChainFill:
    return ChainFill(
        signature=fill.signature,
        slot=fill.slot,
        base_raw=fill.base_raw,
        quote_raw=fill.quote_raw,
        fee_lamports=fill.fee_lamports - fill.tip_lamports,
        tip_lamports=fill.tip_lamports,
        rent_lamports=fill.rent_lamports,
        compute_units=0,
    )
