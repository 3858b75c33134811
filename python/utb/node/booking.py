"""A fill into book, triggers and exits; what it changes is kept until nothing can undo it."""

from copy import copy

from utb.domain.amounts import price_of
from utb.domain.names import OrderStatus, Side
from utb.domain.orders import Fill, Position, Trade
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


def book(
    desk: Desk, effects: fx.Effects, order: PendingOrder, fill: Fill, market: Market
) -> Trade | None:
    """Book an order's fill; return the trade it closed, if it closed one."""
    intent_id, position_id = fill.intent_id, fill.position_id
    orderlife.advance(intent_id, order.status, OrderStatus.CONFIRMED)
    desk.post(
        effects,
        OrderState(
            ts_ns=fill.ts_ns,
            intent_id=intent_id,
            status=OrderStatus.CONFIRMED,
            signature=fill.signature,
            slot=fill.slot,
        ),
    )
    if fill.provisional:
        desk.state.undo[intent_id] = undo_of(desk, position_id)
    fee_quote_raw = desk.fee_quote_raw(fill.fee_lamports, market)
    trade = desk.post(effects, FillBooked(ts_ns=fill.ts_ns, fill=fill, fee_quote_raw=fee_quote_raw))
    position = desk.book.position(position_id)
    if fill.side is Side.BUY and position is not None:
        _entered(desk, effects, position, order, fill)
    elif position is not None:
        _reduced(desk, effects, position, fill, market)
    else:
        desk.state.exits.pop(position_id, None)
        desk.state.watches.pop(position_id, None)
        effects.calls.append(fx.Disarm(position_id))
    return trade


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


def _entered(
    desk: Desk, effects: fx.Effects, position: Position, order: PendingOrder, fill: Fill
) -> None:
    instrument = desk.instruments[position.instrument]
    decimals = instrument.base_decimals, instrument.quote_decimals
    price = price_of(fill.base_raw, fill.quote_raw, *decimals)
    # A fill at or below its stop leaves at the next price; R is then measured from the decision
    risk = price - position.stop
    if risk <= 0.0:
        risk = order.intent.decision_price - position.stop
    desk.state.watches[position.position_id] = Watch(
        highest=price,
        round_trip_cost=price_of(fill.base_raw, order.round_trip_cost_raw, *decimals),
        entry_price=price,
        risk_per_unit=risk,
    )
    # Where it vanished and landed again, the position's exits are as far as they were
    desk.state.exits.setdefault(position.position_id, ExitState())
    _arm(desk, effects, position, fill.ts_ns, trailing=False)


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
