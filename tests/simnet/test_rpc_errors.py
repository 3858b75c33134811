"""What calls that are wrong are answered: codes, words and data of a node."""

from base64 import b64encode
from typing import Any

import pytest
from rpc_stand import OTHER, SOL, WALLET, chain_served, mint_planted, sending, signed
from simnet_stand import run
from solders.instruction import Instruction
from solders.pubkey import Pubkey

KEY = str(WALLET.pubkey())
BASE64 = {"encoding": "base64"}


@pytest.mark.parametrize(
    ("method", "params", "code", "words"),
    [
        ("noSuchMethod", [], -32601, "Method not found"),
        ("getBalance", [], -32602, "at least 1 argument"),
        ("getBalance", ["xx"], -32602, "WrongSize"),
        ("getBalance", ["0" * 44], -32602, "Invalid"),
        ("getBalance", ["1" * 100_0], -32602, "WrongSize"),
        ("getBalance", [5], -32602, "WrongSize"),
        ("getBalance", [KEY, {"commitment": "sure"}], -32602, "unknown commitment `sure`"),
        ("getBalance", [KEY, 7], -32602, "object of options"),
        ("getSlot", [{"minContextSlot": 2**60}], -32016, "Minimum context slot"),
        ("getSlot", [{"minContextSlot": -1}], -32602, "expected u64"),
        ("getAccountInfo", [KEY, {"encoding": "xml"}], -32602, "unknown variant `xml`"),
        ("getAccountInfo", [KEY, {"dataSlice": {"offset": 1}}], -32602, "offset and length"),
        ("getMultipleAccounts", [[KEY] * 101], -32602, "max 100"),
        ("getMultipleAccounts", ["x"], -32602, "expected a sequence"),
        ("getTokenAccountBalance", [KEY], -32602, "could not find account"),
        ("getTokenAccountsByOwner", [KEY, {"mint": KEY}], -32602, "could not find mint"),
        ("getTokenAccountsByOwner", [KEY, {"programId": KEY}], -32602, "unrecognized Token"),
        ("getTokenSupply", [KEY], -32602, "could not find account"),
        ("getProgramAccounts", [KEY, {"filters": [{}]}], -32602, "a filter is"),
        ("getProgramAccounts", [KEY, {"filters": [{"dataSize": 1}] * 5}], -32602, "max 4"),
        ("getSignatureStatuses", [["x"]], -32602, "WrongSize"),
        ("getSignatureStatuses", [["1" * 64] * 257], -32602, "max 256"),
        ("getSignaturesForAddress", [KEY, {"limit": 0}], -32602, "Invalid limit"),
        ("getSignaturesForAddress", [KEY, {"commitment": "processed"}], -32602, "below"),
        ("getTransaction", [KEY], -32602, "WrongSize"),
        ("getBlock", [2**60], -32004, "Block not available for slot"),
        ("getBlock", [1], -32007, "Slot 1 was skipped"),
        ("getMinimumBalanceForRentExemption", [2**40], -32602, "data length"),
        ("getFeeForMessage", ["????"], -32602, "invalid base64"),
        ("getFeeForMessage", ["AAAA"], -32602, "failed to deserialize"),
        ("requestAirdrop", [KEY, 0], -32602, "0 lamports"),
        ("sendTransaction", ["!!", BASE64], -32602, "invalid base64 encoding"),
        ("sendTransaction", ["0Il"], -32602, "invalid base58 encoding"),
        ("sendTransaction", ["A" * 2000, BASE64], -32602, "too large"),
        ("sendTransaction", [b64encode(bytes(1233)).decode(), BASE64], -32602, "too large"),
        ("sendTransaction", ["AAAA", {**BASE64, "skipPreflight": True}], -32602, "invalid"),
        ("sendTransaction", ["AAAA", {**BASE64, "maxRetries": "x"}], -32602, "maxRetries"),
        ("simulateTransaction", ["AAAA", BASE64], -32602, "invalid"),
        (
            "simulateTransaction",
            ["AAAA", {**BASE64, "sigVerify": True, "replaceRecentBlockhash": True}],
            -32602,
            "sigVerify may not be used",
        ),
        ("getRecentPrioritizationFees", [[KEY] * 129], -32602, "max 128"),
        ("getPriorityFeeEstimate", [{}], -32602, "expected transaction or accountKeys"),
    ],
)
def test_a_wrong_call_is_told_its_error(
    method: str, params: list[Any], code: int, words: str
) -> None:
    async def test() -> None:
        async with chain_served() as stand:
            told = await stand.call(method, *params)
            assert told["code"] == code
            assert words in told["message"]

    run(test())


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", '"code":-32700'),
        (b"\xff\xfe", '"code":-32700'),
        (b"[" * 20_000, '"code":-32700'),
        (b'{"jsonrpc":"2.0","id":1,"method":"getSlot","params":' + b"[" * 40, '"code":-32700'),
        (b"[]", '"code":-32600'),
        (b"3", '"code":-32600'),
        (b'{"id":1,"method":"getSlot"}', '"code":-32600'),
        (b'{"jsonrpc":"2.0","id":1,"method":5}', '"code":-32600'),
        (b'{"jsonrpc":"2.0","id":{},"method":"getSlot"}', '"code":-32600'),
        (b'{"jsonrpc":"2.0","id":1,"method":"getSlot","params":{}}', '"code":-32600'),
        (b'{"jsonrpc":"2.0","method":"getSlot"}', ""),
        (b'{"jsonrpc":"2.0","id":"x","method":"getHealth"}', '"result":"ok","id":"x"'),
    ],
    ids=lambda one: one[:24].decode("latin-1") if isinstance(one, bytes) else "",
)
def test_a_body_that_is_no_call_is_told_so(body: bytes, told: str) -> None:
    async def test() -> None:
        async with chain_served() as stand:
            answer = await stand.http.post(stand.at["rpc.a.http"], content=body)
            assert answer.status_code == 200
            assert told in answer.text
            assert bool(told) == bool(answer.text)

    run(test())


