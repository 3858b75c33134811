"""A server that answers like `utb serve` and is none: for the page's tests and its development.

`python tests/browser/stage.py --port 8080` serves the built page at `/dashboard/`, or the API of
`npm run dev`. `POST /stage` changes what it plays (see `Play`).
"""

import argparse
import asyncio
import contextlib
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msgspec
import stage_answers as answers
import uvicorn
from stage_world import Row, Stage, iso

WEB = Path(__file__).resolve().parents[2] / "python" / "utb" / "web"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
STATES = {"pause": "PAUSED", "resume": "RUNNING", "safe_mode": "SAFE_MODE", "reset": "RUNNING"}
STEP_S = 0.2
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Row]]
Send = Callable[[Row], Awaitable[None]]


class Play(msgspec.Struct, forbid_unknown_fields=True):
    """What a test asks for."""

    speed: float | None = None
    stale: tuple[str, ...] | None = None
    mode: str | None = None
    key: str | None = None
    finished: bool | None = None
    silent: bool | None = None
    """The live connection says nothing and takes no new one."""
    broken: bool | None = None
    """Every route fails but the emergency stop."""
    empty: bool = False
    """Nothing was ever traded."""
    trades: int = 0
    """Copies of the trades, up to this many rows."""
    flood: int = 0
    """Updates of every instrument, at once."""


