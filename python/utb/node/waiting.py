"""What the chain tells of a position before the book can take it.

A sale lands behind the entry it sells from, but each is told by itself: after a fork the sale may
be read first, and endpoints may deny the entry alone. So a sale that the book has nothing for waits
with its order UNKNOWN, and a fill is SETTLED only when those of its position before it are: until
then it may have to be booked anew on what they become.

Where the entry is proven dead and the sale is settled all the same, it sold others' tokens: what it
brought is booked as money from outside, its fee and rent as what they are.
"""

from msgspec.structs import replace

from utb.domain.amounts import mul_div_floor
from utb.domain.names import OrderStatus, Side
from utb.domain.orders import Fill, FlowCause, Trade, VenueProgress, VenueReverted
from utb.domain.records import CashMoved, Flow, OrderState
from utb.ledger.pending import PendingOrder
from utb.node import booking
from utb.node import effects as fx
from utb.node.desk import Desk
from utb.node.state import Told
from utb.orderlife import table as orderlife
from utb.ports.market import Market

_WAITS = "the book does not have what it sold: its entry is not known to have landed"
_OF_OTHERS = "it sold tokens that the book never had"


def fits(desk: Desk, fill: Fill) -> bool:
    """Return whether the book has what a fill sells; elsewhere than on the chain it must."""
    if fill.side is Side.BUY or not desk.on_chain:
        return True
    position = desk.book.position(fill.position_id)
    return position is not None and fill.base_raw <= position.base_raw


def keep(desk: Desk, effects: fx.Effects, order: PendingOrder, fill: Fill) -> None:
    """Let a sale wait for what it sold."""
    desk.state.told[fill.intent_id] = Told(fill=fill, status=OrderStatus.CONFIRMED)
    if order.status is not OrderStatus.UNKNOWN:
        orderlife.advance(fill.intent_id, order.status, OrderStatus.UNKNOWN)
        _step(desk, effects, fill, OrderStatus.UNKNOWN, _WAITS)


def undone(desk: Desk, fill: Fill) -> None:
    """Let a sale wait that was taken back with its entry: of itself the chain told nothing new."""
    desk.state.told.setdefault(fill.intent_id, Told(fill=fill, status=OrderStatus.CONFIRMED))


def vanished(desk: Desk, effects: fx.Effects, event: VenueReverted) -> None:
    """Forget a sale that waits no more: it vanished itself."""
    told = desk.state.told.pop(event.intent_id, None)
    order = desk.book.state.orders.get(event.intent_id)
    if told is not None and order is not None and order.status is not event.status:
        orderlife.advance(event.intent_id, order.status, event.status)
        fill = replace(told.fill, ts_ns=event.ts_ns)
        _step(desk, effects, fill, event.status, event.reason)


def is_early(desk: Desk, event: VenueProgress) -> bool:
    """Return whether a step has perhaps to wait: of a sale that does, or the last one of a fill."""
    if event.intent_id in desk.book.provisional:
        return event.status is OrderStatus.SETTLED
    final = event.status in {OrderStatus.FINAL, OrderStatus.SETTLED}
    return final and event.intent_id in desk.state.told


def on_progress(
    desk: Desk, effects: fx.Effects, event: VenueProgress, market: Market
) -> Trade | None:
    """Take such a step as soon as can be; return the trade that closed with it."""
    one = desk.book.provisional.get(event.intent_id)
    fill = desk.state.told[event.intent_id].fill if one is None else one.record.fill
    desk.state.told[event.intent_id] = Told(
        fill=fill, status=event.status, fee_lamports=event.fee_lamports
    )
    return look(desk, effects, fill.position_id, event.ts_ns, market)


def look(
    desk: Desk, effects: fx.Effects, position_id: int, ts_ns: int, market: Market
) -> Trade | None:
    """Take whatever of a position needs to wait no more; return the trade that it closed."""
    trade = None
    while (intent_id := _due(desk, position_id)) is not None:
        trade = _take(desk, effects, intent_id, ts_ns, market) or trade
    return trade


