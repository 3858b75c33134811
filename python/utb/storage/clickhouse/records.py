"""Journal records -> rows of the durable tables."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from utb.domain.market import Instrument
from utb.domain.names import STRATEGIES, Regime
from utb.domain.orders import Trade
from utb.domain.records import (
    Decision,
    EquityMarked,
    FillBooked,
    FillReverted,
    OrderState,
    Record,
    Refused,
)
from utb.errors import InvariantError
from utb.ledger.book import Book
from utb.storage.clickhouse import durable
from utb.storage.clickhouse.table import Table

Journaled = tuple[int, int, Record]
"""Sequence, wall ns, record."""
Fields = dict[str, Any]

_encoder: Final = msgspec.json.Encoder(order="deterministic")


class Projector:
    """Turns records into rows, in order from the first; folds the book for closed trades."""

    def __init__(self, instruments: tuple[Instrument, ...]) -> None:
        self._instruments = {instrument.index: instrument for instrument in instruments}
        self._book = Book(instruments)
        self.seq = 0
        """Last record seen."""

    def skip(self, entry: Journaled) -> None:
        """See a record whose rows are stored."""
        self.seq = entry[0]
        self._book.apply(entry[2])

    def rows(self, entries: Iterable[Journaled]) -> dict[str, list[tuple[Any, ...]]]:
        """See records and return their rows by table.

        Raises:
            InvariantError: If a record contradicts the book.
        """
        batch: dict[str, list[tuple[Any, ...]]] = {}
        for seq, wall_ns, record in entries:
            self.seq = seq
            for table, fields in self._tables(wall_ns, record):
                fields |= {"seq": seq}
                row = tuple(fields[name] for name in table.names)
                batch.setdefault(table.name, []).append(row)
        return batch

    def _tables(self, wall_ns: int, record: Record) -> Iterable[tuple[Table, Fields]]:
        found = _DETAILS.get(type(record))
        if found is not None:
            table, fields = found
            yield table, self._named(fields(record, self._instruments))
        elif isinstance(record, FillReverted):
            yield from self._taken_back(record)
        trade = self._book.apply(record)
        if trade is not None:
            yield durable.TRADES, self._named(_trade(trade, self._instruments))
        yield durable.EVENTS, self._named(_event(wall_ns, record))

    def _taken_back(self, record: FillReverted) -> Iterable[tuple[Table, Fields]]:
        """Yield what makes the sums right again, before the book forgets the fill.

        Raises:
            InvariantError: If the book does not know the fill, or the trade it closed.
        """
        one = self._book.provisional.get(record.intent_id)
        if one is None:
            raise InvariantError(f"fill {record.intent_id} is not provisional and cannot be undone")
        fill = _fill(one.record, self._instruments)
        yield durable.FILLS, self._named(_negated(fill, _FILL_AMOUNTS, record.ts_ns))
        if not one.closed:
            return
        position_id = one.record.fill.position_id
        for trade in reversed(self._book.trades):
            if trade.position_id == position_id:
                fields = _trade(trade, self._instruments)
                yield durable.TRADES, self._named(_negated(fields, _TRADE_AMOUNTS, record.ts_ns))
                return
        raise InvariantError(f"fill {record.intent_id} closed a trade that the book does not hold")

    def _named(self, fields: Fields) -> Fields:
        """Add the symbol where there is an instrument."""
        if "instrument" in fields:
            instrument = self._instruments.get(fields["instrument"])
            fields["symbol"] = "" if instrument is None else instrument.symbol
        return fields


def payload(record: Record) -> str:
    """Return a record as JSON; `msgspec.json.decode(text, type=Record)` gives it back."""
    return _encoder.encode(record).decode()


def _event(wall_ns: int, record: Record) -> Fields:
    source: msgspec.Struct = record
    instrument: int | None
    if isinstance(record, Decision):
        instrument = record.decision.instrument
    elif isinstance(record, FillBooked):
        source, instrument = record.fill, record.fill.instrument
    elif isinstance(record, OrderState) and record.intent is not None:
        instrument = record.intent.instrument
    else:
        instrument = getattr(record, "instrument", None)
    return {
        "ts": record.ts_ns,
        "wall": wall_ns,
        "kind": str(record.__struct_config__.tag),
        "instrument": instrument,
        "intent_id": getattr(source, "intent_id", ""),
        "position_id": getattr(source, "position_id", None),
        "payload": payload(record),
    }


def _decision(record: Decision, _: Mapping[int, Instrument]) -> Fields:
    made, features = record.decision, record.decision.features
    votes = made.votes
    return {
        "ts": record.ts_ns,
        "intent_id": record.intent_id,
        "instrument": made.instrument,
        "bar_open": made.bar_open_ns,
        "side": made.side,
        "lead": STRATEGIES[made.lead],
        "outcome": record.outcome,
        "price": made.price,
        "stop": made.stop,
        "target": made.target,
        "consensus": made.consensus,
        "confidence": made.confidence,
        "participation": made.participation,
        "atr": features.atr,
        "adx": features.adx,
        "volatility_ratio": features.volatility_ratio,
        "trend_4h": features.trend_4h,
        "regime": Regime(features.regime).name.lower(),
        "liquidity_quote": features.liquidity_quote,
        "params_version": made.params_version,
        "votes.strategy": STRATEGIES[: len(votes)],
        "votes.side": [vote.side for vote in votes],
        "votes.strength": [vote.strength for vote in votes],
        "votes.confidence": [vote.confidence for vote in votes],
        "votes.weight": [vote.weight for vote in votes],
        "votes.conditions": [vote.conditions for vote in votes],
    }


def _refusal(record: Refused, _: Mapping[int, Instrument]) -> Fields:
    return {**_plain(record), "ts": record.ts_ns}


_INTENT_FIELDS: Final = (
    "instrument",
    "side",
    "lead",
    "exit_reason",
    "decision_price",
    "stop",
    "target",
    "amount_in_raw",
    "min_out_raw",
    "position_id",
    "attempt",
    "slippage_bps_max",
)
_NO_INTENT: Final = {"side": "", "lead": "", "exit_reason": "", "attempt": 0}


def _order(record: OrderState, _: Mapping[int, Instrument]) -> Fields:
    intent = record.intent
    fields = {
        name: _NO_INTENT.get(name) if intent is None else getattr(intent, name)
        for name in _INTENT_FIELDS
    }
    return {
        **_plain(record),
        **fields,
        "ts": record.ts_ns,
        "exit_reason": fields["exit_reason"] or "",
        "factors.name": [factor.name for factor in record.factors],
        "factors.value": [factor.value for factor in record.factors],
    }


_FILL_AMOUNTS: Final = (
    "base_raw",
    "quote_raw",
    "pool_fee_quote_raw",
    "fee_lamports",
    "fee_quote_raw",
)
_TRADE_AMOUNTS: Final = (
    "base_raw",
    "entry_quote_raw",
    "exit_quote_raw",
    "fee_lamports",
    "fee_quote_raw",
    "pool_fee_quote_raw",
    "pnl_quote_raw",
    "initial_risk_quote_raw",
)


def _fill(record: FillBooked, instruments: Mapping[int, Instrument]) -> Fields:
    fill = record.fill
    return {
        **_plain(fill),
        **_digits(instruments[fill.instrument]),
        "ts": record.ts_ns,
        "decision_ts": fill.decision_ts_ns,
        "exit_reason": fill.exit_reason or "",
        "fee_quote_raw": record.fee_quote_raw,
        "sign": 1,
    }


def _trade(trade: Trade, instruments: Mapping[int, Instrument]) -> Fields:
    return {
        **_plain(trade),
        **_digits(instruments[trade.instrument]),
        "ts": trade.closed_ts_ns,
        "opened_ts": trade.opened_ts_ns,
        "sign": 1,
    }


def _negated(fields: Fields, amounts: tuple[str, ...], ts_ns: int) -> Fields:
    """Return the row that takes another one back."""
    return {**fields, **{name: -fields[name] for name in amounts}, "sign": -1, "ts": ts_ns}


def _equity(record: EquityMarked, instruments: Mapping[int, Instrument]) -> Fields:
    first = next(iter(instruments.values()))
    return {**_plain(record), "ts": record.ts_ns, "quote_decimals": first.quote_decimals}


def _plain(value: msgspec.Struct) -> Fields:
    """Return a struct's fields as they are."""
    return {name: getattr(value, name) for name in value.__struct_fields__}


def _digits(instrument: Instrument) -> Fields:
    return {
        "base_decimals": instrument.base_decimals,
        "quote_decimals": instrument.quote_decimals,
    }


_DETAILS: Final[dict[type, tuple[Table, Callable[[Any, Mapping[int, Instrument]], Fields]]]] = {
    Decision: (durable.DECISIONS, _decision),
    Refused: (durable.REFUSALS, _refusal),
    OrderState: (durable.ORDERS, _order),
    FillBooked: (durable.FILLS, _fill),
    EquityMarked: (durable.EQUITY, _equity),
}
