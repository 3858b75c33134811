"""How often one caller may ask: a count per minute, of a bounded number of callers."""

from collections import OrderedDict
from typing import Final

CALLERS_KEPT: Final = 4_096
WINDOW_NS: Final = 60_000_000_000


class RateLimit:
    """Counts requests in windows of a minute."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._counts: OrderedDict[str, list[int]] = OrderedDict()

    def take(self, caller: str, now_ns: int) -> tuple[int, int]:
        """Count one request.

        Args:
            caller: Key or address.
            now_ns: A clock that does not go back.

        Returns:
            Requests left in this window, negative when there are none; seconds to the next one.
        """
        entry = self._counts.get(caller)
        if entry is None:
            entry = self._counts[caller] = [now_ns, 0]
            if len(self._counts) > CALLERS_KEPT:
                self._counts.popitem(last=False)
        elif now_ns - entry[0] >= WINDOW_NS:
            entry[0], entry[1] = now_ns, 0
            self._counts.move_to_end(caller)
        entry[1] += 1
        left = self.per_minute - entry[1]
        return left, -(-(entry[0] + WINDOW_NS - now_ns) // 1_000_000_000)


class Failures:
    """Remembers failed keys per address, so that guessing becomes slow."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, int] = OrderedDict()

    def delay_s(self, address: str) -> float:
        """Count a failure and return how long its answer waits: 0.05 s doubling up to 2 s."""
        count = self._counts.get(address, 0) + 1
        self._counts[address] = count
        self._counts.move_to_end(address)
        while len(self._counts) > CALLERS_KEPT:
            self._counts.popitem(last=False)
        return min(0.05 * float(1 << min(count - 1, 6)), 2.0)

    def clear(self, address: str) -> None:
        """Forget the failures of an address whose key is right."""
        if self._counts:
            self._counts.pop(address, None)
