"""The part of a book that knows of housekeeping transactions, for books of tests."""

from utb.adapters.chain.announced import Announced, Announcements


class AnnouncedBook:
    """Remembers what is announced, and up to which slot it goes."""

    opening_slot = 0

    def __init__(self) -> None:
        self.announcements = Announcements()
        self.reached_slot = 0

    def announced(self) -> tuple[Announced, ...]:
        return self.announcements.open

    def settled_seeds(self) -> frozenset[str]:
        return frozenset()

    def reached(self, slot: int) -> None:
        self.reached_slot = max(self.reached_slot, slot)
