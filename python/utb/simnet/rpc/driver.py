"""Slots at a fixed wall rate, in the loop of the server."""

import asyncio
from collections.abc import Callable
from typing import Final

from utb.errors import UsageError
from utb.ports.clock import Clock
from utb.simnet.rpc.front import Front

SLOT_MS_MIN: Final = 1
SLOT_MS_MAX: Final = 60_000


class Driver:
    """Makes a slot every so often; late ones are not made up for."""

    def __init__(
        self, front: Front, clock: Clock, slot_ms: int, before: Callable[[], None]
    ) -> None:
        """Stand still.

        Args:
            front: Whose chain it is.
            clock: Tells blocks their time.
            slot_ms: Milliseconds between slots; 0: none come by themselves.
            before: Called before each slot: the market's prices go into the pools here.

        Raises:
            UsageError: If the rate is out of its range.
        """
        if slot_ms and not SLOT_MS_MIN <= slot_ms <= SLOT_MS_MAX:
            raise UsageError("slot_ms", str(slot_ms), f"0, or {SLOT_MS_MIN} to {SLOT_MS_MAX}")
        self._front = front
        self._clock = clock
        self.slot_ms = slot_ms
        self._before = before
        self._timer: asyncio.TimerHandle | None = None
        self._due_s = 0.0
        self.late = 0
        """Slots that came more than one slot late."""

    def start(self) -> None:
        """Begin."""
        if self.slot_ms:
            self._due_s = asyncio.get_running_loop().time()
            self._plan()

    def stop(self) -> None:
        """Make no more slots."""
        if self._timer is not None:
            self._timer.cancel()

    def step(self, count: int = 1) -> None:
        """Make slots now."""
        for _ in range(count):
            self._before()
            self._front.tick(self._clock.now_ns() // 1_000_000_000)

    def _plan(self) -> None:
        now_s, every_s = asyncio.get_running_loop().time(), self.slot_ms / 1_000
        self._due_s += every_s
        if now_s > self._due_s + every_s:
            self.late += 1
            self._due_s = now_s
        self._timer = asyncio.get_running_loop().call_at(self._due_s, self._turn)

    def _turn(self) -> None:
        # A slot that fails is told by the loop; the next one comes all the same.
        self._plan()
        self.step()
