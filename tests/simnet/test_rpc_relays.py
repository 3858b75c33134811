"""Jito and Helius Sender: what they demand, what lands, and what they tell of it."""

from base64 import b64encode
from typing import Any

import pytest
from rpc_stand import OTHER, SOL, WALLET, ChainStand, chain_served, sending, signed
from simnet_stand import run
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from utb.domain.chain import Commitment
from utb.simnet.rpc.tips import HELIUS_TIP_ACCOUNTS, JITO_TIP_ACCOUNTS

KEY = str(WALLET.pubkey())
BASE64 = {"encoding": "base64"}
FAST = {**BASE64, "skipPreflight": True, "maxRetries": 0}
BUDGET = Pubkey.from_string("ComputeBudget111111111111111111111111111111")
PRICE = Instruction(BUDGET, b"\x03" + (10_000).to_bytes(8, "little"), [])


async def asked(stand: ChainStand, path: str, method: str, *params: Any) -> Any:
    """Call a relay; return its result or error, and the answer."""
    at = stand.at["chain"].removesuffix("/simnet/chain")
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
    answer = await stand.http.post(f"{at}{path}", json=body)
    told = answer.json()
    return (told["error"] if "error" in told else told["result"]), answer


def tipping(lamports: int, account: str = JITO_TIP_ACCOUNTS[0]) -> Instruction:
    return sending(lamports, Pubkey.from_string(account))


def wire(transaction: Any) -> str:
    return b64encode(bytes(transaction)).decode()


def open_tips(stand: ChainStand) -> None:
    """Let the tip accounts exist: a small tip cannot open one."""
    for account in (*JITO_TIP_ACCOUNTS[:1], *HELIUS_TIP_ACCOUNTS[:1]):
        stand.chain.airdrop(account, SOL)
    stand.funded()


