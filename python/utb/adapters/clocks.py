"""Clocks: the only module that reads the time or sleeps."""

import time

from utb.errors import InvariantError


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        """Return the wall time, nanoseconds since the epoch."""
        return time.time_ns()

    def elapsed_ns(self) -> int:
        """Return a monotonic reading; only differences mean something (durations, stamps)."""
        return time.perf_counter_ns()


class SimulatedClock:
    """Time that stands still until the runner moves it: replay, backtest and demo.

    In a backtest it is the event's own timestamp, in a demo the time the simulator's frame
    arrived; both run on the same clock, so both runs decide alike.
    """

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """Return the simulated time, nanoseconds since the epoch."""
        return self._now_ns

    def advance_to(self, ts_ns: int) -> None:
        """Move to `ts_ns`.

        Raises:
            InvariantError: If that is in the past.
        """
        if ts_ns < self._now_ns:
            raise InvariantError(f"clock at {self._now_ns} ns cannot go back to {ts_ns} ns")
        self._now_ns = ts_ns


class Pacer:
    """Holds a simulated run back to a multiple of real time, for a viewer (`--speed`)."""

    def __init__(self, speed: float) -> None:
        """Pace at `speed` simulated seconds per second, > 0."""
        self._speed = speed
        self._origin: tuple[int, int] | None = None

    def wait_until(self, ts_ns: int) -> None:
        """Sleep until simulated time `ts_ns` is due; the first call sets the origin."""
        wall_ns = time.perf_counter_ns()
        if self._origin is None:
            self._origin = (ts_ns, wall_ns)
            return
        start_ns, start_wall_ns = self._origin
        due_ns = start_wall_ns + int((ts_ns - start_ns) / self._speed)
        if due_ns > wall_ns:
            time.sleep((due_ns - wall_ns) / 1e9)
