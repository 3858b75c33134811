"""Routes of the controls."""

from typing import Any

from litestar import Request, post

from utb.api.controls.commands import command_id, give
from utb.api.controls.schemas import Done
from utb.api.idempotency import key_of
from utb.api.keys import ANYONE, Caller
from utb.api.world import FromWorld, World
from utb.domain import commands as cmd
from utb.domain.names import OperatorState


def caller_of(request: Request[Any, Any, Any]) -> Caller:
    """Return who asks, as the gate found out."""
    found = request.scope.get("utb.caller")
    return found if isinstance(found, Caller) else ANYONE


async def _control(
    world: World, request: Request[Any, Any, Any], kind: type[Any], status: str
) -> Done:
    caller = caller_of(request).name
    given = command_id(caller, key_of(request), kind)
    accepted = await give(world, kind(command_id=given, issued_by=f"api:{caller}"))
    return Done(status=status, command_id=given, seq=accepted.seq)


@post("/pause", status_code=200, tags=["controls"], summary="Pause")
async def pause(world: FromWorld, request: Request[Any, Any, Any]) -> Done:
    """Stop entries; exits go on."""
    return await _control(world, request, cmd.Pause, OperatorState.PAUSED.value)


@post("/resume", status_code=200, tags=["controls"], summary="Resume")
async def resume(world: FromWorld, request: Request[Any, Any, Any]) -> Done:
    """Return to RUNNING from PAUSED or SAFE_MODE."""
    return await _control(world, request, cmd.Resume, OperatorState.RUNNING.value)


@post("/safe_mode", status_code=200, tags=["controls"], summary="Safe mode")
async def safe_mode(world: FromWorld, request: Request[Any, Any, Any]) -> Done:
    """Allow only reducing orders, and tighten stops."""
    return await _control(world, request, cmd.SafeMode, OperatorState.SAFE_MODE.value)


@post("/emergency_stop", status_code=200, tags=["controls"], summary="Emergency stop")
async def emergency_stop(world: FromWorld, request: Request[Any, Any, Any]) -> Done:
    """Close everything and refuse entries until a reset."""
    stopped = OperatorState.EMERGENCY_STOP.value
    return await _control(world, request, cmd.EmergencyStop, stopped)


@post("/reset", status_code=200, tags=["controls"], summary="Reset")
async def reset(world: FromWorld, request: Request[Any, Any, Any]) -> Done:
    """Leave the emergency stop."""
    return await _control(world, request, cmd.Reset, OperatorState.RUNNING.value)


@post("/positions/close_all", status_code=200, tags=["positions"], summary="Close all")
async def close_all(world: FromWorld, request: Request[Any, Any, Any]) -> Done:
    """Sell every position at market."""
    return await _control(world, request, cmd.CloseAll, "ACCEPTED")
