"""The analytics process from start to stop."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog
import uvicorn

from utb.analytics.archive import Archive
from utb.analytics.bulletin import Bulletin
from utb.analytics.facade import Facade
from utb.analytics.follower import RETRY_S, Follower, Pace
from utb.analytics.ports import OpenStream, ReadRecords
from utb.errors import TransientError
from utb.serving.server import Http, Server
from utb.storage.clickhouse.store import Store
from utb.storage.clickhouse.table import Place
from utb.storage.clickhouse.writer import Writer

CONNECTIONS_MAX: Final = 128
BACKLOG: Final = 128
_IDLE_S: Final = 30
_GRACE_S: Final = 3
FINISH_S: Final = 10.0
"""For what waits to be written, at a stop."""


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """Where the data come from."""

    journal: Path
    read: ReadRecords
    open_stream: OpenStream
    wall_ns: Callable[[], int]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where the data go."""

    connect: Callable[[], Store]
    """Raises TransientError while a server does not answer."""
    place: Place
    history_days: int
    pace: Pace
    bulletin: Bulletin
    """Tells how it takes what is written."""


async def serve(
    sources: Sources, target: Target, facade: Facade | None, bound: socket.socket | None
) -> int | None:
    """Follow and answer until a signal; return its number.

    Args:
        sources: Where the data come from.
        target: Where they go.
        facade: Answers readers; None where a server does.
        bound: Socket it listens on.

    Raises:
        UtbError: What ends the process against its will.
    """
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[int] = loop.create_future()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, stopped, number)
    thread = ThreadPoolExecutor(1, thread_name_prefix="writer")
    server = None if facade is None else _server(facade)
    tasks: set[asyncio.Future[Any]] = {stopped}
    if server is not None and bound is not None:
        tasks.add(asyncio.ensure_future(server.serve(sockets=[bound])))
    keeper = _Keeper(sources, target, thread)
    tasks.add(asyncio.ensure_future(keeper.run()))
    telling = asyncio.ensure_future(target.bulletin.keep_telling())
    tasks.add(telling)
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopped}:
            await task
        return stopped.result() if stopped.done() else None
    finally:
        telling.cancel()
        if server is not None:
            server.should_exit = True
        await keeper.close()
        await asyncio.gather(*(tasks - {stopped}), return_exceptions=True)
        thread.shutdown(wait=True)


class _Keeper:
    """Opens the store, however long that takes, and follows into it."""

    def __init__(self, sources: Sources, target: Target, thread: ThreadPoolExecutor) -> None:
        self._sources = sources
        self._target = target
        self._thread = thread
        self._follower: Follower | None = None
        self._store: Store | None = None
        self.task: asyncio.Task[Any] | None = None

    async def run(self) -> None:
        self.task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        archive = await self._open()
        sources = self._sources
        self._follower = Follower(
            archive,
            sources.open_stream,
            self._thread,
            self._target.pace,
            wall_ns=sources.wall_ns,
        )
        await loop.run_in_executor(self._thread, archive.recall)
        await self._follower.run(sources.journal)

    async def _open(self) -> Archive:
        """Return the archive when the store answers."""
        log = structlog.get_logger("utb.analytics")
        loop = asyncio.get_running_loop()
        pause, told = RETRY_S[0], ""
        while True:
            try:
                return await loop.run_in_executor(self._thread, self._opened)
            except TransientError as error:
                if str(error) != told:
                    told = str(error)
                    log.warning("the store cannot be opened yet", reason=told)
            await asyncio.sleep(pause)
            pause = min(pause * 2, RETRY_S[1])

    def _opened(self) -> Archive:
        if self._store is None:
            self._store = self._target.bulletin.watched(self._target.connect)
        writer = Writer(self._store, self._target.place, wall_ns=self._sources.wall_ns)
        writer.open(self._target.history_days)
        self._target.bulletin.stored_seq = lambda: writer.held
        return Archive(writer, self._sources.read)

    async def close(self) -> None:
        """Stop following, and write what waits if the store takes it."""
        if self.task is not None and not self.task.done():
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        if self._follower is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FINISH_S):
                    await self._follower.finish()
        if self._store is not None:
            self._thread.submit(self._store.close)


def _server(facade: Facade) -> Server:
    config = uvicorn.Config(
        facade,
        loop="none",
        http=Http,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS_MAX,
        backlog=BACKLOG,
        timeout_keep_alive=_IDLE_S,
        timeout_graceful_shutdown=_GRACE_S,
    )
    return Server(config)


def _stop(stopped: asyncio.Future[int], number: int) -> None:
    if not stopped.done():
        stopped.set_result(number)
