"""Gives commands and turns what the trading process says into answers or errors."""

import asyncio
import hashlib
import secrets
from contextlib import suppress
from typing import Any, Final

import structlog

from utb.api.errors import ApiError, Code, invalid
from utb.api.orders.refusal import Told, told
from utb.api.world import World
from utb.domain.commands import Accepted, Command, Refusal, Trade
from utb.domain.names import RefusalCode, Side
from utb.domain.records import Refused
from utb.node.intents import command_intent_id

log = structlog.get_logger()

RECORD_WAIT_S: Final = 1.0
"""Records travel behind the answer, when they are durable."""

_BALANCE: Final = frozenset({RefusalCode.INSUFFICIENT_CASH, RefusalCode.FEE_RESERVE})
_CLOSED: Final = frozenset(
    {
        RefusalCode.MARK_ABSENT,
        RefusalCode.WARM_UP,
        RefusalCode.ATR_ABSENT,
        RefusalCode.LIQUIDITY_UNKNOWN,
        RefusalCode.UNHEALTHY,
        RefusalCode.RECONCILIATION,
    }
)
"""The market, or our view of it, is not open to this order."""
_STATE: Final = frozenset(
    {
        RefusalCode.OPERATOR_PAUSED,
        RefusalCode.OPERATOR_SAFE_MODE,
        RefusalCode.EMERGENCY_STOP,
        RefusalCode.ORDER_IN_FLIGHT,
        RefusalCode.POSITION_EXISTS,
        RefusalCode.NO_POSITION,
    }
)
_WRONG: Final = frozenset(
    {RefusalCode.INVALID_INPUT, RefusalCode.STOP_NOT_BELOW_ENTRY, RefusalCode.BELOW_MINIMUM}
)

_ONE_UNIT: Final = 1.0
"""Limit of an order that is worth nothing, base units."""
_LEVELS: Final = "stop and target"
"""How the gate begins when a level cannot be."""

_FIELDS: Final = {"size_base_raw": "size", "instrument": "symbol", "position_id": "id"}
"""Names of a command's fields as the API has them."""


def code_of(refusal: str) -> Code:
    """Return the error code of a refusal's code; a guard that has no closer word is a limit."""
    if refusal in _BALANCE:
        return Code.INSUFFICIENT_BALANCE
    if refusal in _CLOSED:
        return Code.MARKET_CLOSED
    if refusal in _STATE or refusal == "CONFLICT":
        return Code.CONFLICT
    if refusal in _WRONG:
        return Code.INVALID_PARAMETER
    return Code.RISK_LIMIT_EXCEEDED


def command_id(caller: str, idempotency: str | None, kind: type) -> str:
    """Return a new command's id, or always the same one of a caller's key for a kind of command."""
    if idempotency is None:
        return f"api-{secrets.token_hex(12)}"
    named = hashlib.sha256(f"{caller}\n{kind.__name__}\n{idempotency}".encode()).hexdigest()
    return f"api-{named[:24]}"


async def give(world: World, command: Command) -> Accepted:
    """Give a command and return that it was taken, once this server knows what it did.

    Whoever asks next is answered from records that hold it; after `RECORD_WAIT_S` the answer is
    given all the same, for the command was taken.

    Raises:
        ApiError: If it was refused.
        TransientError: If the trading process does not answer.
    """
    answer = await world.give(command)
    if isinstance(answer, Accepted):
        name = type(command).__name__
        log.info("COMMAND", command=name, command_id=command.command_id, by=command.issued_by)
        await _caught_up(world, answer.last_seq)
        return answer
    if isinstance(command, Trade) and command.side is Side.BUY and answer.field == "order":
        await _recorded(world, answer.command_id)
    raise refused(world, answer, command)


async def _caught_up(world: World, seq: int) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(RECORD_WAIT_S):
            while world.replica.seq < seq:
                await world.bell.heard()


async def _recorded(world: World, given: str) -> None:
    """Wait a little for the record of the gate's refusal, whose numbers every repeat is told."""
    with suppress(TimeoutError):
        async with asyncio.timeout(RECORD_WAIT_S):
            while _record(world, given) is None:
                await world.bell.heard()


def refused(world: World, refusal: Refusal, command: Command) -> ApiError:
    """Return the error of a refused command, with the gate's numbers where it was the gate."""
    code = code_of(refusal.code)
    record = _record(world, refusal.command_id)
    if record is not None:
        said = told(world.replica, record)
        details: dict[str, Any] = {
            "code": record.code,
            "limit": said.limit,
            "value": said.value,
            "order_value": said.order_value,
        }
        if code is Code.INVALID_PARAMETER:
            details |= _wrong(world, record, said, command)
        return ApiError(code, said.message, details)
    field = _FIELDS.get(refusal.field, refusal.field)
    if code is Code.INVALID_PARAMETER:
        return invalid(field, refusal.value, refusal.expected)
    shown = {"code": refusal.code, "field": field, "expected": refusal.expected}
    if field == refusal.field:
        shown["value"] = refusal.value
    sentence = refusal.code.lower().replace("_", " ")
    return ApiError(code, f"{sentence}: {field} must be {refusal.expected}", shown)


def _wrong(world: World, record: Refused, said: Told, command: Command) -> dict[str, Any]:
    """Return which field of an order the gate cannot take, and what it must be."""
    if record.code is RefusalCode.STOP_NOT_BELOW_ENTRY:
        return {"field": "stop", "expected": f"a price below the entry, {record.limit:g}"}
    if record.code is RefusalCode.BELOW_MINIMUM:
        if record.limit > _ONE_UNIT:
            quote = world.replica.instruments[record.instrument].quote
            return {"field": "size", "expected": f"an order of at least {said.limit:g} {quote}"}
        return {"field": "size", "expected": "an order that moves at least one base unit"}
    target = command.target if isinstance(command, Trade) else None
    if target is not None and record.message.startswith(_LEVELS):
        # A stop above zero is all that is asked of it here, and the request was held to that
        return {"field": "target", "value": target, "expected": "a price above the present one"}
    return {"field": "size", "expected": "an amount that can be traded"}


def _record(world: World, given: str) -> Refused | None:
    intent = command_intent_id(given)
    for _, record in reversed(world.replica.refusals):
        if record.intent_id == intent:
            return record
    return None
