"""An entry and its sale on a venue that signs and sends, told by the test step by step."""

from typing import Any

from fake_core import SECOND_NS
from session import params_of
from test_trader_onchain import (
    RENT_LAMPORTS,
    account,
    bought,
    filled,
    folded,
    progress,
    reverted,
    sent,
)

from utb.domain.commands import ClosePosition
from utb.domain.names import OrderStatus
from utb.domain.orders import OrderIntent, VenueFailed
from utb.domain.records import FillBooked, OrderState
from utb.node.trader import Trader

FEE = 105_000
OTHERS = 11_000
"""Fees of attempts that failed beside the one that filled."""
CONFIRMED, FINAL, SETTLED = OrderStatus.CONFIRMED, OrderStatus.FINAL, OrderStatus.SETTLED


class Case:
    """An entry and a sale of it, both confirmed where nothing else is asked for."""

    def __init__(
        self,
        *,
        restarts: bool = False,
        fraction: float = 1.0,
        by_hand: bool = False,
        sold: bool = True,
    ) -> None:
        self.restarts = restarts
        self.driver = bought()
        self.entry = self.driver.submissions[-1].intent
        cash, lamports, rent, _ = account(self.driver)
        self.before = (
            cash + self.entry.amount_in_raw,
            lamports + FEE + RENT_LAMPORTS,
            rent - RENT_LAMPORTS,
        )
        if by_hand:
            self.driver.command(ClosePosition(command_id="c1", issued_by="p", position_id=1))
        else:
            self.driver.fire("STOP", fraction=fraction)
        sent(self.driver)
        self.sale = self.driver.submissions[-1].intent
        if sold:
            self.fills(self.sale)

    def entered(self, **more: Any) -> None:
        spent = self.entry.amount_in_raw
        fields = {"base_raw": spent * 10, "quote_raw": spent, "rent_lamports": RENT_LAMPORTS}
        self.fills(self.entry, **(fields | more))

    def fills(self, intent: OrderIntent, **more: Any) -> None:
        amount = intent.amount_in_raw
        fields = {"base_raw": amount, "quote_raw": amount // 10, "rent_lamports": 0}
        filled(self.driver, intent_id=intent.intent_id, **(fields | more))
        self.check()

    def vanishes(self, intent: OrderIntent, status: OrderStatus = OrderStatus.SENT) -> None:
        reverted(self.driver, status, intent_id=intent.intent_id)
        self.check()

    def steps(self, intent: OrderIntent, *statuses: OrderStatus) -> None:
        for status in statuses:
            self.driver.now_ns += SECOND_NS
            fee = OTHERS if status is SETTLED and intent is self.sale else 0
            progress(self.driver, status, intent_id=intent.intent_id, fee_lamports=fee)
            self.check()

    def dies(self, intent: OrderIntent) -> None:
        self.driver.now_ns += SECOND_NS
        event = VenueFailed(
            intent_id=intent.intent_id,
            ts_ns=self.driver.now_ns,
            status=OrderStatus.EXPIRED,
            fee_lamports=0,
            reason="proven",
        )
        self.driver.venue(event)
        self.check()

    def check(self) -> None:
        """Hold the records alone against the book; go on as a new process, if it is to."""
        trader = self.driver.trader
        assert folded(self.driver).save() == trader.book.save()
        for asset in trader.book.state.balances:
            assert sum(trader.book.balances_of(asset).values()) == 0
        if self.restarts:
            desk = trader.desk
            anew = Trader(desk.config, desk.instruments, params_of, on_chain=True)
            anew.load(trader.save())
            assert anew.save() == trader.save()
            self.driver.trader = anew

    @property
    def position_ids(self) -> list[int]:
        return [record.fill.position_id for record in self.driver.of(FillBooked)]

    def ends(self, *, sold: bool = True, kept_raw: int = 0, spent: bool = True) -> None:
        """See that everything is settled and the wallet has what the chain's transfers make."""
        book, state = self.driver.trader.book, self.driver.trader.desk.state
        assert (book.pending, book.provisional, state.told, state.undo) == ({}, {}, {}, {})
        cash, lamports, rent = self.before
        if spent:
            cash -= self.entry.amount_in_raw
            lamports, rent = lamports - FEE - RENT_LAMPORTS, rent + RENT_LAMPORTS
        if sold:
            cash, lamports = cash + self.sale.amount_in_raw // 10, lamports - FEE - OTHERS
        assert account(self.driver) == (cash, lamports, rent, 0)
        assert sum(p.base_raw for p in book.positions.values()) == kept_raw
        assert set(self.driver.core.state.armed) == set(state.watches) == set(book.positions)
        assert set(state.exits) == set(book.positions)

    def last(self, intent: OrderIntent) -> list[OrderStatus]:
        return [r.status for r in self.driver.of(OrderState) if r.intent_id == intent.intent_id]


def both_settle(case: Case) -> None:
    case.steps(case.entry, FINAL, SETTLED)
    case.steps(case.sale, FINAL, SETTLED)
    case.ends()
    assert set(case.position_ids) == {1}
    assert case.driver.trader.book.state.trades_closed == 1
    assert case.driver.trader.book.trades[-1].fee_lamports == 2 * FEE
