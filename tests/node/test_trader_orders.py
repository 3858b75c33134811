"""Entries and exits of the pure trader."""

import pytest
from driver import Driver

from utb.domain.names import ExitReason, OrderStatus, RefusalCode
from utb.domain.records import (
    Decision,
    FillBooked,
    OrderState,
    Refused,
    TriggerArmed,
    TriggerMovedRecord,
    Weights,
)
from utb.node import effects as fx


def test_buy_is_approved_sent_and_reserved() -> None:
    driver = Driver()
    effects = driver.decide("BUY")
    kinds = [type(record).__name__ for record in effects.records]
    assert kinds == ["Decision", "OrderState", "OrderState"]
    approved, sent = driver.of(OrderState)
    assert (approved.status, sent.status) == (OrderStatus.APPROVED, OrderStatus.SENT)
    assert approved.reserved_quote_raw == effects.submissions[0].intent.amount_in_raw > 0
    assert {f.name for f in approved.factors} >= {"base", "volatility", "trend", "confidence"}
    book = driver.trader.book
    assert book.cash_quote_raw - book.available_quote_raw == approved.reserved_quote_raw


def test_same_decision_again_does_nothing() -> None:
    driver = Driver()
    driver.decide("BUY")
    driver.now_ns -= 1_000_000_000
    effects = driver.decide("BUY")
    assert (effects.records, effects.submissions, effects.calls) == ([], [], [])


def test_buy_with_stop_above_the_price_is_refused_with_its_numbers() -> None:
    driver = Driver()
    driver.decide("BUY", stop=101.0)
    assert driver.of(Decision)[0].outcome == "refused"
    refused = driver.of(Refused)[0]
    assert (refused.code, refused.limit, refused.value) == (
        RefusalCode.STOP_NOT_BELOW_ENTRY,
        100.0,
        101.0,
    )
    assert driver.submissions == []


def test_filled_entry_arms_its_triggers() -> None:
    driver = Driver()
    position_id = driver.bought(stop=97.0, target=106.0)
    armed = driver.core.state.armed[position_id]
    assert (armed.stop, armed.target, armed.lead) == (97.0, 106.0, 2)
    assert armed.risk_per_unit == pytest.approx(3.0, abs=1e-6)
    assert armed.round_trip_cost > 0.0
    assert driver.of(TriggerArmed)[0].position_id == position_id
    assert driver.trader.book.available_quote_raw == driver.trader.book.cash_quote_raw


@pytest.mark.parametrize("status", [OrderStatus.EXPIRED, OrderStatus.FAILED_ON_CHAIN])
def test_failed_entry_releases_its_reservation_and_is_not_tried_again(status: OrderStatus) -> None:
    driver = Driver()
    driver.decide("BUY")
    lamports = driver.trader.book.sol_lamports
    effects = driver.fail(status)
    book = driver.trader.book
    assert effects.submissions == []
    assert book.available_quote_raw == book.cash_quote_raw == 100_000_000_000
    assert lamports - book.sol_lamports == (5_000 if status == "FAILED_ON_CHAIN" else 0)


def test_sell_without_position_is_kept_in_the_record_and_opens_nothing() -> None:
    driver = Driver()
    effects = driver.decide("SELL")
    assert [r.outcome for r in driver.of(Decision)] == ["no_position"]
    assert effects.submissions == []


def test_sell_closes_the_position_and_weights_follow() -> None:
    driver = Driver()
    driver.bought()
    before = len(driver.of(Weights))
    driver.decide("SELL")
    intent = driver.submissions[-1].intent
    assert (intent.exit_reason, intent.position_id) == (ExitReason.SELL, 1)
    driver.fill()
    assert driver.trader.book.positions == {}
    assert driver.core.state.armed == {}
    assert len(driver.of(Weights)) == before + 1
    assert driver.of(Weights)[-1].version == 2
    assert any(isinstance(call, fx.SetParams) for call in driver.calls)


