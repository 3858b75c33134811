"""The store over ClickHouse's HTTP dialect, for reading: an ASGI application."""

import asyncio
import gzip
import re
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any, Final

import msgspec
import structlog

from utb.analytics.dialect import (
    ACCESS_DENIED,
    AUTHENTICATION_FAILED,
    BODY_BYTES_MAX,
    INCORRECT_DATA,
    asked,
    content_type,
    error_text,
    key_of,
    status_of,
)
from utb.analytics.guard import BAD_ARGUMENTS, DEFAULT, DeniedError, admit, check_database
from utb.analytics.readers import EngineError, Readers, Result
from utb.serving.server import taken

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_log = structlog.get_logger("utb.analytics")
_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_COMPRESS_FROM_BYTES: Final = 1024
_GZIP_LEVEL: Final = 1
_FORMAT: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}\Z")
_QUERY_ID: Final = re.compile(r"[\w.:-]{1,128}\Z")
SEND_S: Final = 30.0
"""Time a reader has to take its answer."""
_PIECE_BYTES: Final = 256 * 1024
_OK: Final = b"Ok.\n"
_DISPLAY_NAME: Final = "utb"


class Reply(msgspec.Struct, frozen=True):
    """One answer."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """Who may read."""

    loopback: bool
    """Whether only this machine can reach us; requests must then name us as it would."""
    is_key: Callable[[str], bool] | None
    """Whether a text is a reader's key; None: no key is asked for."""

    def check(self, headers: Mapping[str, str]) -> None:
        """Check who asks.

        Raises:
            DeniedError: If a page of another site asks through a browser, or the key is wrong.
        """
        if self.loopback and not _is_from_here(headers):
            raise DeniedError(
                ACCESS_DENIED, "requests must be for localhost, 127.0.0.1 or [::1], and from there"
            )
        if self.is_key is not None and not self.is_key(key_of(headers) or ""):
            raise DeniedError(
                AUTHENTICATION_FAILED, "a key is required, in X-ClickHouse-Key or as a password"
            )


def _is_from_here(headers: Mapping[str, str]) -> bool:
    """Return whether the names in a request are this machine's own; browsers send an Origin.

    That of a page without one, a file or a sandbox, is `null`, and no name of ours.
    """
    host, origin = headers.get("host", ""), headers.get("origin")
    if host and _host_of(host) not in _LOOPBACK_NAMES:
        return False
    if origin is None:
        return True
    scheme, _, name = origin.partition("://")
    return scheme.lower() in {"http", "https"} and _host_of(name) in _LOOPBACK_NAMES


class Facade:
    """Answers requests; one per process."""

    def __init__(self, readers: Readers, access: Access, database: str) -> None:
        self._readers = readers
        self._access = access
        self._database = database

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        headers = _headers(scope["headers"])
        try:
            replied = await self._reply(scope, headers, receive, send)
        except DeniedError as error:
            replied = _failure(error.code, error_text(error.code, error.message))
        except EngineError as error:
            replied = _failure(error.code, error.message + "\n")
        if replied is not None:
            await _send(scope, send, replied)

    async def _reply(
        self, scope: Message, headers: MutableMapping[str, str], receive: Receive, send: Send
    ) -> Reply | None:
        """Return the answer to a request; None when a query's answer is sent already."""
        method, path = scope["method"], scope["path"]
        if method not in {"GET", "POST", "HEAD"}:
            return _text(405, "GET and POST are served\n", (("allow", "GET, POST, HEAD"),))
        body = await _body(receive)
        self._access.check(headers)
        if path in {"/ping", "/replicas_status"}:
            return _text(200, _OK.decode())
        if path not in {"/", "/query"}:
            return _text(404, "There is no such page here; queries go to /\n")
        if body is None:
            raise DeniedError(INCORRECT_DATA, f"the body has more than {BODY_BYTES_MAX} bytes")
        request = asked(scope["query_string"], headers, body)
        if not request.query.strip():
            # What a ClickHouse server says to a bare GET, and what clients look for
            return _text(200, _OK.decode())
        database = request.database
        if database is None or database == DEFAULT:
            database = self._database
        check_database(database)
        admitted = admit(request.query, request.parameters)
        format_ = admitted.format or request.format
        if not _FORMAT.match(format_):
            raise DeniedError(BAD_ARGUMENTS, "the format is not a name")
        answer = self._readers.answer(admitted.query, format_, request.parameters, database)
        async with answer as result:
            reply = await _answer(result, format_, request.query_id, compress=request.gzip)
            await _send(scope, send, reply)
        return None


