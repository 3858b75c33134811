"""The world around a benchmarked order: simnet with its chain, the signer, the source of prices."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Self

from utb.adapters.rpc.place import places
from utb.adapters.signer.inprocess import InProcessSigner
from utb.bootstrap import RunOptions, load_config
from utb.bootstrap.addresses import free_port
from utb.bootstrap.chainstand import ChainOptions, make_chain
from utb.bootstrap.livedemo import FOLDER, KEY_FILE, PASSPHRASE_FILE, LiveDemo, prepare
from utb.bootstrap.onchain import OnChain, open_chain
from utb.bootstrap.processes import Place, Plan, SimnetPorts, make_run_dir, specs
from utb.bootstrap.signing import now_s, policy_of, record_dir
from utb.bootstrap.simnet import SimnetOptions, build_world
from utb.cli.demonstration import KEYS
from utb.config import secrets
from utb.domain.signing import SOCKET_NAME
from utb.engine.signer import open_signer
from utb.simnet.server.world import Keys

SLOT_MS = 20
SYMBOL = "SOL-USDC"


class LocalSigner(InProcessSigner):
    """The signer as a library, in the shape of the one behind a socket."""

    connected = True

    def close(self) -> None:
        """Do nothing: the record is closed with the resources."""


async def apart(config: Any, variables: Any, made: "World", resources: ExitStack) -> OnChain:
    """Return the way to the chain with the signer in its own process."""
    return await open_chain(config, variables.secrets(), made.instruments, made.state, resources)


async def alone(config: Any, variables: Any, made: "World", resources: ExitStack) -> OnChain:
    """Return the way to the chain with the signer in this process."""
    folder = made.state / FOLDER
    core = open_signer(
        folder / KEY_FILE,
        bytearray((folder / PASSPHRASE_FILE).read_bytes().strip()),
        policy_of(config),
        directory=record_dir(made.state),
        uid=os.geteuid(),
        now_s=now_s(),
    )
    resources.callback(core.close)
    signer: Any = LocalSigner(core, now_s)
    found = places(config, variables.secrets())
    chain = OnChain(config, variables.secrets(), made.instruments, found, signer)
    await chain.check()
    return chain


# The world around it


class World:
    """simnet with its chain, the source of prices, and perhaps the signer's process."""

    def __init__(self, state: Path, source: str, *, alone: bool) -> None:
        self.state = state
        self._script = source
        # The aggregator's answer is a wait for somebody else: pools of our own are what is timed
        self.settings = (
            "strategies.timeframe=1m",
            "trading.min_confidence=0.999",
            "routing.aggregator=off",
        )
        http = free_port(18_600)
        ports = SimnetPorts(http=http, ws=free_port(http + 1))
        self.source = free_port(ports.ws + 1)
        run = RunOptions(seed=7, hours=24)
        config, _ = load_config(None)
        served = SimnetOptions(state_dir=state, http_port=http, ws_port=ports.ws, run=run)
        chain = ChainOptions(slot_ms=SLOT_MS)
        self.live: LiveDemo = prepare(config, None, state, ports, served, chain)
        world = build_world(config, served, Keys())
        market = next(it for it in make_chain(world, chain).chain.markets if it.symbol == SYMBOL)
        self.price, self.start_ns = market.price, world.span_ns[0]
        self.instruments = tuple(it for it in world.instruments if it.symbol == SYMBOL)
        self._plan = Plan(
            state_dir=state,
            config=self.live.config,
            simnet=("--seed", "7", "--hours", "24", *self.live.simnet),
            simnet_ports=ports,
            sign=None if alone else state / "run" / SOCKET_NAME,
            environment=secrets.sealed_environment(KEYS | self.live.environment),
            directory=state,
        )
        self._processes: list[subprocess.Popen[bytes]] = []
        self._cores = sorted(os.sched_getaffinity(0))

    def __enter__(self) -> Self:
        make_run_dir(self.state)
        if len(self._cores) > 1:
            # As on a dedicated host: whoever gets bytes from trading does not take its core
            os.sched_setaffinity(0, self._cores[:1])
        for spec in specs(self._plan):
            if spec.name in {"simnet", "sign"}:
                self._start(spec.command(), spec.environment, spec.ready)
        listens = Place(self.source).answers
        self._start((sys.executable, self._script, "--child", str(self.source)), None, listens)
        return self

    def __exit__(self, *_: object) -> None:
        os.sched_setaffinity(0, self._cores)
        for process in reversed(self._processes):
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()

    def _start(self, command: Any, environment: Any, ready: Callable[[], bool] | None) -> None:
        with (self.state / "bench.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        if len(self._cores) > 1:
            os.sched_setaffinity(process.pid, self._cores[1:])
        self._processes.append(process)
        until_s = time.monotonic() + 60
        while ready is not None and not ready():
            if process.poll() is not None or time.monotonic() > until_s:
                raise SystemExit((self.state / "bench.log").read_text()[-2_000:])
            time.sleep(0.05)
