"""How each durable record changes a book."""

from typing import Final

from msgspec.structs import replace

from utb.domain.market import Instrument
from utb.domain.names import ExitReason, OrderStatus, Side
from utb.domain.orders import FlowCause, Trade
from utb.domain.records import (
    CashMoved,
    EquityMarked,
    FillBooked,
    FillReverted,
    Flow,
    OrderState,
    Record,
    Refused,
    TriggerArmed,
    TriggerMovedRecord,
)
from utb.errors import InvariantError
from utb.ledger import nav, reverting
from utb.ledger.accounts import SOL, Account, balance, move, transfer
from utb.ledger.holding import Holding, buy, closed, initial_risk, note_execution, opened, sell
from utb.ledger.pending import ENDED, PendingOrder
from utb.ledger.state import BookState, Provisional

INTENTS_KEPT: Final = 10_000
"""Ended intents remembered; an older duplicate has no open order and halts instead."""
TRADES_KEPT: Final = 10_000
"""Closed trades kept in the book; the journal holds all."""


def apply(
    state: BookState, instruments: dict[int, Instrument], quote: str, record: Record
) -> Trade | None:
    """Fold one durable record; return the trade it closed, if it closed one.

    Raises:
        InvariantError: If the record contradicts the book.
    """
    # By exact type: a `case` that does not match costs more than most folds
    if type(record) is OrderState:
        _on_order(state, record)
    elif type(record) is FillBooked:
        return _on_fill(state, instruments, quote, record)
    elif type(record) is TriggerArmed or type(record) is TriggerMovedRecord:
        _on_trigger(state, record)
    elif type(record) is EquityMarked:
        nav.mark(state.nav, record)
    elif type(record) is Refused:
        if record.intent_id in state.orders:
            _release(state, record.intent_id, filled=False)
    elif type(record) is CashMoved:
        _on_cash(state, quote, record)
    elif type(record) is FillReverted:
        reverting.revert(state, instruments, quote, record)
    elif type(record) is Flow:
        _on_flow(state, record)
    # The other records describe the market and the guards, not the account
    return None


def _on_cash(state: BookState, quote: str, record: CashMoved) -> None:
    before = record.equity_before_quote_raw
    if before is None:
        costs = (h.position.cost_quote_raw for h in state.holdings.values())
        before = balance(state.balances, quote, Account.CASH) + sum(costs)
    for asset, account, amount in (
        (quote, Account.CASH, record.quote_raw),
        (SOL, Account.SOL_RESERVE, record.lamports),
    ):
        if amount >= 0:
            transfer(state.balances, asset, Account.EXTERNAL, account, amount)
        else:
            transfer(state.balances, asset, account, Account.EXTERNAL, -amount)
    state.flows_quote_raw += record.quote_raw
    state.flows_lamports += record.lamports
    value = record.quote_raw if record.value_quote_raw is None else record.value_quote_raw
    nav.issue(state.nav, value, before)


def _on_order(state: BookState, record: OrderState) -> None:
    if record.intent_id in state.ended:
        one = state.provisional.get(record.intent_id)
        if record.status is OrderStatus.SETTLED and one is not None:
            del state.provisional[record.intent_id]
            _pay_failed(state, record, one.record.fill.position_id)
        return
    order = state.orders.get(record.intent_id)
    if record.status in ENDED:
        _end(state, record, order)
    elif order is None:
        if record.intent is None:
            raise InvariantError(f"order {record.intent_id} was never announced")
        state.reserved_quote_raw += record.reserved_quote_raw
        state.orders[record.intent_id] = PendingOrder(
            intent=record.intent,
            status=record.status,
            reserved_quote_raw=record.reserved_quote_raw,
            risk_at_stop_raw=record.risk_at_stop_raw,
            round_trip_cost_raw=record.round_trip_cost_raw,
            shares=record.shares,
        )
    else:
        # A later state repeats the reservation or says nothing of it
        reserved = record.reserved_quote_raw or order.reserved_quote_raw
        state.reserved_quote_raw += reserved - order.reserved_quote_raw
        state.orders[record.intent_id] = replace(
            order,
            status=record.status,
            reserved_quote_raw=reserved,
            risk_at_stop_raw=record.risk_at_stop_raw or order.risk_at_stop_raw,
            round_trip_cost_raw=record.round_trip_cost_raw or order.round_trip_cost_raw,
            shares=record.shares or order.shares,
            attempts=order.attempts + (() if record.attempt is None else (record.attempt,)),
        )


def _end(state: BookState, record: OrderState, order: PendingOrder | None) -> None:
    """End an order that did not fill: release it once and book what it cost."""
    if record.status == OrderStatus.SETTLED and not _sold_nothing_of_ours(state, order):
        raise InvariantError(f"order {record.intent_id} is settled without a fill")
    _release(state, record.intent_id, filled=False)
    _pay_failed(state, record, order.intent.position_id if order is not None else None)


def _sold_nothing_of_ours(state: BookState, order: PendingOrder | None) -> bool:
    """Return whether it is a sale of a position that is not there: it landed on others' tokens."""
    if order is None or order.is_entry:
        return False
    return order.intent.position_id not in state.holdings