def test_a_transaction_without_a_tip_is_refused() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            open_tips(stand)
            path = "/jito/api/v1/transactions"
            for moves in ([sending(SOL // 10, OTHER.pubkey())], [tipping(999)]):
                raw = wire(signed(stand, *moves))
                told, _ = await asked(stand, path, "sendTransaction", raw, BASE64)
                assert told["code"] == -32602
                assert "tip" in told["message"]
            fine = signed(stand, sending(SOL // 10, OTHER.pubkey()), tipping(1_000))
            told, answer = await asked(stand, path, "sendTransaction", wire(fine), BASE64)
            assert told == str(fine.signatures[0])
            assert len(answer.headers["x-bundle-id"]) == 64
            stand.ticks(2)
            assert stand.chain.status(told) is not None

    run(test())


@pytest.mark.parametrize("bundle_only", [True, False])
def test_bundle_only_protects_from_failing(bundle_only: bool) -> None:  # noqa: FBT001
    """What would fail lands with a fee, or not at all with `bundleOnly=true`."""

    async def test() -> None:
        async with chain_served() as stand:
            open_tips(stand)
            path = f"/jito/api/v1/transactions?bundleOnly={str(bundle_only).lower()}"
            failing = signed(stand, tipping(1_000), sending(5 * SOL, OTHER.pubkey()))
            told, _ = await asked(stand, path, "sendTransaction", wire(failing), BASE64)
            stand.ticks(40)
            balance = (await stand.call("getBalance", KEY))["value"]
            assert balance == (SOL if bundle_only else SOL - 5_000)
            assert (stand.chain.status(told) is None) == bundle_only

    run(test())


def test_a_bundle_lands_whole_and_in_order() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            open_tips(stand)
            there = signed(stand, sending(SOL // 2, OTHER.pubkey()))
            back = signed(stand, sending(SOL // 4, WALLET.pubkey(), OTHER), key=OTHER)
            tip = signed(stand, tipping(10_000))
            raws = [wire(one) for one in (there, back, tip)]
            path = "/jito/api/v1/bundles"
            name, answer = await asked(stand, path, "sendBundle", raws, BASE64)
            assert answer.headers["x-bundle-id"] == name
            told, _ = await asked(stand, path, "getInflightBundleStatuses", [name, "00"])
            assert [one["status"] for one in told["value"]] == ["Pending", "Invalid"]
            stand.ticks(3)
            told, _ = await asked(
                stand, "/jito/api/v1/getInflightBundleStatuses", "getInflightBundleStatuses", [name]
            )
            slot = stand.chain.slot - 2
            assert told["value"] == [{"bundle_id": name, "status": "Landed", "landed_slot": slot}]
            told, _ = await asked(
                stand, "/jito/api/v1/getBundleStatuses", "getBundleStatuses", [name, "00"]
            )
            assert told["value"] == [
                {
                    "bundle_id": name,
                    "transactions": [str(one.signatures[0]) for one in (there, back, tip)],
                    "slot": slot,
                    "confirmation_status": "confirmed",
                    "err": {"Ok": None},
                },
                None,
            ]
            found = [
                stand.chain.transaction(str(one.signatures[0]), Commitment.PROCESSED)
                for one in (there, back, tip)
            ]
            assert [one.index for one in found if one] == [0, 1, 2]

    run(test())


def test_a_bundle_with_one_failure_leaves_nothing() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            open_tips(stand)
            fine = signed(stand, sending(SOL // 2, OTHER.pubkey()), tipping(10_000))
            fails = signed(stand, sending(SOL, OTHER.pubkey()))
            raws = [wire(fine), wire(fails)]
            path = "/jito/api/v1/bundles"
            name, _ = await asked(stand, path, "sendBundle", raws, BASE64)
            stand.ticks(40)
            assert (await stand.call("getBalance", KEY))["value"] == SOL
            assert (await stand.call("getBalance", str(OTHER.pubkey())))["value"] == 0
            told, _ = await asked(stand, path, "getInflightBundleStatuses", [name])
            assert told["value"] == [{"bundle_id": name, "status": "Failed", "landed_slot": None}]
            # The same bytes are not spent: alone they land.
            await stand.call("sendTransaction", wire(fine), {**BASE64, "skipPreflight": True})
            stand.ticks(2)
            assert stand.chain.status(str(fine.signatures[0])) is not None

    run(test())


@pytest.mark.parametrize(
    "params", [[], [[]], [["x"] * 6, BASE64], [[5], BASE64], ["AAAA", BASE64], [["AAAA"], BASE64]]
)
def test_a_wrong_bundle_is_refused(params: list[Any]) -> None:
    async def test() -> None:
        async with chain_served() as stand:
            told, _ = await asked(stand, "/jito/api/v1/bundles", "sendBundle", *params)
            assert told["code"] == -32602

    run(test())


def test_tip_accounts_and_the_floor_are_told() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            told, _ = await asked(stand, "/jito/api/v1/getTipAccounts", "getTipAccounts")
            assert told == list(JITO_TIP_ACCOUNTS)
            at = stand.at["chain"].removesuffix("/simnet/chain")
            floor = (await stand.http.get(f"{at}/jito/api/v1/bundles/tip_floor")).json()
            assert floor[0]["landed_tips_50th_percentile"] == 1e-05
            assert set(floor[0]) == {
                "time",
                *(f"landed_tips_{one}th_percentile" for one in (25, 50, 75, 95, 99)),
                "ema_landed_tips_50th_percentile",
            }
            await stand.control("limits", endpoint="jito", requests=1)
            first, _ = await asked(stand, "/jito/api/v1/getTipAccounts", "getTipAccounts")
            _, answer = await asked(stand, "/jito/api/v1/getTipAccounts", "getTipAccounts")
            assert first == told
            assert answer.status_code == 429
            assert answer.headers["retry-after"] == "1"

    run(test())


def test_the_sender_demands_a_price_and_a_tip() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            open_tips(stand)
            move = sending(SOL // 10, OTHER.pubkey())
            tip = tipping(1_000_000, HELIUS_TIP_ACCOUNTS[0])
            small = tipping(5_000, HELIUS_TIP_ACCOUNTS[0])
            cases = [
                ([PRICE, move], FAST, "", "tip at least 1000000"),
                ([move, tip], FAST, "", "compute unit price"),
                ([PRICE, move, small], FAST, "", "tip at least 1000000"),
                ([PRICE, move, tipping(10**6)], FAST, "", "tip at least 1000000"),
                ([PRICE, move, tip], BASE64, "", "skipPreflight must be true"),
                ([PRICE, move, small], FAST, "?swqos_only=true", None),
                ([PRICE, move, tip], FAST, "", None),
            ]
            for moves, options, query, words in cases:
                made = signed(stand, *moves)
                told, _ = await asked(
                    stand, f"/helius/fast{query}", "sendTransaction", wire(made), options
                )
                if words is None:
                    assert told == str(made.signatures[0])
                    stand.ticks(2)
                    assert stand.chain.status(told) is not None
                else:
                    assert words in told["message"]
            at = stand.at["chain"].removesuffix("/simnet/chain")
            assert (await stand.http.get(f"{at}/helius/ping")).text == "ok"

    run(test())


def test_relays_have_faults_of_their_own() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            open_tips(stand)
            await stand.fault("drop", endpoint="jito")
            made = signed(stand, sending(SOL // 10, OTHER.pubkey()), tipping(1_000))
            for path, method, raw in (
                ("/jito/api/v1/transactions", "sendTransaction", wire(made)),
                ("/jito/api/v1/bundles", "sendBundle", [wire(made)]),
            ):
                await asked(stand, path, method, raw, BASE64)
            stand.ticks(3)
            assert stand.chain.status(str(made.signatures[0])) is None
            await stand.fault("5xx", endpoint="helius", value=500)
            _, answer = await asked(stand, "/helius/fast", "sendTransaction", wire(made), FAST)
            assert answer.status_code == 500
            told = await stand.call(
                "sendTransaction", wire(made), {**BASE64, "skipPreflight": True}
            )
            stand.ticks(1)
            assert stand.chain.status(told) is not None

    run(test())
