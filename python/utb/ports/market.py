"""What the trading decisions may ask the core between two of its events."""

from typing import Protocol

from utb.domain.engine import DecisionFeatures
from utb.domain.market import Mark


class Market(Protocol):
    """The core's present view; the same events before a call give the same answers."""

    def mark(self, instrument: int) -> Mark | None:
        """Return the last known price of an instrument, or None before its first."""
        ...

    def features(self, instrument: int) -> DecisionFeatures | None:
        """Return the features of the last closed strategy bar, or None before the first."""
        ...

    def equity(self) -> tuple[float, float] | None:
        """Return (equity, peak) in quote units at the last marks; None while a mark is missing."""
        ...

    def correlation(self, a: int, b: int) -> float | None:
        """Return the shrunk correlation of two instruments' 1h log returns, or None."""
        ...

    def diversity(self) -> list[float]:
        """Return each strategy's mean positive vote correlation with the others."""
        ...
