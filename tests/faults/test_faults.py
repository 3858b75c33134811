"""Every fault of the stand-in world on every feed: counted, kept out, and come through."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from staged import Fault, Outcome, rows_of, run
from truth import MINUTE, Truth, truth

from utb import bootstrap
from utb.bootstrap import RunOptions
from utb.domain.seam import FeedStatus
from utb.simnet.server.faults import Kind
from utb.simnet.server.world import SOURCES

HOURS = 4
FIRST = 20.0
LASTS = {Kind.HALF_OPEN: 1.0, Kind.SLOW: 10.0}
"""Minutes; the rest take four, above the limit of two from which on a feed is stale."""
USUAL = 4.0
REST = 4.0
"""Minutes between two faults."""
VALUES = {Kind.LYING: 5.0, Kind.SLOW: 9.0, Kind.TOO_MANY: 5.0, Kind.FLOOD: 10.0}
ALL_SILENT = 195.0
"""Minute from which all sources are silent at once, after everything else."""
LAG = 5 * MINUTE
"""How old a true price may be when it is taken: as long as anything was slow or repeated."""

CONNECTIONS = (Kind.CUT, Kind.SILENCE, Kind.HALF_OPEN, Kind.TOO_MANY, Kind.BROKEN)
CONTENTS = (Kind.SLOW, Kind.GARBAGE, Kind.STALE, Kind.LYING, Kind.FLOOD)
HARMLESS = (Kind.HALF_OPEN, Kind.SLOW, Kind.FLOOD)
"""Kinds that leave no feed without prices for as long as they last here."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@dataclass(frozen=True)
class Placed:
    """A fault and its place, minutes since the market's start."""

    source: str
    kind: Kind
    begin: float
    end: float

    def asked(self, market: Truth) -> list[Fault]:
        cursor, seconds = market.cursor(self.begin), (self.end - self.begin) * 60
        fault = Fault(self.source, self.kind, cursor, seconds, VALUES.get(self.kind))
        if self.kind in (Kind.TOO_MANY, Kind.BROKEN) and self.source != "dexscreener":
            # A connection that is open is not refused: it is cut, and comes back to the refusal.
            return [Fault(self.source, Kind.CUT, cursor, 5.0), fault]
        return [fault]


def placed(kinds: tuple[Kind, ...]) -> list[Placed]:
    """Return the faults of each source one after the other.

    Those of Helius stay off full hours: a pool tells what it owes then, and who misses that is
    wrong in the seventh digit for an hour.
    """
    found, begin = [], FIRST
    for kind in kinds:
        for source in SOURCES:
            lasts = LASTS.get(kind, USUAL)
            if source == "helius" and (begin - 1) // 60 != (begin + lasts + 1) // 60:
                begin = (begin + lasts + 1) // 60 * 60 + 1
            found.append(Placed(source, kind, begin, begin + lasts))
            begin += lasts + REST
    assert begin < ALL_SILENT
    return found


def spans(outcome: Outcome, market: Truth) -> dict[int | None, list[tuple[float, float]]]:
    """Return from when to when, in minutes, each instrument took no entries."""
    found: dict[int | None, list[tuple[float, float]]] = {}
    open_since: dict[int | None, float] = {}
    for record in outcome.unhealthy():
        if record.active:
            open_since[record.instrument] = market.minute(record.ts_ns)
        else:
            begin = open_since.pop(record.instrument)
            found.setdefault(record.instrument, []).append((begin, market.minute(record.ts_ns)))
    assert open_since == {}
    return found


def check_spans(outcome: Outcome, market: Truth, faults: list[Placed]) -> None:
    """See that instruments were blocked where a fault starved them, and nowhere else."""
    found = spans(outcome, market)
    expected: Counter[int | None] = Counter()
    for fault in faults:
        if fault.kind in HARMLESS and (fault.kind, fault.source) != (Kind.SLOW, "birdeye"):
            continue
        latest = 6.0 if fault.kind is Kind.SLOW else 3.0
        for one in market.instruments:
            if one.primary != fault.source:
                continue
            expected[one.index] += 1
            begin, end = found[one.index][expected[one.index] - 1]
            assert 0 < begin - fault.begin <= latest, (fault, begin)
            assert -0.6 <= end - fault.end <= 8.0, (fault, end)
    silent = {fault.source for fault in faults if fault.begin == ALL_SILENT}
    if silent:
        # Nobody has a price any more: that is the whole system's trouble.
        ((begin, end),) = found.pop(None)
        assert 0 < begin - ALL_SILENT <= 3.0
        assert begin < end <= ALL_SILENT + USUAL + 1.0
    assert Counter({who: len(them) for who, them in found.items()}) == expected


async def faulty(folder: Path, faults: list[Placed]) -> tuple[Outcome, Truth]:
    market = truth(HOURS)
    asked = [one for fault in faults for one in fault.asked(market)]
    outcome = await run(folder, HOURS, asked)
    assert {one["status"] for one in outcome.did} == {"over"}
    assert all(one["did"] for one in outcome.did)
    for feed in outcome.feeds.values():
        assert (feed.status, feed.connected) == (FeedStatus.FRESH, True)
    return outcome, market


def did(outcome: Outcome, source: str, kind: Kind) -> dict[str, int]:
    """Return what the faults of a kind did to a source."""
    total: Counter[str] = Counter()
    for one in outcome.did:
        if (one["source"], one["kind"]) == (source, kind):
            total.update(one["did"])
    return dict(total)


