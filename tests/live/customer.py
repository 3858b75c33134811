"""Gives seeded orders through the API, makes some fail on the chain, and compares at the end."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from chainbooks import Told, differences, on_chain
from ordersystem import LiveStand

from utb.domain.records import OrderState

MOVE: Final = 0.04
DELAY_SLOTS: Final = 5
"""Between a send and its landing: time for the price to move."""
LOOK_S: Final = 0.02
AGAIN_S: Final = 1.0
"""Longest time a price stays away from an exit that failed."""
REFUSED_S: Final = 0.2
ORDER_S: Final = 60.0
"""Longest wait for an order's end."""
SETTLE_S: Final = 90.0
WARM_UP_S: Final = 120.0
RENT_S: Final = 600.0
"""Longest wait for the rent of guards: eight come back in a transaction."""

SPLIT_USDC: Final = (6_000.0, 14_000.0)
USDC: Final = (40.0, 6_000.0)
SALE_BY_SIZE, SALE_OF_A_PART = 0.3, 0.6
"""Below the first a sale by size, below the second of a fraction, else of all."""
PART: Final = (0.2, 0.7)

HELD: Final = ("SOL-USDC", "ETH-USDC", "BONK-USDC", "RAY-USDC")
HELD_USDC: Final = 300.0
MORE_THAN_ALL_USDC: Final = 1e9


@dataclass
class Run:
    """One run's findings."""

    accepted: set[str] = field(default_factory=set)
    """Intent or command of each order that the API took."""
    refused: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    moved: int = 0
    wall_s: float = 0.0


