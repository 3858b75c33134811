"""The whole venue over real sockets: two RPC endpoints and the relays of one stand-in chain."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from solders.keypair import Keypair
from venue_announced import AnnouncedBook

from utb.adapters.chain.reconcile import BookView, Difference
from utb.adapters.chain.senders import Senders
from utb.adapters.chain.state import ChainState
from utb.adapters.chain.tips import JITO_TIP_ACCOUNTS
from utb.adapters.chain.wallet import WalletReading, read_wallet
from utb.adapters.clocks import SystemClock
from utb.adapters.jupiter.make import jupiter_client, jupiter_http
from utb.adapters.rpc.place import places, redactor
from utb.adapters.rpc.pool import RpcPool
from utb.adapters.rpc.wiring import RpcWiring
from utb.adapters.timers import WallTimer
from utb.adapters.venues.solana.assembly import Surroundings, VenueAssembly
from utb.adapters.venues.solana.settings import VenueSettings
from utb.bootstrap import RunOptions
from utb.bootstrap.simnet import SimnetOptions, build_world
from utb.config.instruments import instruments
from utb.config.load import defaults, parse_text
from utb.config.schema import Config
from utb.config.secrets import Secrets
from utb.domain.chain import USDC_MINT, Commitment
from utb.domain.names import OrderStatus
from utb.domain.orders import (
    FlowCause,
    OrderIntent,
    Submission,
    VenueEvent,
    VenueFailed,
    VenueFilled,
    VenueFlow,
    VenueProgress,
    VenueReverted,
)
from utb.ports.chain import NotSigned, SignClaim, Signed
from utb.simnet.chain.amm.spec import specs_of
from utb.simnet.chain.settings import ChainSettings
from utb.simnet.chain.world import Chain
from utb.simnet.rpc.half import ChainHalf, ChainServed
from utb.simnet.server.app import Server, ServerOptions
from utb.simnet.server.world import Keys

KEYS = Keypair.from_seed(bytes(range(32)))
WALLET = str(KEYS.pubkey())
SOL, DOLLAR = 10**9, 10**6
SYMBOL = "WIF-USDC"
CLOCK = SystemClock()

CONFIG = """
[rpc]
genesis_hash = "{genesis}"
heights_seconds = 0.05
blockhash_seconds = 0.1
status_ms = 100
fees_seconds = 0.5
requests_per_second = 1000
history_per_second = 1000

[[rpc.endpoints]]
name = "a"
url = "{a_http}"
ws_url = "{a_ws}"

[[rpc.endpoints]]
name = "b"
url = "{b_http}"
ws_url = "{b_ws}"

[senders.jito]
enabled = true
url = "{root}/jito"
tip_floor_url = "{root}/api/v1/bundles/tip_floor"
per_second = 1000

[api.jupiter]
base_url = "{root}/jupiter"
rate_limit = 6000

[routing]
aggregator = "{aggregator}"
protected_from_usdc = {protected}
pool_age_slots_max = {age}
legs_max = {legs}
mint_risks_allowed = {risks}

[[instruments]]
symbol = "{symbol}"
base_mint = "{mint}"
base_decimals = {decimals}
primary = "birdeye"
liquid = {liquid}
pools = {pools}
"""


class LocalSigner:
    """Signs at once with the test's key."""

    def __init__(self) -> None:
        self.claims: list[SignClaim] = []

    @property
    def public_key(self) -> str:
        return WALLET

    def sign(
        self, message: bytes, claim: SignClaim, done: Callable[[Signed | NotSigned], None]
    ) -> None:
        self.claims.append(claim)
        done(Signed(bytes(KEYS.sign_message(message))))


class Ledger(AnnouncedBook):
    """What the wallet must hold by the events alone."""

    def __init__(self, sol: int, usdc: int, mint: str) -> None:
        super().__init__()
        self.lamports, self.tokens = sol, {USDC_MINT: usdc, mint: 0}
        self.rent, self.mint = 0, mint
        self.seeds: list[str] = []
        self.signatures: set[str] = set()

    def open(self, reading: WalletReading) -> None:
        self.lamports, self.rent = reading.lamports, reading.rent_lamports()
        self.tokens |= reading.tokens()
        self.signatures |= {entry.signature for entry in reading.signatures}

    def fill(self, intent: OrderIntent, event: VenueFilled) -> None:
        sign = 1 if intent.side.value == "BUY" else -1
        self.tokens[self.mint] += sign * event.base_raw
        self.tokens[USDC_MINT] -= sign * event.quote_raw
        self.lamports -= event.fee_lamports + event.rent_lamports
        self.rent += event.rent_lamports

    def flow(self, event: VenueFlow) -> None:
        self.lamports += event.lamports
        self.tokens[USDC_MINT] += event.quote_raw
        back = event.lamports if event.cause is FlowCause.RENT else 0
        self.rent += event.rent_lamports - min(back, self.rent)
        if event.signature:
            self.signatures.add(event.signature)
            self.announcements.learn(event)

    def unfill(self, intent: OrderIntent, event: VenueFilled) -> None:
        sign = 1 if intent.side.value == "BUY" else -1
        self.tokens[self.mint] -= sign * event.base_raw
        self.tokens[USDC_MINT] += sign * event.quote_raw
        self.lamports += event.fee_lamports + event.rent_lamports
        self.rent -= event.rent_lamports

    def view_at(self, slot: int) -> BookView | None:
        held: Any = {"tokens": self.tokens, "lamports": self.lamports, "rent_lamports": self.rent}
        return BookView(slot=slot, **held)

    def known_signatures(self) -> frozenset[str]:
        return frozenset(self.signatures)

    def guard_seeds(self) -> tuple[str, ...]:
        return tuple(self.seeds)

    def guards_gone(self, seeds: Iterable[str], slot: int) -> None: ...


