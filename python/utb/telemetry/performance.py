"""Performance figures of a replica, computed again only when something changed."""

from typing import Final

from msgspec.structs import replace

from utb.telemetry.figures import Figures, figures
from utb.telemetry.replica import Replica

POINTS_BETWEEN: Final = 4
"""Points of equity that may come before the figures are computed again."""


class Performance:
    """Keeps the last figures."""

    def __init__(self) -> None:
        self._key: tuple[int, int, int] | None = None
        self._figures: Figures | None = None

    def figures(self, replica: Replica) -> Figures:
        """Return the figures of the closed trades and the equity so far."""
        points = len(replica.equity) // POINTS_BETWEEN
        key = (id(replica), replica.book.state.trades_closed, points)
        if self._figures is None or key != self._key:
            trades, curve = replica.book.trades, replica.equity.curve()
            self._figures = figures(trades, curve, quote_decimals=replica.quote_decimals)
            self._key = key
        return self._with_present(self._figures, replica.present_drawdown)

    def _with_present(self, found: Figures, present: float | None) -> Figures:
        """Count the drawdown of this moment, which the points of the curve may stand around."""
        if present is None or (found.max_drawdown or 0.0) >= present:
            return found
        self._figures = replace(found, max_drawdown=present)
        return self._figures
