"""Our own client of the chain against the simulated one: sent, confirmed, settled, reconciled."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from rpc_stand import OTHER, SOL, WALLET, ChainStand, chain_served, sending, signed
from simnet_stand import run
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountWithSeedParams, create_account_with_seed
from solders.transaction import VersionedTransaction

from utb.adapters.chain.confirm import Confirmer
from utb.adapters.chain.courier import Sent
from utb.adapters.chain.housekeeping import PlannedInstruction, plan
from utb.adapters.chain.landed import Landed, read_landed
from utb.adapters.chain.reconcile import BookView, compare
from utb.adapters.chain.senders import Senders
from utb.adapters.chain.state import ChainState
from utb.adapters.chain.wallet import WalletReading, guard_address, read_wallet
from utb.adapters.clocks import SystemClock
from utb.adapters.rpc import calls
from utb.adapters.rpc.answers import Bad, Good
from utb.adapters.rpc.place import places, redactor
from utb.adapters.rpc.pool import RpcPool
from utb.adapters.rpc.wiring import RpcWiring
from utb.adapters.timers import WallTimer
from utb.config.load import parse_text
from utb.config.secrets import Secrets
from utb.domain.chain import Commitment
from utb.orderlife.events import Event, Status, StatusAbsent
from utb.simnet.rpc.tips import JITO_TIP_ACCOUNTS

CLOCK = SystemClock()
KEY = str(WALLET.pubkey())
SEED = "00f3a9d2c47b6e18"
SYSTEM = Pubkey.from_string("1" * 32)
TIP = Pubkey.from_string(JITO_TIP_ACCOUNTS[0])
LAMPORTS = 7_000_000

SETTINGS = """
[rpc]
genesis_hash = "{genesis}"
heights_seconds = 0.1
blockhash_seconds = 0.1
fees_seconds = 0.1
status_ms = 100
timeout_seconds = 1.0
requests_per_second = 1000
history_per_second = 1000
[senders.jito]
url = "{jito}"
[senders.helius]
enabled = true
url = "{helius}"
"""


@dataclass
class Client:
    """All parts of our own, over the three endpoints."""

    stand: ChainStand
    pool: RpcPool
    state: ChainState
    senders: Senders
    confirmer: Confirmer
    events: list[Event] = field(default_factory=list)

    def told(self, signature: str, commitment: Commitment) -> bool:
        return any(
            isinstance(event, Status)
            and event.signature == signature
            and event.commitment == commitment
            and event.err is None
            for event in self.events
        )

    def send(self, raw: VersionedTransaction, *names: str) -> str:
        signature = str(raw.signatures[0])
        self.confirmer.watch(signature, guard_instruction=None)
        for name in names:
            assert self.senders.send(name, bytes(raw), signature, first=True) is Sent.SENT
        return signature

    async def landed(self, signature: str) -> Landed:
        answer = await self.pool.call(calls.transaction(signature, Commitment.CONFIRMED))
        assert isinstance(answer, Good)
        assert answer.value is not None
        found = read_landed(answer.value, KEY)
        assert isinstance(found, Landed)
        return found


async def settled(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


@asynccontextmanager
async def client_of(stand: ChainStand) -> AsyncIterator[Client]:
    text = SETTINGS.format(
        genesis=stand.chain.genesis_hash, jito=stand.at["jito"], helius=stand.at["helius_sender"]
    )
    for name in ("a", "b", "c"):
        url, ws_url = stand.at[f"rpc.{name}.http"], stand.at[f"rpc.{name}.ws"]
        text += f'[[rpc.endpoints]]\nname = "{name}"\nurl = "{url}"\nws_url = "{ws_url}"\n'
    config = parse_text(text)
    found = places(config, Secrets())
    wiring = RpcWiring(
        clock=CLOCK,
        timer=WallTimer(),
        elapsed_ns=CLOCK.elapsed_ns,
        stopwatch_ns=CLOCK.elapsed_ns,
        draws=lambda number: np.random.default_rng([7, number]).random,
        redactor=redactor(found),
        settings=config.rpc,
        reconnect_s_max=1.0,
    )
    pool = RpcPool(found, wiring)
    state = ChainState(pool, wiring, config.senders, None)
    senders = Senders(found, config.senders, wiring)
    events: list[Event] = []
    confirmer = Confirmer(pool, wiring, KEY, events.append)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(pool.close)
        assert await pool.check_genesis() == ()
        works: list[Awaitable[None]] = [pool.run(), state.run(), senders.run(), confirmer.run()]
        tasks = [asyncio.ensure_future(work) for work in works]

        async def end() -> None:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            assert all(task.cancelled() for task in tasks)

        stack.push_async_callback(end)
        await settled(lambda: all(view.connected for view in pool.endpoints()))
        await settled(lambda: state.blockhash() is not None and state.rent_minimum(0) is not None)
        await settled(lambda: all(view.ready for view in senders.views()))
        yield Client(stand, pool, state, senders, confirmer, events)


def blockhash_of(client: Client) -> str:
    held = client.state.blockhash()
    assert held is not None
    assert held.last_valid_block_height > (client.state.height_seen() or 0)
    return held.blockhash


def guarded(client: Client, lamports: int) -> tuple[Instruction, int]:
    rent = client.state.rent_minimum(0)
    assert rent is not None
    guard = create_account_with_seed(
        CreateAccountWithSeedParams(
            from_pubkey=WALLET.pubkey(),
            to_pubkey=Pubkey.from_string(guard_address(KEY, SEED)),
            base=WALLET.pubkey(),
            seed=SEED,
            lamports=rent.value + lamports,
            space=0,
            owner=SYSTEM,
        )
    )
    return guard, rent.value + lamports


def test_transaction_is_sent_confirmed_and_settled_to_the_lamport() -> None:
    async def test() -> None:
        async with chain_served(slot_ms=50) as stand:
            stand.funded()
            stand.chain.airdrop(str(TIP), SOL)
            async with client_of(stand) as client:
                guard, deposit = guarded(client, 0)
                raw = signed(
                    stand,
                    guard,
                    sending(LAMPORTS, OTHER.pubkey()),
                    sending(10_000, TIP),
                    blockhash=blockhash_of(client),
                )
                signature = client.send(raw, "rpc.a", "rpc.b", "rpc.c", "jito")
                for commitment in Commitment:
                    await settled(partial(client.told, signature, commitment))
                found = await client.landed(signature)
                assert found.wallet_lamports == -(5_000 + 10_000 + deposit + LAMPORTS)
                assert (found.fee_lamports, found.tip_lamports) == (5_000, 10_000)
                assert (found.rent_lamports, found.other_lamports) == (deposit, -LAMPORTS)
                counts = client.senders.counts()
                await settled(lambda: sum(map(len, client.senders.counts().values())) == 4)
                assert {name: c for name, c in counts.items() if c} == {
                    name: {"accepted": 1} for name in ("rpc.a", "rpc.b", "rpc.c", "jito")
                }

    run(test())


def test_wallet_is_reconciled_and_its_guard_brought_back() -> None:
    """The book is kept from the transactions alone; the chain agrees before and after."""

    async def test() -> None:
        async with chain_served(slot_ms=50) as stand:
            stand.funded()
            stand.half.fund(KEY, sol_lamports=0, usdc_raw=5_000_000, wrapped_lamports=0)
            async with client_of(stand) as client:
                guard, deposit = guarded(client, 0)
                signature = client.send(
                    signed(stand, guard, blockhash=blockhash_of(client)), "rpc.a"
                )
                await settled(lambda: client.told(signature, Commitment.FINALIZED))
                reading = await read_wallet(client.pool, KEY, (SEED,), 0.0)
                assert isinstance(reading, WalletReading)
                assert [g.lamports for g in reading.guards] == [deposit]
                known = {entry.signature for entry in reading.signatures}
                assert signature in known
                tokens = reading.tokens()
                assert 5_000_000 in tokens.values()
                book = BookView(
                    slot=reading.slot,
                    tokens=tokens,
                    lamports=SOL - 5_000 - deposit,
                    rent_lamports=reading.rent_lamports(),
                )
                assert compare(reading, book, frozenset(), known) == ()
                kept = set(tokens)
                assert plan(KEY, reading.guards, (), open_seeds={SEED}, kept_mints=kept) == ()
                (batch,) = plan(
                    KEY, reading.guards, reading.accounts, open_seeds=set(), kept_mints=kept
                )
                back = client.send(
                    signed(
                        stand,
                        *(_instruction(each) for each in batch.instructions),
                        blockhash=blockhash_of(client),
                    ),
                    "rpc.b",
                )
                await settled(lambda: client.told(back, Commitment.FINALIZED))
                found = await client.landed(back)
                assert (found.rent_lamports, found.other_lamports) == (-deposit, 0)
                after = await read_wallet(client.pool, KEY, (SEED,), 0.0)
                assert isinstance(after, WalletReading)
                assert (after.guards, after.lamports) == ((), SOL - 10_000)

    run(test())


def _instruction(planned: PlannedInstruction) -> Instruction:
    program, accounts, data = planned
    metas = [AccountMeta(Pubkey(key), signs, written) for key, signs, written in accounts]
    return Instruction(Pubkey(program), data, metas)


def test_deaf_lying_and_refusing_endpoints_hide_nothing() -> None:
    """a tells nothing by subscription, b knows no signature, c answers 429."""

    async def test() -> None:
        async with chain_served(slot_ms=50) as stand:
            stand.funded()
            async with client_of(stand) as client:
                blockhash = blockhash_of(client)
                await stand.fault("deaf", endpoint="a")
                await stand.fault("lie_null", endpoint="b")
                await stand.fault("429", endpoint="c", value=1)
                raw = signed(stand, sending(LAMPORTS, OTHER.pubkey()), blockhash=blockhash)
                signature = str(raw.signatures[0])
                client.confirmer.watch(signature, guard_instruction=None)
                for name in client.senders.names(protected=False):
                    client.senders.send(name, bytes(raw), signature, first=True)
                await asyncio.sleep(0.5)
                client.confirmer.ask_status(signature, history=True)
                await settled(lambda: client.told(signature, Commitment.FINALIZED))
                lies = [e for e in client.events if isinstance(e, StatusAbsent)]
                assert all(e.endpoint != "c" for e in lies)

    run(test())


def test_endpoint_far_behind_is_not_read_and_a_blackout_heals() -> None:
    async def test() -> None:
        async with chain_served(slot_ms=20) as stand:
            stand.ticks(600)
            async with client_of(stand) as client:
                await stand.fault("lag", endpoint="a", value=500)
                await settled(lambda: "a" not in client.pool.usable())
                await stand.fault("blackout", endpoint="b", slots=150)
                await settled(lambda: client.pool.usable() == ("c",))
                assert client.state.blockhash() is not None
                await settled(lambda: "b" in client.pool.usable(), 30)
                await settled(lambda: client.pool.endpoints()[1].connected, 30)

    run(test())


def test_answers_are_typed_as_the_chain_gives_them() -> None:
    async def test() -> None:
        async with chain_served(slot_ms=50) as stand:
            stand.funded()
            async with client_of(stand) as client:
                pool = client.pool
                asked: tuple[calls.Call[Any], ...] = (
                    calls.epoch_info(Commitment.FINALIZED),
                    calls.accounts((KEY, str(OTHER.pubkey())), Commitment.FINALIZED),
                    calls.balance(KEY, Commitment.CONFIRMED),
                    calls.recent_fees((KEY,)),
                    calls.signatures_for(KEY),
                    calls.statuses(("1" * 64,), history=True),
                    calls.genesis_hash(),
                )
                for call in asked:
                    answer = await pool.call(call)
                    assert not isinstance(answer, Bad), answer
                unsigned = signed(stand, sending(1, OTHER.pubkey()))
                simulated = await pool.call(calls.simulate(bytes(unsigned)))
                assert isinstance(simulated, Good)
                assert simulated.value.err is not None or simulated.value.units_consumed

    run(test())