@dataclass
class Served:
    """The chain, the venue, and what the venue told."""

    half: ChainHalf
    signer: LocalSigner
    ledger: Ledger
    config: Config
    events: list[VenueEvent] = field(default_factory=list)
    intents: dict[str, OrderIntent] = field(default_factory=dict)
    alarms: list[str] = field(default_factory=list)
    wrong: list[Difference] = field(default_factory=list)
    made: Any = None
    sequence: int = 0
    tasks: list[asyncio.Future[None]] = field(default_factory=list)
    closing: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    async def begin_anew(self) -> None:
        """Kill the venue and start another one on the same chain."""
        await end(self)
        await begin(self, self.config)

    @property
    def chain(self) -> Chain:
        return self.half.front.chain

    @property
    def venue(self) -> VenueAssembly:
        assert isinstance(self.made, VenueAssembly)
        return self.made

    def next_sequence(self) -> int:
        self.sequence += 1
        return self.sequence

    def on_venue(self, event: VenueEvent) -> bool:
        self.events.append(event)
        if isinstance(event, VenueFlow):
            self.ledger.flow(event)
        elif isinstance(event, VenueReverted):
            self.ledger.unfill(self.intents[event.intent_id], self.last_fill(event.intent_id))
        elif isinstance(event, VenueFilled):
            self.ledger.fill(self.intents[event.intent_id], event)
        elif isinstance(event, VenueFailed):
            self.ledger.lamports -= event.fee_lamports
        elif isinstance(event, VenueProgress):
            self.ledger.lamports -= event.fee_lamports
            if event.status is OrderStatus.SIGNED:
                self.ledger.signatures.add(event.signature)
                if event.attempt is not None and event.attempt.guard is not None:
                    self.ledger.seeds.append(event.intent_id)
                # The journal of this test is durable at once.
                asyncio.get_running_loop().call_soon(self.venue.venue.release, event.signature)
        return True

    def submit(self, intent: OrderIntent, fee_lamports_max: int = 2_000_000) -> None:
        self.intents[intent.intent_id] = intent
        submission = Submission(intent=intent, fee_lamports_max=fee_lamports_max)
        self.venue.venue.submit(submission, CLOCK.now_ns())

    def of(self, intent_id: str) -> list[VenueEvent]:
        return [e for e in self.events if not isinstance(e, VenueFlow) and e.intent_id == intent_id]

    async def ended(self, intent_id: str, timeout_s: float = 30.0) -> VenueEvent:
        """Wait for an order's end and return the event that told it."""

        def last() -> VenueEvent | None:
            found = self.of(intent_id)
            end = found[-1] if found else None
            settled = isinstance(end, VenueProgress) and end.status is OrderStatus.SETTLED
            return end if settled or isinstance(end, VenueFailed) else None

        await until(lambda: last() is not None, timeout_s)
        end = last()
        assert end is not None
        return end

    def last_fill(self, intent_id: str) -> VenueFilled:
        return [event for event in self.of(intent_id) if isinstance(event, VenueFilled)][-1]

    def filled(self, intent_id: str) -> VenueFilled:
        [fill] = [event for event in self.of(intent_id) if isinstance(event, VenueFilled)]
        return fill

    def balance(self, mint: str) -> int:
        own = self.venue.wallet.own(mint)
        assert own is not None
        found = self.chain.account(own.address)
        return 0 if found is None else int.from_bytes(found.data[64:72], "little")

    def lamports(self) -> int:
        found = self.chain.account(WALLET)
        assert found is not None
        return found.lamports


async def until(true: Callable[[], bool], timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not true():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.01)


