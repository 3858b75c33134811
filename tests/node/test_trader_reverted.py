"""An entry that vanishes under its sale: whatever is told next, the book ends as the chain."""

import pytest
from driver import Driver
from fork_case import CONFIRMED, FEE, FINAL, SETTLED, Case, both_settle
from test_trader_onchain import RENT_LAMPORTS, account, filled, flow, sent

from utb.domain.names import ExitReason, OrderStatus
from utb.domain.orders import FlowCause
from utb.domain.records import CashMoved, Refused
from utb.errors import InvariantError
from utb.ledger.pending import ENDED
from utb.node.chainside import open_orders

restarts = pytest.mark.parametrize("restarts", [False, True])


@restarts
@pytest.mark.parametrize("entry_first", [True, False])
@pytest.mark.parametrize("told_first", [True, False])
def test_both_land_again(*, restarts: bool, entry_first: bool, told_first: bool) -> None:
    case = Case(restarts=restarts)
    gone = [case.entry, case.sale] if told_first else [case.sale, case.entry]
    for intent in gone:
        case.vanishes(intent)
    assert case.driver.trader.book.positions == {}
    if entry_first:
        case.entered(slot=12)
        case.fills(case.sale, slot=13)
    else:
        case.fills(case.sale, slot=13)
        assert case.driver.trader.book.pending[case.sale.intent_id].status is OrderStatus.UNKNOWN
        assert account(case.driver)[:3] == case.before
        case.entered(slot=12)
    assert case.driver.trader.book.positions == {}
    both_settle(case)


@restarts
def test_entry_that_endpoints_denied_for_a_while_comes_back_under_its_sale(
    *, restarts: bool
) -> None:
    case = Case(restarts=restarts)
    case.vanishes(case.entry)
    case.steps(case.sale, FINAL)
    assert account(case.driver)[:3] == case.before
    case.entered()
    assert case.last(case.sale)[-2:] == [CONFIRMED, FINAL]
    both_settle(case)


@restarts
def test_sale_that_settled_waits_for_its_entry(*, restarts: bool) -> None:
    case = Case(restarts=restarts)
    case.vanishes(case.entry, OrderStatus.UNKNOWN)
    case.steps(case.sale, FINAL, SETTLED)
    case.entered()
    assert case.last(case.sale)[-2:] == [CONFIRMED, FINAL]
    case.steps(case.entry, FINAL, SETTLED)
    assert case.last(case.sale)[-1] is SETTLED
    case.ends()


@restarts
def test_sale_is_settled_when_its_entry_is(*, restarts: bool) -> None:
    case = Case(restarts=restarts)
    case.steps(case.sale, FINAL, SETTLED)
    assert list(case.driver.trader.book.provisional) == [case.entry.intent_id, case.sale.intent_id]
    # The entry's fill was of a fork: with what is final it is another one
    case.vanishes(case.entry)
    case.entered(base_raw=case.sale.amount_in_raw + 5)
    assert case.driver.position().base_raw == 5
    case.steps(case.entry, FINAL, SETTLED)
    case.ends(kept_raw=5)


@restarts
def test_both_die(*, restarts: bool) -> None:
    case = Case(restarts=restarts)
    for intent in (case.entry, case.sale):
        case.vanishes(intent, OrderStatus.UNKNOWN)
    for intent in (case.entry, case.sale):
        case.dies(intent)
    case.ends(sold=False, spent=False)


@restarts
@pytest.mark.parametrize("settled_first", [True, False])
@pytest.mark.parametrize("anew", [True, False])
def test_sale_without_its_entry_sold_tokens_of_others(
    *, restarts: bool, settled_first: bool, anew: bool
) -> None:
    case = Case(restarts=restarts)
    case.vanishes(case.entry)
    if anew:
        case.vanishes(case.sale)
        case.fills(case.sale, slot=20, rent_lamports=RENT_LAMPORTS)
        case.before = (
            case.before[0],
            case.before[1] - RENT_LAMPORTS,
            case.before[2] + RENT_LAMPORTS,
        )
    if settled_first:
        case.steps(case.sale, FINAL, SETTLED)
        case.dies(case.entry)
    else:
        case.dies(case.entry)
        assert case.sale.intent_id in case.driver.trader.book.pending
        case.steps(case.sale, FINAL, SETTLED)
    case.ends(spent=False)
    assert case.driver.trader.book.state.trades_closed == 0
    brought = case.sale.amount_in_raw // 10
    assert case.driver.trader.book.state.flows_quote_raw == case.before[0] + brought
    # Told once more, it is not booked once more
    case.fills(case.sale)
    case.ends(spent=False)


