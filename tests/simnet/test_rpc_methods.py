"""Every method of the endpoints: read by `solders`, and shaped as recorded bodies are."""

import json
import os
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from rpc_stand import OTHER, SOL, WALLET, ChainStand, chain_served, mint_planted, sending, signed
from simnet_stand import run
from solders.rpc import responses
from solders.transaction import Transaction

from utb.simnet.rpc.accounts import TOKEN_PROGRAM

DATA = Path(os.environ.get("UTB_DATA", Path(__file__).parents[3] / "shared" / "data")) / "rpc"
KEY = str(WALLET.pubkey())
CONFIRMED = {"commitment": "confirmed"}
PARSED = {"encoding": "jsonParsed", **CONFIRMED}

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no recorded bodies in {DATA}")


def name(value: Any) -> str:
    """Return the name of a case: its texts."""
    return value if isinstance(value, str) else ""


async def lived(stand: ChainStand) -> dict[str, Any]:
    """Let a wallet get lamports and tokens and send some; return what calls need."""
    mint = mint_planted(stand)
    stand.funded()
    stand.chain.airdrop_tokens(KEY, mint, 36_010_000_000)
    transaction = signed(stand, sending(1_000_000, OTHER.pubkey()))
    stand.chain.submit(bytes(transaction))
    stand.ticks(40)
    account = stand.chain.token_accounts(KEY, mint=mint)[0].address
    status = stand.chain.status(str(transaction.signatures[0]))
    assert status is not None
    return {
        "$mint": mint,
        "$account": account,
        "$signature": str(transaction.signatures[0]),
        "$transaction": b64encode(bytes(transaction)).decode(),
        "$message": b64encode(bytes(transaction.message)).decode(),
        "$slot": status.slot,
        "$blockhash": stand.chain.latest_blockhash().blockhash,
    }


