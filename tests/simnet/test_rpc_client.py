"""PyPI `solana` against the chain's endpoints, as it is installed."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from rpc_stand import OTHER, SOL, WALLET, ChainStand, chain_served
from simnet_stand import run
from solana.exceptions import SolanaRpcException
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed, Finalized, Processed
from solana.rpc.models import TxOpts
from solana.rpc.websocket_api import SolanaWsClient
from solders.hash import Hash
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.rpc.responses import SignatureNotification
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

LAMPORTS = 7_000_000


async def transferred(stand: ChainStand, *, at: str = "a", tries: int = 1) -> None:
    """Airdrop, transfer, confirm by subscription, fetch the transaction."""
    async with (
        AsyncClient(stand.at[f"rpc.{at}.http"], commitment=Confirmed) as client,
        SolanaWsClient(stand.at[f"rpc.{at}.ws"]) as socket,
    ):
        given = (await client.request_airdrop(WALLET.pubkey(), SOL)).value
        await client.confirm_transaction(given, Confirmed, sleep_seconds=0.02)
        latest = (await client.get_latest_blockhash(Confirmed)).value
        raw = made(latest.blockhash)
        signature = raw.signatures[0]
        await socket.signature_subscribe(signature=signature, commitment=Confirmed)
        for _ in range(tries):
            await client.send_raw_transaction(bytes(raw), TxOpts(skip_preflight=True))
        told = await asyncio.wait_for(socket.recv(), 10)
        assert isinstance(told, SignatureNotification)
        assert told.result.value.err is None
        await check(client, signature)


async def check(client: AsyncClient, signature: Signature) -> None:
    balance = await client.get_balance(OTHER.pubkey(), Confirmed)
    assert balance.value == LAMPORTS
    for encoding in ("json", "jsonParsed", "base64"):
        got = await client.get_transaction(
            signature, encoding, Confirmed, max_supported_transaction_version=0
        )
        assert got.value is not None
        meta = got.value.transaction.meta
        assert meta is not None
        assert meta.err is None
        assert meta.fee == 5_000
        assert meta.post_balances[1] - meta.pre_balances[1] == LAMPORTS
    status = (await client.get_signature_statuses([signature])).value[0]
    assert status is not None
    assert status.err is None


def made(blockhash: Hash) -> VersionedTransaction:
    move = transfer(
        TransferParams(from_pubkey=WALLET.pubkey(), to_pubkey=OTHER.pubkey(), lamports=LAMPORTS)
    )
    message = MessageV0.try_compile(WALLET.pubkey(), [move], [], blockhash)
    return VersionedTransaction(message, [WALLET])


def test_it_airdrops_transfers_confirms_and_fetches() -> None:
    async def test() -> None:
        async with chain_served(slot_ms=20) as stand:
            await transferred(stand)

    run(test())


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "duplicate", "value": 3},
        {"kind": "delay", "value": 4},
        {"kind": "reorder", "value": 3},
        {"kind": "lag", "value": 5},
        {"kind": "slow", "value": 0.05},
        {"kind": "lie_height", "value": 400},
    ],
    ids=lambda fault: fault["kind"],
)
def test_it_does_so_under_faults(fault: dict[str, Any]) -> None:
    async def test() -> None:
        async with chain_served(slot_ms=20) as stand:
            await stand.fault(**fault)
            await transferred(stand)

    run(test())


async def insisted(call: Any) -> Any:
    """Call until it is answered: what a client does about errors of its provider."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await call()
            except SolanaRpcException:
                await asyncio.sleep(0.01)


