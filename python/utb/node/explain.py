"""Why a trade was made and what it came to, recomputed from the records alone.

Nothing here is taken from the running bot: the ensemble's sums are added up again from the recorded
votes, the gate is asked again with what it saw, the ledger is folded again. Each number stands
beside the one on record; a difference means that the code or the configuration is another one than
at the time, and is said.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from utb.domain.chain import Attempt
from utb.domain.engine import DecisionMade, VoteView
from utb.domain.market import Instrument
from utb.domain.names import STRATEGIES, Side
from utb.domain.orders import RiskApproved, Trade
from utb.domain.records import (
    Decision,
    FillBooked,
    FillReverted,
    OrderState,
    Record,
    TriggerArmed,
    TriggerFiredRecord,
    TriggerMovedRecord,
    Weights,
)
from utb.errors import InvariantError
from utb.ledger.book import Book
from utb.risk.gate import approve_entry
from utb.risk.settings import RiskSettings
from utb.risk.view import GateInputs

_SLACK: Final = 1e-9
"""As the ensemble compares masses (`signals::ensemble`)."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One number, on record and recomputed."""

    name: str
    recorded: Any
    recomputed: Any

    @property
    def equal(self) -> bool:
        """Return whether both are the same, to the last bit."""
        return bool(self.recorded == self.recomputed)


class Explanation(msgspec.Struct, kw_only=True):
    """Everything on record about one position, from its decision to its last exit."""

    position_id: int
    instrument: Instrument
    decision: Decision | None = None
    """None: bought by hand."""
    weights: Weights | None = None
    """Those in force at the decision."""
    approved: OrderState | None = None
    attempts: list[Attempt] = []
    fills: list[FillBooked] = []
    failed_quote_raw: int = 0
    """What exits that failed cost until the position was closed."""
    trade: Trade | None = None
    """None while the position is open."""
    timeline: list[tuple[int, Record]] = []
    """(sequence, record), oldest first."""
    checks: list[Check] = []

    @property
    def differences(self) -> tuple[Check, ...]:
        """Return the numbers that were not met again."""
        return tuple(check for check in self.checks if not check.equal)


def explain(
    records: Iterable[tuple[int, Record]],
    instruments: Sequence[Instrument],
    settings: RiskSettings,
    wanted: str,
) -> Explanation:
    """Explain the trade with a position's number, or with the intent id of one of its orders.

    Args:
        records: (sequence, record) of the whole journal, from the first one.
        instruments: What the records' numbers mean.
        settings: Of risk, as they were at the time.
        wanted: Position number or intent id.

    Raises:
        LookupError: If there is no such trade on record.
        InvariantError: If the records contradict each other.
    """
    book = Book(instruments)
    rows = list(records)
    position_id, intents = _find(rows, wanted)
    found = Explanation(position_id=position_id, instrument=instruments[0])
    weights: Weights | None = None
    for seq, record in rows:
        if isinstance(record, Weights):
            weights = record
        trade = book.apply(record)
        if trade is not None and trade.position_id == position_id:
            found.trade = trade
        if _belongs(record, position_id, intents):
            found.timeline.append((seq, record))
            _take(found, record, instruments, weights)
    _recompute(found, settings)
    return found


def _find(rows: Sequence[tuple[int, Record]], wanted: str) -> tuple[int, set[str]]:
    """Return a trade's position and the intents of all its orders."""
    position_id = int(wanted) if wanted.isdecimal() and len(wanted) < _ID_DIGITS else None
    if position_id is None:
        named = [
            r.fill.position_id
            for _, r in rows
            if isinstance(r, FillBooked) and r.fill.intent_id == wanted
        ]
        if not named:
            raise LookupError(wanted)
        position_id = named[-1]
    intents = {
        r.fill.intent_id
        for _, r in rows
        if isinstance(r, FillBooked) and r.fill.position_id == position_id
    }
    if not intents:
        raise LookupError(wanted)
    intents |= {
        r.intent_id
        for _, r in rows
        if isinstance(r, OrderState)
        and r.intent is not None
        and r.intent.position_id == position_id
    }
    return position_id, intents


_ID_DIGITS: Final = 16
"""An intent id has so many; a position's number never."""


def _belongs(record: Record, position_id: int, intents: set[str]) -> bool:
    match record:
        case Decision() | OrderState() | FillReverted():
            return record.intent_id in intents
        case FillBooked():
            return record.fill.position_id == position_id
        case TriggerArmed() | TriggerMovedRecord() | TriggerFiredRecord():
            return record.position_id == position_id
        case _:
            return False


