"""The whole live system as its own processes on the simulated chain, seen from outside."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from utb.bootstrap import RunOptions, load_config
from utb.bootstrap.addresses import free_port
from utb.bootstrap.chainstand import ChainOptions
from utb.bootstrap.livedemo import LiveDemo, prepare
from utb.bootstrap.processes import Place, Plan, SimnetPorts, make_run_dir, specs
from utb.bootstrap.simnet import SimnetOptions
from utb.cli.demonstration import KEYS
from utb.config import secrets
from utb.domain.records import FillBooked, FillReverted, OrderState, Record
from utb.domain.signing import SOCKET_NAME
from utb.ledger.book import Book
from utb.storage.journal import FILE_NAME
from utb.storage.readers import read_instruments, read_records

FIRST_PORT = 18_400
SLOT_MS = 20
HOURS = 20_000
SEED = 7
START_S = 60.0
STOP_S = 20.0
SOL = "SOL-USDC"
QUIET = (
    "trading.min_confidence=0.999",
    "ensemble.min_consensus=0.999",
    "ensemble.min_participation=0.999",
    "strategies.timeframe=5m",
)
"""No ensemble is ever sure: whatever is traded was ordered by the test. And it is warm soon."""


class Broken(Exception):  # noqa: N818 - what happened to the bot
    """The bot did not do what it must."""


def wait(question: Callable[[], Any], what: str, seconds: float = 30.0) -> Any:
    """Ask until the answer is true, and return it.

    Raises:
        Broken: If it does not come to that in time.
    """
    until_s = time.monotonic() + seconds
    while not (found := question()):
        if time.monotonic() > until_s:
            raise Broken(f"{what}: not within {seconds:g} s")
        time.sleep(0.05)
    return found


class LiveBot:
    """simnet with its chain, signer, trade in live mode and serve; analytics is left out."""

    def __init__(
        self,
        folder: Path,
        speed: float,
        settings: tuple[str, ...] = QUIET,
        *,
        hours: int = HOURS,
        first_port: int = FIRST_PORT,
    ) -> None:
        """Make wallet and configuration, and start nothing.

        Bots that may run at the same time need first ports of their own.
        """
        self.state = folder / "state"
        self.state.mkdir()
        self._port = free_port(first_port)
        http = free_port(self._port + 1)
        ports = SimnetPorts(http=http, ws=free_port(http + 1))
        run = RunOptions(seed=SEED, hours=hours, speed=speed)
        config, _ = load_config(None)
        served = SimnetOptions(
            state_dir=self.state, http_port=ports.http, ws_port=ports.ws, run=run
        )
        chain = ChainOptions(slot_ms=SLOT_MS)
        self.made: LiveDemo = prepare(config, None, self.state, ports, served, chain)
        market = ("--seed", str(SEED), "--hours", str(hours), "--speed", f"{speed:g}")
        self._plan = Plan(
            state_dir=self.state,
            config=self.made.config,
            settings=(*settings, f"paper.seed={SEED}"),
            serve=Place(self._port),
            analytics=None,
            simnet=(*market, *self.made.simnet),
            simnet_ports=ports,
            sign=self.state / "run" / SOCKET_NAME,
            trade=("--json", "--keep"),
            environment=secrets.sealed_environment(KEYS | self.made.environment),
            directory=self.state,
        )
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self._port}", timeout=20.0)
        self.simnet = httpx.Client(base_url=f"http://127.0.0.1:{ports.http}", timeout=20.0)

    def start(self) -> None:
        """Start everything, one after the other, until it is healthy."""
        make_run_dir(self._plan.state_dir)
        for spec in specs(self._plan):
            self.start_one(spec.name)
        wait(self.healthy, "the bot is not healthy", START_S)

    def start_one(self, name: str) -> None:
        """Start one process and wait until it is ready."""
        spec = next(spec for spec in specs(self._plan) if spec.name == name)
        with (self.state / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                spec.command(), stdout=log, stderr=log, env=spec.environment, cwd=spec.directory
            )

        def ready() -> bool:
            if self.processes[name].poll() is not None:
                raise Broken(f"{name} ended: {self.log(name)}")
            return spec.ready is None or bool(spec.ready())

        wait(ready, f"{name} is not ready", START_S)

    def log(self, name: str) -> str:
        """Return the end of what a process said."""
        return (self.state / f"{name}.log").read_text()[-3_000:]

    def stop(self) -> None:
        """End everything."""
        for process in reversed(self.processes.values()):
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_S)
            process.kill()
            process.wait()
        self.http.close()
        self.simnet.close()

    # What it says

    def healthy(self) -> bool:
        """Return what `/health` says."""
        return self.http.get("/health").status_code == httpx.codes.OK

    def reasons(self) -> str:
        """Return why it is down; empty: it is not."""
        return "; ".join(self.http.get("/health").json().get("reasons", ()))

    def component(self, name: str) -> dict[str, Any]:
        """Return a row of `/health/components`."""
        rows = self.http.get("/health/components").json()["components"]
        found: dict[str, Any] = next(row for row in rows if row["name"] == name)
        return found

    def price(self, symbol: str) -> float | None:
        """Return an instrument's price; None: unknown."""
        rows = self.http.get("/api/v1/instruments").json()["instruments"]
        found: float | None = next(row["price"] for row in rows if row["symbol"] == symbol)
        return found

    def order(self, symbol: str, side: str, size: float, **more: Any) -> httpx.Response:
        """Give an order."""
        body = {"symbol": symbol, "side": side, "size": size, **more}
        return self.http.post("/api/v1/trade", json=body)

    def buy(self, symbol: str, quote: float = 1_000.0) -> httpx.Response:
        """Buy with a stop and a target that nothing reaches."""
        price = self.price(symbol)
        assert price is not None
        far = {"stop": price * 0.5, "target": price * 3}
        return self.order(symbol, "BUY", float(f"{quote / price:.4g}"), **far)

    # The chain

    def fault(self, kind: str, endpoint: str = "*", **more: Any) -> None:
        """Let something go wrong."""
        body = {"endpoint": endpoint, "kind": kind, **more}
        self.simnet.post("/simnet/chain/faults", json=body).raise_for_status()

    def heal(self) -> None:
        """End all faults."""
        self.simnet.delete("/simnet/chain/faults").raise_for_status()

    @contextmanager
    def faulty(self, kind: str, endpoint: str = "*", **more: Any) -> Iterator[None]:
        """Let something go wrong for a while."""
        self.fault(kind, endpoint, **more)
        try:
            yield
        finally:
            self.heal()

    def slot(self) -> int:
        """Return how far the chain is."""
        return int(self.simnet.get("/simnet/chain").json()["slot"])

    def pass_slots(self, count: int) -> None:
        """Let slots pass."""
        until = self.slot() + count
        wait(lambda: self.slot() >= until, f"{count} slots", 10 + count * SLOT_MS / 200)

    def landed(self) -> dict[str, bool]:
        """Return every transaction of the wallet that landed, and whether it succeeded."""
        params = [self.made.wallet, {"limit": 1000, "commitment": "finalized"}]
        body = {"jsonrpc": "2.0", "id": 1, "method": "getSignaturesForAddress", "params": params}
        told = self.simnet.post("/rpc/a", json=body).json()["result"]
        return {entry["signature"]: entry["err"] is None for entry in told}

    # The journal

    def records(self) -> list[Record]:
        """Return everything on record."""
        return [record for _, _, record in read_records(self.state / FILE_NAME, 0)]

    def book(self) -> Book:
        """Return the fold of the journal."""
        book = Book(read_instruments(self.state / FILE_NAME))
        for record in self.records():
            book.apply(record)
        return book

    def at_rest(self, seconds: float = 60.0) -> Book:
        """Return the book once no order is on its way or unsettled."""

        def rests() -> Book | None:
            book = self.book()
            return None if book.pending or book.provisional else book

        found: Book = wait(rests, "orders are on their way", seconds)
        return found

    def statuses(self) -> dict[str, str]:
        """Return the last status on record of every order."""
        return {r.intent_id: r.status.value for r in self.records() if isinstance(r, OrderState)}

    def problems(self) -> list[str]:
        """Return what is wrong with what landed: twice, unbooked, or booked and not landed."""
        owner: dict[str, str] = {}
        standing: dict[str, str] = {}
        found = []
        for record in self.records():
            match record:
                case OrderState() if record.attempt is not None:
                    owner[record.attempt.signature] = record.intent_id
                case FillBooked():
                    if record.fill.intent_id in standing:
                        found.append(f"{record.fill.intent_id} is booked twice")
                    standing[record.fill.intent_id] = record.fill.signature
                case FillReverted():
                    standing.pop(record.intent_id, None)
                case _:
                    continue
        landed = self.landed()
        times = Counter(owner[s] for s, good in landed.items() if good and s in owner)
        found += [f"{intent} landed {n} times" for intent, n in times.items() if n > 1]
        found += [f"{intent} landed unbooked" for intent in times if intent not in standing]
        found += [
            f"{intent} is booked and did not land"
            for intent, signature in standing.items()
            if not landed.get(signature)
        ]
        return found

    def reconcile(self) -> dict[str, Any]:
        """Return what `utb reconcile` finds."""
        done = subprocess.run(
            [
                *(sys.executable, "-m", "utb", "reconcile", "--json"),
                *("--state", str(self.state), "--config", str(self.made.config)),
            ],
            capture_output=True,
            text=True,
            timeout=60,
            env=secrets.sealed_environment(self.made.environment),
            check=False,
        )
        assert done.returncode in {0, 1}, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def warm(bot: LiveBot) -> None:
    """Return when an order is taken: the indicators are complete, and it is sold again."""

    said = "no price"

    def bought() -> bool:
        nonlocal said
        if bot.price(SOL) is None:
            return False
        answer = bot.buy(SOL)
        said = answer.text
        return bool(answer.status_code == httpx.codes.CREATED)

    try:
        wait(bought, "nothing can be bought", 120.0)
    except Broken as broken:
        raise Broken(f"{broken}: {said}") from broken
    bot.at_rest()
    sell(bot, SOL)
    bot.at_rest()


def sell(bot: LiveBot, symbol: str) -> httpx.Response:
    """Sell everything of an instrument."""
    return bot.http.post(f"/api/v1/positions/{symbol}/close")


def round_trip(bot: LiveBot, symbol: str) -> None:
    """Buy and sell, and see that both are settled."""
    before = set(bot.statuses())
    bought = bot.buy(symbol)
    assert bought.status_code == httpx.codes.CREATED, bought.text
    book = bot.at_rest()
    assert len(book.positions) == 1, bot.statuses()
    assert sell(bot, symbol).is_success
    assert not bot.at_rest().positions
    told = {intent: status for intent, status in bot.statuses().items() if intent not in before}
    assert len(told) >= 2
    assert set(told.values()) == {"SETTLED"}


def equal(bot: LiveBot) -> None:
    """See that nothing landed twice, and that chain and book are equal to the lamport."""
    bot.at_rest()
    assert bot.problems() == []
    found = bot.reconcile()
    assert found["equal"], found["words"]
    assert all(row["difference_raw"] == 0 for row in found["assets"])
