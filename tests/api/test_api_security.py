"""The gate: keys and scopes, hosts and origins, sizes and rates, all in one error form."""

import asyncio
import json
import socket
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from running import ROOT, Bot, Keyed, Process, start_serve
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from utb.api.limits import Failures, RateLimit
from utb.client import ApiError, AsyncUltimateTradingBotClient, ConnectionFailed
from utb.errors import RefusedError

NO_KEY_NEEDED = ("/health", "/dashboard", "/")


def code(response: Any) -> str:
    body = response.json()
    assert body.keys() == {"error"}
    assert body["error"].keys() == {"code", "message", "details"}
    return str(body["error"]["code"])


def limits(response: Any) -> tuple[int, ...]:
    """Return limit, remaining and reset of the RateLimit header."""
    parts = response.headers["ratelimit"].split(", ")
    assert [part.partition("=")[0] for part in parts] == ["limit", "remaining", "reset"]
    return tuple(int(part.partition("=")[2]) for part in parts)


@pytest.mark.parametrize("path", ["/api/v1/status", "/metrics", "/schema", "/health/detailed"])
def test_page_without_a_key_is_unauthorized(keyed: Keyed, path: str) -> None:
    response = keyed.bot.http.get(path)
    assert response.status_code == 401
    assert code(response) == "UNAUTHORIZED"


@pytest.mark.parametrize("path", NO_KEY_NEEDED)
def test_health_and_dashboard_need_no_key(keyed: Keyed, path: str) -> None:
    assert keyed.bot.http.get(path).status_code not in {401, 403}


@pytest.mark.parametrize("name", ["old", "wrong"])
def test_expired_or_foreign_key_is_unauthorized(keyed: Keyed, name: str) -> None:
    key = keyed.keys.get(name, "utb_" + "x" * 43)
    response = keyed.bot.http.get("/api/v1/status", headers={"X-API-Key": key})
    assert response.status_code == 401
    assert key not in response.text


@pytest.mark.parametrize(
    ("name", "method", "path", "status"),
    [
        ("reader", "GET", "/api/v1/status", 200),
        ("reader", "POST", "/api/v1/pause", 403),
        ("reader", "POST", "/api/v1/trade", 403),
        ("trader", "GET", "/api/v1/status", 403),
        ("trader", "POST", "/api/v1/pause", 503),
        ("trader", "POST", "/api/emergency_stop", 503),
        ("trader", "POST", "/api/v1/resume", 403),
        ("trader", "POST", "/api/v1/resume/", 403),
        ("trader", "POST", "/api/reset", 403),
        ("trader", "POST", "/api//reset", 404),
        ("trader", "POST", "/api/v1//resume", 404),
        ("trader", "POST", "/api/%72eset", 403),
        ("trader", "POST", "/api/v1/positions/close_all", 503),
        ("trader", "PUT", "/api/v1/config", 403),
        ("chief", "POST", "/api/v1/resume", 503),
        ("chief", "PUT", "/api/v1/config", 405),
        ("chief", "POST", "/api/v1/config/reset", 501),
    ],
)
def test_scope_decides_what_a_key_may(
    keyed: Keyed, name: str, method: str, path: str, status: int
) -> None:
    """There is no trading process: a command that the gate lets through answers 503."""
    headers = {"X-API-Key": keyed.keys[name]}
    response = keyed.bot.http.request(method, path, headers=headers)
    assert response.status_code == status
    if status != 200:
        code(response)


def test_key_in_the_query_is_not_read(keyed: Keyed) -> None:
    key = keyed.keys["chief"]
    response = keyed.bot.http.get("/api/v1/status", params={"api_key": key, "X-API-Key": key})
    assert response.status_code == 401


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "", "localhost.evil.example"]
)
@pytest.mark.parametrize("path", ["/api/v1/status", "/health", "/dashboard", "/nothing"])
def test_foreign_host_is_refused(bot: Bot, host: str, path: str) -> None:
    response = bot.http.get(path, headers={"Host": host})
    assert response.status_code == 403
    assert code(response) == "FORBIDDEN"
    assert response.json()["error"]["details"]["field"] == "Host"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:99", "[::1]:8080"])
