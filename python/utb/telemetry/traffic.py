"""Counts of the API's own requests."""

from collections import Counter, deque
from typing import Final

TIMES_KEPT: Final = 1_024


class Traffic:
    """Requests answered by this process."""

    def __init__(self) -> None:
        self.by_status: Counter[int] = Counter()
        self.errors_by_code: Counter[str] = Counter()
        self._spent_ns = 0
        self.clients = 0
        """Open WebSockets."""
        self.clients_dropped = 0
        """WebSockets closed because they did not keep up."""
        self._times_ns: deque[int] = deque(maxlen=TIMES_KEPT)

    def add(self, status: int, duration_ns: int) -> None:
        """Count one answer."""
        self.by_status[status] += 1
        self._spent_ns += duration_ns
        self._times_ns.append(duration_ns)

    @property
    def seconds(self) -> float:
        """Return the time spent answering."""
        return self._spent_ns / 1e9

    @property
    def requests(self) -> int:
        """Return the number of answers."""
        return self.by_status.total()

    @property
    def error_rate(self) -> float | None:
        """Return the share of answers with a status of 500 and above; None before the first."""
        total = self.requests
        failed = sum(count for status, count in self.by_status.items() if status >= 500)  # noqa: PLR2004
        return failed / total if total else None

    def quantile_ms(self, fraction: float) -> float | None:
        """Return a quantile of the newest response times; None before the first."""
        if not self._times_ns:
            return None
        ordered = sorted(self._times_ns)
        return ordered[min(int(fraction * len(ordered)), len(ordered) - 1)] / 1e6
