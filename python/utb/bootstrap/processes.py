"""The processes of `utb run` and `utb demo`: their commands, order and readiness."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from utb.adapters.clocks import SystemClock
from utb.adapters.seam.client import socket_path
from utb.bootstrap import addresses, settling
from utb.bootstrap.child import ChildSpec
from utb.errors import UsageError
from utb.storage.lock import holder

TRADE: Final = "trade"
SERVE: Final = "serve"
ANALYTICS: Final = "analytics"
SIMNET: Final = "simnet"
SIGN: Final = "sign"

DEFAULT_PORT: Final = 8080
ANALYTICS_PORT: Final = 8123
SIMNET_HTTP_PORT: Final = 8181
SIMNET_WS_PORT: Final = 8182
RESULT_FILE: Final = "trade.out"
ORPHAN_S: Final = 5.0
"""Wait for the processes of a killed supervisor to be gone: the kernel ends them."""
_LOOK_S: Final = 0.05


class SimnetPorts(msgspec.Struct, frozen=True, kw_only=True):
    """Where simnet listens on loopback; chosen before it starts, the same after its restart."""

    http: int = SIMNET_HTTP_PORT
    ws: int = SIMNET_WS_PORT

    def settings(self) -> tuple[str, ...]:
        """Return the settings that point the feeds at it."""
        http = f"http://{addresses.LOOPBACK}:{self.http}"
        ws = f"ws://{addresses.LOOPBACK}:{self.ws}"
        return (
            f"api.dexscreener.base_url={http}/latest/dex",
            f"api.birdeye.base_url={http}",
            f"api.birdeye.ws_url={ws}/socket/solana",
            f"api.helius.base_url={http}",
            f"api.helius.ws_url={ws}/helius",
        )

    @property
    def clock(self) -> str:
        """Return the address of its simulated time."""
        return f"ws://{addresses.LOOPBACK}:{self.ws}/clock"


class Place(msgspec.Struct, frozen=True):
    """Where a server listens."""

    port: int
    host: str = addresses.LOOPBACK

    def url(self, path: str = "") -> str:
        """Return the address for a browser on this machine."""
        return addresses.url(self.host, self.port, path)

    def answers(self) -> bool:
        """Return whether something takes connections there."""
        return addresses.answers(self.host, self.port)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What shall run on a state directory."""

    state_dir: Path
    """Absolute."""
    config: Path | None = None
    """Absolute; None: the children find it themselves."""
    settings: tuple[str, ...] = ()
    serve: Place | None = Place(port=DEFAULT_PORT)
    """Of dashboard and API; None: without them."""
    analytics: Place | None = Place(port=ANALYTICS_PORT)
    """Of the ClickHouse store; None: without it."""
    clickhouse_server: bool = False
    """The store is a server of the user's (CLICKHOUSE_URL): analytics listens nowhere."""
    simnet: tuple[str, ...] | None = None
    """Arguments of the stand-in world; None: the real one."""
    simnet_ports: SimnetPorts = SimnetPorts()
    sign: Path | None = None
    """Socket of the signer that is started; None: there is none, or somebody else runs it."""
    trade: tuple[str, ...] = ()
    """More arguments of trade."""
    environment: Mapping[str, str] | None = None
    directory: Path | None = None

    @property
    def run_dir(self) -> Path:
        """Return where process ids and sockets are."""
        return self.state_dir / "run"

    @property
    def result(self) -> Path:
        """Return the file of trade's standard output."""
        return self.run_dir / RESULT_FILE

    @property
    def names(self) -> tuple[str, ...]:
        """Return the processes in the order of their start."""
        wanted = {
            SIMNET: self.simnet is not None,
            SIGN: self.sign is not None,
            TRADE: True,
            SERVE: self.serve is not None,
            ANALYTICS: self.analytics is not None,
        }
        return tuple(name for name, is_wanted in wanted.items() if is_wanted)


def specs(plan: Plan) -> list[ChildSpec]:
    """Return the specification of every process of a plan."""
    made = {SIMNET: _simnet, SIGN: _sign, TRADE: _trade, SERVE: _serve, ANALYTICS: _analytics}
    return [made[name](plan) for name in plan.names]


