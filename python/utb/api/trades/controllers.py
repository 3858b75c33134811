"""Routes of trades."""

from typing import Annotated, Any, Final

from litestar import Request, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter

from utb.api.controls.commands import command_id
from utb.api.controls.controllers import caller_of
from utb.api.errors import invalid, not_found
from utb.api.idempotency import key_of
from utb.api.shown import time_of
from utb.api.shown import trade_id as name_of
from utb.api.trades import placing, timeline, views
from utb.api.trades.schemas import Markers, TradeAnswer, TradeBody, TradeDetail, Trades
from utb.api.world import FromWorld
from utb.domain.commands import Trade
from utb.domain.names import MANUAL, STRATEGIES

LEADS: Final = (*STRATEGIES, MANUAL)
Limit = Annotated[int, QueryParameter(ge=1, le=1_000, description="Most rows.")]
Offset = Annotated[int, QueryParameter(ge=0, le=1_000_000, description="Rows to skip.")]
Text = Annotated[str | None, QueryParameter(max_length=64)]
Symbol = Annotated[str, QueryParameter(max_length=64, description="For example SOL-USDC.")]


@post("/trade", status_code=201, tags=["trades"], summary="Place a manual order")
async def place_trade(
    world: FromWorld, request: Request[Any, Any, Any], data: JSONBody[TradeBody]
) -> TradeAnswer:
    """Place a market order; waits at most 2 s for its fill, else the status is PENDING.

    A BUY must pass the risk gate and is refused rather than made smaller. A SELL reduces.
    """
    caller = caller_of(request).name
    key = key_of(request)
    given = command_id(caller, data.client_order_id if key is None else key, Trade)
    command = placing.command_of(world, data, given, f"api:{caller}")
    if key is not None or data.client_order_id is not None:
        world.requests.check(given, await request.body())
    return await placing.place(world, command)


@get("/trades", tags=["trades"], summary="Closed trades", sync_to_thread=False)
def get_trades(  # noqa: PLR0913, PLR0917 - the query's own fields
    world: FromWorld,
    limit: Limit = 50,
    offset: Offset = 0,
    symbol: Text = None,
    strategy: Text = None,
    since: Text = None,
    until: Text = None,
) -> Trades:
    """Return round trips, newest first, that closed at or after `since` and before `until`."""
    if symbol is not None:
        placing.instrument_of(world, symbol)
    if strategy is not None and strategy not in LEADS:
        raise invalid("strategy", strategy, f"one of {', '.join(LEADS)}")
    wanted = views.Wanted(
        symbol=symbol,
        strategy=strategy,
        since_ns=time_of("since", since),
        until_ns=time_of("until", until),
    )
    return views.trades(world, wanted, limit=limit, offset=offset)


@get("/trades/recent", tags=["trades"], summary="Newest trades", sync_to_thread=False)
def get_recent(world: FromWorld, limit: Limit = 20) -> Trades:
    """Return the newest closed round trips."""
    return views.trades(world, views.Wanted(), limit=limit, offset=0)


@get("/trades/{trade_id:str}", tags=["trades"], summary="One trade with its timeline")
async def get_trade(
    world: FromWorld, trade_id: Annotated[str, PathParameter(max_length=64)]
) -> TradeDetail:
    """Return a trade, or an open position, from its decision to its last fill."""
    replica = world.replica
    closed = views.find(world, trade_id)
    held = None if closed is not None else views.find_open(world, trade_id)
    subject = closed or held
    if subject is None:
        raise not_found("trade", trade_id)
    instrument = replica.instruments[subject.instrument]
    return TradeDetail(
        id=name_of(subject.position_id),
        symbol=instrument.symbol,
        strategy=subject.lead,
        open=closed is None,
        trade=None if closed is None else views.row(closed, instrument),
        timeline=await timeline.timeline(world, subject.position_id, instrument),
    )


@get("/markers", tags=["trades"], summary="Fills for a chart", sync_to_thread=False)
def get_markers(world: FromWorld, symbol: Symbol, limit: Limit = 500) -> Markers:
    """Return the newest fills of an instrument, oldest first."""
    return views.markers(world, placing.instrument_of(world, symbol), limit)
