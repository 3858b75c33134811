"""Routes of performance."""

from typing import Annotated

from litestar import get
from litestar.params import PathParameter, QueryParameter

from utb.api.errors import not_found
from utb.api.performance import views
from utb.api.performance.schemas import (
    EquityPoint,
    PerformanceAnswer,
    StrategyDetail,
    StrategyList,
)
from utb.api.world import FromWorld


@get("/performance", tags=["performance"], summary="Performance", sync_to_thread=False)
def get_performance(world: FromWorld) -> PerformanceAnswer:
    """Return the performance figures; an undefined one is null."""
    return views.performance(world)


@get("/equity", tags=["performance"], summary="Equity over time", sync_to_thread=False)
def get_equity(
    world: FromWorld,
    limit: Annotated[int, QueryParameter(ge=1, le=20_000, description="Most points.")] = 1_000,
) -> list[EquityPoint]:
    """Return the newest points of equity with their drawdown, oldest first."""
    return views.equity(world, limit)


@get("/strategies/performance", tags=["performance"], summary="Strategies", sync_to_thread=False)
def get_strategies(world: FromWorld) -> StrategyList:
    """Return every strategy with its weight and the results of the trades it led."""
    return views.strategies(world)


@get("/strategies/{name:str}", tags=["performance"], summary="One strategy", sync_to_thread=False)
def get_strategy(
    world: FromWorld, name: Annotated[str, PathParameter(max_length=64)]
) -> StrategyDetail:
    """Return a strategy's weight, its votes now, and its last 20 trades."""
    found = views.strategy(world, name)
    if found is None:
        raise not_found("strategy", name)
    return found