def filled(value: Any, known: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [filled(one, known) for one in value]
    if isinstance(value, dict):
        return {name: filled(one, known) for name, one in value.items()}
    return known.get(value, value) if isinstance(value, str) else value


CASES: list[tuple[str, list[Any], str]] = [
    ("getHealth", [], "GetHealthResp"),
    ("getVersion", [], "GetVersionResp"),
    ("getGenesisHash", [], "GetGenesisHashResp"),
    ("getSlot", [CONFIRMED], "GetSlotResp"),
    ("getBlockHeight", [CONFIRMED], "GetBlockHeightResp"),
    ("getEpochInfo", [], "GetEpochInfoResp"),
    ("getLatestBlockhash", [CONFIRMED], "GetLatestBlockhashResp"),
    ("isBlockhashValid", ["$blockhash", CONFIRMED], "IsBlockhashValidResp"),
    ("getBalance", [KEY], "GetBalanceResp"),
    ("getAccountInfo", ["$account", {"encoding": "base64"}], "GetAccountInfoResp"),
    ("getAccountInfo", [KEY, {"encoding": "base58"}], "GetAccountInfoResp"),
    ("getAccountInfo", ["$account", PARSED], "GetAccountInfoJsonParsedResp"),
    ("getMultipleAccounts", [[KEY, "$account"], {"encoding": "base64"}], "GetMultipleAccountsResp"),
    (
        "getMultipleAccounts",
        [["$mint", KEY], PARSED],
        "GetMultipleAccountsMaybeJsonParsedResp",
    ),
    (
        "getTokenAccountsByOwner",
        [KEY, {"mint": "$mint"}, {"encoding": "base64"}],
        "GetTokenAccountsByOwnerResp",
    ),
    (
        "getTokenAccountsByOwner",
        [KEY, {"programId": TOKEN_PROGRAM}, PARSED],
        "GetTokenAccountsByOwnerJsonParsedResp",
    ),
    ("getTokenAccountBalance", ["$account"], "GetTokenAccountBalanceResp"),
    ("getTokenSupply", ["$mint"], "GetTokenSupplyResp"),
    (
        "getProgramAccounts",
        [TOKEN_PROGRAM, {"encoding": "base64", "filters": [{"dataSize": 165}]}],
        "GetProgramAccountsResp",
    ),
    (
        "getProgramAccounts",
        [TOKEN_PROGRAM, {**PARSED, "withContext": True, "filters": [{"dataSize": 165}]}],
        "GetProgramAccountsWithContextJsonParsedResp",
    ),
    ("getSignatureStatuses", [["$signature"]], "GetSignatureStatusesResp"),
    ("getSignaturesForAddress", [KEY, {"limit": 10}], "GetSignaturesForAddressResp"),
    (
        "getTransaction",
        ["$signature", {"encoding": "json", "maxSupportedTransactionVersion": 0}],
        "GetTransactionResp",
    ),
    (
        "getTransaction",
        ["$signature", {"encoding": "base64", "maxSupportedTransactionVersion": 0}],
        "GetTransactionResp",
    ),
    (
        "getTransaction",
        ["$signature", {"encoding": "jsonParsed", "maxSupportedTransactionVersion": 0}],
        "GetTransactionResp",
    ),
    ("getBlock", ["$slot", {"transactionDetails": "signatures"}], "GetBlockResp"),
    (
        "getBlock",
        ["$slot", {"encoding": "base64", "maxSupportedTransactionVersion": 0}],
        "GetBlockResp",
    ),
    ("getBlocks", ["$slot"], "GetBlocksResp"),
    ("getBlockTime", ["$slot"], "GetBlockTimeResp"),
    ("getMinimumBalanceForRentExemption", [165], "GetMinimumBalanceForRentExemptionResp"),
    ("getRecentPrioritizationFees", [[KEY]], "GetRecentPrioritizationFeesResp"),
    ("getFeeForMessage", ["$message"], "GetFeeForMessageResp"),
    ("getTransactionCount", [], "GetTransactionCountResp"),
    ("requestAirdrop", [KEY, SOL], "RequestAirdropResp"),
    ("sendTransaction", ["$fresh", {"encoding": "base64", **CONFIRMED}], "SendTransactionResp"),
    ("simulateTransaction", ["$fresh", {"encoding": "base64"}], "SimulateTransactionResp"),
]


@pytest.mark.parametrize(("method", "params", "kind"), CASES, ids=name)
def test_answer_is_read_by_solders(method: str, params: list[Any], kind: str) -> None:
    async def test() -> None:
        async with chain_served() as stand:
            known = await lived(stand)
            fresh = signed(stand, sending(5, OTHER.pubkey()))
            known["$fresh"] = b64encode(bytes(fresh)).decode()
            options = {"preflightCommitment": "confirmed"} if method == "sendTransaction" else {}
            asked = filled(params, known)
            if options:
                asked[1] |= options
            body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": asked}
            told = await stand.http.post(stand.at["rpc.a.http"], json=body)
            parsed = getattr(responses, kind).from_json(told.text)
            assert type(parsed).__name__ == kind, told.text[:500]

    run(test())


RECORDED: list[tuple[str, str, list[Any]]] = [
    ("test_get_account_info_json_parsed", "getAccountInfo", ["$account", PARSED]),
    ("test_get_balance", "getBalance", [KEY]),
    ("test_get_epoch_info", "getEpochInfo", []),
    ("test_get_latest_blockhash", "getLatestBlockhash", []),
    ("test_get_signature_statuses", "getSignatureStatuses", [["$signature", "1" * 64]]),
    ("test_get_signatures_for_address", "getSignaturesForAddress", [KEY]),
    ("test_get_token_supply", "getTokenSupply", ["$mint"]),
    ("test_get_recent_prioritization_fees", "getRecentPrioritizationFees", [[]]),
    ("test_get_fee_for_message", "getFeeForMessage", ["$message"]),
    ("test_is_blockhash_valid", "isBlockhashValid", ["$blockhash"]),
    ("test_get_version", "getVersion", []),
    (
        "test_get_multiple_accounts_maybe_json",
        "getMultipleAccounts",
        [["$mint", KEY], PARSED],
    ),
    (
        "test_get_token_accounts_by_owner_base64",
        "getTokenAccountsByOwner",
        [KEY, {"mint": "$mint"}, {"encoding": "base64"}],
    ),
]
FILES: list[tuple[str, str, list[Any]]] = [
    (
        "getTransaction_native-sol-transfer",
        "getTransaction",
        ["$signature", {"maxSupportedTransactionVersion": 0}],
    ),
    (
        "pumpfun_buy_getTransaction_jsonParsed",
        "getTransaction",
        ["$signature", {"encoding": "jsonParsed", "maxSupportedTransactionVersion": 0}],
    ),
    (
        "get_block_base64_encoding",
        "getBlock",
        ["$slot", {"encoding": "base64", "maxSupportedTransactionVersion": 0}],
    ),
    ("simulate_transaction_response", "simulateTransaction", ["$fresh", {"encoding": "base64"}]),
]
LEFT_OUT = {"costUnits"}
"""Fields of recorded bodies that this node does not tell."""


@needs_data
@pytest.mark.parametrize(("case", "method", "params"), [*RECORDED, *FILES], ids=name)
def test_answer_has_the_recorded_shape(case: str, method: str, params: list[Any]) -> None:
    async def test() -> None:
        async with chain_served() as stand:
            known = await lived(stand)
            fresh = signed(stand, sending(5, OTHER.pubkey()))
            known["$fresh"] = b64encode(bytes(fresh)).decode()
            told = await stand.call(method, *filled(params, known))
            assert differences(recorded(case), told, "$") == []

    run(test())


def recorded(case: str) -> Any:
    file = DATA / f"{case}.json"
    if file.exists():
        return json.loads(file.read_text())["result"]
    bodies = json.loads((DATA / "rpc_and_websocket_bodies.json").read_text())
    found = next(one["body"] for one in bodies if one["case"] == case)
    # One recording has its id within the result.
    return found.get("result")


def differences(theirs: Any, ours: Any, at: str) -> list[str]:
    """Return where a value of ours lacks a field of theirs or has another type."""
    if theirs is None or ours is None:
        return []
    if isinstance(theirs, dict) and isinstance(ours, dict):
        # A parsed instruction has no data of its own.
        allowed = LEFT_OUT | ({"accounts", "data"} if "parsed" in ours else set())
        missing = [f"{at}.{name} is missing" for name in theirs.keys() - ours.keys() - allowed]
        both = sorted(theirs.keys() & ours.keys())
        return missing + [
            one for name in both for one in differences(theirs[name], ours[name], f"{at}.{name}")
        ]
    if isinstance(theirs, list) and isinstance(ours, list):
        if not theirs or not ours:
            return []
        return differences(theirs[0], ours[0], f"{at}[0]")
    number = isinstance(theirs, int | float) and not isinstance(theirs, bool)
    same = isinstance(ours, int | float) if number else type(ours) is type(theirs)
    return [] if same else [f"{at} is {type(ours).__name__}, recorded {type(theirs).__name__}"]


def test_differences_are_found() -> None:
    """The check itself: a missing field and another type are told by place."""
    theirs = {"a": 1, "b": [{"c": "x"}]}
    assert differences(theirs, {"b": [{"c": 1}]}, "$") == [
        "$.a is missing",
        "$.b[0].c is int, recorded str",
    ]


def test_a_legacy_transaction_needs_no_version() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            stand.funded()
            blockhash = stand.chain.latest_blockhash().blockhash
            made = signed(stand, sending(5, OTHER.pubkey()))
            legacy = Transaction.new_signed_with_payer(
                [sending(9, OTHER.pubkey())],
                WALLET.pubkey(),
                [WALLET],
                made.message.recent_blockhash,
            )
            assert str(made.message.recent_blockhash) == blockhash
            stand.chain.submit(bytes(legacy))
            stand.ticks(40)
            told = await stand.call("getTransaction", str(legacy.signatures[0]))
            assert told["transaction"]["message"]["accountKeys"][0] == KEY
            assert "version" not in told
            told = await stand.call(
                "getTransaction",
                str(legacy.signatures[0]),
                {"maxSupportedTransactionVersion": 0},
            )
            assert told["version"] == "legacy"

    run(test())