@restarts
def test_sale_of_more_than_its_entry_bought_sold_some_of_others(*, restarts: bool) -> None:
    case = Case(restarts=restarts)
    case.vanishes(case.entry)
    case.entered(base_raw=case.sale.amount_in_raw - 7)
    case.steps(case.sale, FINAL, SETTLED)
    assert case.driver.position().base_raw == case.sale.amount_in_raw - 7
    # It is being sold: nothing else is
    count = len(case.driver.submissions)
    case.driver.fire("STOP")
    assert len(case.driver.submissions) == count
    case.steps(case.entry, FINAL, SETTLED)
    case.ends()
    assert case.driver.trader.book.state.trades_closed == 1
    assert case.driver.of(CashMoved)[-1].quote_raw == 1


def test_waiting_sale_that_vanishes_is_on_its_way_again() -> None:
    case = Case()
    case.vanishes(case.entry)
    case.vanishes(case.sale, OrderStatus.SENT)
    assert case.driver.trader.book.pending[case.sale.intent_id].status is OrderStatus.SENT
    case.entered()
    assert case.driver.trader.book.positions.keys() == {1}
    assert case.driver.trader.desk.state.exits[1].intent_id == case.sale.intent_id
    both = case.driver.trader.book.provisional
    assert list(both) == [case.entry.intent_id]


@restarts
@pytest.mark.parametrize("dies_first", [True, False])
def test_sale_that_dies_makes_room_for_another(*, restarts: bool, dies_first: bool) -> None:
    case = Case(restarts=restarts)
    for intent in (case.entry, case.sale):
        case.vanishes(intent, OrderStatus.UNKNOWN)
    count = len(case.driver.submissions)
    if dies_first:
        case.dies(case.sale)
        assert len(case.driver.submissions) == count
        case.entered()
    else:
        case.entered()
        case.driver.fire("STOP")
        assert len(case.driver.submissions) == count
        case.dies(case.sale)
    again = case.driver.submissions[-1].intent
    assert len(case.driver.submissions) == count + 1
    assert (again.position_id, again.amount_in_raw) == (1, case.sale.amount_in_raw)
    assert again.intent_id != case.sale.intent_id


def test_sale_by_hand_goes_on_when_its_entry_is_back() -> None:
    case = Case(by_hand=True)
    for intent in (case.entry, case.sale):
        case.vanishes(intent, OrderStatus.UNKNOWN)
    case.dies(case.sale)
    assert case.driver.submissions[-1].intent is case.sale
    case.entered()
    again = case.driver.submissions[-1].intent
    assert again.exit_reason is ExitReason.MANUAL
    assert again.intent_id != case.sale.intent_id


@pytest.mark.parametrize("entry_first", [True, False])
def test_sale_on_its_way_finds_the_position_of_its_entry(*, entry_first: bool) -> None:
    case = Case(restarts=True, sold=False)
    case.vanishes(case.entry)
    for intent in (case.entry, case.sale) if entry_first else (case.sale, case.entry):
        if intent is case.entry:
            case.entered()
        else:
            case.fills(case.sale)
    both_settle(case)


@restarts
@pytest.mark.parametrize("entry_first", [True, False])
def test_money_of_the_sale_may_be_spent_when_the_entry_lands_again(
    *, restarts: bool, entry_first: bool
) -> None:
    case = Case(restarts=restarts)
    left = account(case.driver)[0]
    case.driver.venue(flow(FlowCause.EXTERNAL, 0, -left))
    case.vanishes(case.entry)
    case.vanishes(case.sale)
    if entry_first:
        case.entered()
        assert account(case.driver)[0] == -case.sale.amount_in_raw // 10
        case.driver.venue(flow(FlowCause.EXTERNAL, 0, 3))
        left -= 3
        case.fills(case.sale)
    else:
        case.fills(case.sale)
        case.entered()
    case.before = (case.before[0] - left, *case.before[1:])
    both_settle(case)


