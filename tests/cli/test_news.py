"""What `utb run` says of feeds and health."""

import msgspec
import pytest
from msgspec.structs import replace

from utb.cli.news import QUIET_NS, Newsroom
from utb.domain.names import OperatorState
from utb.domain.seam import FeedHealth, FeedStatus, Pulse

FEED = FeedHealth(
    source="dexscreener",
    status=FeedStatus.STARTING,
    reason="",
    since_ns=0,
    last_item_ns=None,
    connected=False,
    frames=0,
    items=0,
    rejected={},
    reconnects=0,
    requests=0,
)
PULSE = Pulse(
    ts_ns=0,
    wall_ns=0,
    operator=OperatorState.RUNNING,
    finished=False,
    recovering=False,
    equity=None,
    peak=None,
    cash=0.0,
    feeds=(),
    stages=(),
    holds_by_reason={},
    evaluations=0,
    items=0,
    journal_writable=True,
    clock_sound=True,
    reasons=("no price feed is fresh",),
    lane_dropped=0,
)


def said(room: Newsroom, wall_s: float, *feeds: FeedHealth, reasons: tuple[str, ...]) -> list[str]:
    pulse = replace(PULSE, wall_ns=round(wall_s * 1e9), feeds=feeds, reasons=reasons)
    return [news.sentence for news in room.take(pulse)]


def feed(status: FeedStatus, reason: str = "", source: str = "dexscreener") -> FeedHealth:
    return msgspec.structs.replace(FEED, status=status, reason=reason, source=source)


def test_change_is_said_once() -> None:
    room = Newsroom()
    down = ("no price feed is fresh",)
    assert said(room, 0, FEED, reasons=down) == ["trade: not healthy: no price feed is fresh"]
    assert said(room, 1, FEED, reasons=down) == []
    fresh = feed(FeedStatus.FRESH)
    assert said(room, 2, fresh, reasons=()) == [
        "dexscreener: prices arrive",
        "trade: healthy again",
    ]
    assert said(room, 30, fresh, reasons=()) == []


def test_flapping_feed_is_said_when_its_time_is_over_and_it_still_holds() -> None:
    room = Newsroom()
    fresh, stale = feed(FeedStatus.FRESH), feed(FeedStatus.STALE, "12 s")
    quiet_s = QUIET_NS / 1e9
    assert said(room, 0, fresh, reasons=()) == ["dexscreener: prices arrive", "trade: trading"]
    assert said(room, 1, stale, reasons=()) == []
    assert said(room, 2, fresh, reasons=()) == []
    assert said(room, 3, stale, reasons=()) == []
    assert said(room, quiet_s, stale, reasons=()) == [
        "dexscreener: connected, but its last price is old: 12 s"
    ]


@pytest.mark.parametrize(
    ("health", "sentence"),
    [
        (
            feed(FeedStatus.DISCONNECTED, "name resolution failed"),
            "dexscreener: name resolution failed; it is tried again by itself",
        ),
        (
            feed(FeedStatus.OFF, "set BIRDEYE_API_KEY to use it", "birdeye"),
            "birdeye: not used: set BIRDEYE_API_KEY to use it",
        ),
        (
            feed(FeedStatus.OFF, "no instrument needs it"),
            "dexscreener: not used: no instrument needs it",
        ),
    ],
)
def test_status_says_what_to_do(health: FeedHealth, sentence: str) -> None:
    assert sentence in said(Newsroom(), 0, health, reasons=())
