"""Connections for readers: limits set first, then read-only, and a thread each."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from utb.analytics.guard import DeniedError
from utb.storage.clickhouse.embedded import Answer, Connection
from utb.storage.clickhouse.store import without_paths

_MIB: Final = 1024 * 1024
WAITING_MAX: Final = 32
"""Queries that wait for a connection; more are refused at once."""
TOO_MANY_SIMULTANEOUS_QUERIES: Final = 202
TOO_MANY_ROWS_OR_BYTES: Final = 396
_UNKNOWN: Final = 1002
"""UNKNOWN_EXCEPTION."""
_CODE: Final = re.compile(r"Code: (\d+)\.")
MESSAGE_LENGTH_MAX: Final = 4_000


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one query may use."""

    seconds_max: float
    memory_mib_max: int
    result_rows_max: int
    result_mib_max: int

    def settings(self) -> tuple[str, ...]:
        """Return the statements that set them, the one that makes them final last."""
        return (
            f"SET max_execution_time = {self.seconds_max}",
            "SET timeout_overflow_mode = 'throw'",
            f"SET max_memory_usage = {self.memory_mib_max * _MIB}",
            f"SET max_result_rows = {self.result_rows_max}",
            f"SET max_result_bytes = {self.result_mib_max * _MIB}",
            "SET result_overflow_mode = 'throw'",
            # A sort or grouping beyond its memory is an error, never files on the disk
            "SET max_bytes_ratio_before_external_sort = 0",
            "SET max_bytes_ratio_before_external_group_by = 0",
            "SET max_threads = 2",
            "SET allow_introspection_functions = 0",
            "SET implicit_select = 0",
            "SET log_queries = 0",
            "SET session_timezone = 'UTC'",
            "SET readonly = 1",
        )


class EngineError(Exception):
    """The engine refused or gave up a query; `code` is ClickHouse's."""

    def __init__(self, text: str) -> None:
        found = _CODE.search(text)
        self.code = int(found.group(1)) if found else _UNKNOWN
        self.message = without_paths(text)[:MESSAGE_LENGTH_MAX]
        super().__init__(self.message)


class Result(msgspec.Struct, frozen=True):
    """An answer."""

    body: bytes
    elapsed_s: float
    read_rows: int
    read_bytes: int


class Readers:
    """A few read-only connections, each used by one query at a time."""

    def __init__(self, connect: Callable[[], Connection], count: int, limits: Limits) -> None:
        """Open `count` connections; called in the thread that opened the engine."""
        self._idle: asyncio.LifoQueue[_Reader] = asyncio.LifoQueue()
        self._all = [_Reader(connect, limits) for _ in range(count)]
        for reader in self._all:
            self._idle.put_nowait(reader)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="reader")
        self._waiting = 0

    @asynccontextmanager
    async def answer(
        self, query: str, format_: str, parameters: Mapping[str, str], database: str
    ) -> AsyncIterator[Result]:
        """Run an admitted query, and hold its connection until its answer is used.

        So there are never more answers than connections, however slowly they are taken.

        Raises:
            EngineError: If the engine refuses it or cuts it.
            DeniedError: If too many queries wait already, or the answer is too long.
        """
        if self._idle.empty() and self._waiting >= WAITING_MAX:
            raise DeniedError(
                TOO_MANY_SIMULTANEOUS_QUERIES,
                f"{len(self._all)} queries run and {self._waiting} wait, try again later",
            )
        self._waiting += 1
        try:
            reader = await self._idle.get()
        finally:
            self._waiting -= 1
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(
            self._threads, reader.run, query, format_, dict(parameters), database
        )
        try:
            yield await asyncio.shield(running)
        finally:
            # Free when its thread is done, whether or not anybody waited for it
            running.add_done_callback(lambda _: self._idle.put_nowait(reader))

    def close(self) -> None:
        """Wait for running queries and close the connections."""
        self._threads.shutdown(wait=True)
        for reader in self._all:
            reader.close()


class _Reader:
    def __init__(self, connect: Callable[[], Connection], limits: Limits) -> None:
        self._connect = connect
        self._limits = limits
        self._connection = self._open()
        self._database = ""

    def _open(self) -> Connection:
        connection = self._connect()
        for statement in self._limits.settings():
            connection.query(statement, "Null")
        return connection

    def run(self, query: str, format_: str, parameters: dict[str, str], database: str) -> Result:
        try:
            if database != self._database:
                self._connection.query(f"USE `{database}`", "Null")
                self._database = database
            answer: Answer = self._connection.query(query, format_, params=parameters)
        except RuntimeError as error:
            # What a cut query had written already stays in its connection, and would come out in
            # front of the next answer
            self._connection.close()
            self._connection = self._open()
            self._database = ""
            raise EngineError(str(error)) from error
        body = answer.bytes()
        if len(body) > self._limits.result_mib_max * _MIB:
            # The engine counts rows as it holds them; written out they may be longer
            raise DeniedError(
                TOO_MANY_ROWS_OR_BYTES,
                f"the answer has {len(body)} bytes, at most {self._limits.result_mib_max} MiB",
            )
        return Result(
            body,
            answer.elapsed(),
            answer.storage_rows_read(),
            answer.storage_bytes_read(),
        )

    def close(self) -> None:
        self._connection.close()
