"""Puts the analytics process together: the seam, the journal's file, and the store."""

import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from utb.adapters.clocks import SystemClock
from utb.adapters.seam.client import SeamClient, socket_path
from utb.analytics.bulletin import Bulletin
from utb.analytics.facade import Access, Facade
from utb.analytics.follower import Pace
from utb.analytics.ports import Stream
from utb.analytics.readers import Limits, Readers
from utb.analytics.service import BACKLOG, Sources, Target, serve
from utb.api.keys import KeyRing, Scope
from utb.config import secrets
from utb.config.analytics_tables import Analytics
from utb.config.load import resolve
from utb.config.schema import Config, ServerKey
from utb.errors import RefusedError
from utb.serving.addresses import bare, is_loopback, listening, shown
from utb.storage.clickhouse.embedded import Embedded, require_chdb
from utb.storage.clickhouse.store import ServerStore, Store
from utb.storage.clickhouse.table import Place
from utb.storage.clickhouse.url import DATABASE, Endpoint, parse_url
from utb.storage.journal import FILE_NAME
from utb.storage.lock import StateLock
from utb.storage.readers import read_records

PROCESS: Final = "analytics"
NICENESS: Final = 10


class AnalyticsOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says."""

    state_dir: Path
    config: Path | None = None
    settings: Sequence[str] = ()
    host: str | None = None
    port: int | None = None


def load_analytics(
    config: Path | None, settings: Sequence[str] = ()
) -> tuple[Analytics, Endpoint | None]:
    """Return the table of the configuration, and the server that stands for the embedded store.

    Raises:
        ConfigError: With every problem of file and environment.
    """
    found, endpoint = _load(config, settings)
    return found.analytics, endpoint


def _load(config: Path | None, settings: Sequence[str]) -> tuple[Config, Endpoint | None]:
    loaded = resolve(config, secrets.read(), settings)
    url = loaded.secrets.clickhouse_url
    return loaded.config, None if url is None else parse_url(url)


def run_analytics(options: AnalyticsOptions) -> int:
    """Run until a signal; return the exit code.

    Raises:
        UtbError: If it cannot start, or cannot go on.
    """
    config, endpoint = _load(options.config, options.settings)
    if endpoint is None:
        require_chdb()
    state_dir = options.state_dir
    with ExitStack() as stack:
        stack.enter_context(StateLock(state_dir, PROCESS))
        # Before the engine starts its threads: nothing here may take time from the trading process
        os.nice(NICENESS)
        number = (
            _run_embedded(config, options, stack)
            if endpoint is None
            else _run_server(config.analytics, endpoint, state_dir, stack)
        )
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    return 0


def _run_embedded(config: Config, options: AnalyticsOptions, stack: ExitStack) -> int | None:
    table = config.analytics
    host = bare(table.host if options.host is None else options.host)
    port = table.port if options.port is None else options.port
    access = access_of(host, config)
    bound = stack.enter_context(listening(host, port, BACKLOG))
    embedded = Embedded(options.state_dir, memory_mib_max=table.memory_mib_max)
    stack.callback(embedded.close)
    limits = Limits(
        seconds_max=table.query_seconds_max,
        memory_mib_max=table.query_memory_mib_max,
        result_rows_max=table.result_rows_max,
        result_mib_max=table.result_mib_max,
    )
    readers = Readers(embedded.connect, table.queries_max, limits)
    stack.callback(readers.close)
    bulletin = Bulletin(
        options.state_dir / "run",
        url=f"http://{shown(host)}:{bound.getsockname()[1]}/",
        database=DATABASE,
        embedded=True,
        wall_ns=SystemClock().now_ns,
    )
    _tell(bulletin, stack)
    target = _target(table, Place(database=DATABASE), embedded.writer, bulletin)
    facade = Facade(readers, access, DATABASE)
    return uvloop.run(serve(_sources(options.state_dir), target, facade, bound))


def _run_server(
    table: Analytics, endpoint: Endpoint, state_dir: Path, stack: ExitStack
) -> int | None:
    bulletin = Bulletin(
        state_dir / "run",
        url=endpoint.address,
        database=endpoint.database,
        embedded=False,
        wall_ns=SystemClock().now_ns,
    )
    _tell(bulletin, stack)
    place = Place(database=endpoint.database, cluster=endpoint.cluster)
    target = _target(table, place, lambda: ServerStore(endpoint), bulletin)
    return uvloop.run(serve(_sources(state_dir), target, None, None))


def access_of(host: str, config: Config) -> Access:
    """Return who may read at an address.

    Raises:
        RefusedError: If everybody could.
    """
    loopback = is_loopback(host)
    # A key that may read the API may read what the API is made of
    readers = [key for key in config.server.keys if Scope.READ in key.scopes]
    if config.analytics.key_sha256:
        own = ServerKey(id=PROCESS, sha256=config.analytics.key_sha256, scopes=("read",))
        readers.append(own)
    if readers:
        ring, now_ns = KeyRing(readers), SystemClock().now_ns
        return Access(loopback=loopback, is_key=lambda key: ring.find(key, now_ns()) is not None)
    if loopback:
        return Access(loopback=True, is_key=None)
    raise RefusedError(
        f"analytics.host is {host}, which other machines reach: set analytics.key_sha256 to "
        "the SHA-256 of a key (printf %s KEY | sha256sum), make one with `utb keys new`, or "
        "listen on 127.0.0.1"
    )


def _target(
    table: Analytics, place: Place, connect: Callable[[], Store], bulletin: Bulletin
) -> Target:
    return Target(
        connect=connect,
        place=place,
        history_days=table.history_days,
        pace=Pace(flush_ms=table.flush_ms, batch_rows=table.batch_rows),
        bulletin=bulletin,
    )


def _sources(state_dir: Path) -> Sources:
    path = socket_path(state_dir.resolve())

    @asynccontextmanager
    async def open_stream() -> AsyncIterator[Stream]:
        async with await SeamClient.open(path, reader=PROCESS) as client:
            yield client

    return Sources(
        journal=state_dir / FILE_NAME,
        read=read_records,
        open_stream=open_stream,
        wall_ns=SystemClock().now_ns,
    )


def _tell(bulletin: Bulletin, stack: ExitStack) -> None:
    """Say where the store is, for as long as this process runs."""
    path = bulletin.tell()
    stack.callback(path.unlink, missing_ok=True)
