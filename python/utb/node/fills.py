"""What the venue says became of an order, folded into book, triggers and weights."""

from copy import copy

from utb.domain.amounts import price_of
from utb.domain.names import OrderStatus, Side
from utb.domain.orders import Fill, Position, Trade, VenueFailed, VenueFilled
from utb.domain.records import FillBooked, OrderState, TriggerArmed, TriggerMovedRecord
from utb.errors import InvariantError
from utb.ledger.pending import PendingOrder
from utb.node import effects as fx
from utb.node import exits
from utb.node.desk import Desk
from utb.node.entries import armed
from utb.node.state import ExitState, Undo, Watch
from utb.orderlife import table as orderlife
from utb.ports.market import Market


def on_filled(desk: Desk, effects: fx.Effects, event: VenueFilled, market: Market) -> Trade | None:
    """Book a fill; return the trade it closed, if it closed one."""
    order = _open_order(desk, event.intent_id)
    if order is None:
        return None
    orderlife.advance(event.intent_id, order.status, OrderStatus.CONFIRMED)
    desk.post(
        effects,
        OrderState(
            ts_ns=event.ts_ns,
            intent_id=event.intent_id,
            status=OrderStatus.CONFIRMED,
            signature=event.signature,
            slot=event.slot,
        ),
    )
    intent = order.intent
    position_id = intent.position_id
    if position_id is None:
        position_id = desk.book.next_position_id
    # On the chain SETTLED closes it, which may tell of other attempts' fees: also where the first
    # that was read of it is final already
    provisional = event.provisional or desk.on_chain
    fill = Fill(
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
        provisional=provisional,
    )
    if provisional:
        desk.state.undo[event.intent_id] = undo_of(desk, position_id)
    fee_quote_raw = desk.fee_quote_raw(event.fee_lamports, market)
    trade = desk.post(
        effects, FillBooked(ts_ns=event.ts_ns, fill=fill, fee_quote_raw=fee_quote_raw)
    )
    position = desk.book.position(position_id)
    if intent.side is Side.BUY and position is not None:
        _entered(desk, effects, position, order, event)
    elif position is not None:
        _reduced(desk, effects, position, fill, market)
    else:
        desk.state.exits.pop(position_id, None)
        desk.state.watches.pop(position_id, None)
        effects.calls.append(fx.Disarm(position_id))
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
    if event.fee_lamports:
        effects.calls.append(desk.watch_portfolio(market))
    if position_id is not None:
        exits.after_failure(desk, effects, position_id, event.ts_ns, market, event.attempts)


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


def _entered(
    desk: Desk, effects: fx.Effects, position: Position, order: PendingOrder, event: VenueFilled
) -> None:
    instrument = desk.instruments[position.instrument]
    decimals = instrument.base_decimals, instrument.quote_decimals
    price = price_of(event.base_raw, event.quote_raw, *decimals)
    # A fill at or below its stop leaves at the next price; R is then measured from the decision
    risk = price - position.stop
    if risk <= 0.0:
        risk = order.intent.decision_price - position.stop
    desk.state.watches[position.position_id] = Watch(
        highest=price,
        round_trip_cost=price_of(event.base_raw, order.round_trip_cost_raw, *decimals),
        entry_price=price,
        risk_per_unit=risk,
    )
    desk.state.exits[position.position_id] = ExitState()
    _arm(desk, effects, position, event.ts_ns, trailing=False)


def _reduced(
    desk: Desk, effects: fx.Effects, position: Position, fill: Fill, market: Market
) -> None:
    watch = desk.state.watches[position.position_id]
    mark = market.mark(position.instrument)
    if mark is not None:
        watch.highest = max(watch.highest, mark.price)
    took_profit = fill.exit_reason == "PARTIAL" and not watch.partial_done
    if took_profit:
        watch.partial_done = True
        breakeven = watch.entry_price + watch.round_trip_cost
        if breakeven > position.stop:
            desk.post(
                effects,
                TriggerMovedRecord(
                    ts_ns=fill.ts_ns,
                    position_id=position.position_id,
                    stop=breakeven,
                    target=position.target,
                    cause="BREAKEVEN",
                ),
            )
    _arm(desk, effects, position, fill.ts_ns, trailing=watch.partial_done)
    exits.after_fill(desk, effects, position, fill.ts_ns, market)


def undo_of(desk: Desk, position_id: int) -> Undo:
    """Return what is watched of a position now, so that a fill can be undone."""
    return Undo(
        watch=copy(desk.state.watches.get(position_id)),
        exit=copy(desk.state.exits.get(position_id)),
    )


def rearm(desk: Desk, effects: fx.Effects, position: Position, ts_ns: int) -> None:
    """Watch a position again whose exit was taken back."""
    watch = desk.state.watches[position.position_id]
    _arm(desk, effects, position, ts_ns, trailing=watch.partial_done)


def _arm(
    desk: Desk, effects: fx.Effects, position: Position, ts_ns: int, *, trailing: bool
) -> None:
    instrument = desk.instruments[position.instrument]
    target = armed(desk, position.position_id, instrument, trailing=trailing)
    if target is None:
        raise InvariantError(f"position {position.position_id} cannot be watched: it is not open")
    desk.post(
        effects,
        TriggerArmed(
            ts_ns=ts_ns,
            position_id=position.position_id,
            instrument=position.instrument,
            stop=target.stop,
            target=target.target,
            lead=position.lead,
            partial_done=target.partial_done,
        ),
    )
    effects.calls.append(fx.Arm(target))
