"""The venue with everything around it: what a composition root makes and runs.

`prepare` reads what an order must find ready (mints, own accounts, pools, blockhash, fees); `run`
keeps it so. Nothing here decides: the order life does, and what the trader is told goes through the
sink.
"""

import asyncio
from collections.abc import Callable

import msgspec

from utb.adapters.chain.confirm import Confirmer
from utb.adapters.chain.reconcile import Difference
from utb.adapters.chain.senders import Senders
from utb.adapters.chain.state import ChainState
from utb.adapters.rpc.pool import RpcPool
from utb.adapters.rpc.wiring import RpcWiring
from utb.adapters.venues.solana.attempts import Attempts
from utb.adapters.venues.solana.books import Books, BookSource
from utb.adapters.venues.solana.dispatch import Dispatches
from utb.adapters.venues.solana.gate import MintGate
from utb.adapters.venues.solana.poolfeed import PoolFeed
from utb.adapters.venues.solana.pricing import Pricing
from utb.adapters.venues.solana.sandwich import SandwichCheck
from utb.adapters.venues.solana.settings import VenueSettings
from utb.adapters.venues.solana.settling import Settling
from utb.adapters.venues.solana.unbooked import Unbooked
from utb.adapters.venues.solana.units import UnitsMeter
from utb.adapters.venues.solana.upkeep import Upkeep
from utb.adapters.venues.solana.venue import SolanaVenue
from utb.adapters.venues.solana.wallet import WalletAccounts
from utb.adapters.venues.solana.wiring import Aggregator, VenueWiring
from utb.domain.chain import WRAPPED_SOL_MINT
from utb.domain.market import Instrument
from utb.engine.chain import LookupTable, Pools, TransactionBuilder, key_bytes
from utb.orderlife.events import Event
from utb.ports.chain import Signer, VenueSink


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What the venue stands on; made by the composition root."""

    instruments: tuple[Instrument, ...]
    settings: VenueSettings
    rpc: RpcPool
    rpc_wiring: RpcWiring
    now_ns: Callable[[], int]
    """The market's time: stamps what is reported."""
    chain: ChainState
    senders: Senders
    signer: Signer
    sink: VenueSink
    jupiter: Aggregator | None
    tables: tuple[LookupTable, ...] = ()
    """Lookup tables of our own, pinned at the signer."""
    next_sequence: Callable[[], int]
    """Durable numbers, each given once."""
    lamport_quote_q64: Callable[[], int]
    """Quote raw per lamport, times 2^64: SOL's price, for comparing routes."""
    book: BookSource
    on_discrepancy: Callable[[list[Difference]], None]
    """Takes what stops entries."""
    on_alarm: Callable[[str], None]
    """Takes a sentence that a person must read."""


class VenueAssembly:
    """The chain venue and its background work."""

    def __init__(self, given: Surroundings) -> None:
        """Put everything together and ask nothing yet."""
        self._given = given
        settings, wallet, timer = given.settings, given.signer.public_key, given.rpc_wiring.timer
        self._mints = tuple(
            dict.fromkeys(m for i in given.instruments for m in (i.quote_mint, i.base_mint))
        )
        pools = Pools()
        builder = TransactionBuilder(key_bytes(wallet), pools, given.tables)
        places = tuple({p.address: p for row in settings.pools for p in row}.values())
        self._places = places
        self.pools = PoolFeed(given.rpc, timer, pools, places)
        self.wallet = WalletAccounts(wallet, given.rpc, timer)
        self.pricing = Pricing(given.chain, settings.fees)
        self.sandwiches = SandwichCheck(given.rpc, timer, enabled=settings.sandwich_check_enabled)
        self.venue = SolanaVenue(self._venue_wiring(builder))
        self.units = UnitsMeter(
            settings=settings,
            instruments=given.instruments,
            rpc=given.rpc,
            timer=timer,
            chain=given.chain,
            wallet=self.wallet,
            builder=builder,
            pricing=self.pricing,
        )
        self.books = Books(
            pool=given.rpc,
            timer=timer,
            wallet=wallet,
            quote_mint=given.instruments[0].quote_mint,
            book=given.book,
            flights=self.venue,
            sink=given.sink,
            now_ns=given.now_ns,
            on_discrepancy=given.on_discrepancy,
        )
        self.unbooked = Unbooked(
            wallet=wallet,
            rpc=given.rpc,
            watcher=self.confirmer,
            chain=given.chain,
            book=given.book,
            sink=given.sink,
            rules=settings.rules,
            now_ns=given.now_ns,
            on_alarm=given.on_alarm,
        )
        self.upkeep = Upkeep(
            wallet=wallet,
            timer=timer,
            chain=given.chain,
            senders=given.senders,
            signer=given.signer,
            builder=builder,
            unbooked=self.unbooked,
            books=self.books,
            flights=self.venue,
            kept_mints=frozenset((*self._mints, WRAPPED_SOL_MINT)),
            next_sequence=given.next_sequence,
            now_ns=given.now_ns,
        )

    async def prepare(self) -> str:
        """Read what orders must find ready; return what could not be read, or nothing.

        To be called while `rpc.run` runs: subscriptions and heights come from there.
        """
        trouble = await self.wallet.read(self._mints) or await self.pools.read()
        if trouble:
            return trouble
        for place in self._places:
            self.pricing.watch(place.address, self.pools.needs(place.address))
        await self._given.chain.refresh()
        trouble = await self.wallet.accounts.settle() or await self.pools.accounts.settle()
        if trouble:
            return trouble
        # Without these nothing can be signed; fees and tips have figures of the configuration.
        troubles = self._given.chain.troubles
        return troubles.get("blockhash", "") or troubles.get("rent", "")

    async def run(self) -> None:
        """Keep everything current and carry orders on, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for work in (
                self.venue.run(),
                self.confirmer.run(),
                self.pools.run(),
                self.wallet.run(),
                self.units.run(),
                self.sandwiches.run(),
                self.books.run(),
                self.upkeep.run(),
            ):
                group.create_task(work)

    def _on_observation(self, event: Event) -> None:
        """Pass a word on; who takes it is made after who speaks."""
        if not self.unbooked.take(event):
            self.venue.on_observation(event)

    def _venue_wiring(self, builder: TransactionBuilder) -> VenueWiring:
        given = self._given
        settings, wallet = given.settings, given.signer.public_key
        self.confirmer = Confirmer(given.rpc, given.rpc_wiring, wallet, self._on_observation)
        self.gate = MintGate(
            settings=settings,
            rpc=given.rpc,
            chain=given.chain,
            pools=self.pools,
            wallet=self.wallet,
            builder=builder,
        )
        attempts = Attempts(
            settings=settings,
            chain=given.chain,
            pools=self.pools,
            wallet=self.wallet,
            builder=builder,
            pricing=self.pricing,
            dispatches=Dispatches(given.senders),
            next_sequence=given.next_sequence,
            lamport_quote_q64=given.lamport_quote_q64,
        )
        return VenueWiring(
            instruments=given.instruments,
            settings=settings,
            now_ns=given.now_ns,
            elapsed_ns=given.rpc_wiring.elapsed_ns,
            sink=given.sink,
            signer=given.signer,
            chain=given.chain,
            senders=given.senders,
            watcher=self.confirmer,
            wallet=self.wallet,
            attempts=attempts,
            gate=self.gate,
            fills=Settling(given.rpc, wallet, given.on_alarm),
            jupiter=given.jupiter,
            on_alarm=given.on_alarm,
            after_fill=self.sandwiches.after_fill,
        )
