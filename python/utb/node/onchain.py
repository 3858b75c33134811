"""What only the chain tells: steps of an order, fills that vanish, money beside the orders."""

from typing import Final

from utb.domain.amounts import quote_value_ceil, quote_value_floor
from utb.domain.names import OrderStatus, Side
from utb.domain.orders import (
    FlowCause,
    Trade,
    VenueDiscrepancy,
    VenueFlow,
    VenueProgress,
    VenueReverted,
)
from utb.domain.records import CashMoved, FillBooked, FillReverted, Flow, OrderState
from utb.errors import InvariantError
from utb.node import booking, guards, waiting
from utb.node import effects as fx
from utb.node.desk import Desk
from utb.orderlife import table as orderlife
from utb.ports.market import Market

OF_OTHERS: Final = "lamports of others came back from closed accounts"


def on_progress(
    desk: Desk, effects: fx.Effects, event: VenueProgress, market: Market
) -> Trade | None:
    """Record an order's step; a signed transaction may leave when that is durable.

    Returns:
        The trade that closed with it: with the last word of a sale that waited.

    Raises:
        InvariantError: If the step does not follow the order's state.
    """
    order = desk.book.state.orders.get(event.intent_id)
    provisional = desk.book.provisional.get(event.intent_id)
    if order is None and provisional is None:
        return None
    if waiting.is_early(desk, event):
        return waiting.on_progress(desk, effects, event, market)
    if order is not None:
        again = event.status is order.status and event.attempt is None
        if again:
            return None
        if event.status is not order.status:
            orderlife.advance(event.intent_id, order.status, event.status)
    desk.post(
        effects,
        OrderState(
            ts_ns=event.ts_ns,
            intent_id=event.intent_id,
            status=event.status,
            attempt=event.attempt,
            signature=event.signature,
            slot=event.slot,
            reason=event.reason,
        ),
    )
    if event.attempt is not None:
        effects.releases.append(event.attempt.signature)
    return None


def on_reverted(
    desk: Desk, effects: fx.Effects, event: VenueReverted, market: Market
) -> Trade | None:
    """Undo a fill that vanished, and whatever was booked on top of it.

    Fills of the same position behind it are undone first. Where it was an exit they are booked
    again: they stand without it. Where it was the entry they cannot, for what was never bought was
    not sold either: they wait until it lands again. Of each of them the venue tells when it
    vanishes, too.

    Returns:
        The trade that closed with it: a sale that waited may have what it sold now.
    """
    one = desk.book.provisional.get(event.intent_id)
    if one is None:
        waiting.vanished(desk, effects, event)
        return None
    trade = None
    desk.state.told.pop(event.intent_id, None)
    fill = one.record.fill
    later = desk.book.standing_on(event.intent_id)
    records = [desk.book.provisional[intent_id].record for intent_id in reversed(later)]
    for record in reversed(records):
        _revert(desk, effects, event, record.fill.intent_id, OrderStatus.UNKNOWN)
    exit_state = desk.state.exits.get(fill.position_id)
    _revert(desk, effects, event, event.intent_id, event.status)
    if fill.side is Side.SELL:
        for record in records:
            _book_again(desk, effects, record, event.ts_ns)
        trade = waiting.look(desk, effects, fill.position_id, event.ts_ns, market)
    else:
        for record in records:
            waiting.undone(desk, record.fill)
        if exit_state is not None:
            # Its exits are on their way all the same: the next one is another
            desk.state.exits[fill.position_id] = exit_state
    position = desk.book.position(fill.position_id)
    if position is None:
        effects.calls.append(fx.Disarm(fill.position_id))
    elif fill.side is Side.SELL:
        booking.rearm(desk, effects, position, event.ts_ns)
    effects.calls.append(desk.watch_portfolio(market))
    return trade


