"""From a reason to sell to an order on its way, attempt after attempt, never stuck.

One exit of a position is on its way at a time. A full exit that comes while a partial one is on
its way waits for its end. An exit has at most `execution.exit_attempts_max` attempts with rising
tolerance; then its triggers are live again, and whatever price fires them starts a new epoch.
"""

from utb.domain.engine import DecisionMade, TriggerFired
from utb.domain.names import MANUAL, STRATEGIES, ExitReason, OperatorState
from utb.domain.orders import Position, RiskRefused
from utb.domain.records import EXIT_BY_TRIGGER, Decision, TriggerFiredRecord
from utb.node import effects as fx
from utb.node import intents
from utb.node.desk import Desk
from utb.node.entries import NO_SHARES, events_before, post_refusal, send
from utb.node.state import ExitState
from utb.ports.market import Market
from utb.risk.gate import approve_exit
from utb.risk.view import ExitRequest

_INSISTENT = frozenset({ExitReason.EMERGENCY, ExitReason.MANUAL})
"""Exits that no trigger would ask for again: a new epoch follows at once."""


def on_sell(desk: Desk, effects: fx.Effects, decision: DecisionMade, market: Market) -> None:
    """Close the position of a SELL decision's instrument; with none, only record it."""
    position = desk.book.position_of(decision.instrument)
    if position is None:
        intent_id = intents.entry_intent_id(
            decision.ts_ns, decision.instrument, decision.side, decision.lead
        )
        record = Decision(
            ts_ns=decision.ts_ns, intent_id=intent_id, decision=decision, outcome="no_position"
        )
        desk.post(effects, record)
        return
    exit_state = state_of(desk, position.position_id)
    intent_id = _intent_id(desk, position, ExitReason.SELL, exit_state)
    desk.post(
        effects,
        Decision(ts_ns=decision.ts_ns, intent_id=intent_id, decision=decision, outcome="exit"),
    )
    mark = market.mark(decision.instrument)
    seen = events_before(decision.ts_ns, mark, on_close=desk.is_close(decision))
    ask = Ask(ts_ns=decision.ts_ns, price=decision.price, events=seen)
    start(desk, effects, position, ExitReason.SELL, market, ask)


def on_fired(desk: Desk, effects: fx.Effects, event: TriggerFired, market: Market) -> None:
    """Record a trigger that fired and send its exit."""
    desk.post(
        effects,
        TriggerFiredRecord(
            ts_ns=event.ts_ns,
            position_id=event.position_id,
            instrument=event.instrument,
            kind=event.kind,
            price=event.price,
            level=event.level,
        ),
    )
    position = desk.book.position(event.position_id)
    if position is None:
        effects.calls.append(fx.Disarm(event.position_id))
        return
    reason = EXIT_BY_TRIGGER[event.kind]
    watch = desk.state.watches[event.position_id]
    watch.highest = max(watch.highest, event.price)
    early = reason is ExitReason.EARLY_EXIT
    on_close = early and position.lead in STRATEGIES and _looks_at_closes(desk, position.lead)
    mark = market.mark(event.instrument)
    seen = events_before(event.ts_ns, mark, on_close=on_close)
    ask = Ask(ts_ns=event.ts_ns, price=event.price, events=seen, fraction=event.fraction)
    start(desk, effects, position, reason, market, ask)


class Ask:
    """When, at what price and for how much a sale is asked for."""

    __slots__ = ("events", "fraction", "price", "size_base_raw", "ts_ns")

    def __init__(
        self,
        *,
        ts_ns: int,
        price: float | None = None,
        events: int | None = None,
        fraction: float = 1.0,
        size_base_raw: int | None = None,
    ) -> None:
        self.ts_ns = ts_ns
        self.price = price
        """Decision price; None: the mark."""
        self.events = events
        """Price events the decision has seen; None: all so far."""
        self.fraction = fraction
        self.size_base_raw = size_base_raw


def start(
    desk: Desk,
    effects: fx.Effects,
    position: Position,
    reason: ExitReason,
    market: Market,
    ask: Ask,
) -> RiskRefused | None:
    """Begin an exit, or let it wait for a partial one on its way; return the gate's refusal."""
    exit_state = state_of(desk, position.position_id)
    full = ask.fraction >= 1.0 and ask.size_base_raw is None
    if exit_state.intent_id is not None:
        if full and not _sells_all(exit_state):
            exit_state.queued = exit_state.queued or reason
        return None
    exit_state.reason = reason
    exit_state.fraction = ask.fraction
    exit_state.size_base_raw = ask.size_base_raw
    return _attempt(desk, effects, position, market, ask)


def after_failure(
    desk: Desk,
    effects: fx.Effects,
    position_id: int,
    ts_ns: int,
    market: Market,
    attempts: int = 1,
) -> None:
    """Try a failed exit again, or make the position's triggers live again.

    `attempts` is how many transactions were signed for it.
    """
    position = desk.book.position(position_id)
    if position is None:
        return
    exit_state = state_of(desk, position_id)
    exit_state.intent_id = _on_its_way(desk, position_id)
    if exit_state.intent_id is not None:
        return
    exit_state.attempt += max(attempts, 1)
    if desk.state.ended:
        return
    if exit_state.queued is not None:
        _begin_epoch(exit_state)
        exit_state.reason, exit_state.queued = exit_state.queued, None
        exit_state.fraction, exit_state.size_base_raw = 1.0, None
    elif exit_state.attempt >= desk.config.execution.exit_attempts_max:
        _begin_epoch(exit_state)
        if desk.state.operator is OperatorState.EMERGENCY_STOP:
            exit_state.reason = ExitReason.EMERGENCY
        if exit_state.reason not in _INSISTENT:
            exit_state.reason = None
            effects.calls.append(fx.Release(position_id))
            return
    _attempt(desk, effects, position, market, Ask(ts_ns=ts_ns))


