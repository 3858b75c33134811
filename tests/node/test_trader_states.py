"""Operator states, guards and commands of the pure trader."""

from typing import Any, get_args

import msgspec
import pytest
from driver import Driver, accepted

from utb.domain import commands as cmd
from utb.domain.engine import DayClosed, EquityFloorHit, FlashCrash, WarmUpRestarted
from utb.domain.names import (
    BreakerKind,
    ExitReason,
    OperatorState,
    OrderStatus,
    RefusalCode,
    Side,
)
from utb.domain.records import Breaker, EquityMarked, FillBooked, OrderState, Refused, WarmUp
from utb.domain.records import OperatorState as StateRecord
from utb.node import effects as fx
from utb.node.operator import _HANDLERS

MINUTE_NS = 60_000_000_000


def give(driver: Driver, kind: type[Any], **fields: object) -> fx.Effects:
    number = len(driver.trader.desk.state.answers)
    return driver.command(kind(command_id=f"c{number}", issued_by="op", **fields))


def equity_of(driver: Driver) -> float:
    present = driver.core.equity()
    assert present is not None
    return present[0]


def code_of_next_buy(driver: Driver, instrument: int = 1) -> str:
    driver.decide("BUY", instrument)
    refused = driver.of(Refused)
    return refused[-1].code if refused else ""


def test_every_command_has_a_handler() -> None:
    assert set(_HANDLERS) == set(get_args(cmd.Command))


@pytest.mark.parametrize(
    ("kind", "state", "code"),
    [
        (cmd.Pause, OperatorState.PAUSED, RefusalCode.OPERATOR_PAUSED),
        (cmd.SafeMode, OperatorState.SAFE_MODE, RefusalCode.OPERATOR_SAFE_MODE),
        (cmd.EmergencyStop, OperatorState.EMERGENCY_STOP, RefusalCode.EMERGENCY_STOP),
    ],
)
def test_state_refuses_entries_with_its_code(
    kind: type[Any], state: OperatorState, code: str
) -> None:
    driver = Driver()
    assert accepted(give(driver, kind))
    assert driver.trader.desk.state.operator is state
    assert code_of_next_buy(driver) == code


def test_pause_leaves_exits_working_and_resume_lets_entries_in() -> None:
    driver = Driver()
    driver.bought()
    give(driver, cmd.Pause)
    driver.fire("STOP")
    assert driver.submissions[-1].intent.exit_reason is ExitReason.STOP
    give(driver, cmd.Resume)
    assert code_of_next_buy(driver) == ""


def test_safe_mode_tightens_every_stop_to_one_atr() -> None:
    driver = Driver()
    driver.bought()
    effects = give(driver, cmd.SafeMode)
    assert effects.calls == [fx.Tighten(None, 1.0)]


def test_emergency_stop_sells_everything_until_it_is_sold() -> None:
    driver = Driver()
    driver.bought(0)
    driver.bought(1)
    effects = give(driver, cmd.EmergencyStop)
    assert [s.intent.exit_reason for s in effects.submissions] == ["EMERGENCY", "EMERGENCY"]
    driver.fill(effects.submissions[0].intent)
    for _ in range(5):
        driver.fail()
    last = driver.submissions[-1].intent
    assert (last.exit_epoch, last.attempt, last.exit_reason) == (1, 1, ExitReason.EMERGENCY)
    driver.fill()
    assert driver.trader.book.positions == {}


def test_commands_in_the_wrong_state_are_refused_by_name() -> None:
    driver = Driver()
    give(driver, cmd.EmergencyStop)
    answer = give(driver, cmd.Resume).answer
    assert isinstance(answer, cmd.Refusal)
    assert (answer.code, answer.field, answer.value) == ("CONFLICT", "state", "EMERGENCY_STOP")
    driver = Driver()
    give(driver, cmd.SafeMode)
    assert not accepted(give(driver, cmd.Pause))