def config_text(chain: Chain, at: dict[str, str], options: dict[str, Any]) -> str:
    [market] = [market for market in chain.markets if market.symbol == SYMBOL]
    programs = options.get("programs", ("raydium_amm", "raydium_cpmm", "pumpswap", "whirlpool"))
    pools = [f"{p.program}:{p.pool}" for p in market.pools if p.program in programs]
    return CONFIG.format(
        genesis=chain.genesis_hash,
        a_http=at["rpc.a.http"],
        a_ws=at["rpc.a.ws"],
        b_http=at["rpc.b.http"],
        b_ws=at["rpc.b.ws"],
        root=at["chain"].removesuffix("/simnet/chain"),
        aggregator=options.get("aggregator", "off"),
        protected=options.get("protected", 1e9),
        legs=options.get("legs", 2),
        age=options.get("age", 20),
        risks=options.get("risks", []),
        symbol=SYMBOL,
        mint=market.base_mint,
        decimals=market.base_decimals,
        liquid="true" if options.get("liquid", True) else "false",
        pools=str(pools).replace("'", '"'),
    )


def surroundings(stand: Served, config: Config, rpc: RpcPool, wiring: RpcWiring) -> Surroundings:
    found = places(config, Secrets())
    http = jupiter_http(
        config.api.jupiter,
        None,
        clock=CLOCK,
        timer=WallTimer(),
        elapsed_ns=CLOCK.elapsed_ns,
        redactor=wiring.redactor,
    )
    stand.closing.append(http.close)
    off = config.routing.aggregator == "off"
    return Surroundings(
        instruments=instruments(config),
        settings=VenueSettings.of(config, instruments(config), endpoints=2),
        rpc=rpc,
        rpc_wiring=wiring,
        now_ns=CLOCK.now_ns,
        chain=ChainState(rpc, wiring, config.senders, None),
        senders=Senders(found, config.senders, wiring),
        signer=stand.signer,
        sink=stand,
        jupiter=None if off else jupiter_client(config.api.jupiter, http, CLOCK.elapsed_ns),
        next_sequence=stand.next_sequence,
        lamport_quote_q64=lambda: (150_000_000 << 64) // 10**9,
        book=stand.ledger,
        on_discrepancy=stand.wrong.extend,
        on_alarm=stand.alarms.append,
    )


async def begin(stand: Served, config: Config) -> None:
    """Start a venue of its own, as a process does."""
    found = places(config, Secrets())
    wiring = RpcWiring(
        clock=CLOCK,
        timer=WallTimer(),
        elapsed_ns=CLOCK.elapsed_ns,
        stopwatch_ns=CLOCK.elapsed_ns,
        draws=lambda number: np.random.default_rng([7, number]).random,
        redactor=redactor(found),
        settings=config.rpc,
    )
    rpc = RpcPool(found, wiring)
    given = surroundings(stand, config, rpc, wiring)
    stand.made = VenueAssembly(given)
    parts = (rpc.run(), given.chain.run(), given.senders.run())
    stand.tasks.extend(asyncio.ensure_future(work) for work in parts)
    await until(lambda: rpc.heights() is not None and bool(rpc.usable()))
    assert await stand.made.prepare() == ""
    if not stand.ledger.signatures:
        opening = await read_wallet(rpc, WALLET, (), CLOCK.now_ns() / 1e9)
        assert isinstance(opening, WalletReading)
        stand.ledger.open(opening)
    stand.tasks.append(asyncio.ensure_future(stand.made.run()))
    await until(lambda: given.chain.blockhash() is not None)


async def end(stand: Served) -> None:
    """Stop the venue at once, as a process that is killed."""
    for task in stand.tasks:
        task.cancel()
    ended = await asyncio.gather(*stand.tasks, return_exceptions=True)
    stand.tasks.clear()
    for close in stand.closing:
        await close()
    stand.closing.clear()
    for one in ended:
        if isinstance(one, Exception):
            raise one


@asynccontextmanager
async def served(*, slot_ms: int = 20, **options: Any) -> AsyncIterator[Served]:
    simnet = SimnetOptions(
        state_dir=Path(), http_port=0, ws_port=0, run=RunOptions(seed=7, hours=8)
    )
    world = build_world(defaults(), simnet, Keys())
    rent = options.get("rent")
    settings = ChainSettings() if rent is None else ChainSettings(rent_lamports_per_byte=rent)
    chain = Chain(settings, specs_of(world.instruments))
    half = ChainServed(chain=chain, slot_ms=slot_ms)
    server = Server(world, ServerOptions(http_port=0, ws_port=0, chain=half), CLOCK)
    at = await server.start()
    assert server.chain is not None
    config = parse_text(config_text(chain, at, options))
    sol, usdc = 10 * SOL, 100_000 * DOLLAR
    server.chain.fund(WALLET, sol_lamports=sol, usdc_raw=usdc)
    for account in JITO_TIP_ACCOUNTS:
        # They exist on the chain; a tip below an account's rent could not open one.
        chain.airdrop(account, SOL)
    ledger = Ledger(sol, usdc, config.instruments[0].base_mint)
    stand = Served(server.chain, LocalSigner(), ledger, config)
    try:
        await until(lambda: chain.account(WALLET, Commitment.FINALIZED) is not None)
        await begin(stand, config)
        yield stand
    finally:
        await end(stand)
        await server.stop()
