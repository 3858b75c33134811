"""What to do about a connection that answers pings and brings nothing."""

from collections.abc import Callable
from typing import Final

INTERVALS_MAX: Final = 16
"""Longest pause between two attempts, in stale limits: a market may simply be quiet."""


class Silence:
    """Subscribes again at the first stale limit, reconnects at the next, then ever more rarely."""

    def __init__(self, resubscribe: Callable[[], None], reconnect: Callable[[float], None]) -> None:
        """Act through the two calls; `reconnect` is told the seconds of silence."""
        self._resubscribe = resubscribe
        self._reconnect = reconnect
        self._limits = 0
        self._next = 2
        self._step = 2

    def heard(self) -> None:
        """Begin anew: something came."""
        self._limits = 0

    def on_silent(self, silent_s: float) -> None:
        """Act, if it is time: another stale limit has passed without anything."""
        self._limits += 1
        if self._limits == 1:
            self._next = self._step = 2
            self._resubscribe()
        elif self._limits == self._next:
            self._step = min(self._step * 2, INTERVALS_MAX)
            self._next += self._step
            self._reconnect(silent_s)
