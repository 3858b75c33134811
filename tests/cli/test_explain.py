"""`utb orders` and `utb explain` on the journal of a backtest: the same numbers come again."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from utb.domain.names import STRATEGIES

HOURS = "60"


def utb(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "utb", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **more},
        timeout=120,
        check=False,
    )


def shown(*arguments: str) -> Any:
    done = utb(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("explained") / "state"
    done = utb("backtest", "--hours", HOURS, "--state", str(directory), "--json")
    assert done.returncode == 0, done.stderr
    return directory


@pytest.fixture(scope="module")
def listed(state: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shown("orders", "--limit", "1000", "--state", str(state))[
        "orders"
    ]
    return found


def test_orders_lists_every_order_newest_first(listed: list[dict[str, Any]]) -> None:
    decided = [order["decided_at"] for order in listed]
    assert len(listed) > 20
    assert decided == sorted(decided, reverse=True)
    assert {order["status"] for order in listed} <= {"CONFIRMED", "EXPIRED", "FAILED_ON_CHAIN"}


def test_orders_shows_one_by_the_beginning_of_its_id(
    state: Path, listed: list[dict[str, Any]]
) -> None:
    wanted = listed[0]["order_id"]
    order = shown("orders", wanted[:12], "--state", str(state))
    assert order["order_id"] == wanted
    assert [step["status"] for step in order["steps"]] == ["APPROVED", "SENT", "CONFIRMED"]
    assert utb("orders", wanted[:12], "--state", str(state)).stdout.startswith("order_id")


def test_orders_on_their_way_are_none_when_all_is_over(state: Path) -> None:
    assert shown("orders", "--open", "--state", str(state)) == {"orders": []}


@pytest.mark.parametrize("width", ["40", "80"])
def test_orders_are_one_line_each_however_narrow_the_terminal(
    state: Path, listed: list[dict[str, Any]], width: str
) -> None:
    done = utb("orders", "--limit", "3", "--state", str(state), COLUMNS=width)
    _, *lines = done.stdout.splitlines()
    assert len(lines) == 3
    for line, order in zip(lines, listed, strict=False):
        assert line.startswith(f"{order['order_id']}  {order['decided_at']}  {order['symbol']}  ")
        assert f"{order['fill']['base']:g} for {order['fill']['quote']:g}" in line


def test_orders_unknown_id_names_it(state: Path) -> None:
    done = utb("orders", "zz", "--state", str(state))
    assert done.returncode == 2
    assert "zz" in done.stderr


def test_orders_without_a_journal_says_so(tmp_path: Path) -> None:
    done = utb("orders", "--state", str(tmp_path))
    assert done.returncode == 2
    assert "a directory a bot has traded in" in done.stderr


def test_explain_recomputes_every_trade_to_the_same_numbers(
    state: Path, listed: list[dict[str, Any]]
) -> None:
    entries = [order for order in listed if order["side"] == "BUY" and order["fill"]]
    leads = {order["lead"]: order["order_id"] for order in entries}
    assert len(leads) > 2
    for lead, order_id in leads.items():
        found = shown("explain", order_id, "--state", str(state))
        assert found["lead"] == lead
        assert found["recomputed"], [c for c in found["checks"] if not c["equal"]]
        names = {check["name"] for check in found["checks"]}
        assert names >= {"consensus", "weights", "amount_in_raw", "risk_at_stop_raw"}
        assert found["timeline"]


def exact(value: Any) -> bool:
    """Whether every number in an answer is one that every reader of JSON holds exactly."""
    if isinstance(value, dict):
        return all(map(exact, value.values()))
    if isinstance(value, list):
        return all(map(exact, value))
    return not isinstance(value, int) or abs(value) < 2**53


def test_explain_names_every_field_and_writes_long_integers_as_text(
    state: Path, listed: list[dict[str, Any]]
) -> None:
    entry = next(order for order in listed if order["side"] == "BUY" and order["fill"])
    found = shown("explain", entry["order_id"], "--state", str(state))
    made = found["decision"]["decision"]
    assert made["lead"] == found["lead"] == entry["lead"]
    assert int(made["ts_ns"]) > 2**53
    assert made["ts_ns"] == found["decision"]["ts_ns"]
    assert [vote["strategy"] for vote in made["votes"]] == list(STRATEGIES)
    assert {"side", "strength", "confidence", "weight", "conditions"} < set(made["votes"][0])
    assert {"atr", "regime"} < set(made["features"])
    assert exact(found)


def test_explain_says_where_another_configuration_differs(
    state: Path, listed: list[dict[str, Any]]
) -> None:
    entry = next(order for order in listed if order["side"] == "BUY" and order["fill"])
    other = ("--set", "risk.max_entry_share=0.01")
    done = utb("explain", entry["order_id"], "--state", str(state), *other)
    assert done.returncode == 1, done.stderr
    assert "amount_in_raw: on record" in done.stdout


def test_explain_unknown_trade_names_it(state: Path) -> None:
    done = utb("explain", "987654", "--state", str(state))
    assert done.returncode == 2
    assert "987654" in done.stderr
