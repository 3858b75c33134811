"""The book by hand: a round trip in two exits, reservations, failures, duplicates, snapshots."""

import pytest
from journal_parts import (
    INSTRUMENTS,
    QUOTE,
    SHARES,
    SOL,
    USDC,
    buy_order,
    ended,
    filled,
    instrument,
    opened,
    sell_order,
)
from msgspec.structs import replace

from utb.domain.amounts import price_q64_floor
from utb.domain.names import ExitReason, OrderStatus, RefusalCode
from utb.domain.records import Record, Refused, TriggerArmed, TriggerMovedRecord
from utb.errors import InvariantError
from utb.ledger.book import Book


def book_with(*records: Record) -> Book:
    book = Book(INSTRUMENTS)
    for record in (opened(), *records):
        book.apply(record)
    return book


ENTRY = buy_order("aa", 10_000 * USDC)
ENTRY_FILL = filled(ENTRY, 99 * SOL, 10_000 * USDC)


def test_entry_fill_moves_cash_into_a_position() -> None:
    book = book_with(ENTRY, ENTRY_FILL)
    position = book.positions[1]
    assert book.cash_quote_raw == 90_000 * USDC
    assert book.available_quote_raw == 90_000 * USDC
    assert book.sol_lamports == SOL - 5_000
    assert position.base_raw == 99 * SOL
    assert position.cost_quote_raw == 10_000 * USDC
    assert (position.initial_stop, position.stop, position.target) == (95.0, 95.0, 110.0)
    assert position.shares == SHARES
    assert book.position_of(0) == position
    assert book.position_of(1) is None
    assert book.next_position_id == 2
    # 10,000 - 99 x 95 = 595; 0.095 is no binary fraction, so the value at the stop rounds down
    assert book.initial_risk_quote_raw(1) == 595 * USDC + 1


def test_fill_at_or_below_its_stop_keeps_a_positive_risk() -> None:
    """99 SOL for 9,000, worth 9,405 at the stop; at the decision 9,900 - 9,405 = 495, rounded."""
    book = book_with(ENTRY, filled(ENTRY, 99 * SOL, 9_000 * USDC))
    assert book.initial_risk_quote_raw(1) == 495 * USDC + 2


def test_round_trip_in_two_exits_sums_exactly() -> None:
    """Half at 105 and the rest at 110, less pool fees; three network fees of 5,000 lamports."""
    half, rest = sell_order("bb", 1, 49 * SOL), sell_order("cc", 1, 50 * SOL)
    book = book_with(ENTRY, ENTRY_FILL, half)
    assert book.apply(filled(half, 49 * SOL, 5_143 * USDC)) is None
    # Cost of 49 of 99 SOL: 10,000 x 49/99 = 4,949.494949..., rounded up
    assert book.positions[1].cost_quote_raw == 10_000 * USDC - 4_949_494_950
    assert book.state.realised_quote_raw == 5_143 * USDC - 4_949_494_950
    book.apply(rest)
    trade = book.apply(filled(rest, 50 * SOL, 5_498 * USDC))
    assert trade is not None
    assert book.positions == {}
    assert book.trades == [trade]
    assert trade.entry_quote_raw == 10_000 * USDC
    assert trade.exit_quote_raw == 10_641 * USDC
    assert trade.fee_lamports == 15_000
    assert trade.fee_quote_raw == 2_250
    assert trade.pnl_quote_raw == 641 * USDC - 2_250
    assert trade.pool_fee_quote_raw == 4 * USDC + 2_057_200 + 2_199_200
    assert trade.exit_reason == ExitReason.TARGET
    assert trade.initial_risk_quote_raw == 595 * USDC + 1
    assert trade.execution_ms == 900.0
    # Paid 100 above the decision's 9,900; got 2 less than 5,145 and 248 more than 5,250
    assert trade.slippage_bps == pytest.approx((100 + 2 - 248) * 1e4 / (9_900 + 5_145 + 5_250))
    assert book.state.realised_quote_raw == 641 * USDC
    assert book.cash_quote_raw == 100_641 * USDC


