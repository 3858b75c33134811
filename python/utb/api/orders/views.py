"""Orders, decisions, refusals and alerts from the replica."""

from itertools import islice
from typing import Final

from utb.api.orders.refusal import told
from utb.api.orders.schemas import (
    AlertRow,
    Alerts,
    DecisionRow,
    Decisions,
    DecisionVote,
    OrderRow,
    Orders,
    RefusalRow,
    Refusals,
)
from utb.api.shown import when
from utb.api.world import World
from utb.domain.amounts import units_of
from utb.domain.engine import VoteView
from utb.domain.names import CONDITIONS, MANUAL, STRATEGIES, Side
from utb.domain.records import Decision, Refused
from utb.telemetry.alerts import Alert
from utb.telemetry.orders import OrderEntry

_LETTERS: Final = {"T": True, "F": False}


def orders(world: World, limit: int) -> Orders:
    """Return open and recent orders, newest first."""
    return Orders(orders=tuple(order_row(world, o) for o in world.replica.orders.newest(limit)))


def order_row(world: World, order: OrderEntry) -> OrderRow:
    """Return one order."""
    intent = order.intent
    instrument = world.replica.instruments[intent.instrument]
    base, quote = instrument.base_decimals, instrument.quote_decimals
    is_buy = intent.side is Side.BUY
    size = None if is_buy else units_of(intent.amount_in_raw, base)
    amount = units_of(intent.amount_in_raw, quote) if is_buy else None
    if order.fill is not None:
        fill = order.fill.fill
        size, amount = units_of(fill.base_raw, base), units_of(fill.quote_raw, quote)
    why = intent.lead if intent.exit_reason is None else intent.exit_reason.value
    ended = order.steps[-1].reason
    return OrderRow(
        id=intent.intent_id,
        symbol=instrument.symbol,
        side=intent.side.value,
        status=order.status.value,
        size=size,
        amount=amount,
        reason=f"{why}: {ended}" if ended else why,
        created_at=when(order.steps[0].ts_ns),
        updated_at=when(order.steps[-1].ts_ns),
        attempts=intent.attempt + 1,
        position_id=intent.position_id,
    )


def decisions(world: World, limit: int, symbol: str | None) -> Decisions:
    """Return decisions, newest first."""
    replica = world.replica
    fitting = (
        record
        for _, record in reversed(replica.decisions)
        if symbol is None or replica.symbol(record.decision.instrument) == symbol
    )
    return Decisions(decisions=tuple(decision_row(world, d) for d in islice(fitting, limit)))


def decision_row(world: World, record: Decision) -> DecisionRow:
    """Return one decision."""
    made = record.decision
    lead = STRATEGIES[made.lead] if 0 <= made.lead < len(STRATEGIES) else MANUAL
    symbol = world.replica.symbol(made.instrument)
    ends = {
        "entry": "bought",
        "exit": "sold",
        "no_position": "nothing to sell",
        "refused": "refused by the risk gate",
    }
    return DecisionRow(
        id=record.intent_id,
        timestamp=when(record.ts_ns),
        symbol=symbol,
        side=made.side,
        lead=lead,
        price=made.price,
        stop=made.stop,
        target=made.target,
        consensus=made.consensus,
        confidence=made.confidence,
        participation=made.participation,
        outcome=record.outcome,
        sentence=(
            f"{symbol}: {ends.get(record.outcome, record.outcome)}, led by {lead}, consensus "
            f"{made.consensus:.2f}, confidence {made.confidence:.2f}, turnout "
            f"{made.participation:.2f}"
        ),
        votes=tuple(_vote(index, vote) for index, vote in enumerate(made.votes[: len(STRATEGIES)])),
    )


def _vote(index: int, vote: VoteView) -> DecisionVote:
    named = zip(CONDITIONS[index], vote.conditions, strict=False)
    return DecisionVote(
        strategy=STRATEGIES[index],
        side=vote.side,
        strength=vote.strength,
        confidence=vote.confidence,
        weight=vote.weight,
        conditions={name: _LETTERS.get(letter) for name, letter in named},
    )


def refusals(world: World, limit: int) -> Refusals:
    """Return refusals, newest first."""
    newest = islice(reversed(world.replica.refusals), limit)
    return Refusals(refusals=tuple(refusal_row(world, record) for _, record in newest))


def refusal_row(world: World, record: Refused) -> RefusalRow:
    """Return one refusal."""
    said = told(world.replica, record)
    return RefusalRow(
        id=record.intent_id,
        timestamp=when(record.ts_ns),
        symbol=world.replica.symbol(record.instrument),
        code=record.code.value,
        limit=said.limit,
        value=said.value,
        order_value=said.order_value,
        message=said.message,
    )


def alerts(world: World, limit: int) -> Alerts:
    """Return alerts, newest first."""
    newest = islice(reversed(world.replica.alerts), limit)
    return Alerts(alerts=tuple(alert_row(alert) for alert in newest))


def alert_row(alert: Alert) -> AlertRow:
    """Return one alert."""
    return AlertRow(
        id=alert.id,
        severity=alert.severity.value,
        category=alert.category.value,
        title=alert.title,
        message=alert.message,
        timestamp=when(alert.ts_ns),
        data=alert.data,
    )
