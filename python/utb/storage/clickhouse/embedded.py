"""The embedded engine: chDB on a directory that one process owns.

chDB is an optional part of several hundred megabytes, so it is imported when a store is opened.
One process may open one directory, and one directory may be open in one process.
"""

import importlib
import importlib.util
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, cast
from urllib.parse import urlencode

from utb.errors import TransientError, UsageError
from utb.storage.clickhouse.store import SOURCE, decode_rows, reason

DIRECTORY: Final = "clickhouse"
_MIB: Final = 1024 * 1024
_CACHE_BYTES: Final = 64 * _MIB
"""Of marks: the engine's own default of gigabytes is for a machine it has to itself."""
_POOL_THREADS: Final = 64
_MERGE_THREADS: Final = 2
_ABSENT: Final = (
    "the embedded ClickHouse store needs the optional package chdb, which is not installed: run "
    "`uv sync --group analytics` (or `pip install 'utb[analytics]'`), or set CLICKHOUSE_URL to a "
    "ClickHouse server"
)


class Answer(Protocol):
    """What the engine gives back for a query."""

    def bytes(self) -> bytes:
        """Return the answer in the format asked for."""
        ...

    def elapsed(self) -> float:
        """Return seconds."""
        ...

    def storage_rows_read(self) -> int:
        """Return rows read from tables."""
        ...

    def storage_bytes_read(self) -> int:
        """Return bytes read from tables."""
        ...


class Connection(Protocol):
    """One connection to the engine; one query at a time."""

    def query(self, query: str, format: str, params: dict[str, str] | None = None) -> Answer:  # noqa: A002
        """Run a query; raises RuntimeError with the engine's message."""
        ...

    def send_insert(self, query: str, format: str) -> Any:  # noqa: A002
        """Begin an insert of bytes in a format; raises RuntimeError."""
        ...

    def close(self) -> None:
        """Give it up."""
        ...


class ChdbMissingError(UsageError):
    """chDB is not installed."""

    def __init__(self) -> None:
        super().__init__("chdb", "absent", "the optional package")

    def __str__(self) -> str:
        return _ABSENT


def require_chdb() -> None:
    """Make sure chDB is there.

    Raises:
        ChdbMissingError: If it is not installed.
    """
    if importlib.util.find_spec("chdb") is None:
        raise ChdbMissingError


class Embedded:
    """The engine on one directory."""

    def __init__(self, state_dir: Path, *, memory_mib_max: int) -> None:
        """Open or create the store of a state directory.

        Raises:
            ChdbMissingError: If chDB is not installed.
            UsageError: If the directory cannot be opened; says why.
        """
        require_chdb()
        path = (state_dir / DIRECTORY).resolve()
        options = {
            "background_pool_size": _MERGE_THREADS,
            "max_thread_pool_size": _POOL_THREADS,
            "max_server_memory_usage": memory_mib_max * _MIB,
            "mark_cache_size": _CACHE_BYTES,
            "uncompressed_cache_size": _CACHE_BYTES,
        }
        self._address = f"{path}?{urlencode(options)}"
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(path, os.W_OK | os.X_OK):
                raise PermissionError(f"{path} is not writable")
            self._first = self.connect()
        except (OSError, RuntimeError) as error:
            text = " ".join(str(error).split())
            raise UsageError(
                "--state",
                str(state_dir),
                f"a directory whose {DIRECTORY}/ this process can open, and no other has open "
                f"({text})",
            ) from error

    def connect(self) -> Connection:
        """Return a new connection with settings of its own; raises RuntimeError."""
        # The import changes the working directory for a moment: never from a second thread
        connect = importlib.import_module("chdb.state").connect
        return cast("Connection", connect(self._address))

    def writer(self) -> "EmbeddedStore":
        """Return the connection that may write."""
        return EmbeddedStore(self.connect)

    def close(self) -> None:
        """Close the engine; every other connection must be closed before."""
        self._first.close()


class EmbeddedStore:
    """Implements the store port on one connection of the engine.

    A connection keeps what a failed query had written already and puts it in front of the next
    answer, so that after a failure another one is opened.
    """

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._connection = connect()

    def command(self, statement: str) -> None:
        """Run a statement that gives no rows."""
        self._query(statement)

    def rows(self, query: str) -> list[list[Any]]:
        """Return a query's rows."""
        return decode_rows(self._query(query))

    def insert(self, table: str, names: Sequence[str], block: bytes) -> None:
        """Insert one Native block."""
        columns = ", ".join(f"`{name}`" for name in names)
        try:
            insert = self._connection.send_insert(f"INSERT INTO {table} ({columns})", "Native")
            with insert:
                insert.append(block)
                insert.finish()
        except RuntimeError as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Give the connection up."""
        self._connection.close()

    def _query(self, statement: str) -> bytes:
        try:
            return self._connection.query(statement, "JSONCompactEachRow").bytes()
        except RuntimeError as error:
            raise self._failed(error) from error

    def _failed(self, error: RuntimeError) -> TransientError:
        self._connection.close()
        self._connection = self._connect()
        return TransientError(SOURCE, reason(str(error)))