def _pay_failed(state: BookState, record: OrderState, position_id: int | None) -> None:
    """Book what transactions cost that landed and failed; of an exit, as a cost of its trade."""
    if not record.fee_lamports:
        return
    fees = state.fees
    _pay_network(state, record.fee_lamports)
    fees.network_lamports += record.fee_lamports
    fees.failed_lamports += record.fee_lamports
    fees.network_quote_raw += record.fee_quote_raw
    holding = state.holdings.get(position_id) if position_id is not None else None
    if holding is not None:
        holding.fee_lamports += record.fee_lamports
        holding.fee_quote_raw += record.fee_quote_raw


def _release(state: BookState, intent_id: str, *, filled: bool) -> None:
    order = state.orders.pop(intent_id, None)
    if order is not None:
        state.reserved_quote_raw -= order.reserved_quote_raw
    state.ended[intent_id] = filled
    while len(state.ended) > INTENTS_KEPT:
        del state.ended[next(iter(state.ended))]


def _on_fill(
    state: BookState, instruments: dict[int, Instrument], quote: str, record: FillBooked
) -> Trade | None:
    fill = record.fill
    if state.ended.get(fill.intent_id):
        return None
    order = state.orders.get(fill.intent_id)
    instrument = instruments.get(fill.instrument)
    if order is None or instrument is None:
        raise InvariantError(f"fill {fill.intent_id} has no open order or instrument")
    if fill.base_raw <= 0 or fill.quote_raw <= 0 or fill.fee_lamports < 0:
        raise InvariantError(f"fill {fill.intent_id} has an amount that is not positive")
    before = reverting.before(state, fill) if fill.provisional else None
    if fill.side == Side.BUY:
        cost, holding = 0, _buy(state, quote, record, order, instrument)
    else:
        cost, holding = _sell(state, quote, record, instrument)
    _pay_network(state, fill.fee_lamports)
    lock_rent(state, fill.rent_lamports)
    _release(state, fill.intent_id, filled=True)
    note_execution(holding, record, instrument)
    fees = state.fees
    fees.network_lamports += fill.fee_lamports
    fees.network_quote_raw += record.fee_quote_raw
    fees.pool_quote_raw += fill.pool_fee_quote_raw
    if fill.provisional:
        state.provisional[fill.intent_id] = Provisional(
            order=order,
            record=record,
            holding=before,
            cost_quote_raw=cost,
            closed=not holding.position.base_raw,
        )
    if holding.position.base_raw:
        return None
    del state.holdings[fill.position_id]
    trade = closed(holding, fill.ts_ns, fill.exit_reason or ExitReason.MANUAL)
    state.trades.append(trade)
    state.trades_closed += 1
    if len(state.trades) > TRADES_KEPT:
        del state.trades[0]
    return trade


def _buy(
    state: BookState, quote: str, record: FillBooked, order: PendingOrder, instrument: Instrument
) -> Holding:
    fill = record.fill
    risk = initial_risk(fill, order, instrument)
    balances = state.balances
    # Where the chain tells it, what a sale brought for it may be told later, or again later
    pay = move if fill.provisional else transfer
    pay(balances, quote, Account.CASH, Account.MARKET, fill.quote_raw)
    transfer(balances, instrument.base_mint, Account.MARKET, Account.INVENTORY, fill.base_raw)
    holding = state.holdings.get(fill.position_id)
    if holding is None:
        holding = state.holdings[fill.position_id] = opened(fill, order, risk)
        state.last_position_id = max(state.last_position_id, fill.position_id)
    else:
        buy(holding, fill, risk)
    return holding


def _sell(
    state: BookState, quote: str, record: FillBooked, instrument: Instrument
) -> tuple[int, Holding]:
    fill = record.fill
    holding = state.holdings.get(fill.position_id)
    if holding is None:
        raise InvariantError(f"fill {fill.intent_id} sells from no position")
    cost = sell(holding, fill)
    balances = state.balances
    transfer(balances, instrument.base_mint, Account.INVENTORY, Account.MARKET, fill.base_raw)
    transfer(balances, quote, Account.MARKET, Account.CASH, fill.quote_raw)
    state.realised_quote_raw += fill.quote_raw - cost
    return cost, holding


def _pay_network(state: BookState, lamports: int) -> None:
    transfer(state.balances, SOL, Account.SOL_RESERVE, Account.NETWORK_FEES, lamports)


def lock_rent(state: BookState, lamports: int) -> None:
    """Move lamports from the wallet into accounts of ours; negative: back out of them."""
    if lamports >= 0:
        transfer(state.balances, SOL, Account.SOL_RESERVE, Account.RENT, lamports)
    else:
        transfer(state.balances, SOL, Account.RENT, Account.SOL_RESERVE, -lamports)


def _on_flow(state: BookState, record: Flow) -> None:
    if record.cause is FlowCause.RENT:
        lock_rent(state, -record.lamports)
    elif record.cause is FlowCause.HOUSEKEEPING_FEE and record.lamports <= 0:
        _pay_network(state, -record.lamports)
        state.fees.network_lamports -= record.lamports
        state.fees.network_quote_raw += record.fee_quote_raw
    else:
        raise InvariantError(f"a flow of {record.lamports} lamports cannot be {record.cause}")


def _on_trigger(state: BookState, record: TriggerArmed | TriggerMovedRecord) -> None:
    holding = state.holdings.get(record.position_id)
    if holding is not None:
        holding.position = replace(holding.position, stop=record.stop, target=record.target)
