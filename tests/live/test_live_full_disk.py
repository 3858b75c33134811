"""The disk is full: entries are refused, exits go on from the reserve, and nothing is lost.

The whole live system on a disk of its own. What happened while it was full is looked for on the
chain, and afterwards in the journal.
"""

import os
import signal
from collections.abc import Iterator

import httpx
import pytest
from live_bot import QUIET, SOL, STOP_S, Broken, LiveBot, equal, round_trip, sell, wait, warm
from smalldisk import MIB, NotHere, SmallDisk, small_disk

from utb.domain.names import ExitReason, Side
from utb.domain.records import Breaker, OrderState
from utb.storage.encoding import decode_record
from utb.storage.reserve import FILE_NAME, Reserve, Row

SPEED = 1_000.0
DISK_MIB = 192
RESERVE_MIB = 48
ETH = "ETH-USDC"
SETTINGS = (f"node.reserve_mib={RESERVE_MIB}", "risk.correlation_limit=1.0")
LONG = os.environ.get("UTB_LONG") == "1"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(not LONG, reason="more than a minute: `just live-stops`"),
]


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk]:
    try:
        with small_disk(tmp_path_factory.mktemp("disk"), DISK_MIB) as made:
            yield made
    except NotHere as error:
        pytest.skip(f"a disk of its own cannot be mounted here: {error}")


@pytest.fixture(scope="module")
def bot(disk: SmallDisk) -> Iterator[LiveBot]:
    made = LiveBot(disk.folder, SPEED, (*QUIET, *SETTINGS))
    try:
        made.start()
        warm(made)
        yield made
    finally:
        made.stop()


def bought(bot: LiveBot, *symbols: str) -> None:
    for symbol in symbols:
        answer = bot.buy(symbol)
        assert answer.status_code == httpx.codes.CREATED, answer.text
    assert len(bot.at_rest().positions) == len(symbols)


def on_reserve(bot: LiveBot) -> None:
    """Wait until health says that the reserve is used."""
    wait(lambda: "exits go on from the reserve" in bot.reasons(), "the full disk is not seen")
    assert bot.component("journal")["state"] == "DOWN"
    assert bot.component("trade")["state"] == "UP"


def kept_on(bot: LiveBot) -> list[Row]:
    """Return the records that a process which ended left on the reserve."""
    reserve = Reserve(bot.state / FILE_NAME, RESERVE_MIB * MIB)
    rows = [row for one in reserve.kept() for row in one.rows]
    reserve.close()
    return rows


def strangers(bot: LiveBot, kept: list[Row]) -> set[str]:
    """Return what landed and is neither in the journal nor among the kept records."""
    known = {
        record.attempt.signature
        for record in (*bot.records(), *(decode_record(row[3]) for row in kept))
        if isinstance(record, OrderState) and record.attempt is not None
    }
    return set(bot.landed()) - known


def landed_more(bot: LiveBot, before: int, more: int) -> None:
    wait(lambda: len(bot.landed()) >= before + more, f"{more} exits do not land", 90.0)


def settled(bot: LiveBot, orders: set[str]) -> None:
    """See that everything came to its end, once, and that entries are taken again."""
    wait(bot.healthy, "it does not become well again", 60.0)
    wait(lambda: not bot.book().positions, "the positions are not sold", 60.0)
    equal(bot)
    told = {intent: status for intent, status in bot.statuses().items() if intent not in orders}
    assert set(told.values()) == {"SETTLED"}
    round_trip(bot, SOL)
    equal(bot)


def test_exits_go_on_and_entries_are_refused(bot: LiveBot, disk: SmallDisk) -> None:
    orders = set(bot.statuses())
    bought(bot, SOL, ETH)
    before = len(bot.landed())
    with disk.full():
        on_reserve(bot)
        seen = len(bot.records())
        refused = bot.buy("JUP-USDC")
        assert refused.status_code == httpx.codes.CONFLICT, refused.text
        assert "UNHEALTHY" in refused.text
        # One is sold by hand, the other by its stop, which comes close to the price
        assert sell(bot, SOL).is_success
        landed_more(bot, before, 1)
        assert bot.http.post("/api/v1/safe_mode").is_success
        landed_more(bot, before, 2)
        assert len(bot.records()) == seen
        assert not bot.healthy()
    wait(lambda: not bot.book().positions, "the journal does not get what the reserve has")
    assert bot.http.post("/api/v1/resume").is_success
    settled(bot, orders)
    records = bot.records()
    reasons = {
        one.intent.exit_reason
        for one in records
        if isinstance(one, OrderState) and one.intent is not None and one.intent.side is Side.SELL
    }
    assert {ExitReason.MANUAL, ExitReason.STOP} <= reasons
    causes = [one.cause for one in records if isinstance(one, Breaker) and one.active]
    assert any("exits go on from the reserve" in cause for cause in causes)


@pytest.mark.parametrize(
    ("number", "landed"),
    [(signal.SIGKILL, 0), (signal.SIGKILL, 1), (signal.SIGTERM, 1)],
    ids=["killed on the way", "killed when it landed", "stopped"],
)
def test_end_on_the_reserve_loses_nothing(
    bot: LiveBot, disk: SmallDisk, number: signal.Signals, landed: int
) -> None:
    orders = set(bot.statuses())
    bought(bot, SOL, ETH)
    before, funded = len(bot.landed()), strangers(bot, [])
    with disk.full():
        on_reserve(bot)
        assert sell(bot, SOL).is_success
        if landed:
            landed_more(bot, before, landed)
        trade = bot.processes["trade"]
        trade.send_signal(number)
        trade.wait(STOP_S)
        kept = kept_on(bot)
        first = len(bot.records()) + 1
        assert [row[0] for row in kept] == list(range(first, first + len(kept)))
        assert strangers(bot, kept) == funded
        # Without room nothing can be moved: it says so, and leaves everything as it is
        with pytest.raises(Broken, match="trade ended"):
            bot.start_one("trade")
        assert kept_on(bot) == kept
    bot.start_one("trade")
    wait(bot.healthy, "it does not become well again", 60.0)
    assert len(bot.records()) >= kept[-1][0]
    wait(lambda: len(bot.book().positions) < 2, "the one is not sold", 60.0)
    assert sell(bot, ETH).is_success
    settled(bot, orders)