def test_second_lot_is_sold_after_the_first() -> None:
    """Lots 10 at 100 and 10 at 120: 15 cost 1,000 + 600, 5 are left at 600."""
    first, second = buy_order("a1", 1_000 * USDC), buy_order("a2", 1_200 * USDC)
    exit_ = sell_order("b1", 1, 15 * SOL)
    book = book_with(
        first,
        filled(first, 10 * SOL, 1_000 * USDC),
        second,
        filled(second, 10 * SOL, 1_200 * USDC),
        exit_,
        filled(exit_, 15 * SOL, 1_700 * USDC),
    )
    assert book.positions[1].cost_quote_raw == 600 * USDC
    assert book.state.realised_quote_raw == 100 * USDC


def test_reservation_is_held_until_the_fill_and_released_once() -> None:
    book = book_with(ENTRY)
    assert book.available_quote_raw == 90_000 * USDC
    assert book.pending["aa"].risk_at_stop_raw == 500 * USDC
    book.apply(replace(ENTRY, status=OrderStatus.RESERVED, intent=None, shares=()))
    book.apply(replace(ENTRY, status=OrderStatus.SENT, intent=None, reserved_quote_raw=0))
    assert book.available_quote_raw == 90_000 * USDC
    assert book.pending["aa"].shares == SHARES
    book.apply(ENTRY_FILL)
    for status in (OrderStatus.CONFIRMED, OrderStatus.SETTLED, OrderStatus.EXPIRED):
        book.apply(ended("aa", status, 7))
    assert book.pending == {}
    assert book.state.reserved_quote_raw == 0
    assert book.sol_lamports == SOL - 5_000


@pytest.mark.parametrize(
    "status",
    [OrderStatus.EXPIRED, OrderStatus.FAILED_ON_CHAIN, OrderStatus.DENIED, OrderStatus.CANCELLED],
)
def test_end_without_a_fill_releases_once_and_books_the_fee_once(status: OrderStatus) -> None:
    book = book_with(ENTRY, ended("aa", status, 55_000), ended("aa", status, 55_000))
    assert book.available_quote_raw == 100_000 * USDC
    assert book.sol_lamports == SOL - 55_000
    assert book.fees.failed_lamports == 55_000
    assert book.fees.network_quote_raw == 8_250


def test_failed_exit_costs_its_trade() -> None:
    attempt, again = sell_order("b1", 1, 99 * SOL), sell_order("b2", 1, 99 * SOL)
    book = book_with(ENTRY, ENTRY_FILL, attempt)
    book.apply(ended("b1", OrderStatus.FAILED_ON_CHAIN, 55_000))
    book.apply(again)
    trade = book.apply(filled(again, 99 * SOL, 10_000 * USDC))
    assert trade is not None
    assert trade.fee_lamports == 65_000
    assert trade.pnl_quote_raw == -9_750


def test_intent_not_yet_approved_is_no_exposure() -> None:
    announced = replace(ENTRY, status=OrderStatus.INTENT, reserved_quote_raw=0)
    book = book_with(announced)
    assert book.pending == {}
    book.apply(
        Refused(
            ts_ns=2,
            intent_id="aa",
            instrument=0,
            code=RefusalCode.COST_GATE,
            limit=3.0,
            value=1.0,
            order_value=1.0,
            message="",
        )
    )
    assert book.state.orders == {}


def test_repeated_fill_changes_nothing() -> None:
    book = book_with(ENTRY, ENTRY_FILL)
    before = book.save()
    assert book.apply(ENTRY_FILL) is None
    assert book.save() == before


def test_order_of_fills_of_different_positions_does_not_matter() -> None:
    other = buy_order("ab", 5_000 * USDC, 1)
    other_fill = filled(other, 40 * SOL, 5_000 * USDC, 2)
    one = book_with(ENTRY, other, ENTRY_FILL, other_fill, ENTRY_FILL)
    two = book_with(other, ENTRY, other_fill, other_fill, ENTRY_FILL)
    assert one.positions == two.positions
    assert one.state.balances == two.state.balances
    assert one.state.nav == two.state.nav


