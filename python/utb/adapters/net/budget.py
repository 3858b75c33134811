"""How often a source may be asked: one budget per source, whoever asks."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from utb.ports.livefeed import Timer

WINDOW_NS: Final = 60_000_000_000
SECOND_NS: Final = 1_000_000_000

HOLD_SECONDS_MAX: Final = 86_400.0
"""Longest wait a source may ask for: a day. What asks for more gets that."""


class RateBudget:
    """Grants requests so that no window of 60 s, wherever it begins, holds more than the limit.

    Within a second there are at most a sixtieth of the limit, rounded up: sources that state
    their limit a minute enforce it by the second. Waiting callers are served in their order.
    """

    def __init__(self, limit: int, timer: Timer, elapsed_ns: Callable[[], int]) -> None:
        """Start with nothing spent.

        Args:
            limit: Requests in 60 s, >= 1.
            timer: Passes the waits.
            elapsed_ns: A clock that nobody sets: monotonic, or of the simulation.
        """
        self._limit = limit
        self._burst = -(-limit // 60)
        self._timer = timer
        self._elapsed_ns = elapsed_ns
        self._granted: deque[int] = deque()
        self._held_until_ns = 0
        self._turn = asyncio.Lock()

    async def acquire(self) -> None:
        """Return when one more request may be sent, and count it."""
        async with self._turn:
            while (wait_ns := self._wait_ns()) > 0:
                await self._timer.sleep(wait_ns / SECOND_NS)
            self._granted.append(self._elapsed_ns())

    def try_acquire(self) -> bool:
        """Count one more request if it may be sent at once; callers that wait come first."""
        if self._turn.locked() or self._wait_ns() > 0:
            return False
        self._granted.append(self._elapsed_ns())
        return True

    def hold(self, seconds: float) -> None:
        """Grant nothing for so many seconds: the source said when it wants to be asked again."""
        until_ns = self._elapsed_ns() + round(min(seconds, HOLD_SECONDS_MAX) * SECOND_NS)
        self._held_until_ns = max(self._held_until_ns, until_ns)

    def held_seconds(self) -> float:
        """Return how long the source still wants to be left alone; 0 when it does not."""
        return max(0, self._held_until_ns - self._elapsed_ns()) / SECOND_NS

    def _wait_ns(self) -> int:
        now_ns, granted = self._elapsed_ns(), self._granted
        # A grant of exactly 60 s ago is still inside the window that begins with it.
        while granted and now_ns - granted[0] > WINDOW_NS:
            granted.popleft()
        wait_ns = self._held_until_ns - now_ns
        if len(granted) >= self._limit:
            wait_ns = max(wait_ns, granted[0] + WINDOW_NS + 1 - now_ns)
        if len(granted) >= self._burst:
            wait_ns = max(wait_ns, granted[-self._burst] + SECOND_NS + 1 - now_ns)
        return wait_ns
