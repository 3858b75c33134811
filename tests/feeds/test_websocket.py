"""One connection against servers that misbehave."""

import asyncio
import gc
import logging
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
import psutil
import pytest
import uvloop
from picows import WSMsgType
from stand_ins import (
    CANARY,
    CLOCK,
    Peer,
    Script,
    SimulatedWorld,
    running,
    socket_wiring,
    ws_server,
)

from utb.adapters.net import websocket
from utb.adapters.net.backoff import Backoff
from utb.adapters.net.endpoint import Endpoint
from utb.adapters.net.redact import Redactor
from utb.adapters.net.websocket import SocketWiring, WebSocket
from utb.config.table import Secret
from utb.errors import InvariantError


@dataclass
class Owner:
    """Who lives on a connection, and remembers."""

    messages: list[bytes] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    opened: int = 0
    more: asyncio.Event = field(default_factory=asyncio.Event)
    take: Callable[[memoryview], None] | None = None

    def on_open(self) -> None:
        self.opened += 1
        self.more.set()

    def on_message(self, payload: memoryview) -> None:
        assert isinstance(payload, memoryview)
        if self.take is not None:
            self.take(payload)
        else:
            self.messages.append(bytes(payload))
        self.more.set()

    def on_refused(self, reason: str) -> None:
        self.refused.append(reason)
        self.more.set()

    def on_broken(self, reason: str) -> None:
        self.broken.append(reason)

    async def on_closed(self, sentence: str, mark: AbstractContextManager[None]) -> None:  # noqa: ARG002 - the owner's port
        assert CANARY not in sentence
        self.closed.append(sentence)
        self.more.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                self.more.clear()
                await self.more.wait()


@asynccontextmanager
async def connected(
    script: Script, owner: Owner, wiring: SocketWiring | None = None
) -> AsyncIterator[WebSocket]:
    async with ws_server(script) as url:
        socket = WebSocket(Endpoint.of(url, "api.birdeye.ws_url"), owner, wiring or socket_wiring())
        async with running(socket.run()):
            yield socket


def saying(*payloads: bytes) -> Script:
    def speak(peer: Peer) -> None:
        for payload in payloads:
            peer.say(payload)

    return Script(on_open=speak)


def test_message_is_handed_over_in_the_callback_and_key_is_in_the_address() -> None:
    async def run() -> None:
        script, owner = saying(b'{"a":1}', b"garbage"), Owner()
        async with connected(script, owner) as socket:
            await owner.until(lambda: len(owner.messages) == 2)
            assert socket.connected
            socket.send(b"hello")
            await script.until(lambda: script.peers[0].messages == [b"hello"])
        assert owner.messages == [b'{"a":1}', b"garbage"]
        assert script.paths == [f"/socket?x-api-key={CANARY}"]

    uvloop.run(run())


def test_cut_connection_is_opened_again_after_a_jittered_wait() -> None:
    async def run() -> None:
        script, owner = Script(), Owner()
        async with connected(script, owner) as socket:
            for count in range(1, 6):
                await owner.until(lambda count=count: owner.opened == count)  # type: ignore[misc]
                await script.until(lambda count=count: len(script.peers) == count)  # type: ignore[misc]
                script.peers[-1].cut()
            await owner.until(lambda: owner.opened == 6)
            assert socket.reconnects == 5
        assert len(owner.closed) >= 5
        assert "the connection was lost; connecting again" in owner.closed[0]

    uvloop.run(run())


def test_source_that_accepts_and_drops_is_backed_off_from() -> None:
    """A storm of reconnects would be 120 a minute and more; with waits up to 30 s it is < 10."""

    async def run() -> int:
        world, owner = SimulatedWorld(), Owner()
        script = Script(on_open=lambda peer: peer.cut())
        wiring = SocketWiring(
            timer=world.timer,
            elapsed_ns=world.clock.now_ns,
            stopwatch_ns=CLOCK.elapsed_ns,
            backoff=Backoff(0.5, 30.0, np.random.default_rng(7).random),
            redactor=Redactor(),
            heartbeat_s=15.0,
        )
        begun_ns = world.clock.now_ns()
        async with connected(script, owner, wiring):
            await world.run_until(lambda: world.clock.now_ns() - begun_ns > 600_000_000_000)
        return len(owner.closed)

    assert 20 <= uvloop.run(run()) <= 100


