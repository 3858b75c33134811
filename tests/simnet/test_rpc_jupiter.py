"""Jupiter's API over the chain's pools: formats, routes that execute, errors and lies."""

import json
import os
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest
from rpc_stand import SOL, WALLET, ChainStand, chain_served
from simnet_stand import run
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from test_rpc_methods import differences

from utb.domain.chain import USDC_MINT, WRAPPED_SOL_MINT
from utb.simnet.rpc.accounts import token_account
from utb.simnet.rpc.quoting import Quotes

DATA = Path(os.environ.get("UTB_DATA", Path(__file__).parents[3] / "shared" / "data"))
JUPITER = DATA / "api" / "jupiter"
KEY = str(WALLET.pubkey())
WIF = "EKpQGSJtjMFqKZ9KQanSqYXRcF8fBopzLHYxdM65zcjm"
BONK = "DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263"
DOLLAR = 10**6
BUY = {"inputMint": USDC_MINT, "outputMint": WIF, "amount": str(1_000 * DOLLAR)}

needs_data = pytest.mark.skipif(not JUPITER.is_dir(), reason=f"no recorded bodies in {JUPITER}")


async def get(stand: ChainStand, path: str, **query: Any) -> Any:
    at = stand.at["chain"].removesuffix("/simnet/chain")
    told = await stand.http.get(f"{at}/jupiter/{path}", params=query)
    return told.json() if told.status_code == 200 else (told.status_code, told.json())


async def post(stand: ChainStand, path: str, body: Any) -> Any:
    at = stand.at["chain"].removesuffix("/simnet/chain")
    told = await stand.http.post(f"{at}/jupiter/{path}", json=body)
    return told.json() if told.status_code == 200 else (told.status_code, told.json())


def rich(stand: ChainStand) -> None:
    stand.half.fund(KEY, sol_lamports=10 * SOL, usdc_raw=100_000 * DOLLAR)
    stand.ticks(40)


def held(stand: ChainStand, mint: str) -> int:
    account, _ = Quotes(stand.chain).token_account(KEY, mint)
    found = token_account(stand.chain.account(account))
    return 0 if found is None else found.amount_raw


def instruction(told: dict[str, Any]) -> Instruction:
    metas = [
        AccountMeta(Pubkey.from_string(one["pubkey"]), one["isSigner"], one["isWritable"])
        for one in told["accounts"]
    ]
    return Instruction(Pubkey.from_string(told["programId"]), b64decode(told["data"]), metas)


async def landed(stand: ChainStand, message: MessageV0) -> Any:
    """Sign, send and return what the transaction came to."""
    raw = bytes(VersionedTransaction(message, [WALLET]))
    assert len(raw) <= 1_232
    options = {"encoding": "base64", "skipPreflight": True}
    signature = await stand.call("sendTransaction", b64encode(raw).decode(), options)
    stand.ticks(4)
    found = stand.chain.transaction(signature)
    assert found is not None
    return found.meta


def compiled(built: dict[str, Any]) -> MessageV0:
    """Compile a `/build` answer, with a compute-unit limit of our own, as clients must."""
    limit = {
        "programId": "ComputeBudget111111111111111111111111111111",
        "accounts": [],
        "data": b64encode(b"\x02" + (600_000).to_bytes(4, "little")).decode(),
    }
    parts = [limit, *built["computeBudgetInstructions"], *built["setupInstructions"]]
    parts += [built["swapInstruction"], *filter(None, [built["cleanupInstruction"]])]
    tables = [
        AddressLookupTableAccount(
            Pubkey.from_string(key), [Pubkey.from_string(one) for one in addresses]
        )
        for key, addresses in (built["addressesByLookupTableAddress"] or {}).items()
    ]
    blockhash = Hash(bytes(built["blockhashWithMetadata"]["blockhash"]))
    made = [instruction(one) for one in parts]
    return MessageV0.try_compile(WALLET.pubkey(), made, tables, blockhash)


