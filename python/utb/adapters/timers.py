"""Timers: waits of the wall clock, and of simulated time that stands still for the network."""

import asyncio
import heapq
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Final

from utb.adapters.clocks import SimulatedClock

NEVER_NS: Final = 2**63 - 1

_HOPS: Final = 3
"""Turns of the event loop after the last exchange before it counts as rest: what it woke up gets to
its own next wait meanwhile, also when another task had to hand it on."""


class WallTimer:
    """Time as it passes."""

    def __init__(self) -> None:
        self._nothing = nullcontext()

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        """Call after so many seconds, and return what takes that back."""
        return asyncio.get_running_loop().call_later(seconds, call).cancel

    def busy(self) -> AbstractContextManager[None]:
        """Do nothing: the wall clock waits for nobody."""
        return self._nothing


class _Due:
    """A call that waits for its time; without a call it was taken back."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None


class SimulatedTimer:
    """Waits in simulated time: whoever moves the clock runs what is due, and waits for its rest."""

    def __init__(self, clock: SimulatedClock) -> None:
        """Run on `clock`, which only `run_due` moves."""
        self.clock = clock
        self.next_due_ns = NEVER_NS
        """A time before which nothing is due."""
        self.on_rest: Callable[[], None] = _nothing
        """Called when the last exchange with the network has come to rest."""
        self._heap: list[tuple[int, int, _Due]] = []
        self._pushed = 0
        self._busy = 0
        self._era = 0
        """Exchanges of an era before this one are no longer waited for."""

    @property
    def at_rest(self) -> bool:
        """Return whether nothing that time set off is under way."""
        return self._busy == 0

    def call_later(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        """Call after so many simulated seconds, and return what takes that back."""
        due = _Due(call)
        due_ns = self.clock.now_ns() + max(0, round(seconds * 1e9))
        self._pushed += 1
        heapq.heappush(self._heap, (due_ns, self._pushed, due))
        self.next_due_ns = self._heap[0][0]
        return due.cancel

    async def sleep(self, seconds: float) -> None:
        """Return after so many simulated seconds."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        awake = _Busy(self)

        def wake() -> None:
            if not future.done():
                awake.__enter__()
                future.set_result(None)

        cancel = self.call_later(seconds, wake)
        try:
            await future
        finally:
            cancel()
            awake.end()

    def busy(self) -> AbstractContextManager[None]:
        """Mark an exchange with the network under way: the clock stands still meanwhile."""
        return _Busy(self)

    def excuse(self) -> int:
        """Wait no longer for what is under way, and return how much that was."""
        excused, self._busy = self._busy, 0
        self._era += 1
        return excused

    def begin(self) -> int:
        """Begin an exchange and return its era."""
        self._busy += 1
        return self._era

    def end(self, era: int) -> None:
        """End an exchange."""
        if era != self._era:
            return
        self._busy -= 1
        if self._busy == 0:
            self._settle(_HOPS)

    def run_due(self, until_ns: int) -> bool:
        """Move the clock towards `until_ns`, running what is due on the way.

        Returns:
            True when the clock is there; False when something under way has to come to rest
            first.
        """
        heap = self._heap
        while heap and heap[0][0] <= until_ns:
            due_ns, _, due = heapq.heappop(heap)
            if due.call is None:
                continue
            self.clock.advance_to(max(due_ns, self.clock.now_ns()))
            due.call()
            if self._busy:
                break
        self.next_due_ns = heap[0][0] if heap else NEVER_NS
        if self._busy:
            return False
        self.clock.advance_to(until_ns)
        return True

    def _settle(self, hops: int) -> None:
        if self._busy:
            return
        if hops:
            asyncio.get_running_loop().call_soon(self._settle, hops - 1)
        else:
            self.on_rest()


class _Busy(AbstractContextManager[None]):
    """One exchange."""

    __slots__ = ("_era", "_timer")

    def __init__(self, timer: SimulatedTimer) -> None:
        self._timer = timer
        self._era: int | None = None

    def __enter__(self) -> None:
        self._era = self._timer.begin()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        """End it, if it began."""
        era, self._era = self._era, None
        if era is not None:
            self._timer.end(era)


def _nothing() -> None:
    """Do nothing: nobody waits for rest."""
