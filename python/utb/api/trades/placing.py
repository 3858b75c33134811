"""Manual orders: an exact size in, what became of it out."""

import asyncio
from decimal import Decimal
from typing import Final

from utb.api.controls.commands import give
from utb.api.errors import invalid
from utb.api.shown import fill_price, when
from utb.api.trades.schemas import TradeAnswer, TradeBody
from utb.api.world import World
from utb.domain.amounts import AMOUNT_MAX, units_of
from utb.domain.commands import Trade
from utb.domain.market import Instrument
from utb.domain.names import MANUAL, OrderStatus, Side
from utb.domain.orders import Position
from utb.node.intents import command_intent_id
from utb.telemetry.orders import ENDED, OrderEntry

FILL_WAIT_S: Final = 2.0
_SIZE: Final = "number > 0"
_EXPONENT_MAX: Final = 30
"""No size has more digits before its point."""


def size_raw(size: Decimal, decimals: int) -> int:
    """Return a size in base units, exactly as written; finer digits are cut.

    Raises:
        ApiError: If it is no amount above zero that 64 bits hold.
    """
    if not size.is_finite() or size <= 0:
        raise invalid("size", str(size), _SIZE)
    if size.adjusted() > _EXPONENT_MAX:
        raise invalid("size", str(size), "number that 64 bits hold in base units")
    raw = int(size.scaleb(decimals))
    if raw == 0:
        raise invalid("size", str(size), f"number >= 1e-{decimals}, the base unit")
    if raw > AMOUNT_MAX:
        raise invalid("size", str(size), "number that 64 bits hold in base units")
    return raw


def instrument_of(world: World, symbol: str) -> Instrument:
    """Return the instrument of a symbol.

    Raises:
        ApiError: If it is not traded.
    """
    instrument = world.replica.by_symbol.get(symbol)
    if instrument is None:
        known = ", ".join(world.replica.by_symbol)
        raise invalid("symbol", symbol, f"one of {known}")
    return instrument


def command_of(world: World, body: TradeBody, command_id: str, issued_by: str) -> Trade:
    """Return the command of a request.

    Raises:
        ApiError: With the first field that cannot be traded.
    """
    instrument = instrument_of(world, body.symbol)
    if body.order_type != "MARKET":
        raise invalid("order_type", body.order_type, "MARKET")
    if body.strategy != MANUAL:
        raise invalid("strategy", body.strategy, MANUAL)
    for field, price in (("stop", body.stop), ("target", body.target)):
        if price is not None and not 0.0 < price < float("inf"):
            raise invalid(field, price, _SIZE)
    return Trade(
        command_id=command_id,
        issued_by=issued_by,
        instrument=instrument.index,
        side=body.side,
        size_base_raw=size_raw(body.size, instrument.base_decimals),
        stop=body.stop,
        target=body.target,
    )


async def place(world: World, command: Trade) -> TradeAnswer:
    """Give a manual order and wait for its fill, at most `FILL_WAIT_S` of wall time.

    Raises:
        ApiError: If it was refused.
        TransientError: If the trading process does not answer.
    """
    held = world.replica.book.position_of(command.instrument)
    accepted = await give(world, command)
    about = None
    if held is not None and not _began_behind(world, held, accepted.seq):
        about = held.position_id
    about = world.requests.position(command.command_id, about)

    def order() -> OrderEntry | None:
        orders = world.replica.orders
        if command.side is Side.BUY:
            return orders.get(command_intent_id(command.command_id))
        return orders.sale_after(accepted.seq, command.instrument, about)

    try:
        async with asyncio.timeout(FILL_WAIT_S):
            while (found := order()) is None or not found.is_over:
                await world.bell.heard()
    except TimeoutError:
        found = order()
    return answer(world, command, found)


def _began_behind(world: World, position: Position, seq: int) -> bool:
    """Return whether a position is younger than a command: it is not what that was about.

    So it is where an order is repeated after its position is gone and another one was bought, and
    this process began in between.
    """
    entry = world.replica.orders.get(position.intent_id)
    return entry is not None and entry.first_seq > seq


def answer(world: World, command: Trade, order: OrderEntry | None) -> TradeAnswer:
    """Return what became of an order so far."""
    instrument = world.replica.instruments[command.instrument]
    decimals = instrument.base_decimals
    booked = order.fill if order is not None else None
    fill = booked.fill if booked is not None else None
    order_id = command.command_id if order is None else order.intent.intent_id
    status, reason, at_ns = "PENDING", "", 0
    if order is not None:
        at_ns = order.steps[-1].ts_ns
    if order is not None and order.status in ENDED - {OrderStatus.SETTLED}:
        status, reason = order.status.value, order.steps[-1].reason
    fees = None
    if fill is not None and booked is not None:
        status, at_ns = "FILLED", fill.ts_ns
        fees = world.replica.quote_units(fill.pool_fee_quote_raw + booked.fee_quote_raw)
    return TradeAnswer(
        order_id=order_id,
        status=status,
        symbol=instrument.symbol,
        side=command.side.value,
        size=units_of(command.size_base_raw, decimals),
        filled_size=0.0 if fill is None else units_of(fill.base_raw, decimals),
        price=None if fill is None else fill_price(fill, instrument),
        fees=fees,
        timestamp=when(at_ns or world.replica.now_ns),
        reason=reason,
    )
