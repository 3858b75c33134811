"""Strict stand-ins for everything around a venue: endpoints, pools, builder, chain, signer."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from solders.keypair import Keypair

from utb.adapters.chain.courier import Sent
from utb.adapters.chain.fees import FeeLevel
from utb.adapters.chain.senders import SenderView
from utb.adapters.chain.state import Blockhash, Reading
from utb.adapters.rpc.answers import AccountValue, Bad, Good, SimulationValue
from utb.adapters.rpc.calls import Call
from utb.adapters.rpc.topics import Notice, OnNotice, SlotNotice, Topic
from utb.adapters.venues.solana.flight import Flight
from utb.domain.chain import USDC_MINT, Program
from utb.domain.market import Instrument
from utb.engine.chain import (
    BuildOrder,
    Instruction,
    LookupTable,
    NoQuote,
    Pools,
    Quote,
    TransactionBuilder,
    key_bytes,
    key_text,
)
from utb.errors import UsageError
from utb.orderlife.events import FillRead, Heights
from utb.ports.chain import NotSigned, SignClaim, Signed, SignKind
from utb.routing.mints import TOKEN_PROGRAM

KEYS = Keypair.from_seed(bytes(range(32)))
WALLET = str(KEYS.pubkey())
BASE_MINT = key_text(bytes([9] * 32))
POOL = bytes([11] * 32)
OTHER_POOL = bytes([12] * 32)
RELAY = key_text(bytes([13] * 32))
MEMO = key_bytes("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
INTENT = "00000000000000aa"
SLOT = 1_000
HEIGHT = 900
COIN = Instrument(
    index=0,
    symbol="COIN-USDC",
    base_mint=BASE_MINT,
    quote_mint=USDC_MINT,
    base_decimals=6,
    quote_decimals=6,
    primary="birdeye",
    liquid=True,
    min_order_quote_raw=1,
)


def account(data: bytes, owner: str = TOKEN_PROGRAM) -> AccountValue:
    return AccountValue(lamports=1, owner=owner, data=(data, "base64"))


def mint_account(*, freezer: bool = False) -> AccountValue:
    tail = b"\x01\0\0\0" + bytes([1] * 32) if freezer else bytes(36)
    return account(bytes(36) + (10**15).to_bytes(8, "little") + bytes([6, 1]) + tail)


def token_account(amount: int) -> AccountValue:
    return account(bytes(64) + amount.to_bytes(8, "little") + bytes(93))


class Subscription:
    def __init__(self, topic: Topic, on_notice: OnNotice) -> None:
        self.topic, self.on_notice = topic, on_notice
        self.number: int | None = 1
        self.endpoint: str | None = "a"
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class FakeRpc:
    """One endpoint `a` with accounts; simulations are answered as set."""

    def __init__(self) -> None:
        self.on_slot: list[Callable[[SlotNotice], None]] = []
        self.accounts: dict[str, AccountValue] = {}
        self.subscriptions: list[Subscription] = []
        self.slot = SLOT
        self.simulation: SimulationValue | Bad | None = None
        self.calls: list[str] = []
        self.down = False

    async def call(
        self, call: Call[Any], *, urgent: bool = False, at_least_slot: int | None = None
    ) -> Any:
        del urgent, at_least_slot
        self.calls.append(call.method)
        if self.down:
            return Bad(endpoint="", reason="down", sentence="no endpoint answers", transient=True)
        if call.method == "getMultipleAccounts":
            values = tuple(self.accounts.get(key) for key in call.params[0])
            return Good(endpoint="a", value=values, slot=self.slot)
        assert call.method == "simulateTransaction"
        if isinstance(self.simulation, Bad):
            return self.simulation
        return Good(endpoint="a", value=self.simulation, slot=self.slot)

    def subscribe(
        self, topic: Topic, on_notice: OnNotice, *, silent_s: float | None = None
    ) -> Subscription:
        del silent_s
        self.subscriptions.append(Subscription(topic, on_notice))
        return self.subscriptions[-1]

    def tell_slot(self, slot: int, parent: int | None = None, endpoint: str = "a") -> None:
        self.slot = slot
        notice = SlotNotice(endpoint, slot, 0, slot - 1 if parent is None else parent)
        for listener in self.on_slot:
            listener(notice)

    def tell_account(self, key: str, value: AccountValue, slot: int) -> None:
        self.accounts[key] = value
        for subscription in self.subscriptions:
            if subscription.topic.key == key and not subscription.cancelled:
                subscription.on_notice(Notice("a", subscription.topic, slot, value))


class FakePools:
    """Constant product, a quarter of a percent of fee; reserves stand in the pool's account."""

    def __init__(self) -> None:
        self.watched: dict[bytes, Program] = {}
        self.state: dict[bytes, tuple[int, int, int]] = {}
        self.rollbacks: list[int] = []
        self.slot = 0
        self.more: dict[bytes, list[bytes]] = {}

    def watch(self, program: Program, pool: bytes) -> None:
        self.watched[pool] = program

    def apply(self, address: bytes, owner: bytes, data: bytes | memoryview, slot: int) -> bool:
        del owner
        held = self.state.get(address)
        if held is not None and held[2] > slot:
            return False
        raw = bytes(data)
        base, quote = (int.from_bytes(raw[at : at + 8], "little") for at in (0, 8))
        self.state[address] = (base, quote, slot)
        return True

    def rollback(self, slot: int) -> None:
        self.rollbacks.append(slot)
        self.state = {key: held for key, held in self.state.items() if held[2] <= slot}

    def needs(self, pool: bytes) -> list[bytes]:
        return [pool, *self.more.get(pool, [])]

    def on_slot(self, slot: int) -> None:
        assert slot >= self.slot
        self.slot = slot

    def missing(self) -> list[bytes]:
        return [key for pool in self.watched for key in self.needs(pool) if key not in self.state]

    def quote(self, pool: bytes, input_mint: bytes, amount_in_raw: int) -> Quote | NoQuote:
        if pool not in self.state:
            return NoQuote("the pool's account is not known")
        base, quote, slot = self.state[pool]
        sale = input_mint == key_bytes(BASE_MINT)
        given, taken = (base, quote) if sale else (quote, base)
        fee = -(-amount_in_raw * 25 // 10_000)
        net = amount_in_raw - fee
        out = taken * net // (given + net)
        return Quote(
            in_raw=amount_in_raw,
            out_raw=out,
            fee_in_raw=fee,
            fee_out_raw=0,
            slot=slot,
            price_before=taken / given,
            price_after=(taken - out) / (given + net),
        )


class FakeBuilder:
    """Real messages around a memo of what was asked for."""

    def __init__(self) -> None:
        self.real = TransactionBuilder(key_bytes(WALLET), Pools())
        self.orders: list[BuildOrder] = []
        self.foreign: list[tuple[Instruction, ...]] = []
        self.tables: tuple[LookupTable, ...] = ()
        self.legs_max = 2

    def build(self, order: BuildOrder, blockhash: bytes) -> bytes:
        if len(order.legs) > self.legs_max:
            raise UsageError("transaction length", "1300", "<= 1232")
        self.orders.append(order)
        told = msgspec.msgpack.encode(order)[:500]
        return self.real.compile([Instruction(MEMO, (), told)], blockhash)

    def compile(
        self,
        instructions: Sequence[Instruction],
        blockhash: bytes,
        tables: Sequence[LookupTable] = (),
    ) -> bytes:
        self.foreign.append(tuple(instructions))
        self.tables = tuple(tables)
        return self.real.compile(instructions, blockhash, tables)


class Watch:
    """Prices of compute by level."""

    def price(self, level: FeeLevel) -> Reading | None:
        at = {FeeLevel.ENTRY: 50_000, FeeLevel.EXIT: 75_000, FeeLevel.EMERGENCY: 95_000}
        return Reading(at[level], 1.0)


class FakeChain:
    def __init__(self) -> None:
        self.on_heights: list[Callable[[Heights], None]] = []
        self.at = Heights(block=HEIGHT, finalized=HEIGHT - 32, slot=SLOT)
        self.hash: Blockhash | None = Blockhash(
            blockhash=key_text(bytes([7] * 32)),
            last_valid_block_height=HEIGHT + 150,
            slot=SLOT - 1,
            endpoint="a",
            age_s=0.1,
        )
        self.silent_s = 0.1
        self.rent: Reading | None = Reading(890_880, 1.0)

    def heights(self) -> Heights | None:
        return self.at

    def slot(self) -> Reading | None:
        return Reading(self.at.slot, self.silent_s)

    def height_seen(self) -> int | None:
        return self.at.block

    def blockhash(self) -> Blockhash | None:
        return self.hash

    def watch_fees(self, accounts: Sequence[str]) -> Any:
        assert accounts
        return Watch()

    def rent_minimum(self, size: int) -> Reading | None:
        assert size == 0
        return self.rent

    def tip(self, level: FeeLevel) -> Reading:
        del level
        return Reading(10_000, 1.0)

    def go_on(self, slots: int = 1) -> None:
        for _ in range(slots):
            at = self.at
            self.at = Heights(block=at.block + 1, finalized=at.finalized + 1, slot=at.slot + 1)
            for listener in self.on_heights:
                listener(self.at)


class FakeSenders:
    """Two public senders and a relay; nothing may be sent that is not durable."""

    def __init__(self, durable: set[str], watched: set[str]) -> None:
        self.durable, self.watched = durable, watched
        self.sent: list[tuple[str, str, bool]] = []
        self.relay = True

    def names(self, *, protected: bool) -> tuple[str, ...]:
        if protected:
            return ("relay",) if self.relay else ()
        return ("rpc.a", "rpc.b")

    def view(self, name: str) -> SenderView:
        relay = name == "relay"
        return SenderView(
            name=name,
            protected=relay,
            tip_accounts=(RELAY,) if relay else (),
            tip_lamports_min=1_000 if relay else 0,
            ready=True,
            trouble="",
            counts={},
        )

    def send(self, name: str, transaction: bytes, signature: str, *, first: bool) -> Sent:
        assert signature in self.durable, "sent before it was durable"
        assert signature in self.watched, "sent before it was watched"
        assert transaction[1:65] == bytes(KEYS.sign_message(transaction[65:]))
        assert first == all(sent[:2] != (name, signature) for sent in self.sent)
        self.sent.append((name, signature, first))
        return Sent.SENT


class FakeWatcher:
    def __init__(self) -> None:
        self.watched: set[str] = set()
        self.guards: dict[str, int | None] = {}
        self.asked: list[tuple[str, bool]] = []
        self.wallet: list[tuple[str, int]] = []

    def watch(self, signature: str, *, guard_instruction: int | None) -> None:
        self.watched.add(signature)
        self.guards[signature] = guard_instruction

    def forget(self, signature: str) -> None:
        self.watched.discard(signature)

    def ask_status(self, signature: str, *, history: bool) -> None:
        self.asked.append((signature, history))

    def ask_wallet(self, signature: str, *, since_slot: int) -> None:
        self.wallet.append((signature, since_slot))


class FakeSigner:
    """Signs at once, later, or not; an entry's intent once, an attempt once."""

    def __init__(self) -> None:
        self.claims: list[SignClaim] = []
        self.refusal: NotSigned | None = None
        self.waiting: list[Callable[[], None]] | None = None

    @property
    def public_key(self) -> str:
        return WALLET

    def sign(
        self, message: bytes, claim: SignClaim, done: Callable[[Signed | NotSigned], None]
    ) -> None:
        if claim.kind is SignKind.ENTRY:
            assert all(known.intent_id != claim.intent_id for known in self.claims)
        assert claim not in self.claims
        self.claims.append(claim)
        answer = self.refusal or Signed(bytes(KEYS.sign_message(message)))
        if self.waiting is None:
            done(answer)
        else:
            self.waiting.append(lambda: done(answer))


class FakeFills:
    """Reads what the test says landed."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, bool], FillRead] = {}

    async def read(self, flight: Flight, signature: str, *, finalized: bool) -> FillRead | str:
        assert signature in flight.attempts
        return self.found.get((signature, finalized), "not yet")