def _due(desk: Desk, position_id: int) -> str | None:
    provisional, orders = desk.book.provisional, desk.book.state.orders
    unsettled = [k for k, one in provisional.items() if one.record.fill.position_id == position_id]
    comes = any(order.is_entry and order.position_id == position_id for order in orders.values())
    for intent_id, told in desk.state.told.items():
        if told.fill.position_id != position_id:
            continue
        settled = told.status is OrderStatus.SETTLED
        if intent_id in provisional:
            if settled and unsettled[0] == intent_id:
                return intent_id
        elif fits(desk, told.fill) or (settled and not unsettled and not comes):
            return intent_id
    return None


def _take(
    desk: Desk, effects: fx.Effects, intent_id: str, ts_ns: int, market: Market
) -> Trade | None:
    told = desk.state.told[intent_id]
    if intent_id in desk.book.provisional:
        _settle(desk, effects, told, ts_ns, market)
        return None
    order = desk.book.state.orders[intent_id]
    # Not before its entry, which is told later
    fill = replace(told.fill, ts_ns=ts_ns)
    if not fits(desk, fill):
        return _take_of_others(desk, effects, order, replace(told, fill=fill), market)
    trade = booking.book(desk, effects, order, fill, market)
    if told.status is not OrderStatus.CONFIRMED:
        _step(desk, effects, fill, OrderStatus.FINAL)
    if told.status is not OrderStatus.SETTLED:
        del desk.state.told[intent_id]
    # One that was booked before has been weighed
    return trade if order.position_id is None else None


def _settle(
    desk: Desk, effects: fx.Effects, told: Told, ts_ns: int, market: Market, reason: str = ""
) -> None:
    fill, fee_lamports = told.fill, told.fee_lamports
    del desk.state.told[fill.intent_id]
    desk.state.undo.pop(fill.intent_id, None)
    desk.post(
        effects,
        OrderState(
            ts_ns=ts_ns,
            intent_id=fill.intent_id,
            status=OrderStatus.SETTLED,
            signature=fill.signature,
            slot=fill.slot,
            reason=reason,
            fee_lamports=fee_lamports,
            fee_quote_raw=desk.fee_quote_raw(fee_lamports, market),
        ),
    )
    if fee_lamports:
        effects.calls.append(desk.watch_portfolio(market))


def _take_of_others(
    desk: Desk, effects: fx.Effects, order: PendingOrder, told: Told, market: Market
) -> Trade | None:
    """Book a settled sale of more than its position holds: what is too much was others'."""
    fill, equity_raw = told.fill, desk.equity_raw(market)
    position = desk.book.position(fill.position_id)
    trade, own_raw = None, 0
    if position is not None:
        own_raw = max(mul_div_floor(fill.quote_raw, position.base_raw, fill.base_raw), 1)
        own = replace(fill, base_raw=position.base_raw, quote_raw=own_raw)
        trade = booking.book(desk, effects, order, own, market)
    else:
        orderlife.advance(fill.intent_id, order.status, OrderStatus.CONFIRMED)
        _step(desk, effects, fill, OrderStatus.CONFIRMED, _OF_OTHERS)
        told = replace(told, fee_lamports=told.fee_lamports + fill.fee_lamports)
        if fill.rent_lamports:
            rent = -fill.rent_lamports
            cause = FlowCause.RENT
            flow = Flow(ts_ns=fill.ts_ns, cause=cause, lamports=rent, reason=_OF_OTHERS)
            desk.post(effects, flow)
    _step(desk, effects, fill, OrderStatus.FINAL)
    _settle(desk, effects, told, fill.ts_ns, market, _OF_OTHERS)
    more_raw = fill.quote_raw - own_raw
    desk.post(
        effects,
        CashMoved(
            ts_ns=fill.ts_ns,
            quote_raw=more_raw,
            lamports=0,
            cause=f"{FlowCause.EXTERNAL}: order {fill.intent_id}: {_OF_OTHERS}",
            value_quote_raw=more_raw,
            equity_before_quote_raw=equity_raw,
        ),
    )
    effects.calls.append(desk.watch_portfolio(market))
    return trade


def _step(
    desk: Desk, effects: fx.Effects, fill: Fill, status: OrderStatus, reason: str = ""
) -> None:
    record = OrderState(
        ts_ns=fill.ts_ns,
        intent_id=fill.intent_id,
        status=status,
        signature=fill.signature,
        slot=fill.slot,
        reason=reason,
    )
    desk.post(effects, record)