@pytest.mark.parametrize("base", ["swap/v2", "swap/v1", "v6"])
def test_a_quote_is_the_best_of_the_pools(base: str) -> None:
    async def test() -> None:
        async with chain_served(markets=True) as stand:
            told = await get(stand, f"{base}/quote", **BUY)
            quotes = Quotes(stand.chain)
            swaps = [
                quotes.swap(place, KEY, USDC_MINT, 1_000 * DOLLAR)
                for place in quotes.pools(USDC_MINT, WIF)
            ]
            assert int(told["outAmount"]) >= max(one.out_raw for one in swaps if one)
            legs = told["routePlan"]
            assert sum(leg["percent"] for leg in legs) == 100
            assert sum(int(leg["swapInfo"]["inAmount"]) for leg in legs) == 1_000 * DOLLAR
            out = sum(int(leg["swapInfo"]["outAmount"]) for leg in legs)
            assert out == int(told["outAmount"])
            # The least output is rounded up, against the trader: 50 bps by default.
            assert int(told["otherAmountThreshold"]) == -(-out * 9_950 // 10_000)

    run(test())


@needs_data
def test_answers_have_the_recorded_shapes() -> None:
    async def test() -> None:
        async with chain_served(markets=True) as stand:
            rich(stand)
            quote = await get(stand, "swap/v1/quote", **BUY)
            # These two are deprecated, and may be absent.
            recorded = json.loads((JUPITER / "get_quote_base.json").read_text())
            for leg in recorded["routePlan"]:
                del leg["swapInfo"]["feeMint"], leg["swapInfo"]["feeAmount"]
            assert differences(recorded, quote, "$") == []
            body = {"userPublicKey": KEY, "quoteResponse": quote}
            for name, path in (
                ("post_swap", "swap"),
                ("post_swap_instructions", "swap-instructions"),
            ):
                recorded = json.loads((JUPITER / f"{name}.json").read_text())
                told = await post(stand, f"swap/v1/{path}", body)
                assert differences(recorded, told, "$") == []
            labels = await get(stand, "swap/v1/program-id-to-label")
            recorded = json.loads((JUPITER / "get_quote_program_id_label.json").read_text())
            assert labels.items() <= recorded["dexes"].items()

    run(test())


@pytest.mark.parametrize("dexes", ["Raydium", "Raydium CP", "Pump.fun Amm", "Whirlpool", ""])
@pytest.mark.parametrize("selling", [False, True])
def test_a_built_swap_gives_what_was_quoted(dexes: str, *, selling: bool) -> None:
    async def test() -> None:
        async with chain_served(markets=True) as stand:
            rich(stand)
            stand.chain.airdrop_tokens(KEY, WIF, 10_000 * DOLLAR)
            stand.ticks(4)
            asked = {**BUY, "amount": str(2_000 * DOLLAR)}
            if selling:
                asked |= {"inputMint": WIF, "outputMint": USDC_MINT}
            query = {**asked, "taker": KEY, "wrapAndUnwrapSol": "false"}
            built = await get(
                stand, "swap/v2/build", **query, **({"dexes": dexes} if dexes else {})
            )
            before = held(stand, asked["outputMint"])
            meta = await landed(stand, compiled(built))
            assert meta.err is None, meta.logs
            assert held(stand, asked["outputMint"]) - before == int(built["outAmount"])

    run(test())


def test_a_split_over_two_pools_executes() -> None:
    """A size that moves one pool by percents is worth splitting."""

    async def test() -> None:
        async with chain_served(markets=True) as stand:
            stand.half.fund(KEY, sol_lamports=10 * SOL, usdc_raw=2_000_000 * DOLLAR)
            stand.ticks(40)
            query = {**BUY, "amount": str(1_000_000 * DOLLAR), "taker": KEY}
            built = await get(stand, "swap/v2/build", **query)
            assert len(built["routePlan"]) == 2
            assert float(built["priceImpactPct"]) > 0.01
            meta = await landed(stand, compiled(built))
            assert meta.err is None, meta.logs
            assert held(stand, WIF) == int(built["outAmount"])

    run(test())


@pytest.mark.parametrize("base", ["swap/v1", "v6", "swap/v2"])
def test_a_swap_transaction_is_signed_and_lands(base: str) -> None:
    async def test() -> None:
        async with chain_served(markets=True) as stand:
            rich(stand)
            quote = await get(stand, f"{base}/quote", **BUY)
            body = {
                "userPublicKey": KEY,
                "quoteResponse": quote,
                "prioritizationFeeLamports": 1_400,
            }
            told = await post(stand, f"{base}/swap", body)
            assert told["prioritizationFeeLamports"] == 1_400
            unsigned = VersionedTransaction.from_bytes(b64decode(told["swapTransaction"]))
            assert unsigned.signatures[0] == unsigned.signatures[0].default()
            message = unsigned.message
            assert isinstance(message, MessageV0)
            assert WALLET.sign_message(to_bytes_versioned(message))
            meta = await landed(stand, message)
            assert meta.err is None, meta.logs
            assert meta.fee_lamports == 6_400
            assert held(stand, WIF) == int(quote["outAmount"])

    run(test())


def test_native_sol_is_wrapped_and_unwrapped() -> None:
    async def test() -> None:
        async with chain_served(markets=True) as stand:
            stand.chain.airdrop(KEY, 10 * SOL)
            stand.ticks(40)
            asked = {"inputMint": WRAPPED_SOL_MINT, "outputMint": USDC_MINT, "amount": str(SOL)}
            built = await get(stand, "swap/v2/build", **asked, taker=KEY)
            meta = await landed(stand, compiled(built))
            assert meta.err is None, meta.logs
            assert held(stand, USDC_MINT) == int(built["outAmount"])
            account, _ = Quotes(stand.chain).token_account(KEY, WRAPPED_SOL_MINT)
            assert stand.chain.account(account) is None

    run(test())


def test_a_price_that_moved_beyond_the_slippage_fails_the_swap() -> None:
    async def test() -> None:
        async with chain_served(markets=True) as stand:
            rich(stand)
            built = await get(stand, "swap/v2/build", **BUY, taker=KEY)
            await stand.control("price", symbol="WIF-USDC", price=2.318 * 1.02)
            meta = await landed(stand, compiled(built))
            index = 3 + len(built["setupInstructions"]) - 1
            assert meta.err == {"InstructionError": [index, {"Custom": 6001}]}

    run(test())


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"outputMint": KEY}, "TOKEN_NOT_TRADABLE"),
        ({"inputMint": BONK}, "NO_ROUTES_FOUND"),
        ({"dexes": "Meteora DLMM"}, "NO_ROUTES_FOUND"),
        ({"maxAccounts": "3"}, "NO_ROUTES_FOUND"),
        ({"swapMode": "ExactOut"}, "NO_ROUTES_FOUND"),
        ({"outputMint": USDC_MINT}, "CIRCULAR_ARBITRAGE_IS_DISABLED"),
        ({"amount": "x"}, None),
        ({"amount": "-1"}, None),
        ({"amount": "0"}, None),
        ({"amount": str(2**64)}, None),
        ({"slippageBps": "10001"}, None),
        ({"inputMint": "xx"}, None),
    ],
)
def test_a_quote_that_cannot_be_is_told_why(query: dict[str, str], code: str | None) -> None:
    async def test() -> None:
        async with chain_served(markets=True) as stand:
            status, told = await get(stand, "swap/v1/quote", **{**BUY, **query})
            assert status == 400
            assert told["error"]
            assert told.get("errorCode") == code

    run(test())


