"""Orders and what became of each, newest kept."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

import msgspec

from utb.domain.names import ExitReason, OrderStatus
from utb.domain.orders import OrderIntent, RiskFactor
from utb.domain.records import FillBooked, FillReverted, OrderState

ORDERS_KEPT: Final = 1_000
STEPS_KEPT: Final = 64
"""States kept of one order; its life has fewer."""

ENDED: Final = frozenset(
    {
        OrderStatus.SETTLED,
        OrderStatus.DENIED,
        OrderStatus.EXPIRED,
        OrderStatus.FAILED_ON_CHAIN,
        OrderStatus.CANCELLED,
    }
)
"""States without a next one."""


class Step(msgspec.Struct, frozen=True):
    """One state of an order."""

    seq: int
    ts_ns: int
    status: OrderStatus
    reason: str
    fee_lamports: int


class OrderEntry(msgspec.Struct, kw_only=True):
    """An order with its life so far."""

    intent: OrderIntent
    first_seq: int
    steps: list[Step]
    factors: tuple[RiskFactor, ...] = ()
    risk_at_stop_raw: int = 0
    round_trip_cost_raw: int = 0
    fill: FillBooked | None = None

    @property
    def status(self) -> OrderStatus:
        """Return its present state."""
        return self.steps[-1].status

    @property
    def is_over(self) -> bool:
        """Return whether it has filled or ended."""
        return self.fill is not None or self.status in ENDED

    def add(self, step: Step) -> None:
        """Take a state; one too many replaces the last."""
        if len(self.steps) < STEPS_KEPT:
            self.steps.append(step)
        else:
            self.steps[-1] = step


class OrderLog:
    """The newest orders by intent id."""

    def __init__(self) -> None:
        self._orders: dict[str, OrderEntry] = {}

    def __len__(self) -> int:
        return len(self._orders)

    def get(self, intent_id: str) -> OrderEntry | None:
        """Return an order that is still kept."""
        return self._orders.get(intent_id)

    def newest(self, limit: int) -> Iterator[OrderEntry]:
        """Yield the newest orders, newest first."""
        return islice(reversed(self._orders.values()), limit)

    def sale_after(self, seq: int, instrument: int, position_id: int | None) -> OrderEntry | None:
        """Return the first order to sell that began behind a sequence.

        Args:
            seq: A command's answer.
            instrument: What is sold.
            position_id: What it is sold from; None: not known, so by an order by hand.
        """
        found = None
        for entry in reversed(self._orders.values()):
            intent = entry.intent
            if entry.first_seq <= seq:
                break
            if position_id is not None:
                is_it = intent.position_id == position_id
            else:
                by_hand = intent.exit_reason is ExitReason.MANUAL
                is_it = intent.instrument == instrument and by_hand
            found = entry if is_it else found
        return found

    def on_state(self, seq: int, record: OrderState) -> None:
        """Fold a state; one of an order no longer kept says nothing any more."""
        step = Step(seq, record.ts_ns, record.status, record.reason, record.fee_lamports)
        entry = self._orders.get(record.intent_id)
        if entry is None:
            if record.intent is not None:
                self._add(seq, record, record.intent, step)
            return
        entry.add(step)
        entry.factors = record.factors or entry.factors
        entry.risk_at_stop_raw = record.risk_at_stop_raw or entry.risk_at_stop_raw
        entry.round_trip_cost_raw = record.round_trip_cost_raw or entry.round_trip_cost_raw

    def on_fill(self, record: FillBooked) -> None:
        """Fold a fill."""
        entry = self._orders.get(record.fill.intent_id)
        if entry is not None:
            entry.fill = record

    def on_reverted(self, seq: int, record: FillReverted) -> None:
        """Fold a fill that vanished: the order is on its way again."""
        entry = self._orders.get(record.intent_id)
        if entry is not None:
            entry.fill = None
            entry.add(Step(seq, record.ts_ns, record.status, record.reason, 0))

    def _add(self, seq: int, record: OrderState, intent: OrderIntent, step: Step) -> None:
        self._orders[record.intent_id] = OrderEntry(
            intent=intent,
            first_seq=seq,
            steps=[step],
            factors=record.factors,
            risk_at_stop_raw=record.risk_at_stop_raw,
            round_trip_cost_raw=record.round_trip_cost_raw,
        )
        while len(self._orders) > ORDERS_KEPT:
            del self._orders[next(iter(self._orders))]
