"""Routes of orders, decisions, refusals and alerts."""

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter

from utb.api.orders import views
from utb.api.orders.schemas import Alerts, Decisions, Orders, Refusals
from utb.api.trades.placing import instrument_of
from utb.api.world import FromWorld

Limit = Annotated[int, QueryParameter(ge=1, le=500, description="Most rows.")]


@get("/orders", tags=["orders"], summary="Orders", sync_to_thread=False)
def get_orders(world: FromWorld, limit: Limit = 50) -> Orders:
    """Return open and recent orders, newest first."""
    return views.orders(world, limit)


@get("/decisions", tags=["orders"], summary="Decisions", sync_to_thread=False)
def get_decisions(
    world: FromWorld,
    limit: Limit = 50,
    symbol: Annotated[str | None, QueryParameter(max_length=64)] = None,
) -> Decisions:
    """Return the ensemble's decisions to act with their votes, newest first."""
    if symbol is not None:
        instrument_of(world, symbol)
    return views.decisions(world, limit, symbol)


@get("/refusals", tags=["orders"], summary="Refusals", sync_to_thread=False)
def get_refusals(world: FromWorld, limit: Limit = 50) -> Refusals:
    """Return the orders that the risk gate denied, newest first."""
    return views.refusals(world, limit)


@get("/alerts", tags=["orders"], summary="Alerts", sync_to_thread=False)
def get_alerts(world: FromWorld, limit: Limit = 50) -> Alerts:
    """Return what a person should hear of, newest first."""
    return views.alerts(world, limit)