class Customer:
    """Gives the orders of one run."""

    def __init__(self, stand: LiveStand, count: int, seed: int) -> None:
        """Begin; the stand runs."""
        self.stand = stand
        self.told = Told.of(stand.state)
        self.run = Run()
        self._count = count
        self._seed = seed
        self._signed: Counter[int] = Counter()
        """Attempts so far, by instrument."""

    async def trade(self, *, rent_back: bool) -> None:
        """Give all orders and compare when they have ended.

        Args:
            rent_back: Wait until the rent of all guards is back, and compare once more.
        """
        reader = asyncio.create_task(self._follow())
        try:
            await self._warm()
            await self._orders()
            await self._hold_some()
            await self.stand.post("pause", {})
            await self._equal("positions open")
            await self.stand.post("positions/close_all", {})
            await self._until(lambda: not self.told.book.positions, SETTLE_S, "all sold")
            await self._equal("all sold")
            if rent_back:
                await self._rent_back()
                await self._equal("rent brought back")
        finally:
            reader.cancel()
            await asyncio.wait((reader,))
            if not reader.cancelled() and (error := reader.exception()) is not None:
                raise error

    async def _orders(self) -> None:
        body = {"kind": "delay", "value": DELAY_SLOTS}
        for endpoint in ("*", "jito"):
            await self.stand.control("faults", body | {"endpoint": endpoint})
        began_s = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for one in self.told.instruments:
                group.create_task(self._work(one.index, one.symbol))
        self.run.wall_s = time.monotonic() - began_s
        await self.stand.http.delete(f"{self.stand.controls}/faults")

    # Waiting

    async def _follow(self) -> None:
        while True:
            for record in self.told.read():
                if isinstance(record, OrderState) and record.attempt is not None:
                    intent = self.told.intents[record.intent_id].intent
                    assert intent is not None
                    self._signed[intent.instrument] += 1
            await asyncio.sleep(LOOK_S)

    async def _wait(self, question: Callable[[], bool], seconds: float) -> bool:
        """Return whether the answer became yes in time."""
        deadline_s = time.monotonic() + seconds
        while not question():
            if time.monotonic() > deadline_s:
                return False
            if self.stand.lost:
                raise RuntimeError("; ".join(self.stand.lost))
            await asyncio.sleep(LOOK_S)
        return True

    async def _until(self, question: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait for what must come; that it did not is a problem."""
        if not await self._wait(question, seconds):
            self.run.problems.append(f"{what}: not within {seconds:g} s")

    async def _warm(self) -> None:
        """Wait until every instrument takes manual orders: a refusal costs nothing."""
        deadline_s = time.monotonic() + WARM_UP_S
        waiting = {one.symbol for one in self.told.instruments}
        prices = await self.stand.prices()
        told = ""
        while waiting:
            for symbol in sorted(waiting)[:2]:
                # More than there is money for: refused for that as soon as the rest is there
                size = f"{MORE_THAN_ALL_USDC / prices[symbol]:.5f}"
                body = {"symbol": symbol, "side": "BUY", "size": size}
                answer = await self.stand.post("trade", body)
                told = answer.text
                if answer.json().get("error", {}).get("code") != "MARKET_CLOSED":
                    waiting.discard(symbol)
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"no orders are taken for {sorted(waiting)}: {told}")
            await asyncio.sleep(0.3)

    # One instrument

    async def _work(self, index: int, symbol: str) -> None:
        rng = random.Random(f"{self._seed} {symbol}")  # noqa: S311 - seeded on purpose
        while min(len(self.told.intents), len(self.run.accepted)) < self._count:
            if not await self._order(rng, index, symbol):
                await asyncio.sleep(REFUSED_S)
                continue
            await self._until(lambda: not self._on_its_way(index), ORDER_S, f"{symbol} ends")

    def _on_its_way(self, index: int) -> bool:
        pending = self.told.book.pending.values()
        return any(one.intent.instrument == index for one in pending)

    async def _order(self, rng: random.Random, index: int, symbol: str) -> bool:
        """Give one order; return whether it was taken."""
        if self._on_its_way(index):
            return False
        held = self.told.book.position_of(index)
        hard = rng.random() < self.stand.options.hard
        price = (await self.stand.prices())[symbol]
        before = self._signed[index]
        if held is None:
            low, high = SPLIT_USDC if len(self.stand.options.pools[symbol]) > 1 else USDC
            size = f"{rng.uniform(low, high) / price:.5f}"
            request = self.stand.post("trade", {"symbol": symbol, "side": "BUY", "size": size})
        else:
            request = self._sale(rng, symbol, held.base_raw, index)
        asked = asyncio.create_task(request)
        if hard:
            away = price * (1 + MOVE if held is None else 1 - MOVE)
            await self._move_away(index, symbol, away, before, asked)
        answer = await asked
        if hard:
            if answer.is_success and held is not None:
                await self._wait(lambda: self._ended_or_again(index, before), AGAIN_S)
            await self.stand.control("price", {"symbol": symbol, "price": price})
        return self._heard(answer)

    def _ended_or_again(self, index: int, before: int) -> bool:
        return not self._on_its_way(index) or self._signed[index] > before + 1

    def _sale(
        self, rng: random.Random, symbol: str, base_raw: int, index: int
    ) -> Coroutine[Any, Any, httpx.Response]:
        """Ask for the sale of a part by size, of a part by fraction, or of all."""
        kind = rng.random()
        if kind < SALE_BY_SIZE:
            decimals = self.told.instruments[index].base_decimals
            raw = int(base_raw * rng.uniform(*PART))
            size = f"{raw // 10**decimals}.{raw % 10**decimals:0{decimals}d}"
            return self.stand.post("trade", {"symbol": symbol, "side": "SELL", "size": size})
        body = {"fraction": round(rng.uniform(*PART), 3)} if kind < SALE_OF_A_PART else {}
        return self.stand.post(f"positions/{symbol}/close", body)

    async def _move_away(
        self,
        index: int,
        symbol: str,
        price: float,
        before: int,
        asked: "asyncio.Task[httpx.Response]",
    ) -> None:
        """Move the price when the order is signed, before it lands."""
        deadline_s = time.monotonic() + ORDER_S
        while self._signed[index] == before and time.monotonic() < deadline_s:
            if asked.done() and not (asked.result().is_success and self._on_its_way(index)):
                return
            await asyncio.sleep(LOOK_S / 4)
        await self.stand.control("price", {"symbol": symbol, "price": price})
        self.run.moved += 1

    def _heard(self, answer: httpx.Response) -> bool:
        told = answer.json()
        if answer.is_success:
            self.run.accepted.add(told.get("order_id") or told["command_id"])
            return True
        error = told["error"]
        self.run.refused[error.get("details", {}).get("code") or error["code"]] += 1
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            self.run.problems.append(answer.text)
        return False

    # The end

    async def _hold_some(self) -> None:
        """Have positions open that no stop closes meanwhile, so that tokens are compared."""
        await self._wait(lambda: not self.told.book.pending, ORDER_S)
        prices = await self.stand.prices()
        for symbol in HELD:
            price = prices[symbol]
            wanted = {"symbol": symbol, "side": "BUY", "size": f"{HELD_USDC / price:.5f}"}
            await self.stand.post("trade", wanted | {"stop": price * 0.8, "target": price * 3})

    async def _rent_back(self) -> None:
        deadline_s = time.monotonic() + RENT_S
        guards = self.told.guards()
        while time.monotonic() < deadline_s:
            if not await self.stand.lamports_of(guards):
                return
            await asyncio.sleep(2.0)
        self.run.problems.append(f"the rent of guards did not come back within {RENT_S:g} s")

    async def _equal(self, when: str) -> None:
        """Compare when nothing moves; rent that is on its way back moves for a while."""
        deadline_s = time.monotonic() + SETTLE_S
        found: dict[str, tuple[int, int]] = {}
        ledger: dict[str, int] = {}
        chain: dict[str, int] = {}
        while time.monotonic() < deadline_s:
            await self._until(lambda: self.told.settled, SETTLE_S, f"{when}: all settled")
            ledger = self.told.ledger()
            chain = await on_chain(self.stand, self.told.guards())
            found = differences(ledger, chain)
            if not found:
                break
            await asyncio.sleep(0.5)
        lines = [f"{when}: ledger, chain, difference"]
        for asset in sorted(ledger | chain, key=self.told.name):
            own, theirs = ledger.get(asset, 0), chain.get(asset, 0)
            name = self.told.name(asset)
            lines.append(f"  {name:>6} {own:>22,} {theirs:>22,} {theirs - own:>12,}")
        self.run.tables.append("\n".join(lines))
        for asset, (own, theirs) in found.items():
            name = self.told.name(asset)
            self.run.problems.append(f"{when}: {name} is {own} in the ledger, {theirs} on chain")
