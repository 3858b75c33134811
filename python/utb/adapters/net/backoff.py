"""How long to wait before trying again."""

from collections.abc import Callable


class Backoff:
    """Decorrelated jitter: each wait is drawn between the first one and three times the last.

    Source: Brooker (2015), Exponential Backoff And Jitter, "decorrelated jitter".
    """

    def __init__(self, base_s: float, max_s: float, draw: Callable[[], float]) -> None:
        """Begin with the shortest waits.

        Args:
            base_s: Shortest wait in seconds, > 0.
            max_s: Longest wait in seconds; below `base_s` it is the wait.
            draw: Gives numbers in [0, 1): a seeded generator's, so that a run can be repeated.
        """
        self._base_s = base_s
        self._max_s = max_s
        self._draw = draw
        self._last_s = base_s

    def next(self) -> float:
        """Return the next wait in seconds."""
        top_s = self._last_s * 3
        drawn_s = self._base_s + (top_s - self._base_s) * self._draw()
        self._last_s = min(self._max_s, drawn_s)
        return self._last_s

    def reset(self) -> None:
        """Begin again with the shortest waits."""
        self._last_s = self._base_s
