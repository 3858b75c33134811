"""Routes of health."""

from litestar import Response, get

from utb.api.health import views
from utb.api.health.schemas import (
    ComponentsAnswer,
    Feeds,
    HealthAnswer,
    HealthDetail,
    Latency,
)
from utb.api.world import FromWorld
from utb.telemetry.metrics import CONTENT_TYPE

OK = 200
UNAVAILABLE = 503


@get("/health", tags=["health"], summary="Health in a word", sync_to_thread=False)
def get_health(world: FromWorld) -> Response[HealthAnswer]:
    """Return HEALTHY with 200, or DOWN with 503 and the reasons."""
    found = views.health(world)
    return Response(found, status_code=OK if found.status == views.HEALTHY else UNAVAILABLE)


@get("/health/components", tags=["health"], summary="Components", sync_to_thread=False)
def get_components(world: FromWorld) -> ComponentsAnswer:
    """Return every component's state with since, reason and age."""
    return views.components(world)


@get("/health/detailed", tags=["health"], summary="Health in detail", sync_to_thread=False)
def get_detail(world: FromWorld) -> HealthDetail:
    """Return components, machine, latencies, feeds, error rate and uptime."""
    return views.detail(world)


@get("/latency", tags=["health"], summary="Latency of the hot path", sync_to_thread=False)
def get_latency(world: FromWorld) -> Latency:
    """Return p50, p99 and maximum of every stage."""
    return views.latency(world)


@get("/feeds", tags=["health"], summary="Feeds", sync_to_thread=False)
def get_feeds(world: FromWorld) -> Feeds:
    """Return every feed's state, age and counts."""
    return views.feeds(world)


@get(
    "/metrics",
    tags=["health"],
    summary="Prometheus metrics",
    media_type="text/plain",
    sync_to_thread=False,
)
def get_metrics(world: FromWorld) -> Response[bytes]:
    """Return the metrics in Prometheus' text format."""
    return Response(world.metrics.text(), media_type=CONTENT_TYPE)