def test_half_open_connection_is_found_by_the_ping_and_replaced() -> None:
    async def run() -> None:
        script, owner = Script(pongs=False), Owner()
        async with connected(script, owner, socket_wiring(heartbeat_s=0.05)):
            await owner.until(lambda: owner.opened == 2)
        assert script.peers[0].pings == 1
        assert "half-open: a ping had no answer within 0.05 s" in owner.closed[0]

    uvloop.run(run())


def test_quiet_connection_with_pongs_stays() -> None:
    async def run() -> None:
        script, owner = Script(), Owner()
        async with connected(script, owner, socket_wiring(heartbeat_s=0.03)) as socket:
            await script.until(lambda: bool(script.peers) and script.peers[0].pings == 6)
            assert owner.opened == 1
            assert len(socket.pongs) >= 5
        assert owner.closed == []

    uvloop.run(run())


def test_fragments_are_joined_with_pings_between_them() -> None:
    def speak(peer: Peer) -> None:
        peer.say(b'{"a"', fin=False)
        peer.say(b"x", WSMsgType.PING)
        peer.say(b":[1,", WSMsgType.CONTINUATION, fin=False)
        peer.say(b"2]}", WSMsgType.CONTINUATION)
        peer.say(b"next")

    async def run() -> None:
        owner = Owner()
        async with connected(Script(on_open=speak), owner):
            await owner.until(lambda: len(owner.messages) == 2)
        assert owner.messages == [b'{"a":[1,2]}', b"next"]

    uvloop.run(run())


def test_binary_and_oversized_messages_are_refused_and_the_connection_lives() -> None:
    def speak(peer: Peer) -> None:
        peer.say(b"\x00\x01", WSMsgType.BINARY)
        peer.say(b" " * (websocket.MESSAGE_BYTES_MAX + 1))
        peer.say(b"good")

    async def run() -> None:
        owner = Owner()
        async with connected(Script(on_open=speak), owner):
            await owner.until(lambda: bool(owner.messages))
        assert (owner.refused, owner.messages) == (["not_text", "oversized"], [b"good"])
        assert owner.closed == []

    uvloop.run(run())


@pytest.mark.parametrize(
    ("data", "reason", "code"),
    [
        # The header of a text frame of 2^32 bytes.
        (b"\x81\x7f" + struct.pack(">Q", 2**32), "oversized", 1009),
        # Reserved bits, and a continuation of nothing.
        (b"\xff\x01x", "protocol_error", 1002),
        (b"\x80\x01x", "protocol_error", 1002),
        # A control frame in fragments.
        (b"\x09\x01x", "protocol_error", 1002),
    ],
)
def test_broken_frames_end_the_connection_with_their_code(
    data: bytes, reason: str, code: int
) -> None:
    async def run() -> None:
        script, owner = Script(on_open=lambda peer: peer.raw(data)), Owner()
        async with connected(script, owner):
            await owner.until(lambda: bool(owner.broken))
            await script.until(lambda: bool(script.closes))
        assert owner.broken[0] == reason
        assert script.closes[0] == code

    uvloop.run(run())


def test_endless_fragments_end_at_the_limit() -> None:
    def speak(peer: Peer) -> None:
        peer.say(b"x", fin=False)
        for _ in range(9):
            peer.say(b"x" * 1_000_000, WSMsgType.CONTINUATION, fin=False)

    async def run() -> None:
        script, owner = Script(on_open=speak), Owner()
        async with connected(script, owner):
            await owner.until(lambda: bool(owner.broken))
            await script.until(lambda: bool(script.closes))
        assert (owner.broken[0], script.closes[0]) == ("oversized", 1009)

    uvloop.run(run())