def test_reset_restarts_the_peak_so_that_the_stop_does_not_come_back() -> None:
    driver = Driver()
    driver.bought()
    driver.price(0, 10.0)
    equity = equity_of(driver)
    driver.event(EquityFloorHit(driver.now_ns, equity, 85_000.0, 120_000.0))
    assert driver.trader.desk.state.operator is OperatorState.EMERGENCY_STOP
    driver.fill()
    give(driver, cmd.Reset)
    assert str(driver.trader.desk.state.operator) == "RUNNING"
    assert driver.of(EquityMarked)[-1].peak_reset
    assert driver.trader.desk.breakers.active == ()
    assert code_of_next_buy(driver) == ""


@pytest.mark.parametrize(
    "command",
    [
        cmd.Pause(command_id="x", issued_by="op"),
        cmd.EmergencyStop(command_id="x", issued_by="op"),
        cmd.CloseAll(command_id="x", issued_by="op"),
        cmd.ClosePosition(command_id="x", issued_by="op", position_id=1, fraction=0.5),
        cmd.Trade(
            command_id="x", issued_by="op", instrument=1, side=Side.BUY, size_base_raw=2_000_000
        ),
        cmd.Trade(
            command_id="x", issued_by="op", instrument=1, side=Side.SELL, size_base_raw=2_000_000
        ),
    ],
)
def test_repeated_command_is_answered_not_repeated(command: cmd.Command) -> None:
    driver = Driver()
    driver.bought()
    first = driver.command(command)
    again = driver.command(command)
    assert again.answer == first.answer is not None
    assert (again.records, again.submissions, again.calls) == ([], [], [])


def test_manual_buy_passes_the_gate_and_gets_stop_and_target_from_the_atr() -> None:
    """ATR 1 at 100: stop 1.5 below, target 2.5 above."""
    driver = Driver()
    effects = give(driver, cmd.Trade, instrument=0, side=Side.BUY, size_base_raw=10_000_000_000)
    assert accepted(effects)
    intent = effects.submissions[0].intent
    assert (intent.lead, intent.stop, intent.target) == ("manual", 98.5, 102.5)
    driver.fill()
    assert driver.core.state.armed[1].lead is None


def test_manual_buy_over_a_limit_is_refused_not_shrunk() -> None:
    driver = Driver()
    effects = give(driver, cmd.Trade, instrument=0, side=Side.BUY, size_base_raw=10**13)
    assert isinstance(effects.answer, cmd.Refusal)
    assert effects.submissions == []
    assert len(driver.of(Refused)) == 1


