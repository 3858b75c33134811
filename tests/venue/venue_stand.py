"""A venue on strict stand-ins: the order life, the choice of routes and the messages are real."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Self, cast

from venue_doubles import (
    BASE_MINT,
    COIN,
    INTENT,
    OTHER_POOL,
    POOL,
    SLOT,
    WALLET,
    FakeBuilder,
    FakeChain,
    FakeFills,
    FakePools,
    FakeRpc,
    FakeSenders,
    FakeSigner,
    FakeWatcher,
    account,
    mint_account,
)

from utb.adapters.timers import WallTimer
from utb.adapters.venues.solana.attempts import Attempts
from utb.adapters.venues.solana.dispatch import Dispatches
from utb.adapters.venues.solana.flight import Flight
from utb.adapters.venues.solana.gate import MintGate
from utb.adapters.venues.solana.poolfeed import PoolFeed
from utb.adapters.venues.solana.pricing import Pricing
from utb.adapters.venues.solana.settings import PoolPlace, VenueSettings
from utb.adapters.venues.solana.venue import SolanaVenue
from utb.adapters.venues.solana.wallet import WalletAccounts
from utb.adapters.venues.solana.wiring import VenueWiring
from utb.domain.chain import USDC_MINT, Attempt, ChainFill, Commitment, Program
from utb.domain.market import Instrument
from utb.domain.names import ExitReason, OrderStatus, Side
from utb.domain.orders import (
    OrderIntent,
    Submission,
    VenueEvent,
    VenueFailed,
    VenueFilled,
    VenueProgress,
)
from utb.engine.chain import (
    key_text,
)
from utb.orderlife.actions import Filled
from utb.orderlife.events import FillRead, Status, StatusAbsent
from utb.orderlife.life import Rules
from utb.routing.fees import FeeRules
from utb.routing.quotes import Limits


class Stand:
    """The venue and everything around it; `async with` runs its background work."""

    def __init__(self, instrument: Instrument = COIN, **settings: Any) -> None:
        self.events: list[VenueEvent] = []
        self.durable: set[str] = set()
        self.alarms: list[str] = []
        self.release_at_once = True
        self.now_ns = 5_000_000_000
        self.sequence = 0
        self.rpc, self.chain, self.signer = FakeRpc(), FakeChain(), FakeSigner()
        self.book, self.builder, self.watcher = FakePools(), FakeBuilder(), FakeWatcher()
        self.senders = FakeSenders(self.durable, self.watcher.watched)
        self.fills = FakeFills()
        self.jupiter: Any = None
        self.instrument = instrument
        self.settings = make_settings(**settings)
        self.rpc.accounts |= {BASE_MINT: mint_account(), USDC_MINT: mint_account()}

    async def __aenter__(self) -> Self:
        rpc, settings, timer = cast("Any", self.rpc), self.settings, WallTimer()
        self.feed = PoolFeed(rpc, timer, self.book, settings.pools[0])
        self.wallet = WalletAccounts(WALLET, rpc, timer)
        self.set_pool(POOL, 10**12, 2 * 10**12)
        self.set_pool(OTHER_POOL, 10**9, 2 * 10**9)
        self.rpc.tell_slot(SLOT)
        assert await self.wallet.read((BASE_MINT, USDC_MINT)) == ""
        assert await self.feed.read() == ""
        pricing = Pricing(self.chain, settings.fees)
        for place in settings.pools[0]:
            pricing.watch(place.address, self.feed.needs(place.address))
        common: dict[str, Any] = {
            "settings": settings,
            "chain": self.chain,
            "pools": self.feed,
            "wallet": self.wallet,
            "builder": self.builder,
        }
        attempts = Attempts(
            **common,
            pricing=pricing,
            dispatches=Dispatches(self.senders),
            next_sequence=self._next_sequence,
            lamport_quote_q64=lambda: (150_000_000 << 64) // 10**9,
        )
        self.gate = MintGate(**common, rpc=rpc)
        self.venue = SolanaVenue(
            VenueWiring(
                instruments=(self.instrument,),
                settings=settings,
                now_ns=lambda: self.now_ns,
                elapsed_ns=lambda: self.now_ns,
                sink=self,
                signer=self.signer,
                chain=self.chain,
                senders=self.senders,
                watcher=self.watcher,
                wallet=self.wallet,
                attempts=attempts,
                gate=self.gate,
                fills=self.fills,
                jupiter=self.jupiter,
                on_alarm=self.alarms.append,
                after_fill=self._after_fill,
            )
        )
        self._running = asyncio.ensure_future(self.venue.run())
        await self.settle()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    async def settle(self) -> None:
        """Let the background work come to rest."""
        for _ in range(20):
            await asyncio.sleep(0)

    # What the sink and the journal do

    def on_venue(self, event: VenueEvent) -> bool:
        self.events.append(event)
        if isinstance(event, VenueProgress) and event.status is OrderStatus.SIGNED:
            assert event.attempt is not None
            assert event.attempt.signature == event.signature
            if self.release_at_once:
                self.release(event.signature)
        return True

    def release(self, signature: str) -> None:
        self.durable.add(signature)
        self.venue.release(signature)

    # What the test does

    def set_pool(self, pool: bytes, base: int, quote: int) -> None:
        data = base.to_bytes(8, "little") + quote.to_bytes(8, "little")
        self.rpc.accounts[key_text(pool)] = account(data)

    def own(self, mint: str) -> str:
        found = self.wallet.own(mint)
        assert found is not None
        return found.address

    def submit(self, intent: OrderIntent, fee_lamports_max: int = 2_000_000) -> None:
        self.venue.submit(Submission(intent=intent, fee_lamports_max=fee_lamports_max), self.now_ns)

    def status(
        self,
        signature: str,
        commitment: Commitment,
        *,
        err: str | None = None,
        guard_failed: bool = False,
        slot: int | None = None,
    ) -> None:
        self.venue.on_observation(
            Status(
                signature=signature,
                endpoint="a",
                commitment=commitment,
                slot=self.chain.at.slot if slot is None else slot,
                err=err,
                guard_failed=guard_failed,
            )
        )

    def fill(self, signature: str, base: int, quote: int, slot: int = SLOT) -> ChainFill:
        """Make the transaction readable at both commitments."""
        found = ChainFill(
            signature=signature,
            slot=slot,
            base_raw=base,
            quote_raw=quote,
            fee_lamports=12_000,
            tip_lamports=0,
            rent_lamports=0,
            compute_units=60_000,
        )
        for finalized in (False, True):
            self.fills.found[signature, finalized] = FillRead(
                signature=signature, slot=slot, finalized=finalized, fill=found
            )
        return found

    def statuses(self) -> list[str]:
        """Return what was reported, in order."""
        words = []
        for event in self.events:
            if isinstance(event, VenueFilled):
                words.append("FILLED")
            elif isinstance(event, VenueProgress | VenueFailed):
                words.append(str(event.status))
            else:
                words.append("REVERTED")
        return words

    @property
    def signatures(self) -> list[str]:
        """Return the attempts' signatures, in order."""
        return [
            event.signature
            for event in self.events
            if isinstance(event, VenueProgress) and event.status is OrderStatus.SIGNED
        ]

    @property
    def failure(self) -> VenueFailed:
        """Return the last event, which must be the order's end without a fill.

        An exit of which nothing was signed is told some slots later.
        """
        self.chain.go_on(6)
        last = self.events[-1]
        assert isinstance(last, VenueFailed)
        return last

    def _next_sequence(self) -> int:
        self.sequence += 1
        return self.sequence

    def _after_fill(self, flight: Flight, filled: Filled) -> None:
        assert filled.signature in flight.attempts


