"""Where orders go."""

from typing import Protocol

from utb.domain.market import Mark
from utb.domain.orders import OrderEnd, Submission, VenueFilled


class MarketView(Protocol):
    """What a simulated venue may know of the market."""

    def mark(self, instrument: int) -> Mark | None:
        """Return the last known price of an instrument, or None before its first."""
        ...


class Venue(Protocol):
    """Takes orders that are durable in the journal and tells what became of them."""

    def submit(self, submission: Submission, now_ns: int) -> None:
        """Take an order; every outcome comes back from `poll`. A known intent is ignored."""
        ...

    def next_event_ns(self) -> int | None:
        """Return when `poll` may have something next, or None."""
        ...

    def waiting_instruments(self) -> tuple[int, ...]:
        """Return the instruments whose next price event an order waits for, ascending."""
        ...

    def observe(self, now_ns: int) -> None:
        """Tell that a price event of a waiting instrument was applied at `now_ns`."""
        ...

    def poll(self, now_ns: int) -> list[OrderEnd]:
        """Return outcomes due at or before `now_ns`, in time order."""
        ...


class RestorableVenue(Venue, Protocol):
    """A venue without a world of its own: its state is part of the session's snapshot."""

    def save(self) -> bytes:
        """Return the whole state."""
        ...

    def load(self, state: bytes) -> None:
        """Replace the state by a saved one."""
        ...


class SimulatedWorld(RestorableVenue, Protocol):
    """A venue that also knows how a recording ends."""

    def finish(self, now_ns: int) -> list[OrderEnd]:
        """Expire every order still on its way: no further price will come."""
        ...

    def close_out(self, submission: Submission, now_ns: int) -> VenueFilled | None:
        """Execute an order at the last price, at once and without chance; None without a price."""
        ...