def test_manual_sale_of_a_part_keeps_the_rest_watched() -> None:
    driver = Driver()
    driver.bought()
    held = driver.position().base_raw
    give(driver, cmd.Trade, instrument=0, side=Side.SELL, size_base_raw=held // 4)
    driver.fill()
    assert driver.position().base_raw == held - held // 4
    assert not driver.core.state.armed[1].partial_done


def test_close_of_an_unknown_position_is_refused() -> None:
    answer = give(Driver(), cmd.ClosePosition, position_id=4).answer
    assert isinstance(answer, cmd.Refusal)
    assert answer.code == "NO_POSITION"


def test_close_all_sells_manually() -> None:
    driver = Driver()
    driver.bought(0)
    driver.bought(1)
    effects = give(driver, cmd.CloseAll)
    assert [s.intent.exit_reason for s in effects.submissions] == ["MANUAL", "MANUAL"]


def test_equity_floor_that_the_ledger_does_not_confirm_is_only_watched_again() -> None:
    driver = Driver()
    driver.bought()
    effects = driver.event(EquityFloorHit(driver.now_ns, 84_000.0, 85_000.0, 100_000.0))
    assert driver.trader.desk.state.operator is OperatorState.RUNNING
    assert effects.submissions == []
    assert isinstance(effects.calls[-1], fx.SetPortfolio)
    assert effects.calls[-1].max_drawdown == 0.15


def test_drawdown_ends_in_the_emergency_stop_and_sells() -> None:
    driver = Driver()
    driver.bought()
    driver.price(0, 10.0)
    equity = equity_of(driver)
    effects = driver.event(EquityFloorHit(driver.now_ns, equity, 85_000.0, 120_000.0))
    states = [r for r in effects.records if isinstance(r, StateRecord)]
    assert [(r.state, r.cause) for r in states] == [("EMERGENCY_STOP", "DRAWDOWN")]
    kinds = {r.kind for r in effects.records if isinstance(r, Breaker)}
    assert kinds == {BreakerKind.DRAWDOWN, BreakerKind.DRAWDOWN_WARNING}
    assert effects.submissions[0].intent.exit_reason is ExitReason.EMERGENCY


def test_flash_crash_cools_one_instrument_off_and_ends() -> None:
    driver = Driver()
    driver.bought(0)
    effects = driver.event(FlashCrash(driver.now_ns, 0, 0.12, 0.10))
    assert effects.calls == [fx.Tighten(0, 1.0)]
    driver.decide("SELL", 0)
    driver.fill()
    assert code_of_next_buy(driver, 0) == RefusalCode.FLASH_CRASH
    driver.now_ns += 61 * MINUTE_NS
    driver.decide("BUY", 0)
    ended = [r for r in driver.of(Breaker) if not r.active]
    assert [(r.kind, r.instrument) for r in ended] == [(BreakerKind.FLASH_CRASH, 0)]
    assert driver.submissions[-1].intent.side is Side.BUY


def test_whale_manipulation_in_a_context_cools_off() -> None:
    driver = Driver()
    shares = {"kind": "whale", "top_wallet_buy_share": 0.5, "top_wallet_sell_share": 0.45}
    payload = msgspec.json.encode(shares)
    effects = driver.take(driver.trader.on_context(1, payload, driver.now_ns, driver.core))
    assert [type(r).__name__ for r in effects.records] == ["ContextSet", "Breaker"]
    assert code_of_next_buy(driver) == RefusalCode.WHALE_MANIPULATION


def test_context_without_the_fields_trips_nothing() -> None:
    driver = Driver()
    payload = b'{"kind": "whale", "buys_usd": 1e6, "sells_usd": 0, "wallets": 3}'
    effects = driver.take(driver.trader.on_context(1, payload, driver.now_ns, driver.core))
    assert [type(r).__name__ for r in effects.records] == ["ContextSet"]


def test_days_with_wild_values_stop_entries() -> None:
    """Two days apart by 8 %: the first return is the volatility, 8 % > 5 %."""
    driver = Driver()
    driver.event(DayClosed(driver.now_ns, 100, 100_000.0, 100_000.0))
    driver.event(DayClosed(driver.now_ns + 1, 101, 92_000.0, 100_000.0))
    assert driver.of(EquityMarked)[-1].volatility_daily == pytest.approx(0.08, abs=1e-4)
    assert code_of_next_buy(driver) == RefusalCode.PORTFOLIO_VOLATILITY


def test_gap_is_recorded() -> None:
    driver = Driver()
    driver.event(WarmUpRestarted(driver.now_ns, 1, 20 * MINUTE_NS))
    assert driver.of(WarmUp)[-1].gap_ns == 20 * MINUTE_NS


def test_end_of_an_order_in_flight_is_not_tried_again() -> None:
    driver = Driver()
    driver.bought()
    driver.fire("STOP")
    intent = driver.submissions[-1].intent
    from utb.domain.orders import VenueFailed

    ended = VenueFailed(
        intent_id=intent.intent_id,
        ts_ns=driver.now_ns,
        status=OrderStatus.EXPIRED,
        fee_lamports=0,
        reason="",
    )
    effects = driver.take(driver.trader.on_end_of_order(ended, driver.core))
    assert effects.submissions == []
    closing = driver.take(driver.trader.on_end(driver.now_ns, driver.core))
    assert closing.submissions[0].intent.exit_reason is ExitReason.END
    driver.fill()
    assert driver.trader.book.positions == {}
    assert driver.of(FillBooked)[-1].fill.exit_reason is ExitReason.END
    assert driver.of(OrderState)[-1].status == "CONFIRMED"