@restarts
@pytest.mark.parametrize("part_first", [True, False])
def test_part_and_rest_land_again(*, restarts: bool, part_first: bool) -> None:
    case = Case(restarts=restarts, fraction=0.5)
    case.driver.fire("STOP")
    sent(case.driver)
    rest = case.driver.submissions[-1].intent
    assert rest.intent_id != case.sale.intent_id
    case.fills(rest)
    assert case.driver.trader.book.positions == {}
    count = len(case.driver.submissions)
    case.vanishes(case.entry)
    for intent in (case.sale, rest):
        case.vanishes(intent)
    case.entered()
    for intent in (case.sale, rest) if part_first else (rest, case.sale):
        case.driver.fire("STOP")
        assert len(case.driver.submissions) == count
        case.fills(intent)
    case.steps(rest, FINAL, SETTLED)
    case.steps(case.entry, FINAL, SETTLED)
    case.steps(case.sale, FINAL, SETTLED)
    book = case.driver.trader.book
    assert (book.positions, book.provisional, book.pending) == ({}, {}, {})
    assert book.trades[-1].exit_quote_raw == sum(
        intent.amount_in_raw // 10 for intent in (case.sale, rest)
    )
    assert case.driver.trader.desk.state.told == {}


@restarts
def test_id_of_a_sale_that_a_fork_took_back_is_not_used_again(*, restarts: bool) -> None:
    case = Case(restarts=restarts, fraction=0.5)
    case.driver.fire("STOP")
    sent(case.driver)
    rest = case.driver.submissions[-1].intent
    case.fills(rest)
    case.vanishes(case.entry)
    for intent in (case.sale, rest):
        case.vanishes(intent)
    case.entered()
    count = len(case.driver.submissions)
    case.dies(rest)
    assert len(case.driver.submissions) == count
    case.fills(case.sale)
    case.driver.fire("STOP")
    again = case.driver.submissions[-1].intent
    assert len(case.driver.submissions) == count + 1
    assert again.intent_id not in {case.sale.intent_id, rest.intent_id}
    assert case.driver.of(Refused) == []


def test_waiting_sale_that_ends_waits_no_more() -> None:
    case = Case()
    case.vanishes(case.entry)
    case.dies(case.sale)
    assert case.driver.trader.desk.state.told == {}
    case.entered()
    assert case.driver.position().base_raw == case.sale.amount_in_raw


def test_rest_that_is_settled_waits_for_the_part_before_it() -> None:
    case = Case(fraction=0.5)
    case.driver.fire("STOP")
    sent(case.driver)
    rest = case.driver.submissions[-1].intent
    case.fills(rest)
    case.steps(case.entry, FINAL, SETTLED)
    case.steps(rest, FINAL, SETTLED)
    assert list(case.driver.trader.book.provisional) == [case.sale.intent_id, rest.intent_id]
    case.vanishes(case.sale)
    assert case.driver.position().base_raw == case.sale.amount_in_raw
    assert case.driver.trader.book.provisional == {}
    case.fills(case.sale)
    case.steps(case.sale, FINAL, SETTLED)
    assert case.driver.trader.book.positions == {}
    assert case.driver.trader.desk.state.told == {}


def test_trade_counts_once_for_the_weights() -> None:
    case = Case()
    version = case.driver.trader.desk.weights.version
    case.vanishes(case.entry)
    case.entered()
    assert case.driver.trader.desk.weights.version == version


def test_restart_tells_the_venue_of_a_sale_that_waits() -> None:
    case = Case()
    case.vanishes(case.entry)
    orders = {order.intent.intent_id: order for order in open_orders(case.driver.trader.desk)}
    sale, entry = orders[case.sale.intent_id], orders[case.entry.intent_id]
    assert (entry.status, entry.fill) == (OrderStatus.SENT, None)
    assert sale.status is CONFIRMED
    assert sale.fill is not None
    assert (sale.fill.signature, sale.fill.base_raw, sale.fill.fee_lamports) == (
        "signature0",
        case.sale.amount_in_raw,
        FEE,
    )


def test_elsewhere_than_on_the_chain_a_sale_of_nothing_is_an_error() -> None:
    driver = Driver()
    driver.bought()
    driver.fire("STOP")
    amount = driver.submissions[-1].intent.amount_in_raw
    with pytest.raises(InvariantError, match="holds"):
        filled(driver, base_raw=amount + 1)


def test_statuses_end() -> None:
    case = Case()
    case.vanishes(case.entry)
    case.steps(case.sale, FINAL, SETTLED)
    case.dies(case.entry)
    assert {case.last(i)[-1] for i in (case.entry, case.sale)} <= ENDED
