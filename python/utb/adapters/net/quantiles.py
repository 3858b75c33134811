"""Durations of late, and their quantiles."""

from typing import Final

KEPT: Final = 512
"""Samples that count: the last so many."""


class Quantiles:
    """The last samples of a duration; adding is cheap, reading sorts."""

    def __init__(self) -> None:
        self._ring = [0] * KEPT
        self._count = 0

    def __len__(self) -> int:
        return min(self._count, KEPT)

    def add(self, duration_ns: int) -> None:
        """Take a sample, nanoseconds."""
        self._ring[self._count % KEPT] = duration_ns
        self._count += 1

    def at(self, *shares: float) -> tuple[float | None, ...]:
        """Return quantiles in milliseconds, shares in 0..1; None without a sample."""
        size = len(self)
        if not size:
            return (None,) * len(shares)
        ordered = sorted(self._ring[:size])
        return tuple(ordered[min(size - 1, int(share * size))] / 1e6 for share in shares)
