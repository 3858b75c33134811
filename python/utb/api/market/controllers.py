"""Routes of the market."""

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter

from utb.api.market import views
from utb.api.market.schemas import Bars, Instruments, Votes
from utb.api.market.votes import votes
from utb.api.shown import time_of
from utb.api.trades.placing import instrument_of
from utb.api.world import FromWorld
from utb.config.ranges import Timeframe

Symbol = Annotated[str, QueryParameter(max_length=64, description="For example SOL-USDC.")]


@get("/instruments", tags=["market"], summary="Instruments", sync_to_thread=False)
def get_instruments(world: FromWorld) -> Instruments:
    """Return every instrument with its price and what the bot makes of it."""
    return views.instruments(world)


@get("/bars", tags=["market"], summary="Bars")
async def get_bars(
    world: FromWorld,
    symbol: Symbol,
    timeframe: Annotated[Timeframe, QueryParameter()] = "15m",
    limit: Annotated[int, QueryParameter(ge=1, le=5_000, description="Most bars.")] = 500,
    before: Annotated[
        str | None, QueryParameter(max_length=64, description="Bars that open before this time.")
    ] = None,
) -> Bars:
    """Return the newest closed bars, oldest first, and the forming one."""
    before_ns = time_of("before", before)
    instrument = instrument_of(world, symbol)
    return await views.bars(world, instrument, timeframe, limit=limit, before_ns=before_ns)


@get("/votes", tags=["market"], summary="Votes", sync_to_thread=False)
def get_votes(world: FromWorld, symbol: Symbol) -> Votes:
    """Return the eight votes of an instrument, with every condition, and what came of them."""
    return votes(world, instrument_of(world, symbol))