def _take(
    found: Explanation,
    record: Record,
    instruments: Sequence[Instrument],
    weights: Weights | None,
) -> None:
    match record:
        case Decision() if record.outcome == "entry":
            found.decision, found.weights = record, weights
        case OrderState():
            if record.gate_inputs:
                found.approved = record
            if record.attempt is not None:
                found.attempts.append(record.attempt)
            if found.trade is None:
                found.failed_quote_raw += record.fee_quote_raw
        case FillBooked():
            found.fills.append(record)
            found.instrument = instruments[record.fill.instrument]
        case FillReverted():
            found.fills = [f for f in found.fills if f.fill.intent_id != record.intent_id]
            # What closed the position vanished, or what opened it
            found.trade = None
        case _:
            return


def _recompute(found: Explanation, settings: RiskSettings) -> None:
    if found.decision is not None:
        found.checks += _ensemble(found.decision.decision, found.weights)
    if found.approved is not None:
        found.checks += _gate(found.approved, settings)
    if found.trade is not None:
        found.checks += _money(found.trade, found.fills, found.failed_quote_raw)


def _ensemble(made: DecisionMade, weights: Weights | None) -> list[Check]:
    """Add the recorded votes up again, in the order the ensemble adds them."""
    sums = {"BUY": [0.0, 0.0, 0.0], "SELL": [0.0, 0.0, 0.0]}
    for vote in made.votes:
        of_side = sums.get(vote.side)
        if of_side is not None:
            for index, term in enumerate((vote.strength, vote.confidence, 1.0)):
                of_side[index] += vote.weight * term
    buy, sell = sums["BUY"], sums["SELL"]
    total = buy[0] + sell[0]
    larger = buy if buy[0] >= sell[0] else sell
    lead = _lead(made.votes, made.side)
    checks = [
        Check(
            name="side", recorded=made.side, recomputed="BUY" if buy[0] - sell[0] > 0.0 else "SELL"
        ),
        Check(
            name="consensus",
            recorded=made.consensus,
            recomputed=max(buy[0], sell[0]) / total if total > 0.0 else 0.5,
        ),
        Check(
            name="confidence",
            recorded=made.confidence,
            recomputed=larger[1] / larger[2] if larger[2] > 0.0 else 0.0,
        ),
        Check(name="participation", recorded=made.participation, recomputed=buy[2] + sell[2]),
        Check(name="lead", recorded=STRATEGIES[made.lead], recomputed=lead),
    ]
    if weights is not None:
        used = tuple(vote.weight for vote in made.votes)
        row = weights.rows[made.features.regime]
        checks.append(Check(name="weights", recorded=used, recomputed=tuple(row)))
    return checks


def _lead(votes: Sequence[VoteView], side: str) -> str:
    lead, most = "", float("-inf")
    for name, vote in zip(STRATEGIES, votes, strict=True):
        mass = vote.strength * vote.weight
        if vote.side == side and mass > most + _SLACK:
            lead, most = name, mass
    return lead


def _gate(approved: OrderState, settings: RiskSettings) -> list[Check]:
    """Ask the gate again with what it saw."""
    intent = approved.intent
    if intent is None:
        raise InvariantError(f"order {approved.intent_id} was approved without an intent")
    saw = msgspec.msgpack.decode(approved.gate_inputs, type=GateInputs)
    again = approve_entry(saw.request, saw.portfolio, saw.facts, settings)
    if not isinstance(again, RiskApproved):
        return [Check(name="gate", recorded="approved", recomputed=f"{again.code}")]
    return [
        Check(
            name="amount_in_raw",
            recorded=intent.amount_in_raw,
            recomputed=again.intent.amount_in_raw,
        ),
        Check(name="min_out_raw", recorded=intent.min_out_raw, recomputed=again.intent.min_out_raw),
        Check(name="stop", recorded=intent.stop, recomputed=again.intent.stop),
        Check(name="target", recorded=intent.target, recomputed=again.intent.target),
        Check(
            name="factors",
            recorded={f.name: f.value for f in approved.factors},
            recomputed={f.name: f.value for f in again.factors},
        ),
        Check(
            name="risk_at_stop_raw",
            recorded=approved.risk_at_stop_raw,
            recomputed=again.risk_at_stop_raw,
        ),
        Check(
            name="expected_cost_raw",
            recorded=approved.round_trip_cost_raw,
            recomputed=again.expected_cost_raw,
        ),
    ]


def _money(trade: Trade, fills: Sequence[FillBooked], failed_quote_raw: int) -> list[Check]:
    """Add the fills up again, and what failed exits cost, which is in no fill."""
    paid = sum(f.fill.quote_raw for f in fills if f.fill.side is Side.BUY)
    got = sum(f.fill.quote_raw for f in fills if f.fill.side is Side.SELL)
    fees = sum(f.fee_quote_raw for f in fills) + failed_quote_raw
    return [
        Check(name="entry_quote_raw", recorded=trade.entry_quote_raw, recomputed=paid),
        Check(name="exit_quote_raw", recorded=trade.exit_quote_raw, recomputed=got),
        Check(name="fee_quote_raw", recorded=trade.fee_quote_raw, recomputed=fees),
        Check(name="pnl_quote_raw", recorded=trade.pnl_quote_raw, recomputed=got - paid - fees),
    ]
