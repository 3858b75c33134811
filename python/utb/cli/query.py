"""`utb query`."""

import sys
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from utb.bootstrap.analytics import load_analytics
from utb.cli.common import WIDE, Stateful, write_line, write_note
from utb.config.table import Secret
from utb.errors import TransientError, UsageError
from utb.storage.clickhouse.queries import QUERIES
from utb.storage.clickhouse.status import read_status
from utb.storage.clickhouse.url import DATABASE

_DEFAULT: Final = Stateful()
TIMEOUT_S: Final = 60.0
ROWS_SHOWN_MAX: Final = 1_000
ERROR_LENGTH_MAX: Final = 2_000
_OK: Final = 200


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    database: str
    user: str = "default"
    key: Secret = Secret("")
    own: bool = False
    """Whether it is the store of this machine, which is read-only by itself."""


class _Answer(msgspec.Struct, frozen=True):
    """What JSONCompact holds."""

    meta: list[dict[str, str]]
    data: list[list[Any]]


def query(
    sql: str | None = None,
    /,
    *,
    named: str | None = None,
    format: Annotated[str | None, Parameter(name="--format")] = None,  # noqa: A002 - its name on the command line
    list_named: Annotated[bool, Parameter(name="--list", negative="")] = False,
    common: Stateful = _DEFAULT,
) -> int:
    """Ask the ClickHouse store.

    The server of CLICKHOUSE_URL if that is set, else the store of the state directory while
    `utb analytics` (part of `utb run` and `utb demo`) serves it. Reads only.

    For example: utb query "SELECT symbol, sum(sign) FROM trades GROUP BY symbol"

    Args:
        sql: The query.
        named: A query by its name instead; see --list.
        format: ClickHouse format to write as it comes, for example CSVWithNames; default a table.
        list_named: List the named queries.
    """
    if list_named:
        for name, known in QUERIES.items():
            write_line(f"{name:<12} {known.about}")
        return 0
    text = _text(sql, named)
    wanted = format or ("JSON" if common.json else "JSONCompact")
    body = _ask(_place(common), text, wanted)
    if format is not None or common.json:
        sys.stdout.flush()
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
        return 0
    _show(body)
    return 0


def _text(sql: str | None, named: str | None) -> str:
    if (sql is None) == (named is None):
        raise UsageError("the query", "absent" if sql is None else "given twice", "SQL or --named")
    if named is None:
        return sql or ""
    if named not in QUERIES:
        raise UsageError("--named", named, f"one of {', '.join(QUERIES)}")
    return QUERIES[named].sql


def _place(common: Stateful) -> _Place:
    table, endpoint = load_analytics(common.config, common.settings)
    if endpoint is not None:
        return _Place(
            url=endpoint.address.removesuffix(endpoint.database),
            database=endpoint.database,
            user=endpoint.username,
            key=endpoint.password,
        )
    status = read_status(common.state or Path("state"))
    if status is not None:
        return _Place(url=status.url, database=status.database, own=True)
    host = f"[{table.host}]" if ":" in table.host else table.host
    return _Place(url=f"http://{host}:{table.port}/", database=DATABASE, own=True)


def _ask(place: _Place, text: str, wanted: str) -> bytes:
    """Return the answer's body.

    Raises:
        TransientError: If nobody answers, or the query is refused.
    """
    parameters = {"database": place.database, "default_format": wanted}
    if not place.own:
        parameters["readonly"] = "1"
    headers = {"X-ClickHouse-User": place.user}
    if place.key:
        headers["X-ClickHouse-Key"] = place.key.reveal()
    try:
        with httpx.Client(timeout=TIMEOUT_S, trust_env=not place.own) as client:
            answer = client.post(
                place.url, params=parameters, headers=headers, content=text.encode()
            )
    except httpx.ConnectError as error:
        raise TransientError(
            "query",
            f"nothing answers at {place.url}: start `utb run`, or `utb analytics --state DIR`, "
            "or set CLICKHOUSE_URL to a server",
        ) from error
    except httpx.HTTPError as error:
        raise TransientError("query", f"{place.url} does not answer ({error})") from error
    if answer.status_code != _OK:
        raise TransientError("query", answer.text.strip()[:ERROR_LENGTH_MAX])
    return answer.content


def _show(body: bytes) -> None:
    """Print a table; what is no JSONCompact (a query with its own FORMAT) as it comes."""
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except msgspec.DecodeError:
        write_line(body.decode(errors="replace").rstrip("\n"))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in answer.meta:
        number = column["type"].startswith(("Int", "UInt", "Float", "Nullable(Float", "Decimal"))
        table.add_column(column["name"], justify="right" if number else "left")
    for row in answer.data[:ROWS_SHOWN_MAX]:
        table.add_row(*("" if value is None else str(value) for value in row))
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        # Into a file or a pipe every value goes whole
        console = Console(highlight=False, markup=False, width=WIDE)
    console.print(table)
    if len(answer.data) > ROWS_SHOWN_MAX:
        write_note(f"{ROWS_SHOWN_MAX:,} of {len(answer.data):,} rows; --format CSV writes them all")
