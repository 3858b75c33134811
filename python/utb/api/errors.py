"""One form for every error, and one table: exception -> code -> status."""

import re
from collections.abc import Callable
from enum import StrEnum
from math import isfinite
from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from utb.errors import TransientError, UtbError

log = structlog.get_logger()

Given = Callable[[str, str], Any]


class Code(StrEnum):
    """Error codes: the user guide's, and those it has no word for."""

    INVALID_PARAMETER = "INVALID_PARAMETER"
    INSUFFICIENT_BALANCE = "INSUFFICIENT_BALANCE"
    RISK_LIMIT_EXCEEDED = "RISK_LIMIT_EXCEEDED"
    MARKET_CLOSED = "MARKET_CLOSED"
    API_RATE_LIMIT = "API_RATE_LIMIT"
    SYSTEM_ERROR = "SYSTEM_ERROR"
    NOT_FOUND = "NOT_FOUND"
    UNAUTHORIZED = "UNAUTHORIZED"
    FORBIDDEN = "FORBIDDEN"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    CONFLICT = "CONFLICT"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    NOT_IMPLEMENTED = "NOT_IMPLEMENTED"


STATUS: Final = {
    Code.INVALID_PARAMETER: 400,
    Code.UNAUTHORIZED: 401,
    Code.FORBIDDEN: 403,
    Code.NOT_FOUND: 404,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.CONFLICT: 409,
    Code.MARKET_CLOSED: 409,
    Code.PAYLOAD_TOO_LARGE: 413,
    Code.INSUFFICIENT_BALANCE: 422,
    Code.RISK_LIMIT_EXCEEDED: 422,
    Code.API_RATE_LIMIT: 429,
    Code.SYSTEM_ERROR: 500,
    Code.NOT_IMPLEMENTED: 501,
}
"""The status an error has unless it says another."""

_CODES: Final = {
    401: Code.UNAUTHORIZED,
    403: Code.FORBIDDEN,
    404: Code.NOT_FOUND,
    405: Code.METHOD_NOT_ALLOWED,
    409: Code.CONFLICT,
    413: Code.PAYLOAD_TOO_LARGE,
    429: Code.API_RATE_LIMIT,
    501: Code.NOT_IMPLEMENTED,
}


