"""What a journal says the state is, and what a trader says it is: the same, at any moment.

A start is a recovery. The runner loads the last snapshot, goes on at its feed position and meets
the records after it again: the journal compares each with the stored one and stops the session at
the first difference. An order whose record is stored goes to the simulated venue once more, as the
same intent with the same outcome; when the stored records are used up, the session goes on.
"""

from collections.abc import Iterable, Sequence

import msgspec

from utb.domain.market import Instrument
from utb.domain.names import BreakerKind, OperatorState, OrderStatus
from utb.domain.records import (
    Breaker,
    EquityMarked,
    Record,
    TriggerArmed,
    Weights,
)
from utb.domain.records import OperatorState as OperatorStateRecord
from utb.ledger.book import Book
from utb.node.trader import Trader


class OpenPosition(msgspec.Struct, frozen=True, kw_only=True):
    """An open position with its triggers."""

    position_id: int
    instrument: int
    lead: str
    base_raw: int
    cost_quote_raw: int
    stop: float
    target: float | None
    partial_done: bool


class OpenOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order on its way."""

    intent_id: str
    instrument: int
    status: OrderStatus
    amount_in_raw: int
    reserved_quote_raw: int


class TrippedBreaker(msgspec.Struct, frozen=True, kw_only=True):
    """An active guard."""

    kind: BreakerKind
    instrument: int | None
    until_ts_ns: int | None


class StateView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a restart must bring back."""

    cash_quote_raw: int
    sol_lamports: int
    reserved_quote_raw: int
    positions: tuple[OpenPosition, ...]
    orders: tuple[OpenOrder, ...]
    weights: tuple[tuple[float, ...], ...]
    breakers: tuple[TrippedBreaker, ...]
    volatility_daily: float | None
    operator: OperatorState


def fold(records: Iterable[Record], instruments: Sequence[Instrument]) -> StateView:
    """Return the state that a journal's records make, read from the first one."""
    book = Book(instruments)
    partials: dict[int, bool] = {}
    tripped: dict[tuple[BreakerKind, int | None], Breaker] = {}
    weights: tuple[tuple[float, ...], ...] = ()
    volatility: float | None = None
    operator = OperatorState.RUNNING
    for record in records:
        book.apply(record)
        match record:
            case TriggerArmed():
                partials[record.position_id] = record.partial_done
            case Breaker():
                tripped.pop((record.kind, record.instrument), None)
                if record.active:
                    tripped[record.kind, record.instrument] = record
            case EquityMarked():
                volatility = record.volatility_daily
            case OperatorStateRecord():
                operator = record.state
            case Weights():
                weights = record.rows
            case _:
                continue
    return _view(book, partials, tuple(tripped.values()), (weights, volatility, operator))


def view_of(trader: Trader) -> StateView:
    """Return the state that a live trader holds."""
    desk = trader.desk
    partials = {key: watch.partial_done for key, watch in desk.state.watches.items()}
    weights = desk.weights.rows if desk.state.is_open else ()
    rest = (weights, desk.breakers.volatility_daily, desk.state.operator)
    return _view(desk.book, partials, desk.breakers.active, rest)


def _view(
    book: Book,
    partials: dict[int, bool],
    breakers: tuple[Breaker, ...],
    rest: tuple[tuple[tuple[float, ...], ...], float | None, OperatorState],
) -> StateView:
    weights, volatility, operator = rest
    return StateView(
        cash_quote_raw=book.cash_quote_raw,
        sol_lamports=book.sol_lamports,
        reserved_quote_raw=book.cash_quote_raw - book.available_quote_raw,
        positions=tuple(
            OpenPosition(
                position_id=position.position_id,
                instrument=position.instrument,
                lead=position.lead,
                base_raw=position.base_raw,
                cost_quote_raw=position.cost_quote_raw,
                stop=position.stop,
                target=position.target,
                partial_done=partials.get(position.position_id, False),
            )
            for position in book.positions.values()
        ),
        orders=tuple(
            OpenOrder(
                intent_id=intent_id,
                instrument=order.intent.instrument,
                status=order.status,
                amount_in_raw=order.intent.amount_in_raw,
                reserved_quote_raw=order.reserved_quote_raw,
            )
            for intent_id, order in book.pending.items()
        ),
        weights=weights,
        breakers=tuple(
            TrippedBreaker(kind=b.kind, instrument=b.instrument, until_ts_ns=b.until_ts_ns)
            for b in breakers
        ),
        volatility_daily=volatility,
        operator=operator,
    )
