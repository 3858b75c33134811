"""What one endpoint may be asked: a budget of all calls and one of history, part of both kept."""

from collections.abc import Callable

from utb.adapters.net.budget import RateBudget
from utb.ports.livefeed import Timer


class Purse:
    """Budgets of one endpoint.

    Ordinary calls share a part of each budget; urgent ones may use all of it. So ordinary calls
    can never use up what exits need.
    """

    def __init__(
        self,
        *,
        per_second: int,
        history_per_second: int,
        reserve: float,
        timer: Timer,
        elapsed_ns: Callable[[], int],
    ) -> None:
        """Start with nothing spent.

        Args:
            per_second: Calls of any kind.
            history_per_second: Among them, calls that read the ledger's past.
            reserve: Part of both that only urgent calls may use, in (0, 1).
            timer: Passes waits.
            elapsed_ns: A clock that nobody sets.
        """
        history = min(per_second, history_per_second)

        def budget(calls: float) -> RateBudget:
            return RateBudget(max(1, int(calls * 60)), timer, elapsed_ns)

        self.whole = budget(per_second)
        """Of all calls; what the endpoint itself asks for holds this one."""
        self._history = budget(history)
        self._ordinary = budget(per_second * (1 - reserve))
        self._ordinary_history = budget(history * (1 - reserve))
        self.refused = 0
        """Questions that no budget was left for."""

    def take(self, *, history: bool, urgent: bool) -> bool:
        """Take a grant if there is one at once."""
        wanted = [] if urgent else [self._ordinary]
        if history:
            wanted += [self._history] if urgent else [self._ordinary_history, self._history]
        wanted.append(self.whole)
        # The narrow ones first: a grant that then fails on a wider one is lost, which only makes
        # the reserve larger.
        granted = all(budget.try_acquire() for budget in wanted)
        self.refused += not granted
        return granted
