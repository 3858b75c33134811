"""Routes of the configuration, and those that are not there yet and say so."""

from typing import Annotated, Any

from litestar import get, post, put
from litestar.params import PathParameter

from utb.api.errors import ApiError, Code
from utb.api.world import FromWorld


@get("/config", tags=["configuration"], summary="Configuration", sync_to_thread=False)
def get_config(world: FromWorld) -> dict[str, Any]:
    """Return the effective configuration by table; secrets are masked."""
    return world.place.config_shown


def _later(what: str, instead: str) -> ApiError:
    return ApiError(
        Code.NOT_IMPLEMENTED, f"{what} is not available in this version", {"do": instead}
    )


_EDIT = "edit config/trading.toml, check it with `utb config check`, and start again"
_FIGURES = (
    "GET /api/performance, /api/trades/recent and /api/strategies/performance have the figures"
)


def _only_read(what: str) -> ApiError:
    """Return the error of a page that can be read and not changed."""
    message = f"{what} is not available in this version"
    headers = {"Allow": "GET, HEAD, OPTIONS"}
    return ApiError(Code.METHOD_NOT_ALLOWED, message, {"do": _EDIT}, headers=headers)


@put("/config", include_in_schema=False, sync_to_thread=False)
def put_config() -> None:
    """Refuse: not in this version."""
    raise _only_read("Changing the configuration by request")


@put("/risk/limits", include_in_schema=False, sync_to_thread=False)
def put_limits() -> None:
    """Refuse: not in this version."""
    raise _only_read("Changing limits by request")


@post("/config/reset", include_in_schema=False, sync_to_thread=False)
def reset_config() -> None:
    """Refuse: not in this version."""
    raise _later("Resetting the configuration by request", _EDIT)


@get("/reports/{kind:str}", include_in_schema=False, sync_to_thread=False)
def get_report(kind: Annotated[str, PathParameter(max_length=64)]) -> None:
    """Refuse: not in this version."""
    raise _later(f"The report {kind[:64]}", _FIGURES)
