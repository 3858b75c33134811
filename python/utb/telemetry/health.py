"""Health as a fold: each component's state with since, reason and age, and one word for all."""

from enum import StrEnum
from typing import Final

import msgspec

from utb.domain.seam import FeedHealth, FeedStatus, Pulse
from utb.telemetry.replica import Replica

PULSE_AGE_MAX_S: Final = 10.0
"""A pulse older than this, by the wall clock, is a trading process that does not answer."""

OVER: Final = "the market is over"
"""Why nothing is asked of feeds and chain after the end of a simulated market."""


class Condition(StrEnum):
    """How a component is."""

    UP = "UP"
    STARTING = "STARTING"
    DEGRADED = "DEGRADED"
    DOWN = "DOWN"
    OFF = "OFF"
    """Not used."""
    UNKNOWN = "UNKNOWN"


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `/health/components`."""

    name: str
    state: Condition
    since_ns: int | None
    """When it came into this state: market time for feeds, wall time for the rest."""
    reason: str
    age_s: float | None
    """Seconds since its last sign of life."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """The connection to the trading process, as this process sees it."""

    connected: bool
    caught_up: bool
    since_ns: int
    """Wall time of the last change."""
    heard_ns: int | None
    """Wall time of the last message."""
    reason: str


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """One word for all, and why."""

    healthy: bool
    reasons: tuple[str, ...]
    components: tuple[Component, ...]
    warming_up: tuple[str, ...]
    """Symbols whose indicators are not complete yet; that is not unhealthy."""


class HealthFold:
    """Remembers since when each component is as it is."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[Condition, int]] = {}

    def health(
        self, replica: Replica, link: Link, extra: tuple[Component, ...], wall_ns: int
    ) -> Health:
        """Return the health of now.

        Args:
            replica: What is known of the trading process.
            link: The connection to it.
            extra: Components beside the trading process: the API itself, the analytics store.
            wall_ns: Present wall time.
        """
        pulse = replica.pulse
        age_s = None if link.heard_ns is None else max(wall_ns - link.heard_ns, 0) / 1e9
        alive = link.connected and pulse is not None and _fresh(age_s)
        rows = [self._trade(link, pulse, age_s, wall_ns)]
        rows += self._inside(pulse if alive else None, age_s, wall_ns)
        rows += self._feeds(pulse, alive=alive)
        rows += extra
        rows += self._chain(pulse, age_s, wall_ns, alive=alive)
        reasons = _reasons(link, pulse, rows, age_s)
        return Health(
            healthy=not reasons,
            reasons=reasons,
            components=tuple(rows),
            warming_up=_warming_up(replica),
        )

    def _row(
        self, name: str, state: Condition, reason: str, age_s: float | None, wall_ns: int
    ) -> Component:
        before = self._since.get(name)
        if before is None or before[0] is not state:
            before = self._since[name] = (state, wall_ns)
        return Component(name=name, state=state, since_ns=before[1], reason=reason, age_s=age_s)

    def _trade(
        self, link: Link, pulse: Pulse | None, age_s: float | None, wall_ns: int
    ) -> Component:
        state, reason = Condition.UP, ""
        if not link.connected:
            state, reason = Condition.DOWN, link.reason
        elif not link.caught_up:
            state, reason = Condition.STARTING, "its records are being read"
        elif pulse is None:
            state, reason = Condition.STARTING, "no pulse yet"
        elif not _fresh(age_s):
            state, reason = Condition.DOWN, f"no pulse for {age_s or 0.0:.0f} s"
        elif pulse.recovering:
            state, reason = Condition.STARTING, "the journal's tail is met again"
        elif pulse.finished:
            reason = "the recording came to its end"
        return self._row("trade", state, reason, age_s, wall_ns)

    def _inside(self, pulse: Pulse | None, age_s: float | None, wall_ns: int) -> list[Component]:
        """Return what only the trading process can tell."""
        if pulse is None:
            return [
                self._row(name, Condition.UNKNOWN, "the trading process is silent", age_s, wall_ns)
                for name in ("journal", "clock")
            ]
        journal = Condition.UP if pulse.journal_writable else Condition.DOWN
        clock = Condition.UP if pulse.clock_sound else Condition.DOWN
        return [
            self._row(
                "journal", journal, "" if pulse.journal_writable else "not writable", age_s, wall_ns
            ),
            self._row("clock", clock, "" if pulse.clock_sound else "not sound", age_s, wall_ns),
        ]

    def _chain(
        self, pulse: Pulse | None, age_s: float | None, wall_ns: int, *, alive: bool
    ) -> list[Component]:
        """Return the way to the chain: all endpoints in a word, each of them, signer, books."""
        chain = None if pulse is None else pulse.chain
        if chain is None:
            over = pulse is not None and pulse.finished
            reason = OVER if over else "not used in paper"
            return [self._row("rpc", Condition.OFF, reason, None, wall_ns)]
        told = {
            "rpc": (chain.rpc, Condition.DOWN, chain.slot_age_s),
            "signer": (chain.signer, Condition.DOWN, age_s),
            "reconciliation": (
                chain.discrepancy or chain.not_compared,
                Condition.DOWN if chain.discrepancy else Condition.DEGRADED,
                chain.compared_age_s,
            ),
        }
        for one in chain.endpoints:
            down = "" if one.answers else one.reason or "silent"
            told[f"rpc {one.name}"] = (down, Condition.DOWN, age_s)
        return [
            self._row(name, state if reason else Condition.UP, reason, age, wall_ns)
            if alive
            else self._row(name, Condition.UNKNOWN, "the trading process is silent", age, wall_ns)
            for name, (reason, state, age) in told.items()
        ]

    def _feeds(self, pulse: Pulse | None, *, alive: bool) -> list[Component]:
        if pulse is None:
            return []
        return [_feed(feed, pulse.ts_ns, alive=alive, over=pulse.finished) for feed in pulse.feeds]


