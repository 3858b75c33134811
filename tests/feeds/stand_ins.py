"""Servers on the loopback that behave as they are told, and the other side's ports."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

from utb.adapters.clocks import SimulatedClock, SystemClock
from utb.adapters.feeds.wiring import AsTheyCome, FeedWiring
from utb.adapters.net.backoff import Backoff
from utb.adapters.net.budget import RateBudget
from utb.adapters.net.endpoint import Endpoint
from utb.adapters.net.http import HttpClient, HttpWiring
from utb.adapters.net.redact import Redactor
from utb.adapters.net.websocket import SocketWiring
from utb.adapters.timers import NEVER_NS, SimulatedTimer, WallTimer
from utb.config.load import parse_text
from utb.config.schema import Config
from utb.config.table import Secret
from utb.domain.seam import FeedHealth

CANARY = "canary-4f1c9a7e-b2"
CLOCK = SystemClock()


@dataclass
class Heard:
    """A sink that remembers."""

    frames: list[tuple[int, bytes, int]] = field(default_factory=list)
    contexts: list[tuple[int, bytes, int]] = field(default_factory=list)
    binds: list[tuple[int, str, int, str]] = field(default_factory=list)
    statuses: list[FeedHealth] = field(default_factory=list)
    more: asyncio.Event = field(default_factory=asyncio.Event)

    def on_frame(self, source: int, payload: bytes | memoryview, ts_recv_ns: int) -> None:
        self.frames.append((source, bytes(payload), ts_recv_ns))
        self.more.set()

    def on_context(self, instrument: int, payload: bytes, ts_ns: int) -> None:
        self.contexts.append((instrument, payload, ts_ns))

    def on_bind(self, source: int, key: str, instrument: int, role: str) -> None:
        self.binds.append((source, key, instrument, role))
        self.more.set()

    def on_feed(self, health: FeedHealth) -> None:
        self.statuses.append(health)
        self.more.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                self.more.clear()
                await self.more.wait()


def config_with(text: str) -> Config:
    return parse_text(text)


def wall_wiring(config: Config, sink: Heard) -> FeedWiring:
    return FeedWiring(
        clock=CLOCK,
        timer=WallTimer(),
        sink=sink,
        turns=AsTheyCome(CLOCK),
        settings=config.feeds,
        elapsed_ns=CLOCK.elapsed_ns,
        stopwatch_ns=CLOCK.elapsed_ns,
        draws=lambda source: np.random.default_rng([7, source]).random,
    )


class SimulatedWorld:
    """Simulated time that jumps to whatever is due next, as soon as all is at rest."""

    def __init__(self) -> None:
        self.clock = SimulatedClock(1_700_000_000_000_000_000)
        self.timer = SimulatedTimer(self.clock)

    async def run_until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not done():
                for _ in range(5):
                    await asyncio.sleep(0)
                if self.timer.at_rest and self.timer.next_due_ns < NEVER_NS and not done():
                    self.timer.run_due(self.timer.next_due_ns)


# HTTP

Answerer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def http_server(answer: Answerer) -> AsyncIterator[str]:
    """Serve each request's head to `answer`, which writes what it likes."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            while True:
                await answer(await reader.readuntil(b"\r\n\r\n"), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)


def response(status: int, body: bytes = b"{}", **headers: str) -> bytes:
    """Return a whole answer; header names have underscores for dashes."""
    lines = {"Content-Length": str(len(body)), **headers}
    told = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} X\r\n{told}\r\n".encode() + body


def client_of(
    url: str, *, limit: int = 100_000, timeout_s: float = 5.0, key: str = CANARY
) -> HttpClient:
    timer = WallTimer()
    wiring = HttpWiring(
        clock=CLOCK,
        timer=timer,
        stopwatch_ns=CLOCK.elapsed_ns,
        budget=RateBudget(limit, timer, CLOCK.elapsed_ns),
        redactor=Redactor([Secret(key)]),
        timeout_s=timeout_s,
        headers={"X-API-KEY": key},
    )
    return HttpClient(Endpoint.of(url, "api.birdeye.base_url"), wiring)


# WebSocket


class Peer(WSListener):
    """The server's side of one connection; remembers, and answers pings unless told not to."""

    def __init__(self, script: "Script") -> None:
        super().__init__()
        self._script = script
        self.messages: list[bytes] = []
        self.pings = 0
        self.transport: WSTransport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        self._script.peers.append(self)
        self._script.on_open(self)
        self._script.changed.set()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.PING:
            self.pings += 1
            if self._script.pongs:
                transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            self._script.closes.append(WSCloseCode(frame.get_close_code()).value)
            transport.disconnect()
        else:
            self.messages.append(frame.get_payload_as_bytes())
            self._script.on_message(self, self.messages[-1])
        self._script.changed.set()

    def say(self, payload: bytes, kind: WSMsgType = WSMsgType.TEXT, *, fin: bool = True) -> None:
        assert self.transport is not None
        self.transport.send(kind, payload, fin)

    def raw(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.underlying_transport.write(data)

    def cut(self) -> None:
        assert self.transport is not None
        self.transport.underlying_transport.abort()


def _nothing(_peer: Peer) -> None:
    """Say nothing to a new connection."""


def _nothing_said(_peer: Peer, _message: bytes) -> None:
    """Say nothing to a message."""


@dataclass
class Script:
    """What a WebSocket server does."""

    on_open: Callable[[Peer], None] = _nothing
    on_message: Callable[[Peer, bytes], None] = _nothing_said
    pongs: bool = True
    refuse: int = 0
    """Status to refuse upgrades with; 0: none."""
    peers: list[Peer] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    closes: list[int] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def ws_server(script: Script) -> AsyncIterator[str]:
    def upgrade(request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener:
        script.paths.append(request.path.decode())
        script.changed.set()
        if script.refuse:
            answer = WSUpgradeResponse.create_error_response(script.refuse, CANARY.encode())
            return WSUpgradeResponseWithListener(answer, None)
        return Peer(script)

    server = await ws_create_server(upgrade, "127.0.0.1", 0, enable_auto_pong=False)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"ws://127.0.0.1:{port}/socket"
    finally:
        server.close()
        for peer in script.peers:
            if peer.transport is not None:
                peer.transport.disconnect(graceful=False)
        await asyncio.sleep(0)


def socket_wiring(*, heartbeat_s: float = 15.0, reconnect_s: float = 0.01) -> SocketWiring:
    return SocketWiring(
        timer=WallTimer(),
        elapsed_ns=CLOCK.elapsed_ns,
        stopwatch_ns=CLOCK.elapsed_ns,
        backoff=Backoff(reconnect_s, reconnect_s * 4, np.random.default_rng(7).random),
        redactor=Redactor([Secret(CANARY)]),
        heartbeat_s=heartbeat_s,
        query={"x-api-key": CANARY},
    )


@asynccontextmanager
async def running(coroutine: Awaitable[None]) -> AsyncIterator["asyncio.Future[None]"]:
    """Run something beside the test, and end it."""
    task = asyncio.ensure_future(coroutine)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})
