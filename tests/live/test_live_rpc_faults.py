"""RPC faults under the whole live system: slow, lying, refusing and silent endpoints.

Entries stop when nobody answers, exits wait and go on, nothing lands twice, states are right in the
end, chain and book are equal to the lamport, and `/health` says why.
"""

import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from live_bot import SOL, LiveBot, equal, round_trip, sell, wait, warm

LONG = os.environ.get("UTB_LONG") == "1"
SPEED = 3_000.0
SLOTS_90_S = 225
"""Slots of 0.4 s in 90 s: half as many again as a blockhash lives."""
LONG_SLOTS = 10 * SLOTS_90_S
CREATED = httpx.codes.CREATED
pytestmark = pytest.mark.timeout(900 if LONG else 240)


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveBot]:
    made = LiveBot(tmp_path_factory.mktemp("live"), SPEED)
    try:
        made.start()
        warm(made)
        yield made
    finally:
        made.stop()


@pytest.mark.parametrize(
    ("kind", "more", "row"),
    [
        ("slow", {"value": 0.5}, "UP"),
        ("lie_null", {}, "UP"),
        ("lie_old", {"value": 100}, "UP"),
        ("lie_height", {"value": 5_000}, None),
        ("lag", {"value": 400}, "DOWN"),
        ("429", {"value": 2}, "DOWN"),
    ],
)
def test_one_bad_endpoint_changes_nothing(
    bot: LiveBot, kind: str, more: dict[str, Any], row: str | None
) -> None:
    with bot.faulty(kind, "a", **more):
        if row is not None:
            wait(lambda: bot.component("rpc a")["state"] == row, f"rpc a is not {row}")
        if row == "DOWN":
            assert bot.component("rpc a")["reason"]
        assert bot.component("rpc")["state"] == "UP"
        round_trip(bot, SOL)
        assert bot.healthy()
    equal(bot)


def test_all_down_stops_entries_and_lets_exits_wait(bot: LiveBot) -> None:
    assert bot.buy(SOL).status_code == CREATED
    (position,) = bot.at_rest().positions.values()
    orders = set(bot.statuses())
    with bot.faulty("blackout"):
        wait(lambda: not bot.healthy(), "health does not see it")
        assert "no RPC endpoint answers" in bot.reasons()
        assert bot.component("rpc")["state"] == "DOWN"
        refused = bot.buy("ETH-USDC")
        assert refused.status_code == httpx.codes.CONFLICT, refused.text
        assert "UNHEALTHY" in refused.text
        # An exit is never refused for it: it waits for a way to the chain
        assert sell(bot, SOL).status_code < httpx.codes.BAD_REQUEST
        bot.pass_slots(LONG_SLOTS if LONG else SLOTS_90_S)
        assert not bot.healthy()
        assert position.position_id in bot.book().positions
    wait(bot.healthy, "it does not become well again")
    wait(lambda: not bot.book().positions, "the position is not sold", 60.0)
    equal(bot)
    statuses = {key: status for key, status in bot.statuses().items() if key not in orders}
    assert "SETTLED" in statuses.values()
    assert set(statuses.values()) <= {"SETTLED", "EXPIRED", "CANCELLED", "FAILED_ON_CHAIN"}
    round_trip(bot, SOL)


def test_all_down_while_orders_are_on_their_way(bot: LiveBot) -> None:
    with bot.faulty("hang", method="getSignatureStatuses"), bot.faulty("deaf"):
        bought = bot.buy(SOL)
        assert bought.status_code == CREATED, bought.text
        bot.fault("blackout")
        bot.fault("drop", "jito")
        bot.fault("drop", "helius")
        bot.pass_slots(LONG_SLOTS if LONG else SLOTS_90_S)
        assert bot.statuses()[bought.json()["order_id"]] not in {"SETTLED", "EXPIRED"}
    book = bot.at_rest()
    status = bot.statuses()[bought.json()["order_id"]]
    assert status in {"SETTLED", "EXPIRED"}
    assert len(book.positions) == (status == "SETTLED")
    if book.positions:
        assert sell(bot, SOL).is_success
    equal(bot)


def test_signer_gone_stops_entries(bot: LiveBot) -> None:
    bot.processes["sign"].kill()
    bot.processes["sign"].wait()
    wait(lambda: "signer" in bot.reasons(), "health does not see it")
    assert bot.component("signer")["state"] == "DOWN"
    assert bot.buy(SOL).status_code == httpx.codes.CONFLICT
    bot.start_one("sign")
    wait(bot.healthy, "it does not become well again")
    round_trip(bot, SOL)
    equal(bot)