def tail(built: dict[str, Any]) -> tuple[int, int, int, int]:
    data = b64decode(built["swapInstruction"]["data"])[-19:]
    parts = (data[:8], data[8:16], data[16:18], data[18:])
    amount, quoted, slippage, fee = (int.from_bytes(one, "little") for one in parts)
    return amount, quoted, slippage, fee


def test_lies_are_told_on_demand() -> None:
    async def test() -> None:
        async with chain_served(markets=True) as stand:
            rich(stand)
            query = {**BUY, "taker": KEY}
            honest = await get(stand, "swap/v2/build", **query)
            out = int(honest["outAmount"])
            assert tail(honest) == (1_000 * DOLLAR, out, 50, 0)
            await stand.fault("platform_fee", endpoint="jupiter", value=85, times=1)
            assert tail(await get(stand, "swap/v2/build", **query))[3] == 85
            await stand.fault("worse_tail", endpoint="jupiter", value=5_000, times=1)
            assert tail(await get(stand, "swap/v2/build", **query))[1] == out * 5_000 // 10_000
            await stand.fault("foreign_destination", endpoint="jupiter", times=1)
            own, _ = Quotes(stand.chain).token_account(KEY, WIF)
            lying = await get(stand, "swap/v2/build", **query)
            assert honest["swapInstruction"]["accounts"][3]["pubkey"] == own
            assert own not in {one["pubkey"] for one in lying["swapInstruction"]["accounts"]}
            await stand.fault("no_routes", endpoint="jupiter", times=1)
            status, told = await get(stand, "swap/v2/build", **query)
            assert (status, told["errorCode"]) == (400, "NO_ROUTES_FOUND")
            assert tail(await get(stand, "swap/v2/build", **query)) == tail(honest)

    run(test())


def test_a_foreign_destination_robs_whoever_signs_it() -> None:
    """The lie is a real one: what was bought is somebody else's."""

    async def test() -> None:
        async with chain_served(markets=True) as stand:
            rich(stand)
            await stand.fault("foreign_destination", endpoint="jupiter")
            built = await get(stand, "swap/v2/build", **BUY, taker=KEY)
            meta = await landed(stand, compiled(built))
            assert meta.err is None, meta.logs
            assert held(stand, WIF) == 0
            assert held(stand, USDC_MINT) == 99_000 * DOLLAR

    run(test())


def test_too_many_requests_are_told_when_to_come_back() -> None:
    async def test() -> None:
        async with chain_served(markets=True) as stand:
            await stand.control("limits", endpoint="jupiter", requests=2, window_s=60)
            at = stand.at["chain"].removesuffix("/simnet/chain")
            told = [
                await stand.http.get(f"{at}/jupiter/swap/v2/quote", params=BUY) for _ in range(3)
            ]
            assert [one.status_code for one in told] == [200, 200, 429]
            assert [one.headers["x-ratelimit-remaining"] for one in told] == ["1", "0", "-1"]
            assert [one.headers["x-ratelimit-current"] for one in told] == ["1", "2", "3"]
            assert int(told[2].headers["x-ratelimit-reset"]) > 1_700_000_000

    run(test())
