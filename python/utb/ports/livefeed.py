"""Market data as it happens: who sends it, who takes it, and the time both run on."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from utb.domain.market import Instrument
from utb.domain.seam import FeedHealth
from utb.ports.feed import Frame


class Sink(Protocol):
    """Who takes what the feeds deliver, each call at once, in the thread of the event loop."""

    def on_frame(self, source: int, payload: bytes | memoryview, ts_recv_ns: int) -> None:
        """Take one frame as it came off the wire.

        Args:
            source: Source number of the core.
            payload: The body; a memoryview is of the socket's own buffer and dies with this call.
            ts_recv_ns: When it was received, never less than that of the frame before.
        """
        ...

    def on_context(self, instrument: int, payload: bytes, ts_ns: int) -> None:
        """Take a slow input of one instrument, JSON as `ports.feed.ContextUpdate` holds it."""
        ...

    def on_bind(self, source: int, key: str, instrument: int, role: str) -> None:
        """Learn what subscription `key` delivers: base_vault, quote_vault or pool."""
        ...

    def on_feed(self, health: FeedHealth) -> None:
        """Learn that a feed came into another status."""
        ...


class History(msgspec.Struct, frozen=True):
    """Past bars of one instrument as the source's own bodies, oldest first."""

    frames: tuple[Frame, ...]
    reason: str = ""
    """Why there are fewer bars than asked for, a sentence; empty when there are not."""


class LiveFeed(Protocol):
    """One source of market data."""

    @property
    def name(self) -> str:
        """Return the source's name, as in `[api.<name>]`."""
        ...

    async def run(self) -> None:
        """Deliver to the sink until cancelled; a fault of the other side never raises."""
        ...

    def health(self, now_ns: int) -> FeedHealth:
        """Return how the feed is."""
        ...

    def reconnect(self) -> None:
        """Drop what is connected and connect anew at once: the waits are not the source's."""
        ...

    async def history(self, instrument: Instrument, timeframe: str, count: int) -> History:
        """Return the last `count` closed bars of a timeframe, for a warm-up before live frames."""
        ...


class Timer(Protocol):
    """Time that passes: the wall's, or a simulation's that waits for what it sets off."""

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds, >= 0."""
        ...

    def call_later(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        """Call after so many seconds, and return what takes that back."""
        ...

    def busy(self) -> AbstractContextManager[None]:
        """Mark an exchange with the network under way: simulated time stands still meanwhile."""
        ...
