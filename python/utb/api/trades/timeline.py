"""The life of one trade, read from the journal's file."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from utb.api.shown import fill_price, when
from utb.api.trades.schemas import Event
from utb.api.world import World
from utb.domain.amounts import units_of
from utb.domain.market import Instrument
from utb.domain.names import STRATEGIES
from utb.domain.records import (
    Decision,
    FillBooked,
    OrderState,
    Record,
    Refused,
    TriggerArmed,
    TriggerFiredRecord,
    TriggerMovedRecord,
)
from utb.storage.readers import read_records
from utb.telemetry.replica import Story

EVENTS_MAX = 1_000
"""Longest timeline; the newest are kept."""
_AFTER = 64
"""Records behind the last fill in which its triggers end."""


async def timeline(world: World, position_id: int, instrument: Instrument) -> tuple[Event, ...]:
    """Return everything on record about a position, oldest first."""
    story = world.replica.story(position_id)
    journal = world.journal
    if story is None or journal is None:
        return ()
    last = world.replica.seq
    if position_id not in world.replica.book.positions:
        last = min(story.last_seq + _AFTER, last)
    # The file is read in a thread: a long life is many records
    return await asyncio.to_thread(_read, journal, story, last, (position_id, instrument))


def _read(
    journal: Path, story: Story, last: int, subject: tuple[int, Instrument]
) -> tuple[Event, ...]:
    position_id, instrument = subject
    intents = set(story.intents)
    found = [
        event(seq, record, instrument)
        for seq, _, record in read_records(journal, story.first_seq - 1, last)
        if _belongs(record, position_id, intents)
    ]
    return tuple(found[-EVENTS_MAX:])


def _belongs(record: Record, position_id: int, intents: set[str]) -> bool:
    match record:
        case Decision() | Refused():
            return record.intent_id in intents
        case OrderState():
            if record.intent is not None and record.intent.position_id == position_id:
                intents.add(record.intent_id)
            return record.intent_id in intents
        case FillBooked():
            return record.fill.position_id == position_id
        case TriggerArmed() | TriggerMovedRecord() | TriggerFiredRecord():
            return record.position_id == position_id
        case _:
            return False


def event(seq: int, record: Record, instrument: Instrument) -> Event:
    """Return one record as a line of a timeline."""
    text, data = _told(record, instrument)
    kind = str(record.__struct_config__.tag)
    return Event(seq=seq, timestamp=when(record.ts_ns), kind=kind, text=text, data=data)


def _told(record: Record, instrument: Instrument) -> tuple[str, dict[str, Any]]:
    match record:
        case Decision():
            return _decision(record)
        case OrderState():
            return _order(record)
        case FillBooked():
            return _fill(record, instrument)
        case TriggerArmed() | TriggerMovedRecord() | TriggerFiredRecord():
            return _trigger(record), _plain(record)
        case _:
            return "", _plain(record)


def _trigger(record: TriggerArmed | TriggerMovedRecord | TriggerFiredRecord) -> str:
    match record:
        case TriggerFiredRecord():
            return f"{record.kind} fired at {record.price:g}"
        case TriggerMovedRecord():
            return f"stop to {record.stop:g} ({record.cause.lower()})"
        case TriggerArmed():
            return f"stop {record.stop:g}, target {_or_none(record.target)}"


def _fill(record: FillBooked, instrument: Instrument) -> tuple[str, dict[str, Any]]:
    fill = record.fill
    size = units_of(fill.base_raw, instrument.base_decimals)
    price = fill_price(fill, instrument)
    data = {
        "side": fill.side,
        "size": size,
        "price": price,
        "decision_price": fill.decision_price,
        "pool_fee": units_of(fill.pool_fee_quote_raw, instrument.quote_decimals),
        "network_fee": units_of(record.fee_quote_raw, instrument.quote_decimals),
        "execution_ms": (fill.ts_ns - fill.decision_ts_ns) / 1e6,
        "exit_reason": fill.exit_reason,
        "indicative": fill.indicative,
    }
    return f"{fill.side.lower()} of {size:g} at {price:g}", data


def _or_none(value: float | None) -> str:
    return "none" if value is None else f"{value:g}"


def _plain(record: Record) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(record)
    return {key: value for key, value in built.items() if key not in {"type", "ts_ns"}}


def _decision(record: Decision) -> tuple[str, dict[str, Any]]:
    made = record.decision
    lead = STRATEGIES[made.lead] if 0 <= made.lead < len(STRATEGIES) else "manual"
    votes = [
        {
            "strategy": name,
            "side": vote.side,
            "strength": vote.strength,
            "confidence": vote.confidence,
            "weight": vote.weight,
            "conditions": vote.conditions,
        }
        for name, vote in zip(STRATEGIES, made.votes, strict=False)
    ]
    data = {
        "side": made.side,
        "lead": lead,
        "price": made.price,
        "stop": made.stop,
        "target": made.target,
        "consensus": made.consensus,
        "confidence": made.confidence,
        "participation": made.participation,
        "outcome": record.outcome,
        "votes": votes,
    }
    return f"{made.side.lower()} at {made.price:g}, led by {lead}: {record.outcome}", data


def _order(record: OrderState) -> tuple[str, dict[str, Any]]:
    data: dict[str, Any] = {"order_id": record.intent_id, "status": record.status}
    if record.factors:
        data["factors"] = {factor.name: factor.value for factor in record.factors}
    if record.intent is not None:
        intent = record.intent
        data |= {
            "side": intent.side,
            "decision_price": intent.decision_price,
            "stop": intent.stop,
            "target": intent.target,
            "attempt": intent.attempt + 1,
            "exit_reason": intent.exit_reason,
            "slippage_bps_max": intent.slippage_bps_max,
        }
    if record.reason:
        data["reason"] = record.reason
    return f"order {record.status.lower().replace('_', ' ')}", data
