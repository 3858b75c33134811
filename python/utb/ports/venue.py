"""Where orders go."""

from typing import Protocol

from utb.domain.market import Mark
from utb.domain.orders import Submission, VenueEvent


class MarketView(Protocol):
    """What a simulated venue may know of the market."""

    def mark(self, instrument: int) -> Mark | None:
        """Return the last known price of an instrument, or None before its first."""
        ...


class Venue(Protocol):
    """Takes orders that are durable in the journal and tells what became of them."""

    def submit(self, submission: Submission, now_ns: int) -> None:
        """Take an order; every outcome comes back from `poll`."""
        ...

    def next_event_ns(self) -> int | None:
        """Return when `poll` may have something next, or None."""
        ...

    def waiting_instrument(self) -> int | None:
        """Return an instrument whose next price event must be polled at, or None."""
        ...

    def poll(self, now_ns: int) -> list[VenueEvent]:
        """Return outcomes due at or before `now_ns`, in time order."""
        ...
