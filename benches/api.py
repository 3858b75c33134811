"""Reads of the API beside bare ASGI and FastAPI: requests per second of processor time.

Every server is one uvicorn worker of its own process, over the same replica of a demo. Processor
time and not wall time, because the client shares the machine. `hot` pages are answered by the gate
from encoded bytes, `other` ones by a route; FastAPI answers the same bodies through its own models.
A read of an address that was read a moment ago is answered from what was kept, `each time` names
reads whose addresses all differ, so that the route runs for each.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import uvicorn
import uvloop
from msgspec.structs import replace

from common import ROOT, Row, median, options, write
from utb import bootstrap
from utb.adapters.clocks import SystemClock
from utb.api.app import build
from utb.api.world import Place, World
from utb.bootstrap import RunOptions, build_demo, load_config
from utb.bootstrap.session import rare_collections
from utb.config.instruments import instruments
from utb.storage.readers import read_equity, read_records
from utb.telemetry.replica import Replica

HOT = "/api/v1/performance"
OTHER = "/api/v1/trades?limit=20"
EACH = "each time"
HOT_BAR = 0.8
OTHER_BAR = 1.5
CONNECTIONS = 16
SERVERS = ("bare", "fastapi", "ours")


def world_of(state: Path) -> World:
    """Return a world folded from a demo's journal."""
    config, _ = load_config(None)
    # A limit that a benchmark does not meet; what counting costs stays in
    config = replace(config, server=replace(config.server, rate_limit_per_minute=1_000_000))
    replica = Replica(instruments(config))
    journal = state / "journal.sqlite"
    replica.equity.add_rows(read_equity(journal))
    for seq, _, record in read_records(journal, 0):
        replica.apply(seq, record)
    place = Place(state_dir=state, config_shown={}, version="ULTIMATE-bench")
    return World(config, place, SystemClock(), replica)