async def _send(scope: Message, send: Send, reply: Reply) -> None:
    """Send an answer; who does not take it in time is cut off."""
    own = (
        ("x-clickhouse-server-display-name", _DISPLAY_NAME),
        ("x-clickhouse-timezone", "UTC"),
        ("x-clickhouse-query-id", str(uuid.uuid4())),
        ("content-length", str(len(reply.body))),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
    )
    # An id of the client's own choice replaces ours
    merged = {**dict(own), **dict(reply.headers)}
    headers = [(name.encode(), value.encode()) for name, value in merged.items()]
    body = b"" if scope["method"] == "HEAD" else reply.body
    if not await taken(_send_all(send, reply.status, headers, body), scope, SEND_S):
        _log.warning("a reader does not take its answer and is cut off", bytes=len(body))


async def _send_all(
    send: Send, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes
) -> None:
    """Send in pieces, each when the one before has left our buffer but for a little."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    for at in range(0, len(body), _PIECE_BYTES):
        piece = body[at : at + _PIECE_BYTES]
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _answer(result: Result, format_: str, query_id: str, *, compress: bool) -> Reply:
    summary = {
        "read_rows": str(result.read_rows),
        "read_bytes": str(result.read_bytes),
        "written_rows": "0",
        "written_bytes": "0",
        "total_rows_to_read": "0",
        "result_rows": "0",
        "result_bytes": str(len(result.body)),
        "elapsed_ns": str(int(result.elapsed_s * 1e9)),
    }
    headers = [
        ("content-type", content_type(format_)),
        ("x-clickhouse-format", format_),
        ("x-clickhouse-summary", msgspec.json.encode(summary).decode()),
    ]
    if _QUERY_ID.match(query_id):
        headers.append(("x-clickhouse-query-id", query_id))
    body = result.body
    if compress and len(body) >= _COMPRESS_FROM_BYTES:
        body = await asyncio.to_thread(gzip.compress, body, _GZIP_LEVEL)
        headers += (("content-encoding", "gzip"), ("vary", "accept-encoding"))
    return Reply(200, body, tuple(headers))


def _failure(code: int, text: str) -> Reply:
    headers: tuple[tuple[str, str], ...] = (("x-clickhouse-exception-code", str(code)),)
    if code == AUTHENTICATION_FAILED:
        headers += (("www-authenticate", 'Basic realm="ClickHouse"'),)
    return _text(status_of(code), text, headers)


def _text(status: int, text: str, headers: Sequence[tuple[str, str]] = ()) -> Reply:
    return Reply(status, text.encode(), (("content-type", content_type("")), *headers))


async def _body(receive: Receive) -> bytes | None:
    """Return the body, or None when it is too long; it is read to its end either way."""
    parts = bytearray()
    long = False
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b""
        if not long:
            parts += message.get("body", b"")
            long = len(parts) > BODY_BYTES_MAX
        if not message.get("more_body", False):
            return None if long else bytes(parts)


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in pairs}


def _host_of(name: str) -> str:
    """Return a Host or Origin value without its port."""
    if name.startswith("["):
        host, _, port = name.partition("]")
        return f"{host}]" if not port or port.startswith(":") else name
    return name.partition(":")[0].lower()
