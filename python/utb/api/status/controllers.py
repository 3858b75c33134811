"""Routes of status and summary."""

from litestar import get

from utb.api.status import views
from utb.api.status.schemas import StatusAnswer, Summary
from utb.api.world import FromWorld


@get("/status", tags=["status"], summary="Status", sync_to_thread=False)
def get_status(world: FromWorld) -> StatusAnswer:
    """Return the bot in one look."""
    return views.status(world)


@get("/summary", tags=["status"], summary="Top bar", sync_to_thread=False)
def get_summary(world: FromWorld) -> Summary:
    """Return what a trader asks first, in one answer."""
    return views.summary(world)
