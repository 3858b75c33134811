"""Accounting identities after each of 10,000 random steps, 200,000 in the long form."""

import os
from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_parts import INSTRUMENTS, buy_order, ended, filled, opened, sell_order

from utb.domain.amounts import price_q64_floor, quote_value_floor
from utb.domain.names import OrderStatus
from utb.domain.records import CashMoved, FillBooked, OrderState, Record, TriggerMovedRecord
from utb.ledger.book import Book

COUNT = 200_000 if os.environ.get("UTB_LONG") else 10_000
RUN = 100
SOL_MARK = price_q64_floor(150.0, 9, 6)
MARKS = {0: price_q64_floor(97.3, 9, 6), 1: price_q64_floor(0.0123, 9, 6), 2: 1}


class Journal:
    """An account under any sequence of flows, orders, fills, failures and repeats."""

    def __init__(self) -> None:
        self.book = Book(INSTRUMENTS)
        self.journal: list[Record] = []
        self.count = 0
        self.open_orders: list[OrderState] = []
        self.paid = self.received = self.lamports = 0
        self.base = [0, 0, 0]
        self.pnl = 0
        self.put(opened(1_000_000))

    def put(self, record: Record) -> None:
        self.journal.append(record)
        trade = self.book.apply(record)
        if trade is not None:
            self.pnl += trade.pnl_quote_raw
            assert trade.pnl_quote_raw == (
                trade.exit_quote_raw - trade.entry_quote_raw - trade.fee_quote_raw
            )

    def name(self) -> str:
        self.count += 1
        return f"{self.count:016x}"

    def flow(self, pick: int, amount: int, lamports: int) -> None:
        """Deposit, or withdraw what no order has reserved."""
        quote = amount if pick % 2 else -(amount // 1_000)
        quote = max(quote, -self.book.available_quote_raw)
        self.put(CashMoved(ts_ns=0, quote_raw=quote, lamports=lamports, cause="flow"))

    def order_buy(self, pick: int, amount: int, _lamports: int) -> None:
        order = buy_order(self.name(), min(amount // 100, self.book.available_quote_raw), pick % 3)
        if order.reserved_quote_raw > 0:
            self.open_orders.append(order)
            self.put(order)

    def order_sell(self, pick: int, amount: int, _lamports: int) -> None:
        positions = list(self.book.positions.values())
        if not positions:
            return
        part = 1 + amount % 4
        position = positions[pick % len(positions)]
        promised = sum(
            o.intent.amount_in_raw
            for o in self.open_orders
            if o.intent is not None and o.intent.position_id == position.position_id
        )
        sold = (position.base_raw - promised + part - 1) // part
        if sold > 0:
            order = sell_order(self.name(), position.position_id, sold, position.instrument)
            self.open_orders.append(order)
            self.put(order)

    def fill(self, pick: int, amount: int, lamports: int) -> None:
        """Fill any open order, at any price."""
        if not self.open_orders:
            return
        order = self.open_orders.pop(pick % len(self.open_orders))
        intent = order.intent
        assert intent is not None
        lamports = min(lamports, self.book.sol_lamports)
        if intent.position_id is None:
            # Half of the purchases add a lot to a position of the instrument
            held = self.book.position_of(intent.instrument)
            add = held is not None and pick % 2 == 0
            target = held.position_id if add and held else self.book.next_position_id
            record = filled(order, amount, intent.amount_in_raw, target, lamports)
            self.paid += intent.amount_in_raw
            self.base[intent.instrument] += amount
        else:
            record = filled(order, intent.amount_in_raw, amount, intent.position_id, lamports)
            self.received += amount
            self.base[intent.instrument] -= intent.amount_in_raw
        self.lamports += lamports
        self.put(record)

    def fail(self, pick: int, _amount: int, lamports: int) -> None:
        if not self.open_orders:
            return
        order = self.open_orders.pop(pick % len(self.open_orders))
        lamports = min(lamports, self.book.sol_lamports)
        self.lamports += lamports
        self.put(ended(order.intent_id, OrderStatus.FAILED_ON_CHAIN, lamports))

    def repeat(self, pick: int, _amount: int, _lamports: int) -> None:
        """A fill or an end that comes again changes nothing."""
        done = [r for r in self.journal if isinstance(r, FillBooked) or _is_end(r)]
        if done:
            before = self.book.save()
            self.put(done[pick % len(done)])
            assert self.book.save() == before

    def mark_or_move(self, pick: int, _amount: int, _lamports: int) -> None:
        equity = self.book.equity_quote_raw(MARKS, SOL_MARK)
        assert equity is not None
        self.put(self.book.equity_mark(0, equity, equity))
        stop = float(pick % 90)
        self.put(TriggerMovedRecord(ts_ns=0, position_id=1, stop=stop, target=None, cause="T"))

    def accounts_balance(self) -> None:
        book, state = self.book, self.book.state
        for asset in state.balances:
            assert sum(state.balances[asset].values()) == 0
        assert book.cash_quote_raw == state.flows_quote_raw - self.paid + self.received
        assert book.sol_lamports == state.flows_lamports - self.lamports
        assert book.fees.network_lamports == self.lamports
        for index in range(3):
            inventory = book.balances_of(f"mint{index}").get("inventory", 0)
            held = [p.base_raw for p in book.positions.values() if p.instrument == index]
            assert inventory == self.base[index] == sum(held) >= 0

    def costs_are_conserved(self) -> None:
        """Cost of what was sold + cost of what is held = paid, lot by lot as well."""
        state = self.book.state
        open_cost = sum(p.cost_quote_raw for p in self.book.positions.values())
        assert self.received - state.realised_quote_raw + open_cost == self.paid
        for holding in state.holdings.values():
            assert sum(lot.base_raw for lot in holding.lots) == holding.position.base_raw
            assert (
                sum(lot.cost_quote_raw for lot in holding.lots) == holding.position.cost_quote_raw
            )
            assert all(lot.base_raw > 0 <= lot.cost_quote_raw for lot in holding.lots)

    def equity_is_flows_plus_profit(self) -> None:
        book, state = self.book, self.book.state
        unrealised = book.unrealised_quote_raw(MARKS)
        assert unrealised is not None
        sol = quote_value_floor(book.sol_lamports, SOL_MARK)
        expected = state.flows_quote_raw + state.realised_quote_raw + unrealised + sol
        assert book.equity_quote_raw(MARKS, SOL_MARK) == expected

    def reservations_are_those_of_open_orders(self) -> None:
        reserved = sum(o.reserved_quote_raw for o in self.open_orders)
        assert self.book.state.reserved_quote_raw == reserved
        assert set(self.book.pending) == {o.intent_id for o in self.open_orders}
        assert self.book.available_quote_raw >= 0

    def check(self) -> None:
        """Hold the book against every identity."""
        self.accounts_balance()
        self.costs_are_conserved()
        self.equity_is_flows_plus_profit()
        self.reservations_are_those_of_open_orders()

    def check_fold(self) -> None:
        """The journal folded from zero, and from any snapshot, is the live book."""
        again = Book(INSTRUMENTS)
        for number, record in enumerate(self.journal):
            if number == len(self.journal) // 2:
                again = Book.load(again.save(), INSTRUMENTS)
            again.apply(record)
        assert again.save() == self.book.save()
        if not self.book.positions:
            assert self.pnl <= self.book.state.realised_quote_raw


def _is_end(record: Record) -> bool:
    return isinstance(record, OrderState) and record.status == OrderStatus.FAILED_ON_CHAIN


STEPS = ("order_buy", "order_sell", "fill", "fill", "fail", "flow", "repeat", "mark_or_move")
Step = tuple[str, int, int, int]
picks = st.integers(min_value=0, max_value=10**6)
amounts = st.integers(min_value=1, max_value=10**13)


def run(steps: Iterable[Step]) -> None:
    journal = Journal()
    for name, pick, amount, lamports in steps:
        getattr(journal, name)(pick, amount, lamports)
        journal.check()
    journal.check_fold()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(STEPS), picks, amounts, picks), max_size=50))
def test_identities_hold_after_every_step(steps: list[Step]) -> None:
    run(steps)


@pytest.mark.timeout(3000)
def test_identities_hold_over_long_journals() -> None:
    random = Random(1)  # noqa: S311
    for _ in range(COUNT // RUN):
        run(
            (
                random.choice(STEPS),
                random.randrange(10**6),
                int(10 ** random.uniform(0, 13)),
                random.randrange(10**6),
            )
            for _ in range(RUN)
        )