def make_settings(**changes: Any) -> VenueSettings:
    def place(key: bytes) -> PoolPlace:
        return PoolPlace(program=Program.RAYDIUM_AMM, address=key_text(key), key=key)

    limits = Limits(
        pool_age_slots_max=8,
        offer_age_ms_max=2_000,
        legs_max=2,
        split_gain_bps_min=0,
        protected_from_quote_raw=5_000_000_000,
    )
    fields: dict[str, Any] = {
        "limits": limits,
        "rules": Rules(endpoints=2, exit_attempts_max=4),
        "fees": FeeRules(price_default=100_000, price_min=0, step_percent=50),
        "aggregator": "off",
        "aggregator_accounts_max": 24,
        "foreign_tables": True,
        "exit_slippage_step_bps": 50,
        "exit_reprice_slots": 20,
        "compute_margin_percent": 20,
        "round_trip_loss_bps_max": 300,
        "mint_check_ns": 300 * 10**9,
        "mint_risks_allowed": (),
        "sandwich_check_enabled": False,
        "pools": ((place(POOL), place(OTHER_POOL)),),
    }
    return VenueSettings(**(fields | changes))


def entry(intent_id: str = INTENT, amount: int = 100_000_000, **changes: Any) -> OrderIntent:
    """Spend 100 USDC at 2 USDC per COIN: about 49.875 COIN."""
    fields: dict[str, Any] = {
        "intent_id": intent_id,
        "instrument": 0,
        "side": Side.BUY,
        "lead": "manual",
        "ts_ns": 1,
        "decision_price": 2.0,
        "decision_events": 0,
        "amount_in_raw": amount,
        "min_out_raw": amount * 49 // 100,
        "slippage_bps_max": 100,
    }
    return OrderIntent(**(fields | changes))


def leave(intent_id: str = INTENT, amount: int = 50_000_000, **changes: Any) -> OrderIntent:
    """Sell 50 COIN at 2 USDC: about 99.75 USDC."""
    fields: dict[str, Any] = {
        "side": Side.SELL,
        "amount_in_raw": amount,
        "min_out_raw": amount * 2 * 98 // 100,
        "position_id": 1,
        "exit_reason": ExitReason.STOP,
    }
    return entry(intent_id, **(fields | changes))


def on(stand: Stand, test: Callable[[Stand], Awaitable[None]]) -> None:
    async def run() -> None:
        async with stand:
            await test(stand)

    asyncio.run(run())


def attempts(stand: Stand) -> list[Attempt]:
    found = [event.attempt for event in stand.events if isinstance(event, VenueProgress)]
    return [attempt for attempt in found if attempt is not None]


def absent(stand: Stand, signature: str, endpoint: str) -> None:
    at = stand.chain.at
    stand.venue.on_observation(
        StatusAbsent(
            signature=signature,
            endpoint=endpoint,
            slot=at.slot,
            finalized_height=at.finalized,
            history=True,
        )
    )
