"""Correlation of a candidate with what is held; a figure that is missing counts as 1.

The figure itself (log returns on the 1h grid over 30 days, shrunk) is the core's.
"""

from collections.abc import Iterable, Mapping
from typing import Final

MISSING: Final = 1.0


def correlation_of(value: float | None) -> float:
    """Return a usable correlation: anything but a number in -1..1 counts as 1."""
    if value is None or not -1.0 <= value <= 1.0:
        return MISSING
    return value


def highest_correlation(
    correlations: Mapping[int, float | None], instruments: Iterable[int]
) -> tuple[int, float] | None:
    """Return the instrument the candidate moves with most, and how closely.

    Args:
        correlations: Of the candidate, by instrument.
        instruments: Those held or about to be.

    Returns:
        The pair, or None when nothing is held.
    """
    worst: tuple[int, float] | None = None
    for instrument in instruments:
        value = correlation_of(correlations.get(instrument))
        if worst is None or value > worst[1]:
            worst = instrument, value
    return worst
