"""The chain beside the market: its pools follow the prices, whoever moves the market on."""

import asyncio
import json
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import httpx
import numpy as np
import pytest
from rpc_stand import OTHER, SOL, WALLET, chain_served
from simnet_bot import Bot
from simnet_stand import run, world_of

from utb.adapters.clocks import SystemClock
from utb.bootstrap.chainstand import ChainOptions, Funding, fund, funding, make_chain
from utb.domain.chain import USDC_MINT
from utb.errors import UsageError
from utb.simnet.rpc.half import ChainHalf
from utb.simnet.rpc.pegs import Pegs
from utb.simnet.rpc.quoting import Quotes
from utb.simnet.server.wire import Key, price_key

KEY = str(WALLET.pubkey())
HOUR = 4 * 8 * 180
"""Items of about an hour of the market."""


def test_every_pool_follows_the_market_of_a_bot() -> None:
    """Prices come by every wire: bars, swaps, pairs and the vaults of both kinds of pools."""

    async def test() -> None:
        async with chain_served(markets=True) as stand:
            before = {one.symbol: one.price for one in stand.chain.markets}
            bot = await Bot.join(stand.at, 0)
            bot.ready()
            await bot.run(until=HOUR)
            await bot.close()
            stand.ticks(1)
            time_ns = stand.server.market.time.now_ns
            world = world_of(hours=8)
            moved = 0
            for market, instrument in zip(stand.chain.markets, world.instruments, strict=True):
                closes = world.history.columns(instrument.index, time_ns + 40 * 10**9).close[-6:]
                nearest = float(np.min(np.abs(closes / market.price - 1)))
                assert nearest < 1e-4, (market.symbol, market.price, closes)
                moved += market.price != before[market.symbol]
                for place in market.pools:
                    # Ten dollars: the rest of the difference is the pool's fee, 0.3 % at most.
                    swap = Quotes(stand.chain).swap(place, KEY, USDC_MINT, 10_000_000)
                    assert swap is not None
                    base = swap.out_raw / 10**market.base_decimals
                    assert 10 / base == pytest.approx(market.price, rel=6e-3)
            assert moved == len(world.instruments)

    run(test())


def test_a_price_beyond_the_pools_does_not_stop_the_market() -> None:
    async def test() -> None:
        async with chain_served(markets=True) as stand:
            world = world_of(hours=8)
            sol = world.instruments[0].base_mint
            frame = b'{"type":"PRICE_DATA","data":{"c":%r}}'
            truth: dict[Key, bytes] = {price_key(sol, "1m"): frame % 1e9}
            pegs = Pegs(world, stand.chain, truth)
            pegs.follow()
            assert stand.chain.markets[0].price == 152.4
            truth[price_key(sol, "1m")] = frame % 160.5
            pegs.follow()
            assert stand.chain.markets[0].price == 160.5

    run(test())


def test_slots_come_at_their_rate() -> None:
    async def test() -> None:
        async with chain_served(slot_ms=10) as stand:
            begun = stand.chain.slot
            await asyncio.sleep(1.0)
            # Late slots are not made up for; on a busy machine there are fewer.
            assert 20 <= stand.chain.slot - begun <= 110
            state = (await stand.http.get(stand.at["chain"])).json()
            assert state["slot_ms"] == 10
            block = stand.chain.block(stand.chain.slot)
            assert block is not None
            assert abs(block.block_time - SystemClock().now_ns() // 10**9) <= 2

    run(test())


def test_a_funded_wallet_has_what_it_was_given() -> None:
    given = Funding(wallet=KEY, sol_lamports=2 * SOL, usdc_raw=10_000_500_000)
    assert funding(f"{KEY}=2,10000.5") == given
    options = ChainOptions(fund=(given,), slot_ms=0, rent_lamports_per_byte=696)
    served = make_chain(world_of(hours=8), options)
    half = ChainHalf(served, SystemClock())
    fund(half, options)
    account = served.chain.account(KEY)
    assert account is not None
    assert account.lamports == 2 * SOL
    held = served.chain.token_accounts(KEY, mint=USDC_MINT)
    assert [int.from_bytes(one.account.data[64:72], "little") for one in held] == [10_000_500_000]
    assert served.chain.minimum_balance(0) == 128 * 696


@pytest.mark.parametrize(
    "told", ["x", f"{KEY}=1", f"{KEY}=1,2,3", f"{KEY}=-1,2", f"{KEY}=1,2000000000", "0=1,2"]
)
def test_a_wrong_funding_is_refused(told: str) -> None:
    with pytest.raises(UsageError, match="--fund"):
        funding(told)


def test_the_command_serves_a_chain(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "utb", "simnet", "--http-port", "0", "--ws-port", "0"]
    command += ["--state", str(tmp_path), "--hours", "8", "--chain", "--slot-ms", "20"]
    command += ["--fund", f"{KEY}=2,10000", f"{OTHER.pubkey()}=1,0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        at: dict[str, str] = {}
        while not at:
            assert process.poll() is None, process.communicate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
            with suppress(FileNotFoundError):
                at = json.loads((tmp_path / "run" / "simnet.json").read_text())
        body = {"jsonrpc": "2.0", "id": 1, "method": "getBalance", "params": [KEY]}
        told = httpx.post(at["rpc.b.http"], json=body).json()
        assert told["result"]["value"] == 2 * SOL
        state = httpx.get(at["chain"]).json()
        assert [one["symbol"] for one in state["markets"]][:2] == ["SOL-USDC", "BTC-USDC"]
        quote = {"inputMint": USDC_MINT, "outputMint": state["markets"][0]["base_mint"]}
        base = re.sub(r"/$", "", at["api.jupiter.base_url"])
        told = httpx.get(f"{base}/quote", params={**quote, "amount": "1000000"}).json()
        assert int(told["outAmount"]) > 0
    finally:
        process.terminate()
        process.communicate(timeout=10)
    assert process.returncode == 0


def test_money_without_a_chain_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "utb", "simnet", "--state", str(tmp_path)]
    done = subprocess.run(
        [*command, "--fund", f"{KEY}=2,10000"], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert b"--chain with it" in done.stderr
