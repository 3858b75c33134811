"""Readers that do not take their answers: there are no more answers than connections."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from utb.analytics import facade
from utb.analytics.facade import Access, Facade
from utb.analytics.readers import Limits, Readers
from utb.serving.addresses import listening
from utb.serving.server import Http, Server

MIB = 1024 * 1024
ASK = b"GET /?query=SELECT+%d HTTP/1.1\r\nHost: localhost\r\n\r\n"
SMALL = 4_096
LIMITS = Limits(seconds_max=1, memory_mib_max=16, result_rows_max=10, result_mib_max=16)


class Engine:
    """Stands for the store's engine: every query gives as many MiB as it selects."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._lock = threading.Lock()

    def query(self, query: str, _: str, params: dict[str, str] | None = None) -> "Rows":
        if params is not None:
            with self._lock:
                self.asked.append(query)
        return Rows(query)

    def send_insert(self, query: str, _: str) -> Any:
        raise RuntimeError(query)

    def close(self) -> None:
        pass


class Rows:
    def __init__(self, query: str) -> None:
        self._query = query

    def bytes(self) -> bytes:
        return bytes(int(self._query.split()[1]) * MIB)

    def elapsed(self) -> float:
        return 0.0

    def storage_rows_read(self) -> int:
        return 0

    def storage_bytes_read(self) -> int:
        return 0


@asynccontextmanager
async def served(count: int) -> AsyncIterator[tuple[Engine, int]]:
    engine = Engine()
    readers = Readers(lambda: engine, count, LIMITS)
    app = Facade(readers, Access(loopback=True, is_key=None), "utb")
    server = Server(uvicorn.Config(app, http=Http, ws="none", lifespan="off", log_config=None))
    with listening("127.0.0.1", 0, 128) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield engine, listener.getsockname()[1]
        finally:
            server.should_exit = True
            await serving
            readers.close()


async def deaf(port: int, mib: int) -> socket.socket:
    """Return a connection that asks for so many MiB and reads nothing."""
    loop = asyncio.get_running_loop()
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    one.setblocking(False)  # noqa: FBT003 - its only form
    await loop.sock_connect(one, ("127.0.0.1", port))
    await loop.sock_sendall(one, ASK % mib)
    return one


async def get(port: int, mib: int) -> httpx.Response:
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        return await client.get(f"http://127.0.0.1:{port}/", params={"query": f"SELECT {mib}"})


async def test_answer_that_is_not_taken_holds_its_connection_and_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(facade, "SEND_S", 1.0)
    async with asyncio.timeout(30), served(2) as (engine, port):
        loop = asyncio.get_running_loop()
        silent = [await deaf(port, 8) for _ in range(5)]
        await asyncio.sleep(0.5)
        # Five answers of 8 MiB would be in memory: the other three are not even asked for
        assert len(engine.asked) == 2
        answer = await get(port, 1)
        assert (answer.status_code, len(answer.content)) == (200, MIB)
        assert len(engine.asked) == 6
        for one in silent[:2]:
            count = 0
            with one:
                while found := await loop.sock_recv(one, MIB):
                    count += len(found)
            assert count < 8 * MIB
        for one in silent[2:]:
            one.close()


async def test_answer_longer_than_its_limit_is_refused() -> None:
    async with asyncio.timeout(30), served(1) as (_, port):
        answer = await get(port, 17)
        assert answer.headers["x-clickhouse-exception-code"] == "396"
        assert "at most 16 MiB" in answer.text
        assert len((await get(port, 16)).content) == 16 * MIB