async def wait_for_orphans(plan: Plan) -> None:
    """Return when no earlier process of a plan's kinds is left on its state directory.

    Raises:
        UsageError: If one is still there after a while: somebody else runs it.
    """
    deadline_ns = SystemClock().elapsed_ns() + int(ORPHAN_S * 1e9)
    for name in plan.names:
        while (owner := holder(plan.state_dir, name)) is not None:
            if SystemClock().elapsed_ns() > deadline_ns:
                raise UsageError(
                    "--state",
                    str(plan.state_dir),
                    f"a directory without a running utb {name} (process {owner})",
                )
            await asyncio.sleep(_LOOK_S)


def _utb(plan: Plan, name: str, *arguments: str, settings: tuple[str, ...] = ()) -> tuple[str, ...]:
    config = () if plan.config is None else ("--config", str(plan.config))
    chosen = (part for text in (*plan.settings, *settings) for part in ("--set", text))
    return (
        *(sys.executable, "-m", "utb", name, "--state", str(plan.state_dir)),
        *config,
        *chosen,
        *arguments,
    )


def _simnet(plan: Plan) -> ChildSpec:
    ports = plan.simnet_ports

    def ready() -> bool:
        return all(addresses.answers(addresses.LOOPBACK, port) for port in (ports.http, ports.ws))

    return ChildSpec(
        name=SIMNET,
        command=lambda: _utb(
            plan,
            SIMNET,
            *(plan.simnet or ()),
            *("--http-port", str(ports.http), "--ws-port", str(ports.ws)),
        ),
        essential=True,
        ready=ready,
        stop_stage=2,
        stop_s=5.0,
        environment=plan.environment,
        directory=plan.directory,
    )


def _trade(plan: Plan) -> ChildSpec:
    socket = socket_path(plan.state_dir)

    def command() -> tuple[str, ...]:
        # What a killed process left would look like one that listens.
        socket.unlink(missing_ok=True)
        if plan.simnet is None:
            return _utb(plan, TRADE, *plan.trade)
        ports = plan.simnet_ports
        return _utb(plan, TRADE, *plan.trade, "--clock", ports.clock, settings=ports.settings())

    return ChildSpec(
        name=TRADE,
        command=command,
        essential=True,
        may_end=True,
        after=_before_trade(plan),
        ready=socket.exists,
        stop_stage=0,
        output=plan.result,
        environment=plan.environment,
        directory=plan.directory,
    )


def _before_trade(plan: Plan) -> str | None:
    if plan.sign is not None:
        return SIGN
    return None if plan.simnet is None else SIMNET


def _sign(plan: Plan) -> ChildSpec:
    def ready() -> bool:
        return plan.sign is not None and plan.sign.is_socket()

    def command() -> tuple[str, ...]:
        if plan.sign is not None:
            # What a killed process left would look like one that listens.
            plan.sign.unlink(missing_ok=True)
        return _utb(plan, SIGN)

    return ChildSpec(
        name=SIGN,
        command=command,
        essential=True,
        after=None if plan.simnet is None else SIMNET,
        ready=ready,
        stop_stage=2,
        environment=plan.environment,
        directory=plan.directory,
    )


def _serve(plan: Plan) -> ChildSpec:
    place = plan.serve or Place(port=DEFAULT_PORT)
    return ChildSpec(
        name=SERVE,
        command=lambda: _utb(plan, SERVE, "--port", str(place.port)),
        essential=False,
        ready=place.answers,
        stop_stage=1,
        environment=plan.environment,
        directory=plan.directory,
    )


def _analytics(plan: Plan) -> ChildSpec:
    place = plan.analytics or Place(port=ANALYTICS_PORT)
    server = plan.clickhouse_server
    return ChildSpec(
        name=ANALYTICS,
        command=lambda: _utb(plan, ANALYTICS, "--port", str(place.port)),
        essential=False,
        ready=None if server else place.answers,
        settled=None if server else settling.clickhouse_has_all(plan.state_dir, place.url("/")),
        stop_stage=1,
        environment=plan.environment,
        directory=plan.directory,
    )


def make_run_dir(state_dir: Path) -> None:
    """Make the directory of process ids and sockets, for this user alone.

    Raises:
        UsageError: If it cannot be made.
    """
    run_dir = state_dir / "run"
    try:
        run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(run_dir, os.W_OK):
            raise PermissionError(13, "no right to write")
    except OSError as error:
        raise UsageError(
            "--state", str(state_dir), f"a directory that can be written ({error.strerror})"
        ) from error
