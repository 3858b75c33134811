"""`/ws` and clients that take nothing: they are cut off, and others are served."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from websockets.asyncio.client import connect

from utb.adapters.clocks import SystemClock
from utb.api.app import build
from utb.api.live import hub
from utb.api.live import socket as live
from utb.api.live.schemas import Channel
from utb.api.world import Place, World
from utb.config.instruments import instruments
from utb.config.load import parse_text
from utb.serving.addresses import listening
from utb.serving.server import Server, WebSocket
from utb.telemetry.replica import Replica

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\n\r\n"
)
SUBSCRIBE = b'{"action":"subscribe","channels":["alerts"]}'
FRAME = bytes([0x81, 0x80 | len(SUBSCRIBE), 0, 0, 0, 0]) + SUBSCRIBE
"""A masked text frame, masked with zeros."""
SMALL = 4_096
LONG = "x" * 65_536
MESSAGES = 20


@asynccontextmanager
async def served() -> AsyncIterator[tuple[World, int]]:
    """Serve a world without a trading process on sockets with small buffers."""
    config = parse_text("")
    place = Place(state_dir=Path("state"), config_shown={}, version="test")
    world = World(config, place, SystemClock(), Replica(instruments(config)))
    settings = uvicorn.Config(
        build(world), ws=WebSocket, ws_per_message_deflate=False, lifespan="off", log_config=None
    )
    server = Server(settings)
    with listening("127.0.0.1", 0, 128) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield world, listener.getsockname()[1]
        finally:
            server.should_exit = True
            await serving


async def deaf(port: int) -> socket.socket:
    """Return a connection that has subscribed, and reads nothing from then on."""
    loop = asyncio.get_running_loop()
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    one.setblocking(False)  # noqa: FBT003 - its only form
    await loop.sock_connect(one, ("127.0.0.1", port))
    for said, expected in ((HANDSHAKE, b"\r\n\r\n"), (FRAME, b"subscribed")):
        await loop.sock_sendall(one, said)
        heard = b""
        while expected not in heard:
            heard += await loop.sock_recv(one, SMALL)
    return one


async def rest(one: socket.socket) -> int:
    """Read to the end, and return how many bytes there were."""
    loop, count = asyncio.get_running_loop(), 0
    with one:
        while found := await loop.sock_recv(one, SMALL):
            count += len(found)
    return count


async def test_clients_that_take_nothing_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SEND_S", 0.2)
    monkeypatch.setattr(hub, "CLIENTS_MAX", 4)
    async with asyncio.timeout(20), served() as (world, port):
        silent = [await deaf(port) for _ in range(4)]
        for _ in range(MESSAGES):
            world.hub._publish(Channel.ALERTS, LONG.encode())
        await asyncio.sleep(1.0)
        assert not world.hub._clients
        assert world.traffic.clients_dropped == 4
        for one in silent:
            assert await rest(one) < MESSAGES * len(LONG)
        async with connect(f"ws://127.0.0.1:{port}/ws", proxy=None) as ws:
            await ws.send('{"action":"ping"}')
            assert await ws.recv() == '{"event":"pong"}'


async def test_all_that_is_kept_comes_since_a_sequence() -> None:
    async with asyncio.timeout(20), served() as (world, port):
        for seq in range(1, 1_001):
            world.hub._keep(seq, Channel.ALERTS, {"number": seq})
        async with connect(f"ws://127.0.0.1:{port}/ws", proxy=None) as ws:
            await ws.send('{"action":"subscribe","channels":["alerts","market"],"since":0}')
            heard = []
            while '"subscribed"' not in (message := str(await ws.recv())):
                heard.append(message)
        assert len(heard) == 1_000 + len(world.replica.instruments)
        assert world.traffic.clients_dropped == 0
