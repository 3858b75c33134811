"""One HTTP/1.1 connection that is kept open and written to without a wait.

A client library takes a quarter of a millisecond from the call to the first byte, a transport's
`write` five microseconds (docs/benchmarks.md): orders go this way, questions do not.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

from utb.adapters.net.reply import BadReply, Reply, ReplyReader


class KeptOwner(Protocol):
    """Who writes on connections."""

    def on_ready(self, kept: "KeptConnection") -> None:
        """Learn that a request can be written."""
        ...

    def on_reply(self, kept: "KeptConnection", reply: Reply) -> None:
        """Take the answer to the last request."""
        ...

    def on_lost(self, kept: "KeptConnection", reason: str, *, unanswered: bool) -> None:
        """Learn that the connection is gone.

        Args:
            kept: The connection.
            reason: closed, timeout, not_http.
            unanswered: Whether it went without one byte of an answer to its request.
        """
        ...


class KeptConnection(asyncio.Protocol):
    """A connection that carries one request at a time."""

    def __init__(self, owner: KeptOwner) -> None:
        """Belong to `owner`."""
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._reader = ReplyReader()
        self._reason = "closed"
        self._cancel: Callable[[], None] | None = None
        self.waiting = False
        """Whether a request is under way."""
        self.tag: object = None
        """Whose request is under way, for the owner."""
        self.used_ns = 0
        """When it was written to last."""

    @property
    def free(self) -> bool:
        """Return whether a request can be written now."""
        return self._transport is not None and not self.waiting

    def write(self, request: bytes, tag: object, limit: Callable[[], None], now_ns: int) -> None:
        """Write a request; its bytes are handed to the socket in this call.

        Args:
            request: Head and body.
            tag: Whose it is.
            limit: Takes back the call that ends the wait for the answer.
            now_ns: The present.
        """
        if self._transport is None:
            return
        self.waiting, self.tag, self.used_ns = True, tag, now_ns
        self._cancel = limit
        self._transport.write(request)

    def abort(self, reason: str) -> None:
        """Cut the connection."""
        self._reason = reason
        if self._transport is not None:
            self._transport.abort()

    # The loop's callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be ready."""
        # uvloop's transports are none of asyncio's classes, only like them.
        found = cast("asyncio.Transport", transport)
        # Zero: what is written goes to the socket at once, not at the end of the turn.
        found.set_write_buffer_limits(high=0)
        self._transport = found
        self._owner.on_ready(self)

    def data_received(self, data: bytes) -> None:
        """Put an answer together."""
        try:
            reply = self._reader.feed(data)
        except BadReply:
            self.abort("not_http")
            return
        if reply is None:
            return
        if not self.waiting:
            # An answer that nobody asked for: whose the next one is could not be told.
            self.abort("not_http")
            return
        self._settle()
        self._owner.on_reply(self, reply)
        if reply.closing:
            self.abort("closed")
        elif self.free:
            self._owner.on_ready(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Be gone."""
        del exc
        unanswered = self.waiting and not self._reader.begun
        self._transport = None
        if self._cancel is not None:
            self._cancel()
        self._owner.on_lost(self, self._reason, unanswered=unanswered)

    def _settle(self) -> None:
        if self._cancel is not None:
            self._cancel()
        self._cancel = None
        self.waiting = False
