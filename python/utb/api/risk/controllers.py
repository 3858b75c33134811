"""Routes of risk."""

from litestar import get

from utb.api.risk import views
from utb.api.risk.schemas import Assessment, Breakers, Heat, Risk, RiskLimits
from utb.api.world import FromWorld


@get(["/risk", "/risk/current"], tags=["risk"], summary="Risk", sync_to_thread=False)
def get_risk(world: FromWorld) -> Risk:
    """Return risk in one look."""
    return views.risk(world)


@get("/risk/assessment", tags=["risk"], summary="Risk in detail", sync_to_thread=False)
def get_assessment(world: FromWorld) -> Assessment:
    """Return every limit with how much of it is used, and the active guards."""
    return views.assessment(world)


@get("/risk/portfolio_heat", tags=["risk"], summary="Portfolio heat", sync_to_thread=False)
def get_heat(world: FromWorld) -> Heat:
    """Return portfolio heat by position."""
    return views.heat(world)


@get("/risk/limits", tags=["risk"], summary="Risk limits", sync_to_thread=False)
def get_limits(world: FromWorld) -> RiskLimits:
    """Return the limits that apply."""
    return views.limits(world)


@get("/breakers", tags=["risk"], summary="Active guards", sync_to_thread=False)
def get_breakers(world: FromWorld) -> Breakers:
    """Return the guards that are tripped."""
    return views.breakers(world)
