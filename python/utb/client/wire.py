"""What requests look like, where they go and what answers mean."""

import secrets
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

import httpx
import msgspec

from utb.errors import TransientError, UtbError

BASE_URL: Final = "http://localhost:8080/api/v1"
TIMEOUT_S: Final = 10.0
COMMAND_TIMEOUT_S: Final = 15.0
"""For a command's answer: the server waits 10 s for the trading process and 2 s for a fill."""
LOST: Final = (
    httpx.ReadError,
    httpx.WriteError,
    httpx.CloseError,
    httpx.RemoteProtocolError,
)
"""A connection that was there and ended: the request may have been acted on, or not.

It is sent once more: a command by the same key is answered and not repeated.
"""
Json = dict[str, Any]
SAID: Final = {"UNAUTHORIZED": 401, "FORBIDDEN": 403, "API_RATE_LIMIT": 429}
"""Statuses of the errors that `/ws` tells in a message, where they are not 400."""


class ApiError(UtbError):
    """The API answered with an error."""

    def __init__(self, status: int, code: str, message: str, details: Json) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = details


class ConnectionFailed(TransientError):  # noqa: N818 - as VenueRejected
    """The API was not reached, or did not answer in time."""

    def __init__(self, reason: str) -> None:
        super().__init__("api", reason)


class Asked(msgspec.Struct, frozen=True):
    """One request: method, path below the base or from the root, query, body, headers."""

    method: str
    path: str
    params: Json = {}
    body: Json | None = None
    headers: dict[str, str] = {}


def get(path: str, **params: Any) -> Asked:
    """Return the request of a page."""
    return Asked("GET", path, {k: v for k, v in params.items() if v is not None})


def post(path: str, body: Json | None = None, idempotency_key: str | None = None) -> Asked:
    """Return the request of a command, under a key of its own if none is given."""
    headers = {"Idempotency-Key": idempotency_key or secrets.token_hex(16)}
    return Asked("POST", path, {}, body, headers)


def part(text: str) -> str:
    """Return a text as one part of a path."""
    return quote(text, safe="")


def trade(
    symbol: str, side: str, size: float | str | Decimal, order_type: str, more: Json
) -> Asked:
    """Return the request of a manual order; what is None in `more` is left out."""
    # A size goes as text, so that no digit of it is lost on the way
    body: Json = {
        "symbol": symbol,
        "side": side,
        "size": str(size),
        "order_type": order_type,
        "strategy": "manual",
    }
    asked = post("/trade", body | {k: v for k, v in more.items() if v is not None})
    if more.get("client_order_id") is not None:
        # The caller's own id is the key, so that it holds for other calls too
        asked.headers.clear()
    return asked


def close(
    position_id: str, fraction: float | str | Decimal | None, idempotency_key: str | None
) -> Asked:
    """Return the request to close a position."""
    body = None if fraction is None else {"fraction": str(fraction)}
    return post(f"/positions/{part(position_id)}/close", body, idempotency_key)


class Wire:
    """Where requests go and what answers mean."""

    def __init__(self, base_url: str, api_key: str | None, timeout_s: float) -> None:
        command_s = max(timeout_s, COMMAND_TIMEOUT_S)
        self._timeouts = {
            "GET": httpx.Timeout(timeout_s),
            "POST": httpx.Timeout(timeout_s, read=command_s),
        }
        self.base_url = base_url.rstrip("/")
        self.headers = {"X-API-Key": api_key} if api_key else {}
        self._key = api_key
        parts = urlsplit(self.base_url)
        self._root = urlunsplit((parts.scheme, parts.netloc, "", "", ""))
        self.socket_url = urlunsplit(
            ("wss" if parts.scheme == "https" else "ws", parts.netloc, "/ws", "", "")
        )

    def url(self, path: str) -> str:
        """Return the address of a path; `//health` is below the root, `/status` below the base."""
        return self._root + path[1:] if path.startswith("//") else self.base_url + path

    def arguments(self, asked: Asked) -> Json:
        """Return httpx's arguments of a request."""
        return {
            "method": asked.method,
            "url": self.url(asked.path),
            "params": asked.params,
            "json": asked.body,
            "headers": self.headers | asked.headers,
            "timeout": self._timeouts[asked.method],
        }


def answer(response: httpx.Response) -> Any:
    """Return an answer's JSON.

    Raises:
        ApiError: If it is an error.
        ConnectionFailed: If it is no JSON.
    """
    try:
        body = msgspec.json.decode(response.content)
    except msgspec.DecodeError as error:
        raise ConnectionFailed(f"status {response.status_code} without JSON") from error
    if response.is_success or "error" not in body:
        return body
    raise refusal(response.status_code, body)


def refusal(status: int, body: Json) -> ApiError:
    """Return the error that an answer in the API's form of errors tells."""
    told = body["error"]
    return ApiError(status, told["code"], told["message"], told["details"])
