"""Whatever is told of an entry and its sales, in any order: the book ends as the chain."""

import random
from collections import Counter
from typing import Any

import pytest
from fake_core import SECOND_NS
from fork_case import FEE, FINAL, OTHERS, SETTLED, Case
from test_trader_onchain import RENT_LAMPORTS, account, attempt, filled, progress, reverted

from utb.domain.names import OrderStatus, Side
from utb.domain.orders import OrderIntent, VenueFailed

SEEDS = 120
TROUBLE_STEPS = 25
"""After so many, what is told becomes final by and by."""
SENT, UNKNOWN = OrderStatus.SENT, OrderStatus.UNKNOWN


class Order:
    """An order as the venue sees it: what it told last, and nothing more."""

    def __init__(self, intent: OrderIntent, status: OrderStatus) -> None:
        self.intent = intent
        self.status = status
        self.fill: dict[str, int] = {}

    @property
    def buys(self) -> bool:
        return self.intent.side is Side.BUY

    @property
    def open(self) -> bool:
        return self.status not in {SETTLED, OrderStatus.EXPIRED}


class World:
    """A venue that tells of each order what its life allows, in an order drawn from a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - no secret, repeatable
        self.case = Case(restarts=seed % 3 == 0, fraction=self.rng.choice((0.5, 1.0)))
        self.driver = self.case.driver
        self.orders = {
            intent.intent_id: Order(intent, OrderStatus.CONFIRMED)
            for intent in (self.case.entry, self.case.sale)
        }
        spent, sold = self.case.entry.amount_in_raw, self.case.sale.amount_in_raw
        entry, sale = self.orders.values()
        entry.fill = {"base_raw": spent * 10, "quote_raw": spent, "rent_lamports": RENT_LAMPORTS}
        sale.fill = {"base_raw": sold, "quote_raw": sold // 10, "rent_lamports": 0}
        self.steps = 0

    def run(self) -> None:
        while live := [order for order in self.orders.values() if order.open]:
            self.steps += 1
            self.driver.now_ns += SECOND_NS
            if self.steps < TROUBLE_STEPS and self.rng.random() < 0.2:
                kind, fraction = self.rng.choice((("STOP", 1.0), ("PARTIAL", 0.5)))
                if self.driver.trader.book.positions:
                    self.driver.fire(kind, fraction=fraction)
            else:
                self._tell(self.rng.choice(live))
            self._take_new()
            self.case.check()

    def _take_new(self) -> None:
        for submission in self.driver.submissions[len(self.orders) :]:
            intent = submission.intent
            assert intent.intent_id not in self.orders
            self.orders[intent.intent_id] = Order(intent, SENT)
            self._progress(self.orders[intent.intent_id], OrderStatus.SIGNED, attempt=attempt())
            self._progress(self.orders[intent.intent_id], SENT)

    def _tell(self, order: Order) -> None:
        chance = self.rng.random()
        if order.status is FINAL:
            self._progress(order, SETTLED, fee_lamports=0 if order.buys else OTHERS)
        elif order.status is OrderStatus.CONFIRMED:
            if chance < (0.6 if self.steps < TROUBLE_STEPS else 0.1):
                order.status = self.rng.choice((SENT, UNKNOWN))
                reverted(self.driver, order.status, intent_id=order.intent.intent_id)
            else:
                self._progress(order, FINAL)
        elif chance < 0.6:
            self._fill(order)
        elif chance < 0.8:
            self._progress(order, UNKNOWN if order.status is SENT else SENT)
        else:
            order.status = OrderStatus.EXPIRED
            self.driver.venue(
                VenueFailed(
                    intent_id=order.intent.intent_id,
                    ts_ns=self.driver.now_ns,
                    status=order.status,
                    fee_lamports=0,
                    reason="proven",
                )
            )

    def _fill(self, order: Order) -> None:
        amount = order.intent.amount_in_raw
        other = self.rng.choice((0, 0, 5, -7))
        order.status = OrderStatus.CONFIRMED
        if order.buys:
            order.fill["base_raw"] = amount * 10 + other
        else:
            order.fill = {"base_raw": amount, "quote_raw": amount // 10 + other}
            order.fill["rent_lamports"] = self.rng.choice((0, RENT_LAMPORTS))
        filled(self.driver, intent_id=order.intent.intent_id, **order.fill)

    def _progress(self, order: Order, status: OrderStatus, **more: Any) -> None:
        order.status = status
        progress(self.driver, status, intent_id=order.intent.intent_id, **more)

    def check(self) -> None:
        """Hold the book against the sum of what settled."""
        sums = Counter[str]()
        for order in self.orders.values():
            if order.status is SETTLED:
                sign = 1 if order.buys else -1
                sums["base"] += sign * order.fill["base_raw"]
                sums["cash"] -= sign * order.fill["quote_raw"]
                sums["rent"] += order.fill["rent_lamports"]
                sums["fees"] += FEE + (0 if order.buys else OTHERS)
        cash, lamports, rent = self.case.before
        lamports -= sums["fees"] + sums["rent"]
        assert account(self.driver) == (cash + sums["cash"], lamports, rent + sums["rent"], 0)
        book, state = self.driver.trader.book, self.driver.trader.desk.state
        # What was sold beyond what was bought was others'
        assert sum(p.base_raw for p in book.positions.values()) == max(sums["base"], 0)
        assert (book.pending, book.provisional, state.told, state.undo) == ({}, {}, {}, {})
        assert set(self.driver.core.state.armed) == set(state.watches) == set(book.positions)
        assert set(state.exits) == set(book.positions)
        assert [e.intent_id for e in state.exits.values()] == [None] * len(state.exits)


@pytest.mark.parametrize("part", range(4))
def test_any_telling_ends_as_the_chain(part: int) -> None:
    for seed in range(part, SEEDS, 4):
        world = World(seed)
        world.run()
        world.check()
