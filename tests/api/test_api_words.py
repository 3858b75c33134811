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