def test_a_batch_is_answered_in_order() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            calls = [
                {"jsonrpc": "2.0", "id": number, "method": method}
                for number, method in enumerate(("getHealth", "nope", "getSlot"))
            ]
            told = (await stand.http.post(stand.at["rpc.a.http"], json=calls)).json()
            assert [one["id"] for one in told] == [0, 1, 2]
            assert told[0]["result"] == "ok"
            assert told[1]["error"]["code"] == -32601
            assert told[2]["result"] == stand.chain.finalized_slot

    run(test())


def test_preflight_tells_what_would_happen() -> None:
    """A transfer of more than there is: Custom(1) of the first instruction, with its logs."""

    async def test() -> None:
        async with chain_served() as stand:
            stand.funded()
            poor = signed(stand, sending(10 * SOL, OTHER.pubkey()))
            options = {**BASE64, "preflightCommitment": "confirmed"}
            told = await stand.call("sendTransaction", b64encode(bytes(poor)).decode(), options)
            assert told["code"] == -32002
            expected = "Error processing Instruction 0: custom program error: 0x1"
            assert told["message"] == f"Transaction simulation failed: {expected}"
            assert told["data"]["err"] == {"InstructionError": [0, {"Custom": 1}]}
            assert told["data"]["unitsConsumed"] > 0
            assert any("insufficient lamports" in line for line in told["data"]["logs"])

    run(test())


def test_preflight_does_not_know_a_blockhash_that_is_too_new() -> None:
    """`preflightCommitment` is finalized by default, and a confirmed blockhash is newer."""

    async def test() -> None:
        async with chain_served() as stand:
            stand.funded()
            fine = b64encode(bytes(signed(stand, sending(1_000_000, OTHER.pubkey())))).decode()
            told = await stand.call("sendTransaction", fine, BASE64)
            assert told["code"] == -32002
            assert told["data"]["err"] == "BlockhashNotFound"
            stand.ticks(32)
            told = await stand.call("sendTransaction", fine, BASE64)
            assert isinstance(told, str)

    run(test())


def test_a_dead_blockhash_is_refused_and_never_lands() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            stand.funded()
            fine = signed(stand, sending(1_000_000, OTHER.pubkey()))
            blockhash = str(fine.message.recent_blockhash)
            assert (await stand.call("isBlockhashValid", blockhash))["value"] is False
            stand.ticks(40)
            assert (await stand.call("isBlockhashValid", blockhash))["value"] is True
            stand.ticks(160)
            assert (await stand.call("isBlockhashValid", blockhash))["value"] is False
            raw = b64encode(bytes(fine)).decode()
            told = await stand.call("sendTransaction", raw, BASE64)
            assert told["data"]["err"] == "BlockhashNotFound"
            sent = await stand.call("sendTransaction", raw, {**BASE64, "skipPreflight": True})
            assert sent == str(fine.signatures[0])
            stand.ticks(5)
            told = await stand.call("getSignatureStatuses", [sent])
            assert told["value"] == [None]

    run(test())