def test_connection_that_is_cut_in_mid_frame_gives_no_message() -> None:
    def speak(peer: Peer) -> None:
        peer.raw(b"\x81\x7e\x01\x00" + b"x" * 100)
        peer.cut()

    async def run() -> None:
        owner = Owner()
        async with connected(Script(on_open=speak), owner):
            await owner.until(lambda: len(owner.closed) == 2)
        assert owner.messages == []

    uvloop.run(run())


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "refuses the key (HTTP 401); check the key and its plan"),
        (429, "answers HTTP 429 to the WebSocket; check api.birdeye.ws_url"),
        (503, "answers HTTP 503 to the WebSocket; check api.birdeye.ws_url"),
    ],
)
def test_refused_upgrade_says_why(status: int, said: str) -> None:
    async def run() -> None:
        owner = Owner()
        async with connected(Script(refuse=status), owner):
            await owner.until(lambda: len(owner.closed) == 2)
        assert owner.closed[0].endswith(said)

    uvloop.run(run())


@pytest.mark.parametrize("answer", [b"SSH-2.0\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b""])
def test_server_that_speaks_something_else_is_told(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async def run() -> None:
        owner = Owner()
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        place = Endpoint.of(f"ws://127.0.0.1:{port}", "api.birdeye.ws_url")
        async with running(WebSocket(place, owner, socket_wiring()).run()):
            await owner.until(lambda: len(owner.closed) == 2)
        server.close()

    uvloop.run(run())


def test_key_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Every logger on, the library's own too, over connections that go wrong in many ways."""

    async def run() -> None:
        for script in (
            Script(refuse=401),
            Script(on_open=lambda peer: peer.raw(b"\xff\x01" + CANARY.encode())),
            Script(on_open=lambda peer: peer.cut()),
        ):
            owner = Owner()
            async with connected(script, owner):
                await owner.until(lambda owner=owner: len(owner.closed) == 2)  # type: ignore[misc]

    with caplog.at_level(logging.DEBUG):
        uvloop.run(run())
    assert CANARY not in caplog.text


def test_error_of_the_taker_ends_the_run() -> None:
    """What the sink raises is our own error: it is not a connection's fault, and not swallowed."""

    def fail(_payload: memoryview) -> None:
        raise InvariantError("our own state contradicts itself")

    async def run() -> None:
        async with ws_server(saying(b"x")) as url:
            owner = Owner(take=fail)
            socket = WebSocket(Endpoint.of(url, "api.birdeye.ws_url"), owner, socket_wiring())
            async with asyncio.timeout(10):
                await socket.run()

    with pytest.raises(InvariantError, match="contradicts itself"):
        uvloop.run(run())


def test_redactor_hides_a_key_in_every_form() -> None:
    key = Secret("a key/with+signs==")
    text = "GET wss://x.y/v1?api-key=a%20key%2Fwith%2Bsigns%3D%3D a key/with+signs== a+key%2Fwith"
    cleaned = Redactor([key]).clean(text + "\x1b[31m" + "z" * 500)
    assert "with" not in cleaned.replace("a+key%2Fwith", "")
    assert "\x1b" not in cleaned
    assert len(cleaned) <= 160


def test_flood_leaves_memory_flat() -> None:
    """200,000 frames of 600 bytes, 120 MB, with nobody who keeps them: less than 16 MB more."""
    frame = b"x" * 600
    seen = 0

    def count(payload: memoryview) -> None:
        nonlocal seen
        seen += len(payload) == len(frame)

    async def run() -> tuple[int, int]:
        script, owner = Script(), Owner(take=count)
        process = psutil.Process()
        async with connected(script, owner):
            await script.until(lambda: bool(script.peers))
            before = 0
            for turn in range(200):
                for _ in range(1000):
                    script.peers[0].say(frame)
                expected = (turn + 1) * 1000
                await owner.until(lambda expected=expected: seen == expected)  # type: ignore[misc]
                if turn == 20:
                    gc.collect()
                    before = process.memory_info().rss
        return before, process.memory_info().rss

    before, after = uvloop.run(run())
    assert after - before < 16 * 1024 * 1024