def test_own_host_is_served_whatever_its_port(bot: Bot, host: str) -> None:
    assert bot.http.get("/api/v1/status", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost"])
def test_foreign_origin_changes_nothing(bot: Bot, origin: str) -> None:
    response = bot.http.post("/api/v1/pause", headers={"Origin": origin})
    assert response.status_code == 403
    assert response.json()["error"]["details"]["field"] == "Origin"


def test_own_origin_is_served(bot: Bot) -> None:
    assert bot.http.post("/api/v1/resume", headers={"Origin": bot.address}).status_code == 200


def test_answers_carry_no_cors_permission(bot: Bot) -> None:
    response = bot.http.get("/api/v1/status", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("chunked", [False, True])
def test_long_body_is_refused(bot: Bot, *, chunked: bool) -> None:
    long = b'{"symbol": "' + b"x" * 70_000 + b'"}'
    headers = {"Content-Type": "application/json"}
    content = iter([long[:40_000], long[40_000:]]) if chunked else long
    response = bot.http.post("/api/v1/trade", content=content, headers=headers)
    assert response.status_code == 413
    assert code(response) == "PAYLOAD_TOO_LARGE"


def test_body_of_another_type_is_refused(bot: Bot) -> None:
    response = bot.http.post("/api/v1/trade", content=b"symbol=SOL-USDC")
    assert response.status_code == 415
    assert response.json()["error"]["details"]["field"] == "Content-Type"


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"null", b'"text"', b"1"])
def test_body_that_is_no_object_is_a_parameter_error(bot: Bot, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    response = bot.http.post("/api/v1/trade", content=body, headers=headers)
    assert response.status_code == 400
    assert code(response) == "INVALID_PARAMETER"


@pytest.mark.parametrize(
    ("method", "path", "status", "expected"),
    [
        ("GET", "/nothing", 404, "NOT_FOUND"),
        ("GET", "/api/v1/nothing", 404, "NOT_FOUND"),
        ("GET", "/dashboard/nothing.js", 404, "NOT_FOUND"),
        ("DELETE", "/api/v1/positions", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/v1/trade", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/v1/bars?symbol=SOL-USDC&limit=0", 400, "INVALID_PARAMETER"),
        ("GET", "/api/v1/bars", 400, "INVALID_PARAMETER"),
        ("GET", "/api/v1/trades?since=yesterday", 400, "INVALID_PARAMETER"),
        ("GET", "/api/v1/strategies/luck", 404, "NOT_FOUND"),
        ("GET", "/" + "x" * 5_000, 414, "PAYLOAD_TOO_LARGE"),
    ],
)
def test_every_error_has_the_form(
    bot: Bot, method: str, path: str, status: int, expected: str
) -> None:
    response = bot.http.request(method, path)
    assert response.status_code == status
    assert code(response) == expected


def test_long_headers_are_refused(bot: Bot) -> None:
    response = bot.http.get("/api/v1/status", headers={f"X-{i}": "x" * 2_000 for i in range(10)})
    assert response.status_code == 431


def test_wrong_query_value_is_shown(bot: Bot) -> None:
    error = bot.http.get("/api/v1/orders?limit=many").json()["error"]
    assert error["details"] == {"field": "limit", "value": "many", "expected": "integer"}


def test_answers_say_how_many_requests_are_left(bot: Bot) -> None:
    for path in ("/api/v1/status", "/api/v1/orders", "/nothing"):
        limit, left, reset = limits(bot.http.get(path))
        assert limit == 6_000
        assert 0 < left < 6_000
        assert 0 < reset <= 60


def test_too_many_requests_are_told_when_to_come_again(keyed: Keyed) -> None:
    """1,000 a minute per key: the 1,001st is refused, another key and /health are not."""
    headers = {"X-API-Key": keyed.keys["reader"]}
    response = keyed.bot.http.get("/api/v1/status", headers=headers)
    while response.status_code == 200:
        response = keyed.bot.http.get("/api/v1/status", headers=headers)
    assert response.status_code == 429
    assert code(response) == "API_RATE_LIMIT"
    assert 0 < int(response.headers["retry-after"]) <= 60
    assert limits(response)[:2] == (1_000, 0)
    assert keyed.bot.http.get("/health").status_code == 503
    other = {"X-API-Key": keyed.keys["chief"]}
    assert keyed.bot.http.get("/api/v1/status", headers=other).status_code == 200


def test_rate_limit_counts_a_minute_and_starts_again() -> None:
    limit = RateLimit(2)
    assert [limit.take("a", t)[0] for t in (0, 1, 2)] == [1, 0, -1]
    assert limit.take("b", 3) == (1, 60)
    assert limit.take("a", 60_000_000_000) == (1, 60)


def test_failed_keys_wait_longer_each_time() -> None:
    """0.05 s doubling to at most 2 s; another address is not held up."""
    failures = Failures()
    assert [failures.delay_s("a") for _ in range(8)] == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
    assert failures.delay_s("b") == 0.05


def test_keys_are_in_no_answer_and_no_log(keyed: Keyed) -> None:
    headers = {"X-API-Key": keyed.keys["chief"]}
    shown = keyed.bot.http.get("/api/v1/config", headers=headers).text
    shown += keyed.bot.serve.log.read_text()
    assert "chief" in shown
    for key in keyed.keys.values():
        assert key not in shown


def test_exposure_without_a_key_is_refused(tmp_path: Path) -> None:
    process = start_serve(tmp_path, tmp_path / "state", "--host", "0.0.0.0")  # noqa: S104
    assert process.child.wait(30) == RefusedError.exit_code == 3
    said = process.log.read_text()
    assert "without an API key" in said
    assert "utb keys new" in said


def test_taken_port_says_how_to_choose_another(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = ("-m", "utb", "serve", "--state", str(tmp_path), "--port", port)
        process = Process(tmp_path, "second", *command)
        assert process.child.wait(30) == 2
    assert "choose another" in process.log.read_text()


def test_one_server_per_state_directory(bot: Bot, tmp_path: Path) -> None:
    process = start_serve(tmp_path, bot.state)
    assert process.child.wait(30) == 2
    assert "without a running utb serve" in process.log.read_text()


async def _refused(url: str, **more: Any) -> tuple[int, str]:
    """Return status and code of the answer to a handshake."""
    try:
        async with connect(url, proxy=None, **more):
            return 101, ""
    except InvalidStatus as error:
        body = json.loads(error.response.body or b"")
        return error.response.status_code, body["error"]["code"]


def test_socket_of_a_foreign_page_is_refused(bot: Bot) -> None:
    url = bot.address.replace("http", "ws") + "/ws"
    assert asyncio.run(_refused(url, origin="https://evil.example")) == (403, "FORBIDDEN")
    assert asyncio.run(_refused(url, origin=bot.address)) == (101, "")
    assert asyncio.run(_refused(url, additional_headers={"X-API-Key": "any"})) == (101, "")
    assert asyncio.run(_refused(url + "/nothing")) == (404, "NOT_FOUND")


def test_socket_with_a_wrong_key_is_unauthorized(keyed: Keyed) -> None:
    url = keyed.bot.address.replace("http", "ws") + "/ws"
    wrong = {"X-API-Key": "utb_wrong"}
    assert asyncio.run(_refused(url, additional_headers=wrong)) == (401, "UNAUTHORIZED")
    assert "without completing handshake" not in keyed.bot.serve.log.read_text()


def test_client_tells_why_it_may_not_listen(keyed: Keyed) -> None:
    async def heard(key: str | None, port: int) -> None:
        address = f"http://127.0.0.1:{port}/api/v1"
        client = AsyncUltimateTradingBotClient(address, key)
        async with client, aclosing(client.listen(["trades"])) as news:
            await anext(news)

    for key, status in (("utb_wrong", 401), (None, 401), (keyed.keys["trader"], 403)):
        with pytest.raises(ApiError) as refused:
            asyncio.run(heard(key, keyed.bot.port))
        assert refused.value.status == status
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionFailed):
            asyncio.run(heard(None, closed.getsockname()[1]))


def test_socket_takes_its_key_in_the_first_message(keyed: Keyed) -> None:
    url = keyed.bot.address.replace("http", "ws") + "/ws"

    async def talk(key: str) -> list[Any]:
        async with connect(url, proxy=None) as ws:
            await ws.send('{"action": "subscribe", "channels": ["alerts"]}')
            said = [json.loads(await ws.recv())]
            if said[0].get("error", {}).get("code") == "UNAUTHORIZED":
                return said
            await ws.send(json.dumps({"action": "auth", "key": key}))
            return [*said, json.loads(await ws.recv())]

    async def authenticate(key: str) -> list[Any]:
        async with connect(url, proxy=None) as ws:
            await ws.send(json.dumps({"action": "auth", "key": key}))
            said = [json.loads(await ws.recv())]
            if "error" not in said[0]:
                await ws.send('{"action": "subscribe", "channels": ["alerts"]}')
                said.append(json.loads(await ws.recv()))
            return said

    assert asyncio.run(talk(keyed.keys["chief"]))[0]["error"]["code"] == "UNAUTHORIZED"
    good = asyncio.run(authenticate(keyed.keys["chief"]))
    assert good[0]["event"] == "authenticated"
    assert good[1] == {"event": "subscribed", "channels": ["alerts"]}
    assert asyncio.run(authenticate("wrong"))[0]["error"]["code"] == "UNAUTHORIZED"
    assert asyncio.run(authenticate(keyed.keys["trader"]))[1]["error"]["code"] == "FORBIDDEN"


def test_only_known_files_are_served(bot: Bot) -> None:
    for path in ("/schema/..%2f..%2fapp.py", "/dashboard/..%2f..%2ferrors.py", "/schema/files.py"):
        assert bot.http.get(path).status_code == 404


def test_description_is_bundled_and_asks_no_other_host(bot: Bot) -> None:
    page = bot.http.get("/schema")
    assert page.status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]
    script = bot.http.get("/schema/rapidoc-min.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert len(script.content) > 100_000
    again = bot.http.get(
        "/schema/rapidoc-min.js", headers={"If-None-Match": script.headers["etag"]}
    )
    assert again.status_code == 304


def test_bundled_page_has_its_licence() -> None:
    licence = ROOT / "python" / "utb" / "api" / "pages" / "rapidoc-LICENSE.txt"
    assert "MIT" in licence.read_text()