def test_a_wrong_signature_is_refused() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            stand.funded()
            raw = bytearray(bytes(signed(stand, sending(1_000_000, OTHER.pubkey()))))
            raw[5] ^= 1
            for skip in (True, False):
                options = {**BASE64, "skipPreflight": skip, "preflightCommitment": "confirmed"}
                told = await stand.call("sendTransaction", b64encode(raw).decode(), options)
                assert told["code"] == -32003
                assert told["message"] == "Transaction signature verification failure"

    run(test())


def test_simulation_tells_accounts_and_units() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            stand.funded()
            other = str(OTHER.pubkey())
            raw = b64encode(bytes(signed(stand, sending(1_000_000, OTHER.pubkey())))).decode()
            options = {
                **BASE64,
                "replaceRecentBlockhash": True,
                "innerInstructions": True,
                "accounts": {"encoding": "base64", "addresses": [other]},
            }
            value = (await stand.call("simulateTransaction", raw, options))["value"]
            assert value["err"] is None
            assert value["unitsConsumed"] == 150
            assert value["accounts"][0]["lamports"] == 1_000_000
            assert set(value["replacementBlockhash"]) == {"blockhash", "lastValidBlockHeight"}
            assert (await stand.call("getBalance", other))["value"] == 0

    run(test())


def test_fees_follow_limit_and_price() -> None:
    """5,000 + ceil(1,001 x 200,001 / 1,000,000) = 5,000 + 201."""

    async def test() -> None:
        async with chain_served() as stand:
            stand.funded()
            budget = Pubkey.from_string("ComputeBudget111111111111111111111111111111")
            limit = Instruction(budget, b"\x02" + (200_001).to_bytes(4, "little"), [])
            price = Instruction(budget, b"\x03" + (1_001).to_bytes(8, "little"), [])
            made = signed(stand, limit, price, sending(1_000_000, OTHER.pubkey()))
            message = b64encode(bytes(made.message)).decode()
            told = await stand.call("getFeeForMessage", message, {"commitment": "confirmed"})
            assert told["value"] == 5_201
            stand.chain.submit(bytes(made))
            stand.ticks(3)
            rows = await stand.call("getRecentPrioritizationFees", [KEY])
            assert max(row["prioritizationFee"] for row in rows) == 1_001
            landed = stand.chain.transaction(str(made.signatures[0]))
            assert landed is not None
            assert landed.meta.fee_lamports == 5_201
            told = await stand.call(
                "getPriorityFeeEstimate",
                {"accountKeys": [KEY], "options": {"includeAllPriorityFeeLevels": True}},
            )
            assert told["priorityFeeLevels"]["unsafeMax"] == 1_001.0

    run(test())


def test_program_accounts_are_filtered() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            mint = mint_planted(stand)
            stand.chain.airdrop_tokens(KEY, mint, 5)
            stand.chain.airdrop_tokens(str(OTHER.pubkey()), mint, 6)
            stand.ticks(40)
            program = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
            owned = {"memcmp": {"offset": 32, "bytes": KEY}}
            told = await stand.call(
                "getProgramAccounts",
                program,
                {"encoding": "jsonParsed", "filters": [{"dataSize": 165}, owned]},
            )
            assert len(told) == 1
            assert told[0]["account"]["data"]["parsed"]["info"]["tokenAmount"]["amount"] == "5"
            minted = {"memcmp": {"offset": 0, "bytes": mint}}
            sizes = [{"dataSize": 165}, "tokenAccountState", minted]
            told = await stand.call("getProgramAccounts", program, {**BASE64, "filters": sizes})
            assert len(told) == 2
            sliced = {**BASE64, "filters": sizes, "dataSlice": {"offset": 0, "length": 0}}
            told = await stand.call("getProgramAccounts", program, sliced)
            assert told[0]["account"]["data"] == ["", "base64"]

    run(test())


def test_versions_that_a_client_does_not_know_are_refused() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            stand.funded()
            made = signed(stand, sending(1_000_000, OTHER.pubkey()))
            stand.chain.submit(bytes(made))
            stand.ticks(40)
            name = str(made.signatures[0])
            status = stand.chain.status(name)
            assert status is not None
            for call in (("getTransaction", name), ("getBlock", status.slot)):
                told = await stand.call(*call)
                assert told["code"] == -32015
                assert '"maxSupportedTransactionVersion": 0' in told["message"]
            newer = b64encode(b"\x81" + bytes(200)).decode()
            told = await stand.call("sendTransaction", newer, {**BASE64, "skipPreflight": True})
            assert told["code"] == -32015

    run(test())