def test_triggers_move_the_stop_and_keep_the_initial_one() -> None:
    armed = TriggerArmed(
        ts_ns=3,
        position_id=1,
        instrument=0,
        stop=96.0,
        target=112.0,
        lead="trend_following",
        partial_done=False,
    )
    moved = TriggerMovedRecord(ts_ns=4, position_id=1, stop=101.0, target=None, cause="TRAILING")
    book = book_with(ENTRY, ENTRY_FILL, armed, moved, replace(moved, position_id=9))
    position = book.positions[1]
    assert (position.initial_stop, position.stop, position.target) == (95.0, 101.0, None)


def test_equity_is_cash_sol_and_positions_at_their_marks() -> None:
    """90,000 + 0.999995 SOL x 150 = 149.99925 + 99 x 101.5 = 10,048.5."""
    book = book_with(ENTRY, ENTRY_FILL)
    mark, sol = price_q64_floor(101.5, 9, 6), price_q64_floor(150.0, 9, 6)
    expected = 90_000 * USDC + 149_999_250 + 10_048_500_000
    equity = book.equity_quote_raw({0: mark}, sol)
    assert equity is not None
    assert expected - 2 <= equity <= expected
    assert book.unrealised_quote_raw({0: mark}) == pytest.approx(48_500_000, abs=1)


def test_equity_with_an_unknown_mark_is_unknown() -> None:
    book = book_with(ENTRY, ENTRY_FILL)
    sol = price_q64_floor(150.0, 9, 6)
    assert book.equity_quote_raw({1: sol}, sol) is None
    assert book.equity_quote_raw({0: sol}, None) is None
    assert book.unrealised_quote_raw({}) is None


def test_saved_book_goes_on_as_the_live_one() -> None:
    exit_ = sell_order("bb", 1, 99 * SOL)
    live = book_with(ENTRY, ENTRY_FILL, exit_, buy_order("cc", 77, 1))
    loaded = Book.load(live.save(), INSTRUMENTS)
    assert loaded.state == live.state
    record = filled(exit_, 99 * SOL, 9_900 * USDC)
    assert loaded.apply(record) == live.apply(record)
    assert loaded.save() == live.save()


@pytest.mark.parametrize(
    "records",
    [
        (ENTRY_FILL,),
        (ENTRY, filled(ENTRY, 0, 10_000 * USDC)),
        (ENTRY, filled(ENTRY, 99 * SOL, 100_001 * USDC)),
        (ENTRY, filled(ENTRY, SOL, USDC, lamports=2 * SOL)),
        (ENTRY, ENTRY_FILL, sell_order("bb", 2, 1), filled(sell_order("bb", 2, 1), 1, 1, 2)),
        (
            ENTRY,
            ENTRY_FILL,
            sell_order("bb", 1, 100 * SOL),
            filled(sell_order("bb", 1, 100 * SOL), 100 * SOL, USDC),
        ),
        (ended("zz", OrderStatus.SENT),),
        (ENTRY, ended("aa", OrderStatus.SETTLED)),
        (ENTRY, ended("aa", OrderStatus.EXPIRED), ENTRY_FILL),
        (buy_order("aa", USDC, stop=None), filled(buy_order("aa", USDC, stop=None), SOL, USDC)),
        (buy_order("aa", USDC, 9), filled(buy_order("aa", USDC, 9), SOL, USDC)),
    ],
)
def test_record_that_contradicts_the_book_halts(records: tuple[Record, ...]) -> None:
    with pytest.raises(InvariantError):
        book_with(*records)


def test_unreadable_snapshot_halts() -> None:
    with pytest.raises(InvariantError):
        Book.load(b"\x00", INSTRUMENTS)
    book = book_with()
    book.state.version = 99
    with pytest.raises(InvariantError):
        Book.load(book.save(), INSTRUMENTS)


def test_two_quote_assets_are_refused() -> None:
    with pytest.raises(InvariantError):
        Book((instrument(0), replace(instrument(1), quote_mint="other")))


def test_accounts_of_every_asset_sum_to_zero() -> None:
    book = book_with(ENTRY, ENTRY_FILL)
    assert book.balances_of(QUOTE) == {
        "external": -100_000 * USDC,
        "cash": 90_000 * USDC,
        "market": 10_000 * USDC,
    }
    for asset in (QUOTE, "SOL", "mint0"):
        assert sum(book.balances_of(asset).values()) == 0
