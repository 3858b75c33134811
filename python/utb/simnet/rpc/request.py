"""JSON-RPC requests: parsing, batches, and the answers around results."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from utb.simnet.rpc import errors
from utb.simnet.rpc.errors import RpcError
from utb.simnet.rpc.params import Params

BATCH_MAX: Final = 100
"""Most calls of one batch."""
DEPTH_MAX: Final = 32
"""Deepest nesting of a request."""

Handle = Callable[[str, Params], Any]
"""Takes a method and its parameters, returns the result; an `RpcError` is told as such."""

_DECODER: Final = msgspec.json.Decoder()
_ENCODER: Final = msgspec.json.Encoder()


class Call(NamedTuple):
    """One call of a request."""

    id: int | float | str | None
    method: str
    params: Params
    silent: bool
    """It has no id: nobody waits for an answer."""


class Request(NamedTuple):
    """What a body asks for: calls, and what was no call in their places."""

    calls: list[Call | RpcError]
    batch: bool

    @property
    def methods(self) -> list[str]:
        """Return the methods of its calls."""
        return [call.method for call in self.calls if isinstance(call, Call)]


def parse(body: bytes) -> Request:
    """Read a request body.

    Raises:
        RpcError: If it is not JSON, or an empty or too long batch.
    """
    try:
        if _depth(body) > DEPTH_MAX:
            raise RpcError(errors.PARSE, "Parse error")
        value = _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RpcError(errors.PARSE, "Parse error") from error
    if not isinstance(value, list):
        return Request([_call(value)], batch=False)
    if not 0 < len(value) <= BATCH_MAX:
        raise RpcError(errors.INVALID_REQUEST, "Invalid request")
    return Request([_call(one) for one in value], batch=True)


def answer(request: Request, handle: Handle) -> bytes:
    """Answer every call of a request; nothing where nobody waits."""
    told = []
    for call in request.calls:
        if isinstance(call, RpcError):
            told.append(failure(None, call))
        else:
            one = answer_call(call, handle)
            if one is not None:
                told.append(one)
    if not told:
        return b""
    return _ENCODER.encode(told if request.batch else told[0])


def answer_call(call: Call, handle: Handle) -> dict[str, Any] | None:
    """Answer one call; None where nobody waits."""
    try:
        result = handle(call.method, call.params)
    except RpcError as error:
        return None if call.silent else failure(call.id, error)
    return None if call.silent else {"jsonrpc": "2.0", "result": result, "id": call.id}


def failure(number: Any, error: RpcError) -> dict[str, Any]:
    """Return an answer with an error."""
    return {"jsonrpc": "2.0", "error": error.body(), "id": number}


def encode(value: Any) -> bytes:
    """Return the JSON of an answer or notification."""
    return _ENCODER.encode(value)


def _call(value: Any) -> Call | RpcError:
    if not isinstance(value, dict) or value.get("jsonrpc") != "2.0":
        return RpcError(errors.INVALID_REQUEST, "Invalid request")
    method, params, number = value.get("method"), value.get("params"), value.get("id")
    known = isinstance(method, str) and isinstance(params, list | None)
    if not known or not isinstance(number, int | float | str | None) or isinstance(number, bool):
        return RpcError(errors.INVALID_REQUEST, "Invalid request")
    return Call(number, str(method), Params(params or []), "id" not in value)


def _depth(body: bytes) -> int:
    """Return a bound of the nesting: brackets in texts count too."""
    if body.count(b"[") + body.count(b"{") <= DEPTH_MAX:
        return 0
    depth = deepest = 0
    for byte in body.translate(None, delete=_NO_BRACKETS):
        depth += 1 if byte in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


_NO_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")
