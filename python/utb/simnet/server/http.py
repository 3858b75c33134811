"""A small HTTP/1.1 server: parsing is httptools', limits and answers are here.

A source of market data is asked a hundred thousand times in a demo, and its faults reach below
HTTP (connections that are cut, answers that never come): both want the transport itself.
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum
from http import HTTPStatus
from typing import Final, NamedTuple, cast
from urllib.parse import parse_qsl, unquote

import httptools
import msgspec
import structlog

URL_BYTES_MAX: Final = 8 * 1024
HEAD_BYTES_MAX: Final = 16 * 1024
BODY_BYTES_MAX: Final = 64 * 1024
CONNECTIONS_MAX: Final = 256
IDLE_S: Final = 120.0
"""A connection without a request for so long is closed."""
HANG_S: Final = 10.0
"""Longest time for which an answer is withheld, wall time; then the connection is closed."""

_log = structlog.get_logger(__name__)


class Request(NamedTuple):
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[bytes, bytes]
    """By lower-case name."""
    body: bytes


class Response(NamedTuple):
    """One answer."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json; charset=utf-8"


class Refusal(Enum):
    """What comes in place of an answer."""

    CUT = "cut"
    """The connection is closed."""
    HANG = "hang"
    """Nothing, for a while."""


Answer = Response | Refusal
Handler = Callable[[Request], Answer | Awaitable[Answer]]

_STATUS_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


class HttpConnection(asyncio.Protocol):
    """One client; requests are answered one after the other."""

    def __init__(self, handler: Handler, connections: "set[HttpConnection]") -> None:
        self._handler = handler
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._last_s = 0.0
        self._waiting: list[tuple[Request, bool]] = []
        self._task: asyncio.Task[None] | None = None
        self._begin()

    # Connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        # A stream's: uvloop's own class only looks like it.
        self._transport = cast("asyncio.Transport", transport)
        if len(self._connections) >= CONNECTIONS_MAX:
            self._transport.abort()
            return
        self._connections.add(self)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - either way it is over
        """End."""
        self._connections.discard(self)
        self._transport = None
        if self._idle is not None:
            self._idle.cancel()
        if self._task is not None:
            self._task.cancel()

    def close(self) -> None:
        """Close after what was sent."""
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Parse."""
        self._last_s = asyncio.get_running_loop().time()
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(HTTPStatus.BAD_REQUEST, "WebSockets have a port of their own")
        except httptools.HttpParserError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, f"request is not HTTP/1.1: {error}")
        else:
            if self._size > HEAD_BYTES_MAX + BODY_BYTES_MAX:
                self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request is too long")

    # Parser

    def on_url(self, url: bytes) -> None:
        """Collect the address."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header."""
        self._headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        """Collect the body."""
        self._body += body

    def on_message_complete(self) -> None:
        """Answer."""
        url, headers, body = self._url, self._headers, self._body
        keep = self._parser.should_keep_alive()
        method = self._parser.get_method().decode("ascii")
        self._begin()
        if len(url) > URL_BYTES_MAX:
            self._refuse(HTTPStatus.REQUEST_URI_TOO_LONG, f"address is over {URL_BYTES_MAX} bytes")
            return
        if len(body) > BODY_BYTES_MAX:
            self._refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"body is over {BODY_BYTES_MAX} bytes"
            )
            return
        path, _, query = url.decode("latin-1").partition("?")
        fields = dict(parse_qsl(query, keep_blank_values=True)) if query else {}
        request = Request(method, unquote(path), fields, headers, bytes(body))
        if self._task is None:
            self._handle(request, keep=keep)
        else:
            # No more than one read brings: reading pauses while an answer is made.
            self._waiting.append((request, keep))

    # Answers

    def _begin(self) -> None:
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._body = bytearray()
        self._size = 0

    def _handle(self, request: Request, *, keep: bool) -> None:
        answer = self._handler(request)
        if isinstance(answer, Response):
            self._send(answer, keep=keep)
        elif isinstance(answer, Refusal):
            self._withhold(answer)
        else:
            if self._transport is not None:
                self._transport.pause_reading()
            self._task = asyncio.get_running_loop().create_task(self._later(answer, keep=keep))
            self._task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("answer_failed", error=repr(error))
            self._withhold(Refusal.CUT)

    async def _later(self, answer: Awaitable[Answer], *, keep: bool) -> None:
        made = await answer
        self._task = None
        if isinstance(made, Response):
            self._send(made, keep=keep)
        else:
            self._withhold(made)
        while self._waiting and self._task is None:
            request, keep = self._waiting.pop(0)
            self._handle(request, keep=keep)
        if self._task is None and self._transport is not None:
            self._transport.resume_reading()

    def _send(self, response: Response, *, keep: bool) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        extra = "".join(f"{name}: {value}\r\n" for name, value in response.headers)
        head = (
            f"content-type: {response.content_type}\r\ncontent-length: {len(response.body)}\r\n"
            f"connection: {'keep-alive' if keep else 'close'}\r\n{extra}\r\n"
        )
        self._transport.write(_STATUS_LINES[response.status] + head.encode() + response.body)
        if not keep:
            self._transport.close()

    def _withhold(self, refusal: Refusal) -> None:
        if self._transport is None:
            return
        if refusal is Refusal.CUT:
            self._transport.abort()
        else:
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(HANG_S, self._transport.abort)

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self._send(Response(status, msgspec.json.encode({"error": message})), keep=False)

    def _watch(self) -> None:
        """Close a connection that has been idle for too long."""
        loop = asyncio.get_running_loop()
        idle_s = loop.time() - self._last_s if self._last_s else 0.0
        if idle_s >= IDLE_S and self._task is None:
            self.close()
            return
        self._idle = loop.call_later(max(1.0, IDLE_S - idle_s), self._watch)
