"""What a caller is told of a mistake: the field, what it must be, and nothing that is secret."""

from typing import Any

import pytest
from inside import Inside, Line


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
