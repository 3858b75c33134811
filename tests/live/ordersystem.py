"""The whole system trading live on the stand-in's chain, started and ended inside one program."""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import tomlkit

from utb.bootstrap import addresses, load_config
from utb.bootstrap.chainstand import ChainOptions
from utb.bootstrap.livedemo import LiveDemo, prepare
from utb.bootstrap.options import RunOptions
from utb.bootstrap.processes import Place, Plan, SimnetPorts, make_run_dir, specs
from utb.bootstrap.simnet import SimnetOptions
from utb.bootstrap.supervise import Event, Supervisor, What
from utb.config import secrets
from utb.domain.signing import SOCKET_NAME

KEYS: Final = {"BIRDEYE_API_KEY": "demo", "HELIUS_API_KEY": "demo"}
HOURS: Final = 2_000
"""Of the generated market: more than any run takes."""
READY_S: Final = 60.0
ANSWER_S: Final = 20.0
ACCOUNTS_AT_ONCE: Final = 100

GIVEN: Final = """
[trading]
min_confidence = 0.99
slippage_tolerance = 0.005
[strategies]
timeframe = "5m"
[risk]
portfolio_heat_limit = 0.95
max_concurrent_positions = 8
correlation_limit = 1.0
volatility_threshold = 1.0
max_drawdown = 0.5
min_target_costs = 0.0
fee_reserve_sol = 0.01
[routing]
protected_from_usdc = 9000.0
split_gain_bps_min = 1
[senders.jito]
per_second = 50
"""
"""As the defaults, but for guards that would stop a thousand manual orders, and bars that are
there after some simulated hours. Strategies hardly act: these orders are ours."""


@dataclass(frozen=True)
class Options:
    """What to start."""

    seed: int
    rent: int
    slot_ms: int
    port: int
    speed: float
    pools: dict[str, tuple[str, ...]]
    """Programs whose pools an instrument may use; none: the aggregator's alone."""
    hard: float
    """Share of orders whose price moves away before they land."""


class LiveStand:
    """Simnet with its chain, the signer, trade and serve, under the supervisor."""

    def __init__(self, state: Path, options: Options) -> None:
        """Describe it; the wallet and the configuration are made."""
        self.state = state
        self.options = options
        serve = addresses.free_port(options.port)
        http = addresses.free_port(options.port + 1, (serve,))
        ws = addresses.free_port(options.port + 2, (serve, http))
        self.api = f"http://{addresses.LOOPBACK}:{serve}/api/v1"
        self.controls = f"http://{addresses.LOOPBACK}:{http}/simnet/chain"
        self.rpc = f"http://{addresses.LOOPBACK}:{http}/rpc/a"
        self.lost: list[str] = []
        """What happened to processes that should not."""
        ports = SimnetPorts(http=http, ws=ws)
        demo = self._prepare(ports)
        self.wallet = demo.wallet
        self._plan = Plan(
            state_dir=state,
            config=demo.config,
            settings=(f"paper.seed={options.seed}",),
            simnet=(
                *("--seed", str(options.seed), "--hours", str(HOURS)),
                *("--speed", f"{options.speed:g}"),
                *demo.simnet,
            ),
            simnet_ports=ports,
            sign=state / "run" / SOCKET_NAME,
            trade=("--json", "--keep"),
            serve=Place(serve),
            analytics=None,
            environment=secrets.sealed_environment(KEYS | demo.environment),
            directory=state,
        )
        make_run_dir(self._plan.state_dir)
        self._supervisor = Supervisor(state, specs(self._plan), self._on_event)
        self._running: asyncio.Task[int] | None = None
        self.http = httpx.AsyncClient(timeout=ANSWER_S, trust_env=False)

    def _prepare(self, ports: SimnetPorts) -> LiveDemo:
        given = self.state / "given.toml"
        self.state.mkdir(parents=True, exist_ok=True)
        given.write_text(GIVEN)
        config, _ = load_config(given, ())
        chain = ChainOptions(slot_ms=self.options.slot_ms, rent_lamports_per_byte=self.options.rent)
        run = RunOptions(seed=self.options.seed, hours=HOURS)
        market = SimnetOptions(
            state_dir=self.state, http_port=ports.http, ws_port=ports.ws, run=run
        )
        demo = prepare(config, given, self.state, ports, market, chain)
        document = tomlkit.parse(demo.config.read_text())
        for table in document["instruments"]:
            wanted = self.options.pools.get(table["symbol"])
            if wanted is not None:
                table["pools"] = [p for p in table["pools"] if p.partition(":")[0] in wanted]
        demo.config.write_text(tomlkit.dumps(document))
        return demo

    def _on_event(self, event: Event) -> None:
        if event.event in {What.RESTARTING, What.GONE, What.KILLED, What.DONE}:
            self.lost.append(event.sentence)

    async def start(self) -> None:
        """Start everything and return when orders are taken.

        Raises:
            TimeoutError: If that does not come.
        """
        self._running = asyncio.create_task(self._supervisor.run())
        async with asyncio.timeout(READY_S):
            while not await self._answers():  # noqa: ASYNC110 - it comes over HTTP
                await asyncio.sleep(0.1)

    async def _answers(self) -> bool:
        if self._running is not None and self._running.done():
            raise RuntimeError(f"the system ended: {'; '.join(self.lost)}")
        try:
            answer = await self.http.get(f"{self.api}/status")
        except httpx.TransportError:
            return False
        return answer.is_success and answer.json()["status"] == "RUNNING"

    async def stop(self) -> None:
        """End everything in order."""
        await self.http.aclose()
        if self._running is not None:
            self._supervisor.stop()
            await self._running

    # Questions

    async def post(self, path: str, body: object) -> httpx.Response:
        """Ask the API for something."""
        return await self.http.post(f"{self.api}/{path}", json=body)

    async def control(self, name: str, body: object) -> Any:
        """Move something of the chain."""
        answer = await self.http.post(f"{self.controls}/{name}", json=body)
        answer.raise_for_status()
        return answer.json()

    async def prices(self) -> dict[str, float]:
        """Return what the pools are pegged to."""
        answer = (await self.http.get(self.controls)).json()
        return {market["symbol"]: market["price"] for market in answer["markets"]}

    async def call(self, method: str, *params: object) -> Any:
        """Return the result of an RPC call."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = (await self.http.post(self.rpc, json=body)).json()
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    async def lamports_of(self, accounts: list[str]) -> int:
        """Return what accounts hold together at a finalized slot."""
        total = 0
        for start in range(0, len(accounts), ACCOUNTS_AT_ONCE):
            part = accounts[start : start + ACCOUNTS_AT_ONCE]
            answer = await self.call(
                "getMultipleAccounts", part, {"encoding": "base64", "commitment": "finalized"}
            )
            total += sum(one["lamports"] for one in answer["value"] if one is not None)
        return total

    def alarms(self) -> list[str]:
        """Return what trade raised an alarm about, as its log has it."""
        text = (self.state / "log" / "trade.log").read_text(errors="replace")
        return [line for line in text.splitlines() if re.search(r'"event":\s*"alarm"', line)]