_FEED_STATES: Final = {
    FeedStatus.STARTING: Condition.STARTING,
    FeedStatus.FRESH: Condition.UP,
    FeedStatus.STALE: Condition.DEGRADED,
    FeedStatus.DISCONNECTED: Condition.DOWN,
    FeedStatus.OFF: Condition.OFF,
}


def _feed(feed: FeedHealth, now_ns: int, *, alive: bool, over: bool) -> Component:
    state = _FEED_STATES[feed.status]
    reason = feed.reason
    if alive and over and state is not Condition.OFF:
        state, reason = Condition.OFF, OVER
    elif not alive and state is not Condition.OFF:
        state, reason = Condition.UNKNOWN, "the trading process is silent"
    last = feed.last_item_ns
    return Component(
        name=f"feed {feed.source}",
        state=state,
        since_ns=feed.since_ns or None,
        reason=reason,
        age_s=None if last is None else max(now_ns - last, 0) / 1e9,
    )


def _fresh(age_s: float | None) -> bool:
    return age_s is not None and age_s <= PULSE_AGE_MAX_S


_NOT_FRESH: Final = "no price feed is fresh"


def _reasons(
    link: Link, pulse: Pulse | None, rows: list[Component], age_s: float | None
) -> tuple[str, ...]:
    trade = rows[0]
    if trade.state is not Condition.UP:
        return (f"trading process: {trade.reason}",)
    if pulse is None or not link.connected or not _fresh(age_s):
        return ("trading process: silent",)
    found = list(pulse.reasons)
    if not pulse.journal_writable:
        found.append("the journal is not writable")
    if not pulse.clock_sound:
        found.append("the clock is not sound")
    fresh = any(feed.status is FeedStatus.FRESH for feed in pulse.feeds)
    told = any(reason.startswith(_NOT_FRESH) for reason in found)
    if not fresh and not pulse.finished and not told:
        # The trading process says which feeds, as soon as it has noticed
        found.append(_NOT_FRESH)
    return tuple(dict.fromkeys(found))


def _warming_up(replica: Replica) -> tuple[str, ...]:
    found = []
    for instrument in replica.instruments:
        view = replica.market.view(instrument.index)
        if view is None or view.warming_up:
            found.append(instrument.symbol)
    return tuple(found)