def test_partial_sells_half_and_brings_the_stop_to_entry_and_costs() -> None:
    driver = Driver()
    driver.bought(stop=97.0)
    held = driver.position().base_raw
    driver.price(0, 103.1)
    driver.fire("PARTIAL", fraction=0.5)
    assert driver.submissions[-1].intent.amount_in_raw == held // 2
    driver.fill()
    rest = driver.position()
    armed = driver.core.state.armed[1]
    assert rest.base_raw == held - held // 2
    assert rest.stop == armed.stop == pytest.approx(armed.entry_price + armed.round_trip_cost)
    assert armed.partial_done
    assert armed.trailing_active
    assert armed.highest == pytest.approx(103.1)
    assert driver.of(TriggerMovedRecord)[-1].cause == "BREAKEVEN"


def test_exit_attempts_end_at_four_with_rising_tolerance_and_live_triggers() -> None:
    driver = Driver()
    driver.bought()
    driver.fire("STOP")
    for _ in range(4):
        driver.price(0, 96.0)
        driver.fail()
    sales = [s.intent for s in driver.submissions if s.intent.position_id == 1]
    assert [i.attempt for i in sales] == [0, 1, 2, 3]
    tolerances = [i.slippage_bps_max for i in sales]
    assert tolerances == [50, 100, 150, 200]
    assert fx.Release(1) in driver.calls
    assert driver.of(OrderState)[-1].reason.endswith("its triggers are live again")
    assert len({i.intent_id for i in sales}) == 4


def test_exit_after_release_starts_a_new_epoch() -> None:
    driver = Driver()
    driver.bought()
    driver.fire("STOP")
    for _ in range(4):
        driver.fail()
    driver.fire("STOP")
    intent = driver.submissions[-1].intent
    assert (intent.exit_epoch, intent.attempt) == (1, 0)
    driver.fill()
    assert driver.trader.book.positions == {}


def test_full_exit_waits_for_the_partial_on_its_way() -> None:
    driver = Driver()
    driver.bought()
    driver.fire("PARTIAL", fraction=0.5)
    half = driver.submissions[-1]
    driver.fire("STOP")
    assert driver.submissions[-1] is half
    driver.fill()
    rest = driver.submissions[-1].intent
    assert rest.exit_reason is ExitReason.STOP
    assert rest.amount_in_raw == driver.position().base_raw
    driver.fill()
    assert driver.trader.book.positions == {}


def test_full_exit_follows_at_once_when_the_partial_fails() -> None:
    driver = Driver()
    driver.bought()
    driver.fire("PARTIAL", fraction=0.5)
    driver.fire("STOP")
    driver.fail()
    intent = driver.submissions[-1].intent
    assert (intent.exit_reason, intent.attempt) == (ExitReason.STOP, 0)
    assert intent.amount_in_raw == driver.position().base_raw


def test_second_trigger_while_an_exit_is_on_its_way_sends_nothing() -> None:
    driver = Driver()
    driver.bought()
    driver.fire("STOP")
    count = len(driver.submissions)
    driver.fire("TARGET")
    driver.decide("SELL")
    assert len(driver.submissions) == count


def test_trigger_of_a_closed_position_is_disarmed() -> None:
    driver = Driver()
    effects = driver.fire("STOP", position_id=9)
    assert effects.calls == [fx.Disarm(9)]
    assert effects.submissions == []


def test_second_fill_of_an_intent_changes_nothing() -> None:
    driver = Driver()
    driver.decide("BUY")
    driver.fill()
    cash = driver.trader.book.cash_quote_raw
    effects = driver.fill()
    assert effects.records == []
    assert driver.trader.book.cash_quote_raw == cash
    assert len(driver.of(FillBooked)) == 1


def test_fill_below_its_stop_keeps_a_positive_risk() -> None:
    """Decision at 100 with the stop at 97; the fill is at 96. R is 100 - 97 = 3."""
    driver = Driver()
    driver.decide("BUY", stop=97.0)
    driver.price(0, 96.0)
    driver.fill()
    assert driver.core.state.armed[1].risk_per_unit == pytest.approx(3.0)


def test_saved_trader_loads_to_the_same_bytes() -> None:
    driver = Driver()
    driver.bought()
    driver.fire("PARTIAL", fraction=0.5)
    saved = driver.trader.save()
    other = Driver()
    other.trader.load(saved)
    assert other.trader.save() == saved
