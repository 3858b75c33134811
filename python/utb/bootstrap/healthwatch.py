"""Whether the trading process is well: what the guards and `/health` are told.

Unhealthy denies entries and leaves exits alone. A feed that never had an item is starting, not
broken: without prices there is nothing to enter. One that fell silent is.
"""

from collections.abc import Callable, Mapping
from typing import Final

from utb.domain.market import Instrument
from utb.domain.seam import ChainHealth, FeedHealth, FeedStatus
from utb.ports.feed import Health
from utb.ports.market import Market

CLOCK_STEP_NS: Final = 500_000_000
"""A jump of the wall's clock against the steady one that is not drift."""
CLOCK_QUIET_NS: Final = 60_000_000_000
"""The clock is sound again so long after its last jump."""


class HealthWatch:
    """Remembers what was told, and tells what changed."""

    def __init__(
        self,
        instruments: tuple[Instrument, ...],
        market: Market,
        *,
        stale_after_ns: int,
        now_ns: Callable[[], int],
        elapsed_ns: Callable[[], int] | None,
    ) -> None:
        """Watch a market.

        Args:
            instruments: Whose prices are watched.
            market: The core.
            stale_after_ns: Age of an instrument's price above which it takes no entries.
            now_ns: Present time of the session.
            elapsed_ns: The steady clock; None where time is simulated.
        """
        self._instruments = instruments
        self._market = market
        self._stale_after_ns = stale_after_ns
        self.now_ns = now_ns
        self._elapsed_ns = elapsed_ns
        self.chain: Callable[[], ChainHealth | None] = lambda: None
        """How the way to the chain is; None: orders do not go there."""
        self.journal: Callable[[], str] = lambda: ""
        """Why the journal's file cannot be written; empty: it can."""
        self._offset_ns: int | None = None
        self._jumped_ns: int | None = None
        self.warming = False
        """History goes in: prices are of the past, and nothing is entered on them."""
        self.told: dict[int | None, str] = {}
        """Instrument (None: the system) -> the cause the guards know of."""

    @property
    def clock_sound(self) -> bool:
        """Return whether the wall's clock ran steadily in the last minute."""
        return self._jumped_ns is None

    def reasons(self, now_ns: int, feeds: tuple[FeedHealth, ...]) -> tuple[str, ...]:
        """Return why the process is not healthy at `now_ns`; empty when it is."""
        found = []
        if not self.clock_sound:
            found.append("the machine's clock jumped within the last minute")
        used = [feed for feed in feeds if feed.status is not FeedStatus.OFF]
        if not any(feed.status is FeedStatus.FRESH for feed in used):
            said = [f"{feed.source}: {feed.reason or feed.status.lower()}" for feed in used]
            found.append("no price feed is fresh (" + ("; ".join(said) or "none is on") + ")")
        elif not self.warming and self._all_stale(now_ns):
            found.append("messages come, and no price that counts")
        return (*found, *self._own_reasons())

    def _own_reasons(self) -> tuple[str, ...]:
        """Return the reasons that have nothing to do with prices."""
        chain, journal = self.chain(), self.journal()
        return (*((journal,) if journal else ()), *(() if chain is None else chain.reasons))

    def changes(self, now_ns: int, feeds: tuple[FeedHealth, ...]) -> list[Health]:
        """Return what the guards must be told at `now_ns`."""
        self._watch_clock(now_ns)
        used = [feed for feed in feeds if feed.status is not FeedStatus.OFF]
        reasons = self.reasons(now_ns, feeds)
        found: list[Health] = []
        # Without a feed that ever had an item nothing is known: neither broken nor well again
        if self.warming:
            return self._change(None, now_ns, "; ".join((*reasons, "history is filled in")))
        if self.clock_sound and all(f.status is FeedStatus.STARTING for f in used):
            own = self._own_reasons()
            if own or self.chain() is not None:
                found += self._change(None, now_ns, "; ".join(own))
        else:
            found += self._change(None, now_ns, "; ".join(reasons))
        stale = {feed.source: feed.reason for feed in used if feed.status is FeedStatus.STALE}
        for instrument in self._instruments:
            cause = self._staleness(instrument, now_ns, stale)
            found += self._change(instrument.index, now_ns, cause)
        return found

    def _all_stale(self, now_ns: int) -> bool:
        marks = [self._market.mark(instrument.index) for instrument in self._instruments]
        known = [mark for mark in marks if mark is not None]
        return bool(known) and all(now_ns - mark.ts_ns > self._stale_after_ns for mark in known)

    def _staleness(self, instrument: Instrument, now_ns: int, stale: Mapping[str, str]) -> str:
        mark = self._market.mark(instrument.index)
        if mark is None:
            return ""
        if now_ns - mark.ts_ns > self._stale_after_ns:
            limit_s = self._stale_after_ns / 1e9
            return f"no price of {instrument.symbol} for more than {limit_s:g} s"
        if instrument.primary in stale:
            # Its prices come, but late: what they tell is over.
            return f"{instrument.primary} is stale: {stale[instrument.primary]}"
        return ""

    def _change(self, instrument: int | None, now_ns: int, cause: str) -> list[Health]:
        before = self.told.get(instrument, "")
        if bool(before) == bool(cause):
            return []
        self.told[instrument] = cause
        said = cause or "well again"
        return [Health(now_ns, instrument, healthy=not cause, cause=said)]

    def _watch_clock(self, now_ns: int) -> None:
        if self._elapsed_ns is None:
            return
        elapsed_ns = self._elapsed_ns()
        offset_ns = now_ns - elapsed_ns
        if self._offset_ns is not None and abs(offset_ns - self._offset_ns) > CLOCK_STEP_NS:
            self._jumped_ns = elapsed_ns
        elif self._jumped_ns is not None and elapsed_ns - self._jumped_ns > CLOCK_QUIET_NS:
            self._jumped_ns = None
        self._offset_ns = offset_ns
