"""Commands of the clients: each has its key, and a lost connection repeats none."""

import asyncio
import re
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest

from utb.client import (
    AsyncUltimateTradingBotClient,
    ConnectionFailed,
    UltimateTradingBotClient,
)
from utb.client.wire import Wire, get, post

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"
Call = Callable[[Any], Any]


class Losing:
    """A server that takes a request and loses the connection, a number of times, then answers."""

    def __init__(self, losses: int) -> None:
        self.keys: list[str | None] = []
        self.bodies: list[bytes] = []
        self._losses = losses
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/api/v1"

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection:
                head, _, body = connection.recv(65_536).partition(b"\r\n\r\n")
                if not head:
                    return
                length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
                while length and len(body) < int(length.group(1)):
                    body += connection.recv(65_536)
                found = re.search(rb"idempotency-key: (\S+)", head, re.IGNORECASE)
                self.keys.append(None if found is None else found.group(1).decode())
                self.bodies.append(body)
                if len(self.keys) > self._losses:
                    connection.sendall(ANSWER)

    def close(self) -> None:
        with socket.create_connection(self._socket.getsockname()):
            pass
        self._thread.join()
        self._socket.close()


@pytest.fixture
def losing(request: pytest.FixtureRequest) -> Iterator[Losing]:
    server = Losing(getattr(request, "param", 1))
    yield server
    server.close()


COMMANDS: tuple[Call, ...] = (
    lambda client: client.place_trade("SOL-USDC", "BUY", "0.5"),
    lambda client: client.close_position("SOL-USDC", 0.5),
    lambda client: client.close_all(),
    lambda client: client.pause(),
    lambda client: client.resume(),
    lambda client: client.safe_mode(),
    lambda client: client.emergency_stop(),
    lambda client: client.reset(),
)


def ask(url: str, call: Call) -> None:
    with UltimateTradingBotClient(url) as client:
        call(client)


def ask_async(url: str, call: Call) -> None:
    async def run() -> None:
        async with AsyncUltimateTradingBotClient(url) as client:
            asked: Awaitable[Any] = call(client)
            await asked

    asyncio.run(run())


@pytest.mark.parametrize("how", [ask, ask_async])
@pytest.mark.parametrize("call", COMMANDS)
def test_lost_command_is_asked_again_by_the_same_key(
    losing: Losing, how: Callable[[str, Call], None], call: Call
) -> None:
    how(losing.url, call)
    first, second = losing.keys
    assert first is not None
    assert len(first) >= 32
    assert first == second
    assert losing.bodies[0] == losing.bodies[1]
    how(losing.url, call)
    assert losing.keys[2] not in {None, first}


@pytest.mark.parametrize("losing", [2], indirect=True)
def test_second_loss_is_told(losing: Losing) -> None:
    with pytest.raises(ConnectionFailed):
        ask(losing.url, lambda client: client.pause())
    assert len(losing.keys) == 2


@pytest.mark.parametrize("losing", [0], indirect=True)
def test_key_of_the_caller_is_the_key(losing: Losing) -> None:
    """An order's own id must be the key: under another one its repeat would be a second order."""
    ask(losing.url, lambda c: c.place_trade("SOL-USDC", "BUY", "1", client_order_id="mine"))
    ask(losing.url, lambda c: c.close_position("SOL-USDC", idempotency_key="close-1"))
    assert losing.keys == [None, "close-1"]
    assert b'"client_order_id":"mine"' in losing.bodies[0]


def test_command_is_waited_for_longer_than_the_server_waits() -> None:
    for timeout_s, expected_s in ((10.0, 15.0), (30.0, 30.0)):
        wire = Wire("http://localhost:8080/api/v1", None, timeout_s)
        waits: httpx.Timeout = wire.arguments(post("/pause"))["timeout"]
        assert (waits.read, waits.connect) == (expected_s, timeout_s)
        assert wire.arguments(get("/status"))["timeout"] == httpx.Timeout(timeout_s)
