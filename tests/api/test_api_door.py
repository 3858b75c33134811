"""The gate before the routes: wrong keys, HEAD, and pages of other sites."""

import asyncio
from collections import Counter
from itertools import islice
from typing import Any

import pytest
from inside import Inside, Line

from utb.api.gate import DELAYED_MAX
from utb.api.keys import new_key
from utb.api.limits import Failures

SITE = "https://desk.example.org"
KEY, DIGEST = new_key()
STATUS = "/api/v1/status"


def keyed(limit: int = 6_000) -> Inside:
    """Return an application with one key and a listed site."""
    return Inside(
        f"""
[server]
rate_limit_per_minute = {limit}
origins = ["{SITE}"]
[[server.keys]]
id = "chief"
sha256 = "{DIGEST}"
scopes = ["read", "trade", "admin"]
"""
    )


async def ask_with(inside: Inside, key: str | None, path: str = STATUS) -> int:
    headers = {} if key is None else {"X-API-Key": key}
    return (await inside.ask("GET", path, headers=headers)).status_code


async def test_wrong_keys_are_counted_by_address() -> None:
    """The right key has turns of its own: who guesses beside it does not take them."""
    inside = keyed(limit=4)
    found = [await ask_with(inside, key) for key in ("utb_1", None, "utb_2", "utb_3", "utb_4")]
    assert found == [401, 401, 401, 401, 429]
    assert await ask_with(inside, None, "/metrics") == 429
    async with Line(inside.app, x_api_key="utb_5") as line:
        start, body = await line.message(), await line.message()
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 429)
    assert b"API_RATE_LIMIT" in body["body"]
    assert await ask_with(inside, KEY) == 200


async def test_wrong_keys_at_once_hold_few_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Failures, "delay_s", lambda *_: 0.5)
    inside = keyed()
    asked = [asyncio.create_task(ask_with(inside, f"utb_{n}")) for n in range(DELAYED_MAX + 8)]
    first = [await answer for answer in islice(asyncio.as_completed(asked), 8)]
    assert first == [429] * 8
    assert await ask_with(inside, KEY) == 200
    assert not all(task.done() for task in asked)
    assert Counter(await asyncio.gather(*asked)) == {401: DELAYED_MAX, 429: 8}
    assert await ask_with(inside, "utb_again") == 401


@pytest.mark.parametrize(
    "path", [STATUS, "/api/v1/orders?limit=3", "/health", "/dashboard", "/schema", "/nothing"]
)
async def test_head_is_the_answer_to_get_without_its_body(path: str) -> None:
    got, head = await Inside().ask("GET", path), await Inside().ask("HEAD", path)
    assert head.status_code == got.status_code
    assert head.content == b""
    assert got.content
    for name in ("content-type", "content-length", "cache-control"):
        assert head.headers.get(name) == got.headers.get(name)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/v1/status", "GET, HEAD, OPTIONS"),
        ("PUT", "/api/v1/config", "GET, HEAD, OPTIONS"),
        ("HEAD", "/api/v1/trade", "OPTIONS, POST"),
    ],
)
async def test_refused_method_is_told_the_allowed_ones(
    method: str, path: str, allowed: str
) -> None:
    response = await Inside().ask(method, path)
    assert response.status_code == 405
    assert response.headers["allow"] == allowed


ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}


def permissions(response: Any) -> dict[str, str]:
    return {k: v for k, v in response.headers.items() if k.startswith("access-control-")}


async def test_listed_site_may_ask_and_read() -> None:
    """Also what is refused: the page has to be able to say why."""
    inside = keyed()
    first = await inside.ask("OPTIONS", "/api/v1/trade", headers={"Origin": SITE, **ASKS})
    assert first.status_code == 204
    assert first.headers["access-control-allow-methods"] == "GET, HEAD, POST"
    allowed = first.headers["access-control-allow-headers"]
    assert allowed == "Content-Type, X-API-Key, Idempotency-Key"
    answers = [first]
    for key, method, path, status in (
        (KEY, "GET", STATUS, 200),
        (KEY, "GET", "/api/v1/orders?limit=1", 200),
        (KEY, "POST", "/api/v1/pause", 503),
        ("utb_wrong", "GET", STATUS, 401),
    ):
        headers = {"Origin": SITE, "X-API-Key": key}
        answers.append(await inside.ask(method, path, headers=headers))
        assert answers[-1].status_code == status
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == SITE
        assert answer.headers["vary"] == "Origin"


async def test_other_sites_are_permitted_nothing() -> None:
    """A kept answer to a listed site must not carry its permission to another one."""
    listed = Inside(f'[server]\norigins = ["{SITE}"]')
    for inside in (listed, Inside()):
        for path in (STATUS, "/api/v1/orders?limit=1"):
            await inside.ask("GET", path, headers={"Origin": SITE})
            for origin in ("https://evil.example", "null", "http://localhost", None):
                headers = {} if origin is None else {"Origin": origin}
                assert permissions(await inside.ask("GET", path, headers=headers)) == {}
                asked = await inside.ask("OPTIONS", path, headers=headers | ASKS)
                assert permissions(asked) == {}
    again = await listed.ask("GET", STATUS, headers={"Origin": SITE})
    assert again.headers["access-control-allow-origin"] == SITE
