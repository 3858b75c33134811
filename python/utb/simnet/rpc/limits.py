"""Rate limits of endpoints: so many requests in a sliding window."""

from collections import deque
from typing import Final, NamedTuple

from utb.errors import UsageError

WINDOW_S_MAX: Final = 3_600.0
REQUESTS_MAX: Final = 1_000_000


class Allowance(NamedTuple):
    """Whether a request is taken, and where its client stands."""

    taken: bool
    remaining: int
    """May be negative."""
    current: int
    """Requests in the window, this one included."""
    reset_s: float
    """Seconds until the oldest request leaves the window."""


class Limit:
    """So many requests in a window, on the clock of the loop."""

    def __init__(self, requests: int, window_s: float) -> None:
        """Begin with an empty window.

        Raises:
            UsageError: If a number is out of its range.
        """
        if not 1 <= requests <= REQUESTS_MAX:
            raise UsageError("requests", str(requests), f"1 to {REQUESTS_MAX}")
        if not 0 < window_s <= WINDOW_S_MAX:
            raise UsageError("window_s", str(window_s), f"more than 0, at most {WINDOW_S_MAX:g}")
        self.requests = requests
        self.window_s = window_s
        self.refused = 0
        self._times_s: deque[float] = deque()

    def ask(self, now_s: float) -> Allowance:
        """Count a request and return whether it is taken; one that is not does not count."""
        while self._times_s and self._times_s[0] <= now_s - self.window_s:
            self._times_s.popleft()
        current = len(self._times_s) + 1
        taken = current <= self.requests
        if taken:
            self._times_s.append(now_s)
        else:
            self.refused += 1
        reset_s = self._times_s[0] + self.window_s - now_s
        return Allowance(taken, self.requests - current, current, reset_s)
