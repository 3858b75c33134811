"""Where time comes from."""

from typing import Protocol


class Clock(Protocol):
    """Time in nanoseconds since the epoch: of the wall, or of a simulation."""

    def now_ns(self) -> int:
        """Return the present time."""
        ...