async def test_without_faults_nothing_is_counted_and_nobody_is_blocked(tmp_path: Path) -> None:
    outcome = await run(tmp_path, HOURS)
    calm = bootstrap.build_demo(bootstrap.load_config(None)[0], RunOptions(hours=HOURS)).run()
    assert outcome.unhealthy() == []
    for source in SOURCES:
        feed = outcome.feeds[source]
        assert (feed.rejected, feed.reconnects) == ({}, 0)
        (state,) = outcome.states(source)
        assert (state.state, state.ts_ns) == (FeedStatus.FRESH, feed.since_ns)
    assert outcome.summary["journal_hash"] == calm.journal_hash
    assert outcome.bars() == rows_of(calm.bars)


async def test_faults_of_connections(tmp_path: Path) -> None:
    at_once = [Placed(source, Kind.SILENCE, ALL_SILENT, ALL_SILENT + USUAL) for source in SOURCES]
    faults = placed(CONNECTIONS) + at_once
    outcome, market = await faulty(tmp_path, faults)
    assert market.strays(outcome.journal, LAG) == []
    check_spans(outcome, market, faults)
    tripped, _ = [one for one in outcome.unhealthy() if one.instrument is None]
    for source in SOURCES:
        assert f"{source}: no item for" in tripped.cause
    polled = outcome.feeds["dexscreener"].rejected
    assert set(polled) <= {"closed", "http_429", "http_500", "held_back"}
    assert polled["closed"] + 1 >= did(outcome, "dexscreener", Kind.CUT)["requests_failed"]
    assert polled["http_429"] == did(outcome, "dexscreener", Kind.TOO_MANY)["requests_failed"]
    assert polled["http_500"] == did(outcome, "dexscreener", Kind.BROKEN)["requests_failed"]
    assert outcome.core["dexscreener"]["rejected"] == {}
    for source in ("birdeye", "helius"):
        feed, core = outcome.feeds[source], outcome.core[source]
        failed = set(feed.rejected) - {"late", "duplicate"}
        assert failed == {"closed", "http_503", "silent", "no_pong", "http_429", "http_500"}
        for name, kind in (("http_429", Kind.TOO_MANY), ("http_500", Kind.BROKEN)):
            did_it = did(outcome, source, kind)
            failures = did_it["connections_refused"] + did_it.get("requests_failed", 0)
            assert feed.rejected[name] == failures
        assert feed.rejected["http_503"] == did(outcome, source, Kind.CUT)["connections_refused"]
        assert feed.rejected["no_pong"] == did(outcome, source, Kind.HALF_OPEN)["pongs_withheld"]
        assert feed.reconnects >= 50
        assert core["rejected"] == {}
        said = " ".join(state.reason for state in outcome.states(source))
        assert "half-open: a ping had no answer" in said
        assert "connected, but no data for 240 s" in said


async def test_faults_of_contents_and_the_same_twice(tmp_path: Path) -> None:
    faults = placed(CONTENTS)
    outcome, market = await faulty(tmp_path / "first", faults)
    assert market.strays(outcome.journal, LAG) == []
    check_spans(outcome, market, faults)
    for source in SOURCES:
        feed, core = outcome.feeds[source], outcome.core[source]["rejected"]
        garbage = ("oversized", "not_text", "not_json", "not_utf8", "unchanged")
        lied = core["outlier"]
        changed = did(outcome, source, Kind.GARBAGE)["items_changed"]
        lies = did(outcome, source, Kind.LYING)["items_changed"]
        counted = sum(feed.rejected.get(name, 0) for name in garbage)
        if source == "dexscreener":
            repeated = did(outcome, source, Kind.STALE)["items_changed"]
            assert feed.rejected["unchanged"] >= repeated
            assert counted == changed + repeated
            # The bodies that check the other seven differ from the sources that make their bars.
            assert feed.rejected["diverged"] > 0
            assert lied + feed.rejected["diverged"] / (len(market.instruments) - 1) == lies
        else:
            assert counted == changed
            # A pool has a price once both its vaults are known.
            assert lied == (lies if source == "birdeye" else lies // 2)
            assert (
                feed.rejected["duplicate"] + feed.rejected.get("late", 0)
                >= (did(outcome, source, Kind.STALE)["items_changed"])
            )
        assert feed.rejected["oversized"] > 0
        assert feed.rejected["not_json"] > 0
    slow = [s.reason for s in outcome.states("birdeye") if s.state == FeedStatus.STALE]
    assert any("old when they come" in reason for reason in slow)
    again, _ = await faulty(tmp_path / "again", faults)
    assert again.summary["journal_hash"] == outcome.summary["journal_hash"]


async def test_lie_within_the_outlier_factor_is_taken_and_reported(tmp_path: Path) -> None:
    """One source alone cannot be told from the truth; the other one's difference is counted."""
    market = truth(1)
    lie = Fault("birdeye", Kind.LYING, market.cursor(20.0), 600.0, 1.5)
    outcome = await run(tmp_path, 1, [lie])
    checked = outcome.feeds["dexscreener"].rejected["diverged"]
    barred = sum(one.primary == "birdeye" for one in market.instruments)
    assert checked >= 4 * barred
    assert "outlier" not in outcome.feeds["birdeye"].rejected
    strays = market.strays(outcome.journal, LAG)
    liars = {one.symbol for one in market.instruments if one.primary == "birdeye"}
    assert {stray.partition(":")[0] for stray in strays} == liars
