"""uvicorn with what our processes need of it beside ASGI."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

ABORT: Final = "utb.abort"
"""In a scope: ends its connection at once. Closing would wait until what was written is read."""

LAST_WORDS_S: Final = 11.0
"""Until a WebSocket is aborted whose application has ended; its closing takes 10 s at most."""


class Server(uvicorn.Server):
    """Leaves signals to us: uvicorn would raise them again, before our own files are put away."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


class Http(HttpToolsProtocol):
    """HTTP whose application may abort the connection."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        scope: Any = self.scope
        scope[ABORT] = self.transport.abort


class WebSocket(WebSocketsSansIOProtocol):
    """WebSocket whose application may abort the connection."""

    def handle_connect(self, event: Request) -> None:
        """Take the handshake; the application starts at the loop's next turn."""
        super().handle_connect(event)
        scope: Any = getattr(self, "scope", None)
        if scope is not None:
            scope[ABORT] = self.transport.abort

    async def send(self, message: Any) -> None:
        """Send; a handshake that was answered like a request is complete with that answer."""
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True

    async def run_asgi(self) -> None:
        """Run the application; the connection ends soon after it, read or not."""
        try:
            await super().run_asgi()
        finally:
            self.loop.call_later(LAST_WORDS_S, self.transport.abort)


async def taken(sending: Awaitable[None], scope: Any, limit_s: float) -> bool:
    """Wait until a client takes what is sent to it, and end its connection if it does not.

    Args:
        sending: What sends.
        scope: Of the connection.
        limit_s: Seconds it may take.

    Returns:
        Whether it was taken.
    """
    try:
        async with asyncio.timeout(limit_s):
            await sending
    except TimeoutError:
        abort = scope.get(ABORT)
        if abort is not None:
            abort()
            # The connection hears of its end at the loop's next turn
            await asyncio.sleep(0)
        return False
    return True