def on_flow(desk: Desk, effects: fx.Effects, event: VenueFlow, market: Market) -> None:
    """Let the ledger follow what moved beside the orders; the first one is the opening."""
    if not desk.state.is_open:
        cash_raw, lamports, rent = desk.state.opening or (0, 0, 0)
        if event.cause is FlowCause.EXTERNAL:
            lamports += event.lamports + event.rent_lamports
            rent += event.rent_lamports
            desk.state.opening = (cash_raw + event.quote_raw, lamports, rent)
        else:
            desk.state.opening = (cash_raw, lamports, rent - event.lamports)
        return
    match event.cause:
        case FlowCause.EXTERNAL:
            words = event.reason or "EXTERNAL"
            lamports = event.lamports + event.rent_lamports
            _came_in(desk, effects, event, lamports, words, market)
            if event.rent_lamports:
                _post_flow(desk, effects, event, FlowCause.RENT, -event.rent_lamports, market)
        case FlowCause.RENT:
            # A closed account brings back what others put into it, too: that was no rent of ours
            ours = min(event.lamports, max(desk.book.rent_lamports, 0))
            _post_flow(desk, effects, event, FlowCause.RENT, ours, market)
            if event.lamports > ours:
                _came_in(desk, effects, event, event.lamports - ours, OF_OTHERS, market)
        case _:
            _post_flow(desk, effects, event, event.cause, event.lamports, market)
    effects.calls.append(desk.watch_portfolio(market))


def on_discrepancy(desk: Desk, effects: fx.Effects, event: VenueDiscrepancy) -> None:
    """Stop entries while chain and book differ; exits go on."""
    guards.post_changes(desk, effects, desk.breakers.on_discrepancy(event.ts_ns, event.words))


def _post_flow(
    desk: Desk,
    effects: fx.Effects,
    event: VenueFlow,
    cause: FlowCause,
    lamports: int,
    market: Market,
) -> None:
    fee = -lamports if cause is FlowCause.HOUSEKEEPING_FEE else 0
    desk.post(
        effects,
        Flow(
            ts_ns=event.ts_ns,
            cause=cause,
            lamports=lamports,
            fee_quote_raw=desk.fee_quote_raw(fee, market),
            signature=event.signature,
            reason=event.reason,
        ),
    )


def _came_in(
    desk: Desk,
    effects: fx.Effects,
    event: VenueFlow,
    lamports: int,
    words: str,
    market: Market,
) -> None:
    """Book what came from others, or went to them."""
    q64 = desk.sol_q64(market)
    up = lamports >= 0
    value = quote_value_floor(lamports, q64) if up else -quote_value_ceil(-lamports, q64)
    desk.post(
        effects,
        CashMoved(
            ts_ns=event.ts_ns,
            quote_raw=event.quote_raw,
            lamports=lamports,
            cause=words,
            value_quote_raw=event.quote_raw + value,
            equity_before_quote_raw=desk.equity_raw(market),
        ),
    )


def _revert(
    desk: Desk, effects: fx.Effects, event: VenueReverted, intent_id: str, status: OrderStatus
) -> None:
    one = desk.book.provisional[intent_id]
    desk.post(
        effects,
        FillReverted(
            ts_ns=event.ts_ns,
            intent_id=intent_id,
            signature=one.record.fill.signature,
            status=status,
            reason=event.reason,
        ),
    )
    undo, position_id = desk.state.undo.pop(intent_id), one.record.fill.position_id
    desk.state.watches.pop(position_id, None)
    desk.state.exits.pop(position_id, None)
    if undo.watch is not None:
        desk.state.watches[position_id] = undo.watch
    if undo.exit is not None:
        desk.state.exits[position_id] = undo.exit


def _book_again(desk: Desk, effects: fx.Effects, record: FillBooked, ts_ns: int) -> None:
    fill = record.fill
    if desk.book.position(fill.position_id) is None:
        raise InvariantError(f"fill {fill.intent_id} stands on no position")
    desk.state.undo[fill.intent_id] = booking.undo_of(desk, fill.position_id)
    desk.post(effects, FillBooked(ts_ns=ts_ns, fill=fill, fee_quote_raw=record.fee_quote_raw))
