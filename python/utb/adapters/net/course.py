"""The time an answer may take, and how far its request came."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from utb.ports.livefeed import Timer


class Course:
    """Follows a request by httpcore's trace, and ends it when its answer takes too long.

    That time begins when the request is sent. It is the timer's, which a simulation runs: there, a
    slow machine breaks nothing.
    """

    __slots__ = ("_cancel", "_timeout_s", "_timer", "answered", "kept", "limit")

    def __init__(self, timer: Timer, timeout_s: float) -> None:
        """Give `timeout_s` seconds to the answer."""
        self._timer = timer
        self._timeout_s = timeout_s
        self._cancel: Callable[[], None] | None = None
        self.limit = asyncio.timeout(None)
        """To be entered around the request."""
        self.kept = True
        """Whether no connection was opened for it."""
        self.answered = False
        """Whether the head of an answer came."""

    async def note(self, event: str, info: Mapping[str, Any]) -> None:  # noqa: ARG002 - httpcore's own argument
        """Take an event of the trace."""
        if event == "connection.connect_tcp.started":
            self.kept = False
        elif event == "http11.send_request_headers.started":
            self._cancel = self._timer.call_later(self._timeout_s, self._expire)
        elif event == "http11.receive_response_headers.complete":
            self.answered = True

    def end(self) -> None:
        """Take the limit back."""
        if self._cancel is not None:
            self._cancel()

    def _expire(self) -> None:
        self.limit.reschedule(0)
