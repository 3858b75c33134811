"""The journal of the simulated process, and the orders it folds to."""

from typing import NamedTuple

from model_chain import Tx

from utb.domain.chain import ChainFill
from utb.domain.names import OrderStatus
from utb.orderlife.life import AttemptLife, AttemptState, Life, OrderKind, opened, restored_from
from utb.orderlife.table import TERMINAL, advance


class Opened(NamedTuple):
    """An order was approved."""

    intent: str
    kind: OrderKind
    mint: int
    amount: int
    decision: str
    position: str
    """Intent of the entry it reduces; its own for an entry."""
    epoch: int
    unguarded_first: bool


class SignedRecord(NamedTuple):
    """An attempt as it may be sent from now on."""

    intent: str
    tx: Tx
    number: int
    limit_height: int
    guarded: bool


class Moved(NamedTuple):
    """An order's status; a fee with its end."""

    intent: str
    status: OrderStatus
    fee: int = 0


class FillBooked(NamedTuple):
    """A fill entered the book; one with nothing undoes it."""

    intent: str
    status: OrderStatus
    fill: ChainFill | None


Record = Opened | SignedRecord | Moved | FillBooked


class Order:
    """An order as the records make it."""

    __slots__ = ("attempts", "fee", "fill", "opened", "status")

    def __init__(self, opened_record: Opened) -> None:
        self.opened = opened_record
        self.status = OrderStatus.APPROVED
        self.attempts: list[SignedRecord] = []
        self.fill: ChainFill | None = None
        self.fee = 0

    @property
    def ended(self) -> bool:
        """Return whether it is over."""
        return self.status in TERMINAL

    def life(self) -> Life:
        """Return its life, new."""
        record = self.opened
        return opened(record.intent, record.kind, unguarded_first=record.unguarded_first)

    def restored(self) -> Life:
        """Return its life after a restart."""
        attempts = tuple(
            AttemptLife(
                number=a.number,
                signature=a.tx.signature,
                limit_height=a.limit_height,
                guarded=a.guarded,
                state=AttemptState.SENT,
            )
            for a in self.attempts
        )
        return restored_from(self.life(), self.status, attempts, self.fill)


class Journal:
    """Records in order; a crash keeps those that were synced."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.durable = 0
        """So many of them survive a crash."""
        self.orders: dict[str, Order] = {}
        self.signed_at: dict[str, int] = {}
        """Place of an attempt's record by its signature."""

    def post(self, record: Record) -> None:
        """Append a record and fold it.

        Raises:
            InvariantError: If the order life's table does not allow its status.
        """
        if isinstance(record, SignedRecord):
            self.signed_at[record.tx.signature] = len(self.records)
        self.records.append(record)
        self._fold(record)

    def _fold(self, record: Record) -> None:
        if isinstance(record, Opened):
            self.orders[record.intent] = Order(record)
            return
        order = self.orders[record.intent]
        status = OrderStatus.SIGNED if isinstance(record, SignedRecord) else record.status
        order.status = advance(record.intent, order.status, status)
        if isinstance(record, SignedRecord):
            order.attempts.append(record)
        elif isinstance(record, FillBooked):
            order.fill = record.fill
        else:
            order.fee += record.fee

    def is_durable(self, signature: str) -> bool:
        """Return whether an attempt's record survives a crash."""
        place = self.signed_at.get(signature)
        return place is not None and place < self.durable

    def crash(self) -> None:
        """Lose what was not synced and fold the rest."""
        del self.records[self.durable :]
        self.orders.clear()
        self.signed_at.clear()
        for place, record in enumerate(self.records):
            if isinstance(record, SignedRecord):
                self.signed_at[record.tx.signature] = place
            self._fold(record)
