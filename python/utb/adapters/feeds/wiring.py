"""What every live feed is made of, and how its frames come to their turn."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from utb.adapters.net.backoff import Backoff
from utb.config.schema import Feeds
from utb.ports.clock import Clock
from utb.ports.livefeed import Sink, Timer


class Taker(Protocol):
    """A feed, as whoever orders frames sees it."""

    @property
    def source(self) -> int:
        """Return the source's number in the core."""
        ...

    def take(self, payload: bytes | memoryview, ts_recv_ns: int) -> None:
        """Account for a frame whose turn it is, and hand it to the sink."""
        ...

    def refused(self, reason: str) -> None:
        """Account for a frame that was thrown away and whose turn it would be."""
        ...


class Turns(Protocol):
    """Brings the frames of all feeds into one order, with the time of each."""

    def offer(self, taker: Taker, payload: bytes | memoryview) -> None:
        """Take a frame that just came; its turn may be now or later."""
        ...

    def refuse(self, taker: Taker, reason: str) -> None:
        """Let a frame that was thrown away have its turn."""
        ...

    def stamp_ns(self) -> int:
        """Return the receive time of a frame whose turn is now."""
        ...

    async def passed(self, source: int, mark: AbstractContextManager[None]) -> None:
        """Return when every frame of a source that was offered so far had its turn.

        Simulated time stands still by `mark`; it is left while that takes.
        """
        ...


class FeedWiring(msgspec.Struct, frozen=True, kw_only=True):
    """What all feeds share."""

    clock: Clock
    timer: Timer
    sink: Sink
    turns: Turns
    settings: Feeds
    elapsed_ns: Callable[[], int]
    """A clock that nobody sets: monotonic, or of the simulation."""
    stopwatch_ns: Callable[[], int]
    """The machine's monotonic clock, for round trips."""
    draws: Callable[[int], Callable[[], float]]
    """A seeded generator of numbers in [0, 1) for each source number."""
    prompted: bool = False
    """Polls are asked for one by one (`DexScreener.poll`), not paced."""
    chart: str = "1m"
    """Timeframe of Birdeye's forming bars to subscribe to."""

    def backoff(self, source: int, base_s: float) -> Backoff:
        """Return the back-off of a source's connection."""
        return Backoff(base_s, self.settings.reconnect_seconds_max, self.draws(source))


class AsTheyCome:
    """Turns of wall time: each frame at once, stamped by the clock, which never goes back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_ns = 0

    def offer(self, taker: Taker, payload: bytes | memoryview) -> None:
        """Hand the frame over now."""
        taker.take(payload, self.stamp_ns())

    def stamp_ns(self) -> int:
        """Return the time, at least that of the frame before."""
        now_ns = self._clock.now_ns()
        if now_ns < self._last_ns:
            return self._last_ns
        self._last_ns = now_ns
        return now_ns

    def refuse(self, taker: Taker, reason: str) -> None:
        """Account for it now."""
        taker.refused(reason)

    async def passed(self, source: int, mark: AbstractContextManager[None]) -> None:
        """Return at once: nothing waits."""
