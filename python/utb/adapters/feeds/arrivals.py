"""Frames that came before their turn."""

import asyncio
from collections import deque
from contextlib import AbstractContextManager

from utb.adapters.feeds.wiring import Taker


class Refusal:
    """A frame that was thrown away; it has its turn all the same."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


class Passing:
    """Somebody who waits for the frames before it."""

    def __init__(self, mark: AbstractContextManager[None]) -> None:
        self._mark = mark
        self._passed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def go(self) -> None:
        """Let it go on; simulated time waits for what it does."""
        if not self._passed.done():
            self._mark.__enter__()
            self._passed.set_result(None)

    async def done(self) -> None:
        """Return when it may go on; simulated time goes on meanwhile."""
        self._mark.__exit__(None, None, None)
        await self._passed


class Arrivals:
    """What came from one source and waits, in order."""

    __slots__ = ("gone", "queue", "taker")

    def __init__(self, taker: Taker) -> None:
        self.taker = taker
        self.queue: deque[bytes | memoryview | Refusal | Passing] = deque()
        self.gone = 0
        """Frames of schedules up to this number that did not come will not: their connection is
        gone."""

    def hand(self, ts_ns: int) -> None:
        """Give the first frame its turn, and whoever waits right behind it."""
        queue = self.queue
        item = queue.popleft()
        if isinstance(item, Refusal):
            self.taker.refused(item.reason)
        elif not isinstance(item, Passing):
            self.taker.take(item, ts_ns)
        if queue and isinstance(queue[0], Passing):
            self._let_pass()

    def forget(self) -> None:
        """Throw away what waits; whoever waits behind it may go on."""
        waiting, self.queue = self.queue, deque()
        self.gone = 0
        for item in waiting:
            if isinstance(item, Passing):
                item.go()

    def _let_pass(self) -> None:
        while self.queue and isinstance(passing := self.queue[0], Passing):
            self.queue.popleft()
            passing.go()
