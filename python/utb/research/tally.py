"""Counts and marks of a run, folded from its journal."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from utb.domain.market import Instrument
from utb.domain.names import STRATEGIES, ExitReason, Side
from utb.domain.records import (
    Breaker,
    ContextSet,
    Decision,
    FillBooked,
    OrderState,
    Record,
    Refused,
)
from utb.research.run import FillMark


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, counted."""

    entries_by_lead: dict[str, int]
    """Filled entries; all eight strategies are there, `manual` only if it traded."""
    exits_by_reason: dict[str, int]
    """Filled exits; every reason is there."""
    refusals_by_code: dict[str, int]
    decisions_by_outcome: dict[str, int]
    orders_by_status: dict[str, int]
    """Last status of every order."""
    breakers: dict[str, int]
    """Times each guard tripped."""
    contexts: int
    records: int
    fills: tuple[FillMark, ...]


def tally(records: Iterable[Record], instruments: tuple[Instrument, ...]) -> Tally:
    """Fold records, oldest first."""
    entries = Counter(dict.fromkeys(STRATEGIES, 0))
    exits = Counter({reason.value: 0 for reason in ExitReason})
    refusals: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    breakers: Counter[str] = Counter()
    last_status: dict[str, str] = {}
    fills: list[FillMark] = []
    contexts = count = 0
    for record in records:
        count += 1
        match record:
            case FillBooked(fill=fill):
                label = fill.lead if fill.side is Side.BUY else str(fill.exit_reason)
                (entries if fill.side is Side.BUY else exits)[label] += 1
                fills.append(_mark(record, instruments[fill.instrument], label))
            case Refused(code=code):
                refusals[code.value] += 1
            case Decision(outcome=outcome):
                outcomes[outcome] += 1
            case OrderState(intent_id=intent_id, status=status):
                last_status[intent_id] = status.value
            case Breaker(kind=kind, active=True):
                breakers[kind.value] += 1
            case ContextSet():
                contexts += 1
    return Tally(
        entries_by_lead=dict(entries),
        exits_by_reason=dict(exits),
        refusals_by_code=dict(refusals),
        decisions_by_outcome=dict(outcomes),
        orders_by_status=dict(Counter(last_status.values())),
        breakers=dict(breakers),
        contexts=contexts,
        records=count,
        fills=tuple(fills),
    )


def _mark(record: FillBooked, instrument: Instrument, label: str) -> FillMark:
    fill = record.fill
    scale = 10.0 ** (instrument.base_decimals - instrument.quote_decimals)
    return FillMark(
        instrument=fill.instrument,
        ts_ns=fill.ts_ns,
        price=fill.quote_raw / fill.base_raw * scale,
        side=fill.side.value,
        label=label,
    )
