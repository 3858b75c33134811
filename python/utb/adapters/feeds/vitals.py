"""How a feed is: its status, its counts, and a sentence for a person."""

from collections import Counter, deque
from typing import TYPE_CHECKING, Final

from utb.adapters.feeds.wiring import FeedWiring
from utb.adapters.net.quantiles import Quantiles
from utb.domain.seam import FeedHealth, FeedStatus

if TYPE_CHECKING:
    from collections.abc import Callable

_CONNECTED: Final = "connected, no item yet"

LATENCY_OF: Final = 16
"""Samples of which most tell whether items are old now; of a quiet feed that is minutes."""
LATENCY_MIN: Final = 8
"""Samples without which nothing is said."""


class Vitals:
    """The status machine and the counters of one feed.

    STARTING until its first item; FRESH while items come; STALE when none came for
    `feeds.stale_after_seconds` or they are `feeds.latency_limit_ms` old when they come;
    DISCONNECTED while the source cannot be reached.
    """

    def __init__(self, name: str, wiring: FeedWiring) -> None:
        """Start as STARTING."""
        self.name = name
        self.status = FeedStatus.STARTING
        self.frames = 0
        self._failures = 0
        self.rejected: Counter[str] = Counter()
        self.connected = False
        self.on_silent: Callable[[float], None] | None = None
        """Called with the seconds of silence each time another stale limit has passed."""
        self.latency = Quantiles()
        self._wiring = wiring
        self._reason = ""
        self._trouble = ""
        self._since_ns = wiring.clock.now_ns()
        self._last_item_ns: int | None = None
        self._seen_ns = wiring.elapsed_ns()
        self._slow = ""
        self._latency_limit_ns = wiring.settings.latency_limit_ms * 1_000_000
        self._latest: deque[int] = deque()
        self._old = 0
        """How many of them are above the limit."""
        self._cancel: Callable[[], None] | None = None

    def watch(self) -> None:
        """Begin to watch the age of the last item."""
        self._seen_ns = self._wiring.elapsed_ns()
        self._arm(self._wiring.settings.stale_after_seconds)

    def unwatch(self) -> None:
        """Stop watching."""
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

    def on_item(self, ts_recv_ns: int) -> None:
        """Count an item that reached the sink."""
        self.frames += 1
        self._last_item_ns = ts_recv_ns
        self._seen_ns = self._wiring.elapsed_ns()
        if self.status is not FeedStatus.FRESH:
            self._freshen()

    def on_latency(self, age_ns: int) -> None:
        """Take the age of an item at its arrival, by the source's own time."""
        age_ns = max(0, age_ns)
        self.latency.add(age_ns)
        latest, limit_ns = self._latest, self._latency_limit_ns
        latest.append(age_ns)
        self._old += age_ns > limit_ns
        if len(latest) > LATENCY_OF:
            self._old -= latest.popleft() > limit_ns
        if (self._old * 2 > len(latest) >= LATENCY_MIN) != bool(self._slow):
            self._judge_latency()

    def reject(self, reason: str) -> None:
        """Count something that never reached the sink."""
        self.rejected[reason] += 1

    def failed(self, reason: str) -> None:
        """Count a connection that ended, or did not come about: no frame."""
        self.rejected[reason] += 1
        self._failures += 1

    def reached(self) -> None:
        """Note that the source answers; a trouble it had is over."""
        self.connected = True
        self._trouble = ""
        if self.status is FeedStatus.DISCONNECTED:
            fresh = self._last_item_ns is not None and not self._is_silent()
            never = FeedStatus.STARTING if self._last_item_ns is None else FeedStatus.STALE
            self._set(FeedStatus.FRESH if fresh else never, "" if fresh else _CONNECTED)

    def troubled(self, sentence: str) -> None:
        """Note that the source answers, but not with items."""
        self.connected = True
        self._trouble = sentence

    def lost(self, sentence: str) -> None:
        """Note that the source cannot be reached, and why."""
        self.connected = False
        self._trouble = sentence
        self._set(FeedStatus.DISCONNECTED, sentence)

    def health(
        self,
        *,
        reconnects: int = 0,
        requests: int = 0,
        round_trips: Quantiles | None = None,
    ) -> FeedHealth:
        """Return all of it; `items` counts what the sink took, the core may reject more."""
        latency_p50, latency_p99 = self.latency.at(0.5, 0.99)
        request_p50, request_p99 = (round_trips or Quantiles()).at(0.5, 0.99)
        return FeedHealth(
            source=self.name,
            status=self.status,
            reason=self._trouble or self._reason,
            since_ns=self._since_ns,
            last_item_ns=self._last_item_ns,
            connected=self.connected,
            frames=self.frames + sum(self.rejected.values()) - self._failures,
            items=self.frames,
            rejected=dict(self.rejected),
            reconnects=reconnects,
            requests=requests,
            latency_p50_ms=latency_p50,
            latency_p99_ms=latency_p99,
            request_p50_ms=request_p50,
            request_p99_ms=request_p99,
        )

    def _freshen(self) -> None:
        if self._slow:
            self._set(FeedStatus.STALE, self._slow)
        else:
            self._set(FeedStatus.FRESH, "")

    def _judge_latency(self) -> None:
        """Turn the verdict on the latency round."""
        if self._slow:
            self._slow = ""
        else:
            median_s = sorted(self._latest)[len(self._latest) // 2] / 1e9
            limit_ms = self._wiring.settings.latency_limit_ms
            self._slow = (
                f"items are {median_s:.1f} s old when they come, above "
                f"feeds.latency_limit_ms = {limit_ms}"
            )
        self._freshen()

    def _is_silent(self) -> bool:
        silent_ns = self._wiring.elapsed_ns() - self._seen_ns
        return silent_ns >= self._wiring.settings.stale_after_seconds * 1e9

    def _arm(self, seconds: float) -> None:
        self._cancel = self._wiring.timer.call_later(seconds, self._look)

    def _look(self) -> None:
        limit_s = self._wiring.settings.stale_after_seconds
        silent_s = (self._wiring.elapsed_ns() - self._seen_ns) / 1e9
        if silent_s < limit_s:
            self._arm(limit_s - silent_s)
            return
        if self.status is FeedStatus.FRESH:
            said = f"no item for {silent_s:.0f} s, feeds.stale_after_seconds is {limit_s:g}"
            self._set(FeedStatus.STALE, said)
        elif self.status is FeedStatus.STARTING:
            self._reason = f"no item since the start {silent_s:.0f} s ago"
        if self.on_silent is not None:
            self.on_silent(silent_s)
        self._arm(limit_s)

    def _set(self, status: FeedStatus, reason: str) -> None:
        self._reason = reason
        if status is self.status:
            return
        self.status = status
        self._since_ns = self._wiring.clock.now_ns()
        self._wiring.sink.on_feed(self.health())
