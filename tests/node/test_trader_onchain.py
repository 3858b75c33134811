"""The trader on a venue that signs and sends: steps, vanished fills, money beside orders."""

from typing import Any

import pytest
from driver import Driver
from fake_core import SECOND_NS

from utb.domain.chain import Attempt, Route
from utb.domain.names import BreakerKind, OrderStatus, RefusalCode, Side
from utb.domain.orders import (
    FlowCause,
    VenueDiscrepancy,
    VenueFailed,
    VenueFilled,
    VenueFlow,
    VenueProgress,
    VenueReverted,
)
from utb.domain.records import CashMoved, Decision, FillBooked, FillReverted, OrderState, Refused
from utb.errors import InvariantError
from utb.ledger.book import Book

SOL_LAMPORTS = 1_000_000_000
CASH_RAW = 20_000_000_000
RENT_LAMPORTS = 2_039_280


def opened() -> Driver:
    """Return a trader whose wallet was read."""
    driver = Driver(on_chain=True)
    driver.venue(flow(FlowCause.EXTERNAL, 3 * SOL_LAMPORTS, CASH_RAW))
    driver.take(driver.trader.on_prices(driver.now_ns, driver.core))
    return driver


def flow(cause: FlowCause, lamports: int, quote_raw: int = 0) -> VenueFlow:
    return VenueFlow(ts_ns=SECOND_NS, cause=cause, lamports=lamports, quote_raw=quote_raw)


def attempt(number: int = 0) -> Attempt:
    route = Route(
        legs=(),
        slot=5,
        mid_price=100.0,
        quoted_out_raw=1,
        min_out_raw=1,
        net_out_raw=1,
        protected=False,
    )
    return Attempt(
        number=number,
        signature=f"signature{number}",
        transaction=b"signed",
        blockhash="hash",
        last_valid_block_height=150,
        height_seen=1,
        senders=("a",),
        guard=None,
        sequence=number,
        compute_unit_limit=200_000,
        compute_unit_price=1,
        tip_lamports=0,
        route=route,
    )


def progress(driver: Driver, status: OrderStatus, **more: Any) -> list[str]:
    intent_id = more.pop("intent_id", driver.submissions[-1].intent.intent_id)
    event = VenueProgress(intent_id=intent_id, ts_ns=driver.now_ns, status=status, **more)
    return driver.venue(event).releases


def filled(driver: Driver, **more: Any) -> None:
    intent = driver.submissions[-1].intent
    driver.now_ns += SECOND_NS
    buy = intent.side is Side.BUY
    base = intent.amount_in_raw * 10 if buy else intent.amount_in_raw
    fields: dict[str, Any] = {
        "intent_id": intent.intent_id,
        "ts_ns": driver.now_ns,
        "base_raw": base,
        "quote_raw": intent.amount_in_raw if buy else intent.amount_in_raw // 10,
        "pool_fee_quote_raw": 7,
        "fee_lamports": 105_000,
        "mid_price": 100.0,
        "indicative": False,
        "signature": "signature0",
        "slot": 9,
        "rent_lamports": RENT_LAMPORTS if buy else 0,
        "provisional": True,
    }
    driver.venue(VenueFilled(**(fields | more)))


def sent(driver: Driver) -> None:
    assert progress(driver, OrderStatus.SIGNED, attempt=attempt()) == ["signature0"]
    assert progress(driver, OrderStatus.SENT) == []


def bought() -> Driver:
    driver = opened()
    driver.decide("BUY")
    sent(driver)
    filled(driver)
    return driver


def account(driver: Driver) -> tuple[int, ...]:
    book = driver.trader.book
    reserved = book.state.reserved_quote_raw
    return book.cash_quote_raw, book.sol_lamports, book.rent_lamports, reserved


def folded(driver: Driver) -> Book:
    """Return what the records alone make; a replica has no more."""
    book = Book(driver.trader.desk.instruments)
    for record in driver.records:
        book.apply(record)
    return book


def reverted(driver: Driver, status: OrderStatus = OrderStatus.SENT, intent_id: str = "") -> None:
    driver.now_ns += SECOND_NS
    intent_id = intent_id or driver.submissions[-1].intent.intent_id
    driver.venue(
        VenueReverted(
            intent_id=intent_id,
            ts_ns=driver.now_ns,
            signature="signature0",
            status=status,
            reason="fork",
        )
    )


def test_account_opens_with_what_the_wallet_holds() -> None:
    driver = Driver(on_chain=True)
    assert not driver.trader.is_open
    driver.decide("BUY")
    assert driver.submissions == []
    driver.venue(flow(FlowCause.EXTERNAL, 3 * SOL_LAMPORTS, CASH_RAW))
    driver.take(driver.trader.on_prices(driver.now_ns, driver.core))
    assert account(driver) == (CASH_RAW, 3 * SOL_LAMPORTS, 0, 0)
    assert [record.cause for record in driver.of(CashMoved)] == ["opening"]


