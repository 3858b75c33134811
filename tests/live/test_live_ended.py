"""A live demo whose market is over, and whose trading process is killed then."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from live_bot import LiveBot, wait

from utb.domain.names import OrderStatus, Side
from utb.domain.records import FillBooked, Record
from utb.storage.encoding import is_hashed

LONG = os.environ.get("UTB_LONG") == "1"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not LONG, reason="most of a minute: `just live-stops`"),
]

FIRST_PORT = 18_450
HOURS = 20
SPEED = 5_000.0
"""Simulated seconds per second: the market is over after some twenty."""
TIMES = ("since", "age")
"""What a restart changes in a row of `/health/components`."""


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[LiveBot]:
    made = LiveBot(tmp_path, SPEED, hours=HOURS, first_port=FIRST_PORT)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def over(bot: LiveBot) -> bool:
    """Return whether the trading process answers and says that its market is over."""
    row = bot.component("trade")
    return (row["state"], row["reason"]) == ("UP", "the recording came to its end")


def components(bot: LiveBot) -> dict[str, dict[str, Any]]:
    rows = bot.http.get("/health/components").json()["components"]
    return {
        row["name"]: {key: value for key, value in row.items() if key not in TIMES} for row in rows
    }


def hashed(bot: LiveBot) -> list[Record]:
    """Return the records that a restart computes again."""
    return [record for record in bot.records() if is_hashed(record)]


def orders(bot: LiveBot) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "utb", "orders", "--state", str(bot.state), "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def test_killed_after_the_end_it_is_as_it_was(bot: LiveBot) -> None:
    """Nothing is fresh any more and nothing needs to be; what was held is sold, once."""
    # Refused while its indicators are warming up, for nine hours of the market
    wait(lambda: bot.buy("SOL-USDC").is_success, "an entry to be taken", 60)
    wait(lambda: over(bot), "the market's end", 90)
    before, told, listed = hashed(bot), components(bot), orders(bot)
    assert bot.reasons() == ""
    assert told["rpc"]["state"] == told["feed birdeye"]["state"] == "OFF"
    fills = [one.fill.side for one in before if isinstance(one, FillBooked)]
    assert fills == [Side.BUY, Side.SELL]
    bot.processes["trade"].kill()
    bot.processes["trade"].wait()
    wait(lambda: not over(bot), "its death to be seen")
    bot.start_one("trade")
    wait(lambda: over(bot), "the market's end once more", 60)
    bot.pass_slots(100)
    assert bot.http.get("/health").status_code == httpx.codes.OK
    assert bot.reasons() == ""
    assert components(bot) == told
    assert hashed(bot) == before
    assert orders(bot) == listed
    assert set(bot.statuses().values()) <= {OrderStatus.SETTLED.value}
    assert bot.http.get("/api/v1/summary").json()["finished"]
    assert bot.reconcile()["equal"]
    assert bot.problems() == []
