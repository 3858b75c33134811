"""Commands of an operator: each is answered once, and a repeat gets the same answer."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from utb.domain import commands as cmd
from utb.domain.names import ExitReason, OperatorState, Side
from utb.domain.orders import Position, RiskRefused
from utb.node import effects as fx
from utb.node import exits, guards
from utb.node.desk import Desk
from utb.node.entries import manual_buy
from utb.node.state import ANSWERS_KEPT
from utb.ports.market import Market

_MOVES: Final[Mapping[type, tuple[frozenset[OperatorState], OperatorState]]] = {
    cmd.Pause: (frozenset({OperatorState.RUNNING, OperatorState.PAUSED}), OperatorState.PAUSED),
    cmd.Resume: (
        frozenset({OperatorState.RUNNING, OperatorState.PAUSED, OperatorState.SAFE_MODE}),
        OperatorState.RUNNING,
    ),
    cmd.SafeMode: (
        frozenset({OperatorState.RUNNING, OperatorState.PAUSED, OperatorState.SAFE_MODE}),
        OperatorState.SAFE_MODE,
    ),
    cmd.EmergencyStop: (frozenset(OperatorState), OperatorState.EMERGENCY_STOP),
    cmd.Reset: (
        frozenset({OperatorState.EMERGENCY_STOP, OperatorState.RUNNING}),
        OperatorState.RUNNING,
    ),
}
"""Command -> (states it may be given in, state it leads to). From a state to itself: no change."""


class _Call:
    """One command with what its handler needs."""

    __slots__ = ("desk", "effects", "market", "seq", "ts_ns")

    def __init__(
        self, desk: Desk, effects: fx.Effects, ts_ns: int, seq: int, market: Market
    ) -> None:
        self.desk = desk
        self.effects = effects
        self.ts_ns = ts_ns
        self.seq = seq
        self.market = market

    def accepted(self, command: cmd.Command) -> cmd.Answer:
        """Answer yes."""
        return cmd.Accepted(command_id=command.command_id, seq=self.seq)


def on_command(
    desk: Desk, command: cmd.Command, ts_ns: int, seq: int, market: Market
) -> fx.Effects:
    """Carry a command out.

    Args:
        desk: The account.
        command: What is asked.
        ts_ns: Present time.
        seq: Sequence of the last record before its effects.
        market: The core.
    """
    effects = fx.Effects()
    known = desk.state.answers.get(command.command_id)
    if known is not None:
        effects.answer = known
        return effects
    answer = _HANDLERS[type(command)](_Call(desk, effects, ts_ns, seq, market), command)
    if isinstance(answer, cmd.Accepted):
        answer = msgspec.structs.replace(answer, last_seq=seq + len(effects.records))
    effects.answer = answer
    answers = desk.state.answers
    answers[command.command_id] = answer
    while len(answers) > ANSWERS_KEPT:
        del answers[next(iter(answers))]
    return effects


def _trade(call: _Call, command: cmd.Trade) -> cmd.Answer:
    desk = call.desk
    if not 0 <= command.instrument < len(desk.instruments):
        return _refused(command, "INVALID_INPUT", "instrument", command.instrument, "a known one")
    if command.size_base_raw <= 0:
        return _refused(command, "INVALID_INPUT", "size_base_raw", command.size_base_raw, "above 0")
    if command.side is Side.BUY:
        refusal = manual_buy(desk, call.effects, command, call.ts_ns, call.market)
        return call.accepted(command) if refusal is None else _denied(command, refusal)
    position = desk.book.position_of(command.instrument)
    if position is None:
        return _refused(command, "NO_POSITION", "instrument", command.instrument, "an open one")
    size = min(command.size_base_raw, position.base_raw)
    ask = exits.Ask(ts_ns=call.ts_ns, size_base_raw=None if size == position.base_raw else size)
    return _sale(call, command, position, ask)


def _close(call: _Call, command: cmd.ClosePosition) -> cmd.Answer:
    position = call.desk.book.position(command.position_id)
    if position is None:
        return _refused(command, "NO_POSITION", "position_id", command.position_id, "an open one")
    if not 0.0 < command.fraction <= 1.0:
        return _refused(command, "INVALID_INPUT", "fraction", command.fraction, "in (0, 1]")
    return _sale(call, command, position, exits.Ask(ts_ns=call.ts_ns, fraction=command.fraction))


def _sale(call: _Call, command: cmd.Command, position: Position, ask: exits.Ask) -> cmd.Answer:
    desk = call.desk
    busy = exits.state_of(desk, position.position_id).intent_id
    if busy is not None and (ask.fraction < 1.0 or ask.size_base_raw is not None):
        return _refused(command, "ORDER_IN_FLIGHT", "position_id", position.position_id, "no order")
    refusal = exits.start(desk, call.effects, position, ExitReason.MANUAL, call.market, ask)
    return call.accepted(command) if refusal is None else _denied(command, refusal)


def _close_all(call: _Call, command: cmd.CloseAll) -> cmd.Answer:
    exits.close_all(call.desk, call.effects, ExitReason.MANUAL, call.ts_ns, call.market)
    return call.accepted(command)


def _move(call: _Call, command: cmd.Command) -> cmd.Answer:
    """Change the operator state, with what belongs to the new one."""
    desk, effects = call.desk, call.effects
    allowed, state = _MOVES[type(command)]
    present = desk.state.operator
    if present not in allowed:
        expected = " or ".join(sorted(allowed))
        return _refused(command, "CONFLICT", "state", present, expected)
    if present is state:
        return call.accepted(command)
    name = type(command).__name__
    guards.set_state(desk, effects, state, call.ts_ns, (command.issued_by, name))
    if state is OperatorState.SAFE_MODE:
        effects.calls.append(fx.Tighten(None, desk.config.strategies.exits.safe_mode_stop_atr))
    elif state is OperatorState.EMERGENCY_STOP:
        exits.close_all(desk, effects, ExitReason.EMERGENCY, call.ts_ns, call.market)
        effects.calls.append(desk.watch_portfolio(call.market))
    elif present is OperatorState.EMERGENCY_STOP:
        _reset(call, command)
    return call.accepted(command)


def _reset(call: _Call, command: cmd.Command) -> None:
    """Leave the emergency stop: its guards end, and the peak starts again at present equity.

    Without a new peak the account would still be below its floor and stop again at once.
    """
    desk = call.desk
    cause = f"reset by {command.issued_by}"
    guards.post_changes(desk, call.effects, desk.breakers.reset(call.ts_ns, cause))
    equity_raw = desk.equity_raw(call.market)
    if equity_raw is not None:
        mark = desk.book.equity_mark(call.ts_ns, equity_raw, equity_raw, peak_reset=True)
        guards.post_mark(desk, call.effects, mark)
        desk.restart_peak(equity_raw)
    call.effects.calls.append(desk.watch_portfolio(call.market, peak_restarts=True))


def _shutdown(call: _Call, command: cmd.Shutdown) -> cmd.Answer:
    return call.accepted(command)


def _refused(
    command: cmd.Command, code: str, field: str, value: object, expected: str
) -> cmd.Answer:
    return cmd.Refusal(
        command_id=command.command_id, code=code, field=field, value=str(value), expected=expected
    )


def _denied(command: cmd.Command, refused: RiskRefused) -> cmd.Answer:
    return cmd.Refusal(
        command_id=command.command_id,
        code=refused.code,
        field="order",
        value=str(refused.order_value),
        expected=f"{refused.message} (limit {refused.limit}, now {refused.value})",
    )


_HANDLERS: Final[dict[type, Callable[..., cmd.Answer]]] = {
    cmd.Trade: _trade,
    cmd.ClosePosition: _close,
    cmd.CloseAll: _close_all,
    cmd.Pause: _move,
    cmd.Resume: _move,
    cmd.SafeMode: _move,
    cmd.EmergencyStop: _move,
    cmd.Reset: _move,
    cmd.Shutdown: _shutdown,
}
"""Every command has its handler; a test compares the keys with the union."""