def test_order_is_released_only_with_its_signed_record() -> None:
    driver = opened()
    effects = driver.decide("BUY")
    assert [r.status for r in effects.records if isinstance(r, OrderState)] == ["APPROVED"]
    assert effects.releases == []
    sent(driver)
    signed = driver.of(OrderState)[1]
    assert signed.attempt == attempt()
    assert driver.trader.book.pending[signed.intent_id].attempts == (attempt(),)


def test_step_that_cannot_follow_is_an_error() -> None:
    driver = opened()
    driver.decide("BUY")
    with pytest.raises(InvariantError, match="cannot become"):
        progress(driver, OrderStatus.FINAL)


def test_fill_books_rent_apart_from_fees() -> None:
    driver = opened()
    driver.decide("BUY")
    sent(driver)
    cash, lamports, _, reserved = account(driver)
    assert reserved == driver.submissions[-1].intent.amount_in_raw
    filled(driver)
    assert account(driver) == (
        cash - reserved,
        lamports - 105_000 - RENT_LAMPORTS,
        RENT_LAMPORTS,
        0,
    )
    assert driver.trader.book.fees.network_lamports == 105_000
    for status in (OrderStatus.FINAL, OrderStatus.SETTLED):
        progress(driver, status)
    assert driver.trader.book.provisional == {}
    assert driver.trader.desk.state.undo == {}


def test_fill_that_is_final_at_once_waits_for_what_failed_attempts_cost() -> None:
    driver = opened()
    driver.decide("BUY")
    sent(driver)
    filled(driver, provisional=False)
    intent_id = driver.submissions[-1].intent.intent_id
    assert list(driver.trader.book.provisional) == [intent_id]
    _, lamports, *_ = account(driver)
    progress(driver, OrderStatus.FINAL)
    progress(driver, OrderStatus.SETTLED, fee_lamports=25_000)
    assert driver.trader.book.provisional == {}
    assert driver.of(OrderState)[-1].status is OrderStatus.SETTLED
    assert account(driver)[1] == lamports - 25_000
    assert folded(driver).sol_lamports == lamports - 25_000


def test_vanished_entry_leaves_no_trace_but_its_order() -> None:
    driver = opened()
    driver.decide("BUY")
    sent(driver)
    before = account(driver)
    filled(driver)
    reverted(driver)
    book = driver.trader.book
    assert account(driver) == before
    assert book.positions == {}
    assert driver.trader.desk.state.watches == {}
    assert [order.status for order in book.pending.values()] == ["SENT"]
    assert sum(book.balances_of("SOL").values()) == 0
    assert folded(driver).save() == book.save()
    filled(driver, base_raw=123_456, slot=12)
    assert book.position_of(0) is not None
    assert driver.core.state.armed.keys() == book.positions.keys()


def test_vanished_exit_brings_its_position_back() -> None:
    driver = bought()
    position, before = driver.position(), account(driver)
    watch = driver.trader.desk.state.watches[1]
    driver.fire("STOP")
    sent(driver)
    filled(driver)
    assert driver.trader.book.positions == {}
    assert driver.trader.book.state.trades_closed == 1
    reverted(driver, OrderStatus.UNKNOWN)
    assert driver.position() == position
    assert account(driver) == before
    assert driver.trader.book.state.trades_closed == 0
    assert driver.trader.book.trades == []
    assert driver.trader.desk.state.watches == {1: watch}
    assert driver.trader.desk.state.exits[1].intent_id == driver.submissions[-1].intent.intent_id
    assert folded(driver).save() == driver.trader.book.save()
    filled(driver)
    assert driver.trader.book.positions == {}


def test_vanished_partial_exit_takes_a_later_one_off_and_puts_it_back() -> None:
    driver = bought()
    held = driver.position().base_raw
    driver.fire("PARTIAL", fraction=0.5)
    first = driver.submissions[-1].intent
    sent(driver)
    filled(driver)
    driver.fire("STOP")
    sent(driver)
    second = driver.submissions[-1].intent
    filled(driver)
    assert driver.trader.book.positions == {}
    reverted(driver, intent_id=first.intent_id)
    assert [r.intent_id for r in driver.of(FillReverted)] == [second.intent_id, first.intent_id]
    assert driver.position().base_raw == held - second.amount_in_raw
    assert list(driver.trader.book.pending) == [first.intent_id]
    assert [r.fill.intent_id for r in driver.of(FillBooked)][-1] == second.intent_id
    assert folded(driver).save() == driver.trader.book.save()


