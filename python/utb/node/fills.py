"""What the venue says became of an order, folded into book, triggers and weights."""

from utb.domain.names import Side
from utb.domain.orders import Fill, Trade, VenueFailed, VenueFilled
from utb.domain.records import OrderState
from utb.errors import InvariantError
from utb.ledger.pending import PendingOrder
from utb.node import booking, exits, waiting
from utb.node import effects as fx
from utb.node.desk import Desk
from utb.orderlife import table as orderlife
from utb.ports.market import Market


def on_filled(desk: Desk, effects: fx.Effects, event: VenueFilled, market: Market) -> Trade | None:
    """Book a fill; return the trade it closed, if it closed one.

    A sale of what the book does not have waits until it has; with an entry the sales come that
    waited for it.
    """
    order = _open_order(desk, event.intent_id)
    if order is None:
        return None
    fill = _fill_of(desk, order, event)
    if not waiting.fits(desk, fill):
        waiting.keep(desk, effects, order, fill)
        return None
    trade = booking.book(desk, effects, order, fill, market)
    if fill.side is Side.BUY and desk.on_chain:
        trade = waiting.look(desk, effects, fill.position_id, event.ts_ns, market)
        position = desk.book.position(fill.position_id)
        if position is not None and order.position_id is not None:
            exits.go_on(desk, effects, position, event.ts_ns, market)
    effects.calls.append(desk.watch_portfolio(market))
    return trade


def on_failed(desk: Desk, effects: fx.Effects, event: VenueFailed, market: Market) -> None:
    """Book what a failed order cost and let its exit, if it was one, go on."""
    order = _open_order(desk, event.intent_id)
    if order is None:
        return
    orderlife.advance(event.intent_id, order.status, event.status)
    position_id = order.intent.position_id
    desk.post(
        effects,
        OrderState(
            ts_ns=event.ts_ns,
            intent_id=event.intent_id,
            status=event.status,
            slot=event.slot,
            fee_lamports=event.fee_lamports,
            fee_quote_raw=desk.fee_quote_raw(event.fee_lamports, market),
            reason=_reason(desk, order, event),
        ),
    )
    desk.state.told.pop(event.intent_id, None)
    if event.fee_lamports:
        effects.calls.append(desk.watch_portfolio(market))
    if position_id is not None:
        exits.after_failure(desk, effects, position_id, event.ts_ns, market, event.attempts)
    elif order.position_id is not None:
        desk.state.exits.pop(order.position_id, None)
        waiting.look(desk, effects, order.position_id, event.ts_ns, market)


def _fill_of(desk: Desk, order: PendingOrder, event: VenueFilled) -> Fill:
    intent = order.intent
    # An entry that vanished and landed again opens the position it had: its exits name that one
    position_id = intent.position_id or order.position_id or desk.book.next_position_id
    return Fill(
        intent_id=event.intent_id,
        position_id=position_id,
        instrument=intent.instrument,
        side=intent.side,
        ts_ns=event.ts_ns,
        decision_ts_ns=intent.ts_ns,
        decision_price=intent.decision_price,
        base_raw=event.base_raw,
        quote_raw=event.quote_raw,
        pool_fee_quote_raw=event.pool_fee_quote_raw,
        fee_lamports=event.fee_lamports,
        lead=intent.lead,
        exit_reason=intent.exit_reason,
        indicative=event.indicative,
        signature=event.signature,
        slot=event.slot,
        tip_lamports=event.tip_lamports,
        rent_lamports=event.rent_lamports,
        # On the chain SETTLED closes it, which may tell of other attempts' fees: also where the
        # first that was read of it is final already
        provisional=event.provisional or desk.on_chain,
    )


def _open_order(desk: Desk, intent_id: str) -> PendingOrder | None:
    """Return the order an event is about; None if it has ended, so a repeat does nothing."""
    order = desk.book.state.orders.get(intent_id)
    if order is None and intent_id not in desk.book.state.ended:
        raise InvariantError(f"the venue reports order {intent_id}, which was never sent")
    return order


def _reason(desk: Desk, order: PendingOrder, event: VenueFailed) -> str:
    """Return the venue's reason, with the alert that an exit's attempts are used up."""
    attempts = desk.config.execution.exit_attempts_max
    if order.intent.position_id is None or order.intent.attempt + 1 < attempts:
        return event.reason
    return f"{event.reason}; attempt {attempts} of {attempts}: its triggers are live again"