def bare_app(pages: dict[str, bytes]) -> Any:
    """Return the least an ASGI application can do: bytes by path."""
    kind = (b"content-type", b"application/json")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        del receive
        body = pages[scope["path"]]
        headers = [kind, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def fastapi_app(pages: dict[str, bytes]) -> Any:
    """Return FastAPI with models of the same bodies."""
    from fastapi import FastAPI, Query  # noqa: PLC0415 - in its own process only
    from pydantic import create_model  # noqa: PLC0415

    app = FastAPI()

    def route(path: str, body: bytes) -> None:
        value = json.loads(body)
        model = _model(path, value, create_model)

        async def read() -> Any:
            return value

        async def filtered(
            limit: Annotated[int, Query(ge=1, le=1_000)] = 50,
            offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
            symbol: Annotated[str | None, Query(max_length=64)] = None,
            strategy: Annotated[str | None, Query(max_length=64)] = None,
        ) -> Any:
            del limit, offset, symbol, strategy
            return value

        app.get(path, response_model=model)(filtered if path in OTHER else read)

    for path, body in pages.items():
        route(path, body)
    return app


def _model(name: str, value: dict[str, Any], create_model: Any) -> Any:
    """Return a pydantic model with a field of a fitting type for every key of a body."""

    def kind(key: str, item: Any) -> Any:
        if isinstance(item, dict):
            return _model(f"{name}_{key}", item, create_model)
        if isinstance(item, list) and item and isinstance(item[0], dict):
            return list[_model(f"{name}_{key}", item[0], create_model)]  # type: ignore[misc]
        return Any if item is None else type(item) | None

    return create_model(name, **{key: (kind(key, item), ...) for key, item in value.items()})


async def _body_of(app: Any, target: str) -> bytes:
    """Return what an application answers to one request."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "scheme": "http",
        "http_version": "1.1",
        "root_path": "",
        "asgi": {"version": "3.0"},
        "state": {},
    }
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    if sent[0]["status"] != 200:
        raise RuntimeError(sent)
    return b"".join(message.get("body", b"") for message in sent[1:])


def serve(kind: str, state: Path) -> None:
    """Serve until killed; the port comes on stdout."""
    ours = build(world_of(state))
    pages = {t.partition("?")[0]: asyncio.run(_body_of(ours, t)) for t in (HOT, OTHER)}
    makers = {"bare": bare_app, "fastapi": fastapi_app}
    app = makers[kind](pages) if kind in makers else ours
    listener = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error").bind_socket()
    listener.listen(128)
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(
        app, http="httptools", lifespan="off", access_log=False, log_level="error"
    )
    with rare_collections():
        uvloop.run(uvicorn.Server(config).serve(sockets=[listener]))


class _Reader(asyncio.Protocol):
    """Asks again as soon as an answer is whole, until it has asked often enough."""

    def __init__(self, request: str, count: int, done: asyncio.Future[None]) -> None:
        self._request = request
        self._left = count
        self._done = done
        self._seen = bytearray()
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        number = f"{self._left:06d}" if "n=" in self._request else ""
        self._transport.write((self._request % number).encode())

    def data_received(self, data: bytes) -> None:
        self._seen += data
        head = self._seen.find(b"\r\n\r\n")
        if head < 0:
            return
        if not self._seen.startswith(b"HTTP/1.1 200"):
            self._done.set_exception(RuntimeError(bytes(self._seen[:200])))
            return
        lower = self._seen[:head].lower()
        at = lower.index(b"content-length: ") + 16
        end = lower.find(b"\r\n", at)
        length = int(lower[at : end if end > 0 else head])
        if len(self._seen) < head + 4 + length:
            return
        self._seen.clear()
        self._left -= 1
        if self._left:
            self._ask()
        else:
            self._transport.close()
            self._done.set_result(None)


async def load(port: int, target: str, count: int, *, differ: bool) -> None:
    """Make `count` requests over some connections."""
    loop = asyncio.get_running_loop()
    waits = []
    for connection in range(CONNECTIONS):
        more = f"{'&' if '?' in target else '?'}n={connection}." if differ else ""
        request = f"GET {target}{more}%s HTTP/1.1\r\nHost: localhost\r\n\r\n"
        done: asyncio.Future[None] = loop.create_future()
        waits.append(done)
        share = count // CONNECTIONS

        reader = partial(_Reader, request, share, done)
        await loop.create_connection(reader, "127.0.0.1", port)
    await asyncio.gather(*waits)


def rate(
    child: subprocess.Popen[str], port: int, target: str, count: int, *, differ: bool
) -> float:
    """Return requests per second of the server's processor time."""
    before = spent_ns(child.pid)
    uvloop.run(load(port, target, count, differ=differ))
    return count / (spent_ns(child.pid) - before) * 1e9


def spent_ns(pid: int) -> int:
    """Return the processor time of a process with one thread, as exactly as the kernel knows."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def main() -> None:
    """Time the servers in turn and print the rows."""
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2], Path(sys.argv[3]))
        return
    arguments = options(__doc__)
    rounds, count = (3, 8_000) if arguments.smoke else (9, 16_000)
    with tempfile.TemporaryDirectory() as name:
        state = Path(name)
        config, _ = bootstrap.load_config(None)
        build_demo(config, RunOptions(hours=240, state_dir=state)).run()
        children = {}
        for kind in SERVERS:
            command = [sys.executable, str(ROOT / "benches" / "api.py"), "--serve", kind, name]
            children[kind] = subprocess.Popen(
                command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
            )
        try:
            ports = {kind: int(child.stdout.readline()) for kind, child in children.items()}  # type: ignore[union-attr]
            found: dict[tuple[str, str], list[float]] = {}
            for _ in range(rounds):
                for target in (HOT, OTHER, EACH):
                    for kind in SERVERS:
                        differ = target == EACH
                        asked = OTHER if differ else target
                        asked = asked.partition("?")[0] if kind == "bare" else asked
                        speed = rate(children[kind], ports[kind], asked, count, differ=differ)
                        found.setdefault((kind, target), []).append(speed)
        finally:
            for child in children.values():
                child.kill()
                child.communicate()
    write(rows(found))


def rows(found: dict[tuple[str, str], list[float]]) -> list[Row]:
    """Return the table's rows."""
    made: list[Row] = []
    for name, target, peer, bar in (
        ("hot read beside bare ASGI", HOT, "bare", HOT_BAR),
        ("hot read beside FastAPI", HOT, "fastapi", OTHER_BAR),
        ("other read beside FastAPI", OTHER, "fastapi", OTHER_BAR),
        ("other read beside FastAPI, each time", EACH, "fastapi", OTHER_BAR),
    ):
        pairs = list(zip(found["ours", target], found[peer, target], strict=True))
        value = median([ours / other for ours, other in pairs])
        made.append(
            {
                "name": f"{name}, requests per processor second",
                "value": value,
                "unit": "x",
                "ours_per_s": median([ours for ours, _ in pairs]),
                "peer_per_s": median([other for _, other in pairs]),
                "bar": f">= {bar} x",
                "pass": value >= bar,
            }
        )
    return made


if __name__ == "__main__":
    main()
