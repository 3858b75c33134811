"""Routes of positions."""

from typing import Annotated, Any, Final

from litestar import Request, get, post
from litestar.params import JSONBody, PathParameter

from utb.api.controls.commands import command_id, give
from utb.api.controls.controllers import caller_of
from utb.api.controls.schemas import Done
from utb.api.errors import ApiError, invalid, not_found
from utb.api.idempotency import key_of
from utb.api.positions import views
from utb.api.positions.schemas import CloseBody, Positions
from utb.api.world import FromWorld
from utb.domain.commands import ClosePosition
from utb.domain.names import RefusalCode

NO_POSITION: Final = -1
"""The id of none."""

PositionName = Annotated[
    str,
    PathParameter(
        description="Id of the position, or its symbol.",
        max_length=64,
    ),
]


@get("/positions", tags=["positions"], summary="Open positions", sync_to_thread=False)
def get_positions(world: FromWorld) -> Positions:
    """Return all open positions."""
    return views.positions(world)


@post(
    "/positions/{position_id:str}/close",
    status_code=200,
    tags=["positions"],
    summary="Close a position",
)
async def close_position(
    world: FromWorld,
    request: Request[Any, Any, Any],
    position_id: PositionName,
    data: JSONBody[CloseBody | None] = None,
) -> Done:
    """Sell a position, or a fraction of it, at market."""
    body = data or CloseBody()
    if not 0 < body.fraction <= 1:
        raise invalid("fraction", body.fraction, "number > 0 and <= 1")
    caller, key = caller_of(request).name, key_of(request)
    given = command_id(caller, key, ClosePosition)
    if key is not None:
        world.requests.check(given, f"{position_id} {body.fraction}".encode())
    held = views.find(world, position_id)
    about = world.requests.position(given, None if held is None else held.position_id)
    if about is None and key is None:
        raise not_found("position", position_id)
    command = ClosePosition(
        command_id=given,
        issued_by=f"api:{caller}",
        # It may be closed by this very command: the trading process knows what it answered
        position_id=NO_POSITION if about is None else about,
        fraction=float(body.fraction),
    )
    try:
        accepted = await give(world, command)
    except ApiError as error:
        if about is None and error.details.get("code") == RefusalCode.NO_POSITION:
            raise not_found("position", position_id) from None
        raise
    return Done(status="ACCEPTED", command_id=command.command_id, seq=accepted.seq)
