"""What a caller is told of a mistake: the field, what it must be, and nothing that is secret."""

from typing import Any

import pytest
from inside import Inside, Line

from utb.api.controls.commands import refused
from utb.domain.commands import Refusal, Trade
from utb.domain.names import MANUAL, STRATEGIES, RefusalCode, Side
from utb.domain.records import Refused
from utb.node.intents import command_intent_id


async def told(said: str | bytes) -> Any:
    async with Line(Inside().app) as line:
        return (await line.say(said))["error"]


@pytest.mark.parametrize(
    "said",
    [
        '{"action": "auth", "key": "utb_secret", "x": 1}',
        '{"action": "auth", "key": "utb_secret"',
        '{"action": "auth", "key": ["utb_secret"]}',
        '{"action": "auth", "key": "%s"}' % ("utb_secret" * 30),
        b'{"action": "auth", "key": "utb_secret"}',
    ],
)
async def test_key_in_a_wrong_message_is_not_shown_again(said: str | bytes) -> None:
    error = await told(said)
    assert error["code"] == "INVALID_PARAMETER"
    assert "utb_secret" not in str(error)


@pytest.mark.parametrize(
    ("said", "field", "value", "expected"),
    [
        ('{"action": "subscribe", "channels": "trades"}', "channels", "trades", "a list"),
        ('{"action": "subscribe", "channels": [1]}', "channels", "[1]", "text"),
        ('{"action": "subscribe", "since": "x"}', "since", "x", "integer or null"),
        ('{"action": "ping", "x": 1}', "x", None, "a field that exists"),
        ('{"channels": []}', "action", None, "a value"),
        ("[]", "message", None, "an object"),
        ("{", "message", None, "JSON"),
        (b'{"action": "ping"}', "message", None, "a text frame"),
        (b"", "message", None, "a text frame"),
    ],
)
async def test_wrong_message_names_its_field(
    said: str | bytes, field: str, value: str | None, expected: str
) -> None:
    details = (await told(said))["details"]
    assert details == {"field": field, "value": value, "expected": expected}


@pytest.mark.parametrize("path", ["bars?symbol=SOL-USDC&before", "trades?since", "trades?until"])
@pytest.mark.parametrize("time", ["9999-12-31T00:00:00Z", "0001-01-01", "2262-05-01", "soon"])
async def test_time_that_is_none_or_out_of_range_names_its_field(path: str, time: str) -> None:
    details = await Inside().details("GET", f"/api/v1/{path}={time}")
    assert details["field"] == path.rpartition("?")[2].rpartition("&")[2]
    assert details["value"] == time
    assert details["expected"].startswith("ISO 8601 time")


@pytest.mark.parametrize("time", ["2262-04-11", "1677-09-22", "2025-10-07T10:30:00"])
async def test_time_in_range_is_taken(time: str) -> None:
    response = await Inside().ask("GET", f"/api/v1/bars?symbol=SOL-USDC&before={time}")
    assert response.status_code == 200


TRADE = '{"symbol": "SOL-USDC", "side": "BUY", "size": %s}'


@pytest.mark.parametrize("path", ["bars", "votes", "markers"])
async def test_absent_symbol_is_named(path: str) -> None:
    response = await Inside().ask("GET", f"/api/v1/{path}")
    error = response.json()["error"]
    assert error["message"] == "symbol is missing"
    assert error["details"]["field"] == "symbol"


@pytest.mark.parametrize(
    ("path", "body", "field", "value"),
    [
        ("trade", "", "body", None),
        ("trade", "{}", "symbol", None),
        ("trade", '{"x": 1}', "x", 1),
        ("trade", TRADE % "1e400", "size", "1e400"),
        ("trade", TRADE % '"1e99999999999999999999"', "size", "1e99999999999999999999"),
        ("trade", TRADE % '1, "stop": 1e99999999999999999999', "stop", "1e99999999999999999999"),
        ("trade", TRADE % '1, "target": -1e400', "target", "-1e400"),
        ("trade", "[1e400]", "body", "1e400"),
        ("positions/SOL-USDC/close", '{"fraction": 1e400}', "fraction", "1e400"),
    ],
)
async def test_wrong_body_names_its_field(path: str, body: str, field: str, value: Any) -> None:
    headers = {"Content-Type": "application/json"}
    asked = Inside()
    details = await asked.details("POST", f"/api/v1/{path}", content=body, headers=headers)
    assert (details["field"], details["value"]) == (field, value)
    assert details["expected"].startswith(("a", "n", "text"))