class ErrorDetail(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong."""

    code: Code
    message: str
    details: dict[str, Any] = {}


class ErrorAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The form of every error."""

    error: ErrorDetail


class ApiError(UtbError):
    """An error a caller is told."""

    def __init__(
        self,
        code: Code,
        message: str,
        details: dict[str, Any] | None = None,
        *,
        status: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details or {}
        self.status = status if status is not None else STATUS[code]
        self.headers = headers or {}

    @property
    def body(self) -> bytes:
        """Return the answer's body."""
        detail = ErrorDetail(code=self.code, message=self.message, details=self.details)
        return msgspec.json.encode(ErrorAnswer(error=detail), enc_hook=str)


def invalid(field: str, value: Any, expected: str, message: str | None = None) -> ApiError:
    """Return the error of a wrong parameter."""
    shown = value if isinstance(value, (str, int, float, bool)) or value is None else str(value)
    if isinstance(shown, str):
        shown = shown[:200]
    details = {"field": field, "value": shown, "expected": expected}
    return ApiError(Code.INVALID_PARAMETER, message or f"Invalid {field}", details)


def not_found(what: str, name: str) -> ApiError:
    """Return the error of something that does not exist."""
    return ApiError(Code.NOT_FOUND, f"No such {what}", {what.replace(" ", "_"): name[:200]})


def unavailable(error: TransientError) -> ApiError:
    """Return the error of a trading process that does not answer."""
    message = "The trading process does not answer"
    return ApiError(Code.SYSTEM_ERROR, message, {"reason": error.reason}, status=503)


def translate(error: Exception, given: Given) -> ApiError:
    """Return what a caller is told of any exception.

    Args:
        error: What was raised.
        given: Returns what the request holds in a field of a source: body, query, path, header.
    """
    if isinstance(error, ApiError):
        return error
    if isinstance(error, TransientError):
        return unavailable(error)
    if isinstance(error, ValidationException):
        return _validation(error, given)
    if isinstance(error, HTTPException):
        return _http(error)
    return _internal()


def _internal() -> ApiError:
    message = "Internal error; the log has the reason"
    return ApiError(Code.SYSTEM_ERROR, message, {"reason": "a fault of the server"})


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer an exception of a route; what was not foreseen is logged with its trace."""
    read = request.scope.get("utb.body", b"")
    body = read if isinstance(read, bytes) else b""

    def given(source: str, field: str) -> Any:
        if source == "query":
            return request.query_params.get(field)
        if source == "path":
            return request.path_params.get(field)
        return value_of(body, field)

    found = _too_large(error, body) or translate(error, given)
    if found.code is Code.NOT_FOUND and not found.details:
        found = not_found("page", request.url.path)
    if found.code is Code.SYSTEM_ERROR and not isinstance(error, (ApiError, TransientError)):
        log.error("API_ERROR", path=request.url.path, exc_info=error)
    return Response(
        found.body,
        status_code=found.status,
        headers=found.headers,
        media_type="application/json",
    )


def _http(error: HTTPException) -> ApiError:
    status = error.status_code
    default = Code.SYSTEM_ERROR if status >= 500 else Code.INVALID_PARAMETER  # noqa: PLR2004
    code = _CODES.get(status, default)
    if code is Code.SYSTEM_ERROR:
        return _internal()
    messages = {
        Code.NOT_FOUND: "No such page",
        Code.METHOD_NOT_ALLOWED: "This page does not take this method",
    }
    message = messages.get(code, error.detail)
    if code is Code.INVALID_PARAMETER:
        return ApiError(code, message, {"field": "body", "value": None, "expected": "valid JSON"})
    return ApiError(code, message, status=status, headers=dict(error.headers or {}))


_WORDS: Final = (
    (" | null`", "` or null"),
    ("`decimal`", "number"),
    ("`float`", "number"),
    ("`int`", "integer"),
    ("`str`", "text"),
    ("`bool`", "true or false"),
    ("`array`", "a list"),
    ("`object`", "an object"),
    ("`", ""),
)


_EXPECTED: Final = {
    "symbol": "text, for example SOL-USDC",
    "side": "BUY or SELL",
    "size": "number > 0",
    "fraction": "number > 0 and <= 1",
    "timeframe": "one of 1m, 5m, 15m, 1h, 4h, 1d",
}
"""What a field must be, where the type's own words do not say it."""


_MISSING: Final = re.compile(r"issing required (?:field|\w+ parameter) [`']([^`']+)[`']")
_UNKNOWN: Final = re.compile(r"unknown field `([^`]+)`")
_NO_DATA: Final = "'data'"
"""What is said of a route's body that did not come."""
_OUT_OF_RANGE: Final = "Number out of range"
_SMALLER: Final = {"size": "number that 64 bits hold in base units"}
_NAME: Final = re.compile(r"\w+")


def _validation(error: ValidationException, given: Given) -> ApiError:
    extra = error.extra if isinstance(error.extra, list) and error.extra else []
    first = extra[0] if extra and isinstance(extra[0], dict) else {}
    said = str(first.get("message") or error.detail)
    field = str(first.get("key") or "body")
    source = str(getattr(first.get("source"), "value", first.get("source")) or "body")
    if field == "data":
        field = "body"
        if said == _NO_DATA:
            return invalid(field, None, "an object", "A body is missing")
    return _field(said, field, source, given)


def of_message(error: msgspec.DecodeError, given: Given) -> ApiError:
    """Return the error of a message that is no JSON or breaks its schema.

    Args:
        error: What decoding it raised; names the field by its path.
        given: Returns what the message holds in a field, as in `translate`.
    """
    if not isinstance(error, msgspec.ValidationError):
        return invalid("message", None, "JSON")
    said, _, path = str(error).partition(" - at `$.")
    field = _NAME.match(path)
    return _field(said, "message" if field is None else field.group(), "message", given)


def _field(said: str, field: str, source: str, given: Given) -> ApiError:
    """Return the error of what msgspec said of a field of a source."""
    if missing := _MISSING.search(said):
        field = missing.group(1)
        return invalid(field, None, _EXPECTED.get(field, "a value"), f"{field} is missing")
    if unknown := _UNKNOWN.search(said):
        field = unknown.group(1)
        return invalid(field, given(source, field), "a field that exists", f"Unknown field {field}")
    expected = said.removeprefix("Expected ").partition(", got ")[0]
    for word, plain in _WORDS:
        expected = expected.replace(word, plain)
    value = None if field in {"body", "message"} else given(source, field)
    return invalid(field, value, _EXPECTED.get(field, expected))


def _too_large(error: Exception, body: bytes) -> ApiError | None:
    """Return the error of a body in which a number is beyond what a float holds."""
    if not isinstance(error, HTTPException) or not error.detail.startswith(_OUT_OF_RANGE):
        return None
    try:
        found = _wide(msgspec.json.Decoder(float_hook=_Written).decode(body))
    except msgspec.DecodeError:
        return None
    if found is None:
        return None
    field, number = found
    last = field.rpartition(".")[2]
    expected = _SMALLER.get(last) or _EXPECTED.get(last, "a number below 1.8e308")
    return invalid(field or "body", number, expected)


class _Written(str):
    """A number that is no integer, as it is written."""

    __slots__ = ()


def _wide(value: Any, name: str = "") -> tuple[str, str] | None:
    """Return the dotted name and the text of the first number that no float holds."""
    if isinstance(value, _Written):
        return None if isfinite(float(value)) else (name, value)
    inside: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        inside = [(f"{name}.{key}" if name else key, one) for key, one in value.items()]
    elif isinstance(value, list):
        inside = [(name, one) for one in value]
    for below, one in inside:
        if found := _wide(one, below):
            return found
    return None


def value_of(body: bytes, field: str) -> Any:
    """Return what the body holds at a dotted field, if it can be read."""
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    for part in field.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value
