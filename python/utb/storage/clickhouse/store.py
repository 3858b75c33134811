"""Where the writer's statements go: a port, and ClickHouse on a server.

The embedded engine is `storage/clickhouse/embedded.py`.
"""

import re
from collections.abc import Sequence
from typing import Any, Final, Protocol

import msgspec
from clickhouse_connect import get_client
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error as ClickHouseError

from utb.errors import TransientError
from utb.storage.clickhouse.url import Endpoint

SOURCE: Final = "clickhouse"
SERVER_TIMEOUT_S: Final = 30
_CONNECT_TIMEOUT_S: Final = 5
_LINES: Final = msgspec.json.Decoder(list[Any])
REASON_LENGTH_MAX: Final = 400
_PATH: Final = re.compile(r"(?<![\w/])/(?:[\w.+-]+/)+[\w.+-]*")


class Store(Protocol):
    """One connection that may write; used by one thread at a time."""

    def command(self, statement: str) -> None:
        """Run a statement that gives no rows.

        Raises:
            TransientError: If it fails; it may have had its effect.
        """
        ...

    def rows(self, query: str) -> list[list[Any]]:
        """Return a query's rows.

        Raises:
            TransientError: If it fails.
        """
        ...

    def insert(self, table: str, names: Sequence[str], block: bytes) -> None:
        """Insert one Native block; `table` is its full name.

        Raises:
            TransientError: If it fails; the rows may have arrived.
        """
        ...

    def close(self) -> None:
        """Give the connection up."""
        ...


class ServerStore:
    """A server, or one node of a cluster, over ClickHouse's HTTP interface."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Connect.

        Raises:
            TransientError: If nobody answers, or the name or password is wrong.
        """
        self._client = _failing(connect, endpoint)

    def command(self, statement: str) -> None:
        """Run a statement that gives no rows."""
        _failing(self._client.command, statement)

    def rows(self, query: str) -> list[list[Any]]:
        """Return a query's rows."""
        data = _failing(self._client.raw_query, query, fmt="JSONCompactEachRow")
        return decode_rows(data)

    def insert(self, table: str, names: Sequence[str], block: bytes) -> None:
        """Insert one Native block."""
        columns = [f"`{name}`" for name in names]
        _failing(self._client.raw_insert, table, columns, block, fmt="Native")

    def close(self) -> None:
        """Give the connection up."""
        self._client.close()


def connect(endpoint: Endpoint) -> Client:
    """Return a client of a server; its database need not be there yet."""
    return get_client(
        host=endpoint.host,
        port=endpoint.port,
        username=endpoint.username,
        password=endpoint.password.reveal(),
        secure=endpoint.secure,
        interface="https" if endpoint.secure else "http",
        connect_timeout=_CONNECT_TIMEOUT_S,
        send_receive_timeout=SERVER_TIMEOUT_S,
        autogenerate_session_id=False,
    )


def decode_rows(data: bytes) -> list[list[Any]]:
    """Return the rows of a JSONCompactEachRow answer."""
    return _LINES.decode_lines(data)


def reason(text: str) -> str:
    """Return an engine's message in one line, without paths of the machine, cut short."""
    return without_paths(" ".join(text.split()))[:REASON_LENGTH_MAX]


def without_paths(text: str) -> str:
    """Return a text with the machine's absolute paths left out."""
    return _PATH.sub("<path>", text)


def _failing(call: Any, *args: Any, **options: Any) -> Any:
    """Call the client, its failures turned into ours."""
    try:
        return call(*args, **options)
    except (ClickHouseError, OSError) as error:
        raise TransientError(SOURCE, _unanswered(error) or reason(str(error))) from error


def _unanswered(error: BaseException | None) -> str:
    """Return why a server could not be reached, or nothing if that was not it.

    The client's own words name the request with a number of its own: never the same twice.
    """
    while error is not None:
        if isinstance(error, OSError) and error.strerror:
            return f"the server does not answer ({error.strerror})"
        error = error.__cause__ or error.__context__
    return ""