class Server:
    """Routes over one stage."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.silent = self.broken = False
        self.clients: set[asyncio.Queue[bytes]] = set()
        self.floods = 0
        self.flooding: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await self._socket(receive, send)
        else:
            await self._http(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        playing = asyncio.create_task(self._play())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        playing.cancel()
        await send({"type": "lifespan.shutdown.complete"})

    async def _play(self) -> None:
        beat = 0
        while True:
            await asyncio.sleep(STEP_S)
            beat += 1
            before = len(self.stage.markers)
            if not self.stage.finished:
                self.stage.step(STEP_S * self.stage.speed)
            if self.silent:
                continue
            for symbol in self.stage.symbols:
                if symbol not in self.stage.stale:
                    self._tell("market", answers.market(self.stage, symbol))
            if beat % 5 == 0:
                self._tell("performance", answers.summary(self.stage))
            if len(self.stage.markers) != before:
                self._tell("trades", self.stage.markers[-1])
                self._tell("positions", answers.positions(self.stage))

    def _tell(self, channel: str, data: Any) -> None:
        self.stage.seq += 1
        message = {
            "channel": channel,
            "seq": self.stage.seq,
            "timestamp": iso(self.stage.now),
            "data": data,
        }
        text = msgspec.json.encode(message)
        for queue in self.clients:
            queue.put_nowait(text)

    async def _socket(self, receive: Receive, send: Send) -> None:
        await receive()
        if self.silent:
            await send({"type": "websocket.close", "code": 1013})
            return
        await send({"type": "websocket.accept"})
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        writer = asyncio.create_task(self._write(queue, send))
        known = self.stage.key is None
        while (message := await receive())["type"] == "websocket.receive":
            asked = msgspec.json.decode(message["text"])
            if asked["action"] == "auth":
                known = known or asked["key"] == self.stage.key
            elif not known:
                queue.put_nowait(msgspec.json.encode(error("UNAUTHORIZED", "a key is needed")))
            elif asked["action"] == "subscribe":
                queue.put_nowait(
                    msgspec.json.encode({"event": "subscribed", "channels": asked["channels"]})
                )
                self.clients.add(queue)
            elif not self.silent:
                queue.put_nowait(b'{"event":"pong"}')
        self.clients.discard(queue)
        writer.cancel()

    async def _write(self, queue: asyncio.Queue[bytes], send: Send) -> None:
        with contextlib.suppress(OSError):
            while True:
                text = await queue.get()
                await send({"type": "websocket.send", "text": text.decode()})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        path = str(scope["path"])
        if path.startswith("/dashboard"):
            await static(path, send)
            return
        if path == "/stage":
            self._change(msgspec.json.decode(body, type=Play))
            await answer(send, 200, {})
            return
        headers = {name: value.decode() for name, value in scope["headers"]}
        given = headers.get(b"x-api-key")
        if self.stage.key not in {None, given} and not path.startswith("/health"):
            await answer(send, 401, error("UNAUTHORIZED", "a key is needed"))
            return
        query = {k: v[0] for k, v in parse_qs(scope["query_string"].decode()).items()}
        status, found = self.route(scope["method"], path.removeprefix("/api/v1"), query, body)
        await answer(send, status, found)

    def route(self, method: str, path: str, query: dict[str, str], body: bytes) -> tuple[int, Any]:
        if method == "POST":
            return self._command(path, body)
        if self.broken:
            return 500, error("SYSTEM_ERROR", "broken on purpose")
        stage, limit = self.stage, int(query.get("limit", "200"))
        if path.startswith("/trades/"):
            found = answers.trade(stage, path.removeprefix("/trades/"))
            return (404, error("NOT_FOUND", "no such trade")) if found is None else (200, found)
        lists: dict[str, Callable[[], Any]] = {
            "/status": lambda: {"status": stage.status},
            "/summary": lambda: answers.summary(stage),
            "/instruments": lambda: answers.instruments(stage),
            "/positions": lambda: answers.positions(stage),
            "/orders": lambda: {"orders": stage.orders[:limit]},
            "/trades": lambda: answers.trades(stage, limit, int(query.get("offset", "0"))),
            "/decisions": lambda: {"decisions": stage.tape["decisions"][:limit]},
            "/refusals": lambda: {"refusals": stage.tape["refusals"][:limit]},
            "/alerts": lambda: {"alerts": stage.alerts[:limit]},
            "/equity": lambda: answers.equity(stage),
            "/performance": answers.performance,
            "/votes": lambda: answers.votes(stage, query["symbol"]),
            "/markers": lambda: {
                "symbol": query["symbol"],
                "markers": [m for m in stage.markers if m["symbol"] == query["symbol"]],
            },
            "/bars": lambda: answers.bars(
                stage, query["symbol"], query["timeframe"], limit, seconds(query.get("before"))
            ),
            "/latency": lambda: {"stages": stages()},
            "/feeds": lambda: answers.feeds(stage),
            "/breakers": lambda: answers.breakers(stage),
            "/health/components": lambda: answers.components(stage),
        }
        if (listed := lists.get(path)) is None:
            return 404, error("NOT_FOUND", path)
        return 200, listed()

    def _command(self, path: str, body: bytes) -> tuple[int, Any]:
        stage, name = self.stage, path.strip("/")
        if self.broken and name != "emergency_stop":
            return 500, error("SYSTEM_ERROR", "broken on purpose")
        asked = msgspec.json.decode(body) if body else {}
        stage.given.append({"path": path, "body": asked})
        if name in STATES:
            stage.status = STATES[name]
        elif name in {"emergency_stop", "positions/close_all"}:
            if name == "emergency_stop":
                stage.status = "EMERGENCY_STOP"
            for position in stage.positions:
                stage.sell(position, 1.0)
        else:
            which = name.split("/")[1]
            held = next((p for p in stage.positions if p["id"] == which), None)
            if held is None:
                return 404, error("NOT_FOUND", f"no position {which}")
            stage.sell(held, float(asked.get("fraction", 1)))
        stage.seq += 1
        self._tell("performance", answers.summary(stage))
        return 200, {"status": stage.status, "command_id": f"stage-{stage.seq}", "seq": stage.seq}

    def _change(self, play: Play) -> None:
        stage = self.stage
        for name in ("speed", "stale", "mode", "key", "finished"):
            if (value := getattr(play, name)) is not None:
                setattr(stage, name, value)
        self.silent = self.silent if play.silent is None else play.silent
        self.broken = self.broken if play.broken is None else play.broken
        if self.silent:
            self.clients.clear()
        if play.empty:
            stage.positions, stage.trades, stage.orders, stage.markers = [], [], [], []
            stage.alerts = []
            stage.tape |= {"decisions": [], "refusals": [], "equity": []}
        while stage.trades and len(stage.trades) < play.trades:
            copies = [{**row, "id": f"{row['id']}-{len(stage.trades)}"} for row in stage.trades]
            stage.trades += copies[: play.trades - len(stage.trades)]
        if play.flood:
            self.flooding = asyncio.create_task(self._flood(play.flood))

    async def _flood(self, updates: int) -> None:
        for _ in range(updates):
            self.stage.step(STEP_S * self.stage.speed)
            for symbol in self.stage.symbols:
                self._tell("market", answers.market(self.stage, symbol))
            self._tell("performance", answers.summary(self.stage))
            await asyncio.sleep(0.001)
        self.floods += 1
        title = f"Flood {self.floods} over"
        self._tell("alerts", {"id": title, "severity": "INFO", "title": title})


def seconds(text: str | None) -> float | None:
    return None if text is None else msgspec.convert(text, answers.Moment).timestamp()


def stages() -> list[Row]:
    return [
        {"stage": name, "count": 724, "p50_us": p50, "p99_us": p99, "max_us": most}
        for name, p50, p99, most in answers.STAGES
    ]


def error(code: str, message: str) -> Row:
    return {"error": {"code": code, "message": message, "details": {}}}


async def answer(send: Send, status: int, body: Any) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": msgspec.json.encode(body)})


async def static(path: str, send: Send) -> None:
    name = path.removeprefix("/dashboard").strip("/") or "index.html"
    found = WEB / name
    known = found.is_file() and found.is_relative_to(WEB)
    headers = [
        (b"content-type", TYPES.get(found.suffix, "text/plain").encode()),
        (b"content-security-policy", POLICY.encode()),
    ]
    status = 200 if known else 404
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": found.read_bytes() if known else b""})


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, default=8080)
    port = options.parse_args().port
    listening = socket.create_server(("127.0.0.1", port))
    sys.stdout.write(f"http://127.0.0.1:{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    config = uvicorn.Config(Server(), log_level="warning", ws="websockets-sansio", loop="asyncio")
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
