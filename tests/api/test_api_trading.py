"""Commands over the API act on the trading process, and every refusal says why."""

from pathlib import Path
from typing import Any

import pytest
from running import Bot, buy_something, wait


def order(bot: Bot, **body: Any) -> Any:
    headers = {"Idempotency-Key": body.pop("key")} if "key" in body else {}
    return bot.http.post("/api/v1/trade", json=body, headers=headers)


def test_buy_fills_and_becomes_a_position_that_closes(bot: Bot) -> None:
    """About 500 USDC: the size comes back as asked, the fill within the slippage tolerance."""
    bought = buy_something(bot)
    assert bought["size"] == bought["asked"]
    assert bought["filled_size"] == pytest.approx(bought["asked"], rel=0.02)
    assert bought["price"] > 0
    assert bought["fees"] > 0
    held = bot.get("/api/v1/positions")["positions"]
    mine = [row for row in held if row["id"] == bought["order_id"]]
    # A stop may have sold it already: simulated time runs on
    if mine:
        assert mine[0]["symbol"] == bought["symbol"]
        assert mine[0]["strategy"] == "manual"
        assert mine[0]["stop"] < mine[0]["entry_price"]
        closed = bot.http.post(f"/api/v1/positions/{bought['order_id']}/close")
        assert closed.status_code in {200, 404, 409}

    def trade() -> Any:
        rows = bot.get("/api/v1/trades", strategy="manual", symbol=bought["symbol"])["trades"]
        return rows[0] if rows else None

    row = wait(trade, "the position was not closed")
    detail = bot.get(f"/api/v1/trades/{row['id']}")
    kinds = [event["kind"] for event in detail["timeline"]]
    assert kinds.count("fill") >= 2
    assert "order" in kinds
    assert detail["trade"]["pnl"] == row["pnl"]


@pytest.mark.parametrize(
    ("change", "field", "expected"),
    [
        ({"size": "invalid"}, "size", "number > 0"),
        ({"size": 0}, "size", "number > 0"),
        ({"size": -1}, "size", "number > 0"),
        ({"size": "NaN"}, "size", "number > 0"),
        ({"size": 1e300}, "size", "number that 64 bits hold in base units"),
        ({"size": "1e-30"}, "size", "number >= 1e-9, the base unit"),
        ({"size": None}, "size", "number > 0"),
        ({"side": "HOLD"}, "side", "BUY or SELL"),
        ({"order_type": "LIMIT"}, "order_type", "MARKET"),
        ({"strategy": "mine"}, "strategy", "manual"),
        ({"stop": -1.0}, "stop", "number > 0"),
        ({"leverage": 10}, "leverage", "a field that exists"),
    ],
)
def test_wrong_trade_names_field_value_and_expected(
    bot: Bot, change: dict[str, Any], field: str, expected: str
) -> None:
    body = {"symbol": "SOL-USDC", "side": "BUY", "size": 1.0} | change
    response = bot.http.post("/api/v1/trade", json=body)
    error = response.json()["error"]
    assert response.status_code == 400
    assert error["code"] == "INVALID_PARAMETER"
    assert error["details"]["field"] == field
    assert error["details"]["expected"] == expected


def test_unknown_symbol_is_told_the_known_ones(bot: Bot) -> None:
    error = order(bot, symbol="DOGE-USDC", side="BUY", size=1.0).json()["error"]
    assert error["details"]["value"] == "DOGE-USDC"
    assert "SOL-USDC" in error["details"]["expected"]


def test_order_above_the_limits_is_refused_with_the_numbers(bot: Bot) -> None:
    wait(lambda: bot.get("/health").get("warming_up", []) == [], "still warming up")
    response = order(bot, symbol="SOL-USDC", side="BUY", size=100_000.0)
    error = response.json()["error"]
    codes = {
        "RISK_LIMIT_EXCEEDED": 422,
        "INSUFFICIENT_BALANCE": 422,
        "MARKET_CLOSED": 409,
        "CONFLICT": 409,
    }
    assert response.status_code == codes[error["code"]]
    assert error["details"].keys() >= {"code", "limit", "value", "order_value"}


def test_sale_without_a_position_conflicts(bot: Bot) -> None:
    held = {row["symbol"] for row in bot.get("/api/v1/positions")["positions"]}
    rows = bot.get("/api/v1/instruments")["instruments"]
    free = next(row["symbol"] for row in rows if row["symbol"] not in held)
    response = order(bot, symbol=free, side="SELL", size=1.0)
    assert response.status_code in {409, 201}
    if response.status_code == 409:
        assert response.json()["error"]["details"]["code"] == "NO_POSITION"


