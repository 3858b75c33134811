"""`utb serve`: the replica, the API and the dashboard in one process, over uvicorn."""

import asyncio
import contextlib
import ipaddress
import os
import signal
import socket
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog
import uvicorn
import uvloop
from msgspec.structs import replace

from utb.adapters.clocks import SystemClock
from utb.adapters.seam.client import SeamClient, socket_path
from utb.api.app import build
from utb.api.follower import Follower
from utb.api.world import Place, World
from utb.bootstrap.loglines import log_lines
from utb.bootstrap.session import rare_collections
from utb.config.instruments import instruments
from utb.config.load import Loaded
from utb.config.schema import Config
from utb.config.schema import Server as ServerTable
from utb.config.show import rows
from utb.config.values import MASK
from utb.errors import RefusedError
from utb.ports.seam import Seam
from utb.serving.addresses import bare, is_loopback, listening
from utb.serving.addresses import shown as name_of
from utb.serving.server import Server, WebSocket
from utb.storage.lock import StateLock
from utb.telemetry.replica import Replica

log = structlog.get_logger()

GRACE_S: Final = 3
"""Seconds that open requests have to end when the process is stopped."""
BACKLOG: Final = 512
CONNECTIONS_MAX: Final = 512
WS_BYTES_MAX: Final = 16_384


class ServeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says."""

    state_dir: Path
    host: str | None = None
    port: int | None = None


def serve(loaded: Loaded, options: ServeOptions) -> signal.Signals | None:
    """Serve until a signal, and return it when everything is closed.

    Raises:
        RefusedError: If it would be exposed without a key.
        UsageError: If the address is taken, or another process serves this state directory.
    """
    config = with_address(loaded.config, options)
    check_exposure(config.server)
    clock = SystemClock()
    log_lines(config, "serve")
    run_dir = options.state_dir / "run"
    listens = listening(config.server.host, config.server.port, BACKLOG)
    with StateLock(options.state_dir, "serve"), listens as listener:
        place = Place(
            state_dir=options.state_dir,
            config_shown=shown(msgspec.structs.replace(loaded, config=config)),
            version=f"ULTIMATE-{_version()}",
        )
        world = World(config, place, clock, Replica(instruments(config)))
        address = _write_address(run_dir, listener)
        log.info("serving", address=address)
        try:
            # A full pass over the replica would stand in the middle of somebody's answer
            with rare_collections():
                return uvloop.run(_run(world, listener))
        finally:
            (run_dir / "serve.json").unlink(missing_ok=True)
            log.info("stopped")


async def _run(world: World, listener: socket.socket) -> signal.Signals | None:
    app = build(world)
    told: list[signal.Signals] = []

    async def open_seam(*, reader: str, lane: bool = True, records: bool = True) -> Seam:
        path = socket_path(world.place.state_dir)
        return await SeamClient.open(path, reader=reader, lane=lane, records=records)

    server = Server(
        uvicorn.Config(
            app,
            http="httptools",
            ws=WebSocket,
            ws_max_size=WS_BYTES_MAX,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG,
            limit_concurrency=CONNECTIONS_MAX,
            timeout_graceful_shutdown=GRACE_S,
            h11_max_incomplete_event_size=None,
        )
    )

    def stop(number: signal.Signals) -> None:
        told.append(number)
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    following = asyncio.create_task(Follower(world, open_seam, (world.hub,)).run())
    telling = asyncio.create_task(world.hub.run())
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    done, _ = await asyncio.wait({following, telling, serving}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    for task in (following, telling):
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(following, telling, return_exceptions=True)
    await serving
    for task in done:
        # A task that ended by itself did so by a fault that a supervisor should see
        task.result()
    return told[0] if told else None


def with_address(config: Config, options: ServeOptions) -> Config:
    """Return the configuration with the command line's address."""
    host = bare(config.server.host if options.host is None else options.host)
    port = config.server.port if options.port is None else options.port
    allowed = tuple(dict.fromkeys((*config.server.allowed_hosts, *_own_name(host))))
    return replace(
        config, server=replace(config.server, host=host, port=port, allowed_hosts=allowed)
    )


def _own_name(host: str) -> tuple[str, ...]:
    """Return the name a request may call an address by; all addresses have none of their own."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return (host,)
    if address.is_unspecified:
        return ()
    return (name_of(host),)


def check_exposure(server: ServerTable) -> None:
    """Refuse to listen where others reach us while anyone could trade.

    Raises:
        RefusedError: If there is no key.
    """
    if is_loopback(server.host) or server.keys:
        return
    raise RefusedError(
        f"refusing to listen on {server.host} without an API key: anyone who reaches this address "
        "could trade. Make a key with `utb keys new`, put its lines into the configuration, and "
        "start again; or listen on 127.0.0.1."
    )


def _write_address(run_dir: Path, listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    address = f"http://{name_of(host)}:{port}"
    told = {"address": address, "host": host, "port": port, "pid": os.getpid()}
    partial = run_dir / "serve.json.partial"
    partial.write_bytes(msgspec.json.encode(told))
    partial.replace(run_dir / "serve.json")
    return address


def shown(loaded: Loaded) -> dict[str, Any]:
    """Return the effective configuration as nested tables, secrets masked."""
    tree: dict[str, Any] = {}
    for row in rows(loaded):
        *tables, last = row.key.split(".")
        place = tree
        for table in tables:
            place = place.setdefault(table, {})
        place[last] = MASK if last == "sha256" else row.value
    return tree


def _version() -> str:
    try:
        return metadata.version("utb")
    except metadata.PackageNotFoundError:
        return "1.0.0"