def test_it_lands_once_though_everything_fails_at_times() -> None:
    """Sends are lost, doubled, late, mixed and answered with errors; calls are refused."""

    async def test() -> None:
        async with (
            chain_served(slot_ms=20) as stand,
            AsyncClient(stand.at["rpc.a.http"], commitment=Confirmed) as client,
            SolanaWsClient(stand.at["rpc.a.ws"]) as socket,
        ):
            given = (await client.request_airdrop(WALLET.pubkey(), SOL)).value
            await client.confirm_transaction(given, Confirmed, sleep_seconds=0.02)
            for kind, chance in (
                ("429", 0.3),
                ("5xx", 0.3),
                ("error_after", 0.5),
                ("drop", 0.5),
                ("duplicate", 0.5),
                ("delay", 0.5),
                ("reorder", 0.3),
            ):
                await stand.fault(kind, chance=chance, seed=5)
            latest = (await insisted(lambda: client.get_latest_blockhash(Confirmed))).value
            raw = made(latest.blockhash)
            await socket.signature_subscribe(signature=raw.signatures[0], commitment=Confirmed)
            told = asyncio.create_task(socket.recv())
            while not told.done():
                with suppress(SolanaRpcException):
                    await client.send_raw_transaction(bytes(raw), TxOpts(skip_preflight=True))
                await asyncio.sleep(0.02)
            result = await told
            assert isinstance(result, SignatureNotification)
            assert result.result.value.err is None
            await stand.http.delete(f"{stand.at['chain']}/faults")
            await asyncio.sleep(0.3)
            await check(client, raw.signatures[0])
            faults = (await stand.http.get(f"{stand.at['chain']}/faults")).json()
            assert sum(one["did"] for one in faults) > 0

    run(test())


def test_it_goes_on_at_another_endpoint_in_a_blackout() -> None:
    async def test() -> None:
        async with chain_served(slot_ms=20) as stand:
            await stand.fault("blackout", endpoint="a")
            async with AsyncClient(stand.at["rpc.a.http"]) as client:
                with pytest.raises(SolanaRpcException):
                    await client.get_slot()
            await transferred(stand, at="b")

    run(test())


def test_a_fork_takes_a_confirmed_transfer_and_brings_it_back() -> None:
    async def test() -> None:
        async with (
            chain_served() as stand,
            AsyncClient(stand.at["rpc.a.http"], commitment=Confirmed) as client,
        ):
            stand.funded()
            raw = made((await client.get_latest_blockhash(Confirmed)).value.blockhash)
            await client.send_raw_transaction(bytes(raw), TxOpts(skip_preflight=True))
            stand.ticks(3)
            await check(client, raw.signatures[0])
            await stand.control("fork", depth=4)
            assert (await client.get_signature_statuses([raw.signatures[0]])).value == [None]
            assert (await client.get_transaction(raw.signatures[0])).value is None
            stand.ticks(1)
            got = (await client.get_signature_statuses([raw.signatures[0]])).value[0]
            assert got is not None
            assert str(got.confirmation_status) == "TransactionConfirmationStatus.Processed"
            stand.ticks(33)
            confirmed = await client.confirm_transaction(raw.signatures[0], Finalized)
            assert confirmed.value[0] is not None
            assert confirmed.value[0].confirmations is None
            await check(client, raw.signatures[0])

    run(test())


def test_its_other_calls_are_answered() -> None:
    async def test() -> None:
        async with (
            chain_served(markets=True) as stand,
            AsyncClient(stand.at["rpc.c.http"], commitment=Confirmed) as client,
        ):
            stand.funded()
            assert await client.is_connected()
            assert (await client.get_version()).value.solana_core
            assert str((await client.get_genesis_hash()).value) == stand.chain.genesis_hash
            assert (await client.get_slot(Processed)).value == stand.chain.slot
            assert (await client.get_block_height(Confirmed)).value == stand.chain.block_height - 2
            assert (await client.get_epoch_info()).value.slots_in_epoch == 432_000
            raw = made((await client.get_latest_blockhash()).value.blockhash)
            simulated = (await client.simulate_transaction(raw)).value
            assert simulated.err is None
            assert simulated.units_consumed == 150
            assert isinstance(raw.message, MessageV0)
            assert (await client.get_fee_for_message(raw.message)).value == 5_000
            sent = (await client.send_transaction(raw)).value
            stand.ticks(40)
            rows = (await client.get_signatures_for_address(WALLET.pubkey(), limit=5)).value
            assert rows[0].signature == sent
            block = (
                await client.get_block(rows[0].slot, max_supported_transaction_version=0)
            ).value
            assert block is not None
            assert block.transactions is not None
            assert len(block.transactions) == 1
            accounts = (await client.get_multiple_accounts([WALLET.pubkey(), v4_pool(stand)])).value
            assert accounts[1] is not None
            assert len(accounts[1].data) == 752
            rent = await client.get_minimum_balance_for_rent_exemption(165)
            assert rent.value == 2_039_280

    run(test())


def v4_pool(stand: ChainStand) -> Pubkey:
    """Return the address of a Raydium v4 pool."""
    return Pubkey.from_string(stand.chain.markets[0].pools[0].pool)