@pytest.mark.parametrize(
    ("code", "limit", "field", "value", "expected"),
    [
        (RefusalCode.BELOW_MINIMUM, 10e6, "size", 4.0, "an order of at least 10 USDC"),
        (
            RefusalCode.BELOW_MINIMUM,
            1.0,
            "size",
            4.0,
            "an order that moves at least one base unit",
        ),
        (RefusalCode.STOP_NOT_BELOW_ENTRY, 152.5, "stop", 4e6, "a price below the entry, 152.5"),
        (RefusalCode.INVALID_INPUT, 0.0, "target", 0.1, "a price above the present one"),
    ],
)
def test_order_that_the_gate_cannot_take_is_told_the_condition(
    code: RefusalCode, limit: float, field: str, value: float, expected: str
) -> None:
    world = Inside().world
    command = Trade(
        command_id="api-1",
        issued_by="api:test",
        instrument=0,
        side=Side.BUY,
        size_base_raw=1,
        stop=None,
        target=0.1,
    )
    record = Refused(
        ts_ns=1,
        intent_id=command_intent_id("api-1"),
        instrument=0,
        code=code,
        limit=limit,
        value=4e6,
        order_value=4e6,
        message="stop and target cannot be: (1.0, 152.5, 0.1)",
    )
    world.replica.apply(1, record)
    refusal = Refusal(command_id="api-1", code=code, field="order", value="1", expected="")
    details = refused(world, refusal, command).details
    assert (details["field"], details["value"]) == (field, value)
    assert details["expected"] == expected


@pytest.mark.parametrize("path", ["bars", "votes", "markers", "trades", "decisions"])
async def test_unknown_symbol_is_the_same_error_everywhere(path: str) -> None:
    details = await Inside().details("GET", f"/api/v1/{path}?symbol=FOO")
    assert (details["field"], details["value"]) == ("symbol", "FOO")
    assert "SOL-USDC" in details["expected"]


async def test_unknown_strategy_is_an_error() -> None:
    details = await Inside().details("GET", "/api/v1/trades?strategy=foo")
    assert details["field"] == "strategy"
    assert "momentum_breakthrough" in details["expected"]
    for known in (*STRATEGIES, MANUAL):
        response = await Inside().ask("GET", f"/api/v1/trades?strategy={known}&symbol=SOL-USDC")
        assert response.status_code == 200


@pytest.mark.parametrize(
    ("path", "headers", "status", "expected"),
    [
        ("x" * 5_000, {}, 414, {"limit": 4_096}),
        ("health", {"X-Long": "x" * 17_000}, 431, {"limit": 16_384}),
        ("nothing", {}, 404, {"page": "/nothing"}),
        ("a//b", {}, 404, {"page": "/a//b"}),
        ("api/v1/orders", {}, 500, {"reason": "a fault of the server"}),
    ],
)
async def test_details_are_those_of_the_page(
    path: str, headers: dict[str, str], status: int, expected: dict[str, Any]
) -> None:
    inside = Inside()
    if status == 500:
        inside.world.replica.orders = None  # type: ignore[assignment]
    response = await inside.ask("GET", f"/{path}", headers=headers)
    assert response.status_code == status
    assert response.json()["error"]["details"] == expected


async def test_whether_time_is_simulated_is_unknown_before_it_is_told() -> None:
    inside = Inside()
    for path in ("status", "summary"):
        assert (await inside.ask("GET", f"/api/v1/{path}")).json()["simulated_time"] is None
