"""What `utb run` says of its feeds and its health: sentences, when something changes."""

from collections.abc import Iterator
from typing import Final

import msgspec

from utb.domain.seam import FeedHealth, FeedStatus, Pulse

QUIET_NS: Final = 10_000_000_000
"""Wall time between two sentences about one feed: a feed that flaps does not fill the screen."""


class News(msgspec.Struct, frozen=True, kw_only=True):
    """One change."""

    subject: str
    """A feed, or `trade`."""
    status: str
    sentence: str


class Newsroom:
    """Remembers what was said last."""

    def __init__(self) -> None:
        """Nothing was said yet."""
        self._feeds: dict[str, tuple[FeedStatus, str]] = {}
        self._said_ns: dict[str, int] = {}
        self._healthy: bool | None = None

    def take(self, pulse: Pulse) -> list[News]:
        """Return what a pulse has to say that was not said."""
        return [*self._of_feeds(pulse), *self._of_health(pulse)]

    def _of_feeds(self, pulse: Pulse) -> Iterator[News]:
        for feed in pulse.feeds:
            state = (feed.status, feed.reason)
            if self._feeds.get(feed.source) == state or feed.status is FeedStatus.STARTING:
                continue
            last_ns = self._said_ns.get(feed.source)
            if last_ns is not None and pulse.wall_ns - last_ns < QUIET_NS:
                # Not forgotten: it is said when the time is over, if it still holds.
                continue
            self._feeds[feed.source] = state
            self._said_ns[feed.source] = pulse.wall_ns
            yield News(subject=feed.source, status=feed.status.value, sentence=of_feed(feed))

    def _of_health(self, pulse: Pulse) -> Iterator[News]:
        healthy = not pulse.reasons
        if healthy == self._healthy:
            return
        first, self._healthy = self._healthy is None, healthy
        if healthy:
            sentence = "trading" if first else "healthy again"
            yield News(subject="trade", status="HEALTHY", sentence=f"trade: {sentence}")
        else:
            listed = "; ".join(pulse.reasons)
            yield News(subject="trade", status="DOWN", sentence=f"trade: not healthy: {listed}")


def of_feed(feed: FeedHealth) -> str:
    """Return a feed's status as a sentence, with what a person can do."""
    because = f": {feed.reason}" if feed.reason else ""
    match feed.status:
        case FeedStatus.FRESH:
            return f"{feed.source}: prices arrive"
        case FeedStatus.OFF:
            return f"{feed.source}: not used{because}"
        case FeedStatus.STALE:
            return f"{feed.source}: connected, but its last price is old{because}"
        case FeedStatus.DISCONNECTED:
            why = feed.reason or "cannot be reached; check the internet connection"
            return f"{feed.source}: {why}; it is tried again by itself"
        case FeedStatus.STARTING:
            return f"{feed.source}: connecting{because}"
