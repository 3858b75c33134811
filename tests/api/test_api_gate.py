"""The gate alone: what it passes on to the routes, request by request."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from utb.adapters.clocks import SystemClock
from utb.api.gate import Gate
from utb.api.hot import Hot
from utb.api.keys import Scope
from utb.api.paths import needs
from utb.api.world import Place, World
from utb.config.instruments import instruments
from utb.config.load import parse_text
from utb.telemetry.replica import Replica

CLOSE = "/api/v1/positions/SOL-USDC/close"
HALF = b'{"fraction": 0.5}'


class Asked:
    """One request: what the routes behind the gate got of it, and what was answered."""

    def __init__(self, keys: str = "") -> None:
        config = parse_text(keys)
        place = Place(state_dir=Path("state"), config_shown={}, version="test")
        world = World(config, place, SystemClock(), Replica(instruments(config)))
        self.gate = Gate(self.route, world, config.server, Hot(world))
        self.bodies: list[bytes] = []
        self.sent: list[Any] = []

    async def route(self, scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        self.bodies.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    async def ask(self, path: str, *messages: Any, raw: str = "", **headers: str) -> int | None:
        """Return the status of the answer to a POST."""
        named = {"host": "localhost", "content-type": "application/json"} | headers
        left = list(messages) or [{"type": "http.request", "body": b""}]

        async def receive() -> Any:
            return left.pop(0)

        async def send(message: Any) -> None:
            self.sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": (raw or path).encode(),
            "query_string": b"",
            "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in named.items()],
            "client": ("127.0.0.1", 1),
        }
        await self.gate(scope, receive, send)
        return self.sent[0]["status"] if self.sent else None


def part(body: bytes, *, more: bool = True) -> Any:
    return {"type": "http.request", "body": body, "more_body": more}


GONE = {"type": "http.disconnect"}


@pytest.mark.parametrize(
    "messages", [[GONE], [part(b""), GONE], [part(HALF[:4]), GONE], [part(HALF), GONE]]
)
@pytest.mark.parametrize("length", [str(len(HALF)), None])
async def test_caller_that_leaves_inside_its_request_changes_nothing(
    messages: list[Any], length: str | None
) -> None:
    """A close of one half whose connection dies behind the headers must not close everything."""
    asked = Asked()
    headers = {} if length is None else {"content_length": length}
    assert await asked.ask(CLOSE, *messages, **headers) is None
    assert asked.bodies == []


async def test_body_shorter_than_it_says_is_refused() -> None:
    asked = Asked()
    status = await asked.ask(CLOSE, part(HALF[:4], more=False), content_length=str(len(HALF)))
    assert status == 400
    assert asked.bodies == []
    error = msgspec.json.decode(asked.sent[1]["body"])["error"]
    assert error["details"] == {
        "field": "body",
        "value": "4 bytes",
        "expected": "17 bytes, as Content-Length says",
    }


async def test_whole_body_is_passed_on() -> None:
    asked = Asked()
    parts = part(HALF[:4]), part(HALF[4:], more=False)
    assert await asked.ask(CLOSE, *parts, content_length=str(len(HALF))) == 200
    assert asked.bodies == [HALF]


@pytest.mark.parametrize(
    ("path", "raw"),
    [
        ("/api//reset", ""),
        ("/api/v1//reset", ""),
        ("//api/reset", ""),
        ("/api/reset//", ""),
        ("/api/./reset", ""),
        ("/api/v1/../reset", ""),
        ("/api/v1/..", ""),
        ("/api/v1/reset", "/api%2Fv1%2freset"),
        ("/api\\reset", ""),
    ],
)
async def test_path_that_can_be_read_in_two_ways_is_not_found(path: str, raw: str) -> None:
    asked = Asked()
    assert await asked.ask(path, raw=raw) == 404
    assert msgspec.json.decode(asked.sent[1]["body"])["error"]["code"] == "NOT_FOUND"
    assert asked.bodies == []


@pytest.mark.parametrize(
    "path",
    ["trade", "pause", "safe_mode", "emergency_stop", "positions/close_all", "positions/x/close"],
)
def test_trading_and_what_stops_it_needs_the_trade_scope(path: str) -> None:
    for prefix in ("/api/", "/api/v1/"):
        assert needs("POST", prefix + path) is needs("POST", f"{prefix}{path}/") is Scope.TRADE


@pytest.mark.parametrize("path", ["reset", "/reset", "resume", "x/../resume", "config", "new"])
def test_every_other_change_needs_the_admin_scope(path: str) -> None:
    for prefix in ("/api/", "/api/v1/"):
        assert needs("POST", prefix + path) is Scope.ADMIN
