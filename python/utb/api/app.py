"""The application: routes behind the gate."""

from typing import Final

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.types import ASGIApp, ControllerRouterHandler

from utb.api.configuration import controllers as configuration
from utb.api.controls import controllers as controls
from utb.api.errors import answer
from utb.api.gate import Gate
from utb.api.health import controllers as health
from utb.api.hot import Hot
from utb.api.live.hub import Hub
from utb.api.live.socket import live
from utb.api.market import controllers as market
from utb.api.openapi import document
from utb.api.orders import controllers as orders
from utb.api.pages import controllers as pages
from utb.api.pages import files
from utb.api.performance import controllers as performance
from utb.api.positions import controllers as positions
from utb.api.risk import controllers as risk
from utb.api.status import controllers as status
from utb.api.trades import controllers as trades
from utb.api.world import World

SHARED: Final[tuple[ControllerRouterHandler, ...]] = (
    status.get_status,
    status.get_summary,
    positions.get_positions,
    positions.close_position,
    trades.get_recent,
    performance.get_performance,
    performance.get_strategies,
    performance.get_strategy,
    risk.get_risk,
    risk.get_assessment,
    risk.get_heat,
    risk.get_limits,
    configuration.get_config,
    configuration.put_config,
    configuration.reset_config,
    configuration.put_limits,
    configuration.get_report,
    controls.pause,
    controls.resume,
    controls.safe_mode,
    controls.emergency_stop,
    controls.reset,
    controls.close_all,
)
"""Under `/api/v1` and under `/api`: the user guide uses both."""

VERSIONED: Final[tuple[ControllerRouterHandler, ...]] = (
    trades.place_trade,
    trades.get_trades,
    trades.get_trade,
    trades.get_markers,
    market.get_instruments,
    market.get_bars,
    market.get_votes,
    orders.get_orders,
    orders.get_decisions,
    orders.get_refusals,
    orders.get_alerts,
    performance.get_equity,
    risk.get_breakers,
    health.get_latency,
    health.get_feeds,
)

PLAIN: Final[tuple[ControllerRouterHandler, ...]] = (
    health.get_health,
    health.get_components,
    health.get_detail,
    health.get_metrics,
)

PAGES: Final[tuple[ControllerRouterHandler, ...]] = (
    pages.get_root,
    pages.get_dashboard,
    pages.get_dashboard_file,
    pages.get_description,
    pages.get_openapi,
    pages.get_description_file,
)


def routes() -> list[ControllerRouterHandler]:
    """Return the routes that the OpenAPI document describes."""
    return [
        Router("/api/v1", route_handlers=[*SHARED, *VERSIONED, health.get_health]),
        Router("/api", route_handlers=[*SHARED, health.get_health]),
        *PLAIN,
    ]


def build(world: World) -> ASGIApp:
    """Return the whole application of a world, which gets its hub and pages here."""
    world.hub = Hub(world)
    world.openapi = document(routes(), world.place.version)
    world.pages = files.load("utb.api.pages")
    world.dashboard = files.load("utb", "web")
    app = Litestar(
        route_handlers=[*routes(), live, *PAGES],
        dependencies={"world": Provide(lambda: world, sync_to_thread=False)},
        exception_handlers={Exception: answer},
        openapi_config=None,
        request_max_body_size=world.config.server.body_bytes_max,
    )
    return Gate(app, world, world.config.server, Hot(world))