def after_fill(
    desk: Desk, effects: fx.Effects, position: Position, ts_ns: int, market: Market
) -> None:
    """End the epoch of a partial exit that filled, and go on with a full one that waited."""
    exit_state = state_of(desk, position.position_id)
    _begin_epoch(exit_state)
    exit_state.intent_id = _on_its_way(desk, position.position_id)
    exit_state.reason = exit_state.queued
    exit_state.fraction, exit_state.size_base_raw = 1.0, None
    if exit_state.queued is not None and exit_state.intent_id is None:
        exit_state.queued = None
        _attempt(desk, effects, position, market, Ask(ts_ns=ts_ns))


def go_on(desk: Desk, effects: fx.Effects, position: Position, ts_ns: int, market: Market) -> None:
    """Go on with the exit that was begun before the position's entry vanished and landed again."""
    exit_state = state_of(desk, position.position_id)
    exit_state.intent_id = _on_its_way(desk, position.position_id)
    if exit_state.intent_id is not None or desk.state.ended:
        return
    _begin_epoch(exit_state)
    if exit_state.queued is not None:
        exit_state.reason, exit_state.queued = exit_state.queued, None
        exit_state.fraction, exit_state.size_base_raw = 1.0, None
    if exit_state.reason is not None:
        _attempt(desk, effects, position, market, Ask(ts_ns=ts_ns))


def close_all(
    desk: Desk, effects: fx.Effects, reason: ExitReason, ts_ns: int, market: Market
) -> None:
    """Begin a full exit of every position."""
    for position in desk.book.positions.values():
        start(desk, effects, position, reason, market, Ask(ts_ns=ts_ns))


def insist(desk: Desk, effects: fx.Effects, ts_ns: int, market: Market) -> None:
    """In an emergency stop, ask again for what could not be sold at an earlier price."""
    if desk.state.operator is not OperatorState.EMERGENCY_STOP or desk.state.ended:
        return
    for position in desk.book.positions.values():
        exit_state = state_of(desk, position.position_id)
        mark = market.mark(position.instrument)
        if exit_state.intent_id is None and mark is not None:
            if mark.events <= exit_state.tried_events:
                continue
            start(desk, effects, position, ExitReason.EMERGENCY, market, Ask(ts_ns=ts_ns))


def state_of(desk: Desk, position_id: int) -> ExitState:
    """Return a position's exit state, new where there is none."""
    return desk.state.exits.setdefault(position_id, ExitState())


def _on_its_way(desk: Desk, position_id: int) -> str | None:
    """Return a position's exit that has neither filled nor ended; a fork may bring one back."""
    for intent_id, order in desk.book.state.orders.items():
        if order.intent.position_id == position_id:
            return intent_id
    return None


def _intent_id(desk: Desk, position: Position, reason: ExitReason, exit_state: ExitState) -> str:
    """Return the next attempt's id, in an epoch that no exit taken back by a fork has used."""
    state = desk.book.state
    while True:
        intent_id = intents.exit_intent_id(
            position.intent_id, reason, exit_state.epoch, exit_state.attempt
        )
        used = intent_id in state.orders or intent_id in state.ended
        if exit_state.intent_id is not None or not used:
            return intent_id
        _begin_epoch(exit_state)


def _attempt(
    desk: Desk, effects: fx.Effects, position: Position, market: Market, ask: Ask
) -> RiskRefused | None:
    exit_state = state_of(desk, position.position_id)
    reason = exit_state.reason or ExitReason.MANUAL
    events = ask.events
    if events is None:
        mark = market.mark(position.instrument)
        events = 0 if mark is None else mark.events
    request = ExitRequest(
        intent_id=_intent_id(desk, position, reason, exit_state),
        ts_ns=ask.ts_ns,
        instrument=desk.instruments[position.instrument],
        lead=position.lead,
        position_id=position.position_id,
        decision_events=events,
        reason=reason,
        fraction=exit_state.fraction,
        size_base_raw=exit_state.size_base_raw,
        epoch=exit_state.epoch,
        attempt=exit_state.attempt,
    )
    facts = desk.facts(position.instrument, market, ask.price, None)
    verdict = approve_exit(request, desk.holdings(), facts, desk.settings)
    if isinstance(verdict, RiskRefused):
        post_refusal(desk, effects, verdict)
        exit_state.tried_events = events
        exit_state.reason = None
        _begin_epoch(exit_state)
        effects.calls.append(fx.Release(position.position_id))
        return verdict
    exit_state.intent_id = request.intent_id
    if exit_state.fraction < 1.0:
        exit_state.size_base_raw = verdict.intent.amount_in_raw
    send(desk, effects, verdict, NO_SHARES)
    return None


def _begin_epoch(exit_state: ExitState) -> None:
    exit_state.epoch += 1
    exit_state.attempt = 0


def _sells_all(exit_state: ExitState) -> bool:
    return exit_state.fraction >= 1.0 and exit_state.size_base_raw is None


def _looks_at_closes(desk: Desk, lead: str) -> bool:
    return lead != MANUAL and getattr(desk.config.strategies.evaluate, lead) == "close"