def test_same_idempotency_key_is_one_command(bot: Bot) -> None:
    body = {"symbol": "SOL-USDC", "side": "BUY", "size": "0.00001"}
    first = order(bot, **body, key="one-and-the-same")
    again = order(bot, **body, key="one-and-the-same")
    assert first.json() == again.json()
    other = order(bot, **(body | {"size": "0.00002"}), key="one-and-the-same")
    assert other.status_code == 409
    assert other.json()["error"]["details"]["field"] == "Idempotency-Key"


def held(bot: Bot, symbol: str) -> bool:
    return any(row["symbol"] == symbol for row in bot.get("/api/v1/positions")["positions"])


def test_repeat_of_a_sale_is_answered_the_same_when_the_position_is_gone(
    bot: Bot, tmp_path: Path
) -> None:
    """Also by a server that was started behind the first answer."""
    symbol = buy_something(bot)["symbol"]
    sale = {
        "symbol": symbol,
        "side": "SELL",
        "size": "1000000",
        "client_order_id": str(tmp_path)[-40:],
    }
    first = order(bot, **sale)
    assert first.status_code in {201, 409}, first.text
    wait(lambda: not held(bot, symbol), "the position was not sold")
    again = order(bot, **sale)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    bot.serve_again(tmp_path)
    later = order(bot, **sale)
    assert (later.status_code, later.json()) == (first.status_code, first.json())


def test_repeat_of_a_close_is_answered_the_same_when_the_position_is_gone(
    bot: Bot, tmp_path: Path
) -> None:
    for attempt in range(5):
        symbol = buy_something(bot)["symbol"]
        path, headers = (
            f"/api/v1/positions/{symbol}/close",
            {"Idempotency-Key": f"{attempt}{str(tmp_path)[-40:]}"},
        )
        first = bot.http.post(path, headers=headers)
        if first.status_code == 200:
            break
        # Its stop was faster: the market runs a day in a few seconds
        assert first.status_code in {404, 409}, first.text
    assert first.status_code == 200, first.text
    wait(lambda: not held(bot, symbol), "the position was not closed")
    again = bot.http.post(path, headers=headers)
    assert (again.status_code, again.json()) == (200, first.json())
    other = bot.http.post(path, headers=headers, json={"fraction": 0.5})
    assert other.json()["error"]["details"]["field"] == "Idempotency-Key"
    bot.serve_again(tmp_path)
    later = bot.http.post(path, headers=headers)
    assert (later.status_code, later.json()) == (200, first.json())
    unknown = bot.http.post(path, headers={"Idempotency-Key": f"{headers['Idempotency-Key']}x"})
    assert unknown.status_code in {404, 200}


@pytest.mark.parametrize(
    ("action", "state"), [("pause", "PAUSED"), ("safe_mode", "SAFE_MODE"), ("resume", "RUNNING")]
)
@pytest.mark.parametrize("prefix", ["/api", "/api/v1"])
def test_control_changes_the_state(bot: Bot, prefix: str, action: str, state: str) -> None:
    if action == "safe_mode":
        bot.http.post("/api/resume")
    response = bot.http.post(f"{prefix}/{action}")
    assert response.status_code == 200, response.text
    assert response.json()["status"] == state
    assert response.json()["seq"] > 0
    status = wait(
        lambda: bot.get("/api/v1/status")["status"] in {state, "DEGRADED"}, f"never {state}"
    )
    assert status


def test_reset_outside_an_emergency_conflicts_with_the_state_named(bot: Bot) -> None:
    bot.http.post("/api/resume")
    bot.http.post("/api/pause")
    response = bot.http.post("/api/reset")
    assert response.status_code == 409
    assert response.json()["error"]["details"]["value"] == "PAUSED"
    bot.http.post("/api/resume")


def test_close_of_nothing_is_not_found(bot: Bot) -> None:
    response = bot.http.post("/api/v1/positions/nothing/close")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "NOT_FOUND"


def test_fraction_outside_its_range_is_refused(bot: Bot) -> None:
    response = bot.http.post("/api/v1/positions/SOL-USDC/close", json={"fraction": 1.5})
    assert response.json()["error"]["details"] == {
        "field": "fraction",
        "value": "1.5",
        "expected": "number > 0 and <= 1",
    }


def test_status_after_a_control_is_what_the_control_did(bot: Bot) -> None:
    """Who has the answer reads the new state: twenty times over, with nothing in between."""
    for _ in range(10):
        for action, status in (("pause", {"PAUSED"}), ("resume", {"RUNNING", "DEGRADED"})):
            assert bot.http.post(f"/api/{action}").status_code == 200
            assert bot.get("/api/status")["status"] in status