def test_vanished_entry_takes_its_exits_with_it() -> None:
    driver = opened()
    driver.decide("BUY")
    sent(driver)
    before = account(driver)
    entry = driver.submissions[-1].intent
    filled(driver)
    driver.fire("STOP")
    sent(driver)
    filled(driver)
    reverted(driver, intent_id=entry.intent_id)
    book = driver.trader.book
    assert account(driver) == before
    assert {o.intent.side: o.status for o in book.pending.values()} == {
        Side.SELL: OrderStatus.UNKNOWN,
        Side.BUY: OrderStatus.SENT,
    }
    assert book.positions == {}
    assert folded(driver).save() == book.save()


def test_repeat_of_a_vanished_fill_does_nothing() -> None:
    driver = bought()
    reverted(driver)
    count = len(driver.records)
    reverted(driver)
    assert len(driver.records) == count


def test_failed_attempts_beside_the_one_that_filled_are_paid_when_it_settles() -> None:
    driver = bought()
    _, lamports, _, _ = account(driver)
    progress(driver, OrderStatus.FINAL)
    progress(driver, OrderStatus.SETTLED, fee_lamports=11_000)
    assert account(driver)[1] == lamports - 11_000
    assert driver.trader.book.fees.failed_lamports == 11_000
    assert folded(driver).save() == driver.trader.book.save()


def test_settled_fill_is_final() -> None:
    driver = bought()
    for status in (OrderStatus.FINAL, OrderStatus.SETTLED):
        progress(driver, status)
    reverted(driver)
    assert driver.of(FillReverted) == []
    assert driver.trader.book.position_of(0) is not None


def test_attempts_of_one_exit_count_together() -> None:
    driver = bought()
    driver.fire("STOP")
    sent(driver)
    intent = driver.submissions[-1].intent
    event = VenueFailed(
        intent_id=intent.intent_id,
        ts_ns=driver.now_ns,
        status=OrderStatus.EXPIRED,
        fee_lamports=0,
        reason="four attempts",
        attempts=driver.config.execution.exit_attempts_max,
        slot=9,
    )
    driver.venue(event)
    assert [one.slot for one in driver.of(OrderState) if one.status is event.status] == [9]
    assert driver.submissions[-1].intent == intent
    assert driver.trader.desk.state.exits[1].epoch == 1


def test_flows_move_lamports_between_wallet_and_rent() -> None:
    driver = bought()
    cash, lamports, rent, _ = account(driver)
    driver.venue(flow(FlowCause.RENT, RENT_LAMPORTS))
    driver.venue(flow(FlowCause.HOUSEKEEPING_FEE, -5_000))
    driver.venue(flow(FlowCause.EXTERNAL, 77, 11))
    assert account(driver)[:3] == (
        cash + 11,
        lamports + RENT_LAMPORTS - 5_000 + 77,
        rent - RENT_LAMPORTS,
    )
    assert driver.of(CashMoved)[-1].cause == "EXTERNAL"
    assert folded(driver).save() == driver.trader.book.save()


def test_flow_of_a_fee_into_the_wallet_is_an_error() -> None:
    with pytest.raises(InvariantError, match="HOUSEKEEPING_FEE"):
        opened().venue(flow(FlowCause.HOUSEKEEPING_FEE, 5_000))


def test_discrepancy_stops_entries_until_it_ends() -> None:
    driver = opened()
    words = "USDC: the chain holds 5, the book 6"
    for _ in range(2):
        driver.venue(VenueDiscrepancy(ts_ns=driver.now_ns, words=words))
    active = driver.trader.desk.breakers.active
    assert [(b.kind, b.cause) for b in active] == [(BreakerKind.RECONCILIATION, words)]
    driver.decide("BUY")
    assert driver.submissions == []
    assert driver.of(Refused)[-1].code is RefusalCode.RECONCILIATION
    driver.venue(VenueDiscrepancy(ts_ns=driver.now_ns, words=""))
    driver.decide("BUY")
    assert driver.of(Decision)[-1].outcome == "entry"


def test_entry_waits_until_no_attempt_of_the_exit_can_land() -> None:
    """The first attempt was replaced and lives on: it would sell what an entry buys."""
    driver = bought()
    entry = driver.submissions[-1].intent.intent_id
    progress(driver, OrderStatus.SETTLED, intent_id=entry)
    driver.fire("STOP")
    sent(driver)
    progress(driver, OrderStatus.SIGNED, attempt=attempt(1))
    progress(driver, OrderStatus.SENT)
    filled(driver, signature="signature1")
    assert not driver.trader.book.positions
    assert not driver.trader.book.pending
    orders = len(driver.submissions)
    driver.now_ns += 5 * SECOND_NS
    driver.decide("BUY")
    assert len(driver.submissions) == orders
    assert driver.of(Refused)[-1].code is RefusalCode.ORDER_IN_FLIGHT
    progress(driver, OrderStatus.FINAL)
    progress(driver, OrderStatus.SETTLED)
    driver.now_ns += 5 * SECOND_NS
    driver.decide("BUY")
    assert len(driver.submissions) == orders + 1
