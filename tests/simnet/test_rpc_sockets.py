"""Subscriptions of the chain's endpoints: what is told, when, and of which commitment."""

import asyncio
import json
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from rpc_stand import OTHER, SOL, WALLET, ChainStand, chain_served, mint_planted, sending, signed
from simnet_stand import run
from solders.rpc.responses import parse_websocket_message
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

KEY = str(WALLET.pubkey())
TOKENS = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"


class Socket:
    """A client that asks and listens."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.heard: list[Any] = []
        self._next = 0

    async def ask(self, method: str, *params: Any) -> Any:
        self._next += 1
        body = {"jsonrpc": "2.0", "id": self._next, "method": method, "params": list(params)}
        await self.connection.send(json.dumps(body))
        while True:
            told = await self._message()
            if told.get("id") == self._next:
                return told["error"]["code"] if "error" in told else told["result"]
            self.heard.append(told["params"])

    async def next(self) -> Any:
        """Return the next notification's result."""
        if self.heard:
            return self.heard.pop(0)["result"]
        return (await self._message())["params"]["result"]

    async def quiet(self) -> bool:
        """Return whether nothing came that was not heard: an answer comes after all of it."""
        await self.ask("slotUnsubscribe", 0)
        return not self.heard

    async def _message(self) -> Any:
        async with asyncio.timeout(5):
            raw = await self.connection.recv()
        told = json.loads(raw)
        if "method" in told:
            self.read(raw if isinstance(raw, str) else raw.decode())
        return told

    @staticmethod
    def read(raw: str) -> None:
        """Let `solders` read a notification; it does not know all that a node may tell."""
        unknown = "receivedSignature" in raw or "Custom" in raw
        unknown = unknown and "signatureNotification" in raw
        if not unknown and "data too large" not in raw:
            parse_websocket_message(raw)


@asynccontextmanager
async def socket(stand: ChainStand, at: str = "a") -> AsyncIterator[Socket]:
    async with connect(stand.at[f"rpc.{at}.ws"]) as connection:
        yield Socket(connection)


@pytest.mark.parametrize(
    ("commitment", "ticks"), [("processed", 1), ("confirmed", 3), ("finalized", 33)]
)
def test_a_signature_is_told_once_at_its_commitment(commitment: str, ticks: int) -> None:
    """Slots become confirmed after 2 more and finalized after 32 more."""

    async def test() -> None:
        async with chain_served() as stand, socket(stand) as listener:
            stand.funded()
            made = signed(stand, sending(SOL // 2, OTHER.pubkey()))
            name = str(made.signatures[0])
            await listener.ask("signatureSubscribe", name, {"commitment": commitment})
            stand.chain.submit(bytes(made))
            begun = stand.chain.slot
            stand.ticks(ticks - 1)
            assert await listener.quiet()
            stand.ticks()
            told = await listener.next()
            assert told == {"context": {"slot": begun + 1}, "value": {"err": None}}
            stand.ticks(40)
            assert await listener.quiet()

    run(test())


def test_a_signature_that_landed_before_is_told_at_once() -> None:
    async def test() -> None:
        async with chain_served() as stand, socket(stand) as listener:
            stand.funded()
            made = signed(stand, sending(10 * SOL, OTHER.pubkey()))
            stand.chain.submit(bytes(made))
            stand.ticks(4)
            name = str(made.signatures[0])
            await listener.ask("signatureSubscribe", name, {"commitment": "confirmed"})
            told = await listener.next()
            assert told["value"] == {"err": {"InstructionError": [0, {"Custom": 1}]}}

    run(test())


def test_a_received_signature_is_told_before_it_is_confirmed() -> None:
    async def test() -> None:
        async with chain_served() as stand, socket(stand) as listener:
            stand.funded()
            made = signed(stand, sending(SOL // 2, OTHER.pubkey()))
            options = {"commitment": "confirmed", "enableReceivedNotification": True}
            await listener.ask("signatureSubscribe", str(made.signatures[0]), options)
            stand.chain.submit(bytes(made))
            stand.ticks(3)
            assert (await listener.next())["value"] == "receivedSignature"
            assert (await listener.next())["value"] == {"err": None}

    run(test())


def test_an_account_is_told_in_its_encodings_and_commitments() -> None:
    async def test() -> None:
        async with chain_served() as stand, socket(stand) as listener:
            mint = mint_planted(stand)
            stand.chain.airdrop_tokens(KEY, mint, 5)
            stand.ticks(40)
            account = stand.chain.token_accounts(KEY, mint=mint)[0].address
            raw = await listener.ask(
                "accountSubscribe", account, {"encoding": "base64", "commitment": "processed"}
            )
            options = {"encoding": "jsonParsed", "commitment": "confirmed"}
            parsed = await listener.ask("accountSubscribe", account, options)
            assert raw != parsed
            stand.chain.airdrop_tokens(KEY, mint, 7)
            stand.ticks()
            told = await listener.next()
            data = b64decode(told["value"]["data"][0])
            assert int.from_bytes(data[64:72], "little") == 12
            assert told["context"]["slot"] == stand.chain.slot
            assert await listener.quiet()
            stand.ticks(2)
            told = await listener.next()
            amount = told["value"]["data"]["parsed"]["info"]["tokenAmount"]
            assert amount["uiAmountString"] == "0.000012"
            assert await listener.ask("accountUnsubscribe", parsed) is True
            assert await listener.ask("accountUnsubscribe", parsed) == -32602
            stand.chain.airdrop_tokens(KEY, mint, 1)
            stand.ticks(3)
            await listener.next()
            assert await listener.quiet()

    run(test())


def test_an_account_that_is_emptied_is_told_as_empty() -> None:
    async def test() -> None:
        async with chain_served() as stand, socket(stand) as listener:
            stand.funded()
            options = {"encoding": "base64", "commitment": "processed"}
            await listener.ask("accountSubscribe", KEY, options)
            made = signed(stand, sending(SOL - 5_000, OTHER.pubkey()))
            stand.chain.submit(bytes(made))
            stand.ticks()
            told = await listener.next()
            assert told["value"]["lamports"] == 0
            assert told["value"]["data"] == ["", "base64"]

    run(test())


def test_an_account_too_long_for_base58_is_told_all_the_same() -> None:
    async def test() -> None:
        async with chain_served() as stand, socket(stand) as listener:
            mint = mint_planted(stand)
            stand.chain.airdrop_tokens(KEY, mint, 5)
            stand.ticks(40)
            account = stand.chain.token_accounts(KEY, mint=mint)[0].address
            await listener.ask("accountSubscribe", account, {"commitment": "processed"})
            stand.chain.airdrop_tokens(KEY, mint, 7)
            stand.ticks()
            told = (await listener.next())["value"]
            assert told["data"] == ["error: data too large for bs58 encoding", "base58"]
            refused = await stand.call("getAccountInfo", account, {"encoding": "base58"})
            assert refused["code"] == -32600

    run(test())


def test_programs_logs_slots_and_roots_are_told() -> None:
    async def test() -> None:
        async with chain_served() as stand, socket(stand) as listener:
            mint = mint_planted(stand)
            stand.ticks(3)
            owned = {"memcmp": {"offset": 32, "bytes": KEY}}
            options = {
                "encoding": "base64",
                "commitment": "processed",
                "filters": [{"dataSize": 165}, owned],
            }
            numbers = [
                await listener.ask("programSubscribe", TOKENS, options),
                await listener.ask(
                    "logsSubscribe", {"mentions": [mint]}, {"commitment": "processed"}
                ),
                await listener.ask("logsSubscribe", "all", {"commitment": "processed"}),
                await listener.ask("slotSubscribe"),
                await listener.ask("rootSubscribe"),
            ]
            assert len(set(numbers)) == 5
            stand.chain.airdrop_tokens(str(OTHER.pubkey()), mint, 5)
            stand.chain.airdrop_tokens(KEY, mint, 5)
            stand.chain.airdrop(KEY, SOL)
            stand.ticks()
            assert not await listener.quiet()
            by_number: dict[int, list[Any]] = {number: [] for number in numbers}
            for one in listener.heard:
                by_number[one["subscription"]].append(one["result"])
            program, mentions, everything, slots, roots = (by_number[one] for one in numbers)
            assert len(program) == 1
            assert program[0]["value"]["account"]["owner"] == TOKENS
            assert len(mentions) == 2
            assert len(everything) == 3
            assert f"Program {TOKENS} success" in mentions[0]["value"]["logs"]
            slot = stand.chain.slot
            assert slots == [{"parent": slot - 1, "root": stand.chain.finalized_slot, "slot": slot}]
            assert roots == []
            listener.heard.clear()
            stand.ticks(32)
            await listener.quiet()
            told = [one["result"] for one in listener.heard if one["subscription"] == numbers[4]]
            assert told[-1] == stand.chain.finalized_slot

    run(test())


def test_a_fork_is_told_and_takes_back_what_was_confirmed() -> None:
    async def test() -> None:
        async with chain_served() as stand, socket(stand) as listener:
            stand.funded()
            options = {"encoding": "base64", "commitment": "confirmed"}
            await listener.ask("accountSubscribe", str(OTHER.pubkey()), options)
            made = signed(stand, sending(SOL // 2, OTHER.pubkey()))
            name = str(made.signatures[0])
            stand.chain.submit(bytes(made))
            stand.ticks(3)
            assert (await listener.next())["value"]["lamports"] == SOL // 2
            told = await stand.call("getSignatureStatuses", [name])
            assert told["value"][0]["confirmationStatus"] == "confirmed"
            gone = await stand.control("fork", depth=5, drop="all")
            assert gone["vanished"] == [name]
            stand.ticks()
            assert (await listener.next())["value"]["lamports"] == 0
            told = await stand.call("getSignatureStatuses", [name])
            assert told["value"] == [None]
            assert await stand.call("getTransaction", name, {"commitment": "confirmed"}) is None

    run(test())


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("accountSubscribe", []),
        ("accountSubscribe", ["x"]),
        ("accountSubscribe", [KEY, {"encoding": "xml"}]),
        ("signatureSubscribe", [KEY]),
        ("logsSubscribe", ["some"]),
        ("logsSubscribe", [{"mentions": [KEY, KEY]}]),
        ("logsSubscribe", [{"mentions": []}]),
        ("programSubscribe", [TOKENS, {"filters": [{"dataSize": 1}] * 5}]),
        ("accountUnsubscribe", [10**9]),
        ("accountUnsubscribe", ["x"]),
    ],
)
def test_a_wrong_subscription_is_refused(method: str, params: list[Any]) -> None:
    async def test() -> None:
        async with chain_served() as stand, socket(stand) as listener:
            assert await listener.ask(method, *params) == -32602
            assert await listener.ask("voteSubscribe") == -32601
            assert await listener.ask("getSlot") == -32601

    run(test())


def test_a_lagging_endpoint_tells_late_and_the_others_do_not() -> None:
    async def test() -> None:
        async with chain_served() as stand, socket(stand) as late, socket(stand, "b") as fine:
            stand.funded()
            await stand.fault("lag", value=6)
            made = signed(stand, sending(SOL // 2, OTHER.pubkey()))
            name = str(made.signatures[0])
            for one in (late, fine):
                await one.ask("signatureSubscribe", name, {"commitment": "confirmed"})
            stand.chain.submit(bytes(made))
            stand.ticks(3)
            assert (await fine.next())["value"] == {"err": None}
            assert await late.quiet()
            told = await stand.call("getSignatureStatuses", [name])
            assert told["value"] == [None]
            told = await stand.call("getBalance", str(OTHER.pubkey()), {"commitment": "confirmed"})
            assert told["value"] == 0
            assert await stand.call("getSlot", {"commitment": "processed"}) == stand.chain.slot - 6
            stand.ticks(6)
            assert (await late.next())["value"] == {"err": None}
            told = await stand.call("getBalance", str(OTHER.pubkey()), {"commitment": "confirmed"})
            assert told["value"] == SOL // 2

    run(test())


def test_a_deaf_endpoint_answers_pings_and_calls_and_tells_nothing() -> None:
    async def test() -> None:
        async with chain_served() as stand, socket(stand) as listener:
            await listener.ask("slotSubscribe")
            await stand.fault("deaf", slots=3)
            stand.ticks(2)
            assert await listener.quiet()
            await asyncio.wait_for(await listener.connection.ping(), 5)
            faults = (await stand.http.get(f"{stand.at['chain']}/faults")).json()
            assert faults[0]["did"] == 2
            stand.ticks(2)
            assert (await listener.next())["slot"] == stand.chain.slot - 1

    run(test())


def test_a_blackout_closes_and_refuses_connections() -> None:
    async def test() -> None:
        async with chain_served() as stand, socket(stand) as listener:
            await stand.fault("blackout")
            with pytest.raises(ConnectionClosed):
                await listener.connection.recv()
            with pytest.raises(InvalidStatus):
                async with connect(stand.at["rpc.a.ws"]):
                    pass
            async with socket(stand, "b") as other:
                assert await other.ask("slotSubscribe")
            await stand.http.delete(f"{stand.at['chain']}/faults")
            async with socket(stand) as again:
                assert await again.ask("slotSubscribe")

    run(test())


@pytest.mark.parametrize("body", ["{", "[]", "3", '{"jsonrpc":"2.0"}', "[" * 5_000])
def test_a_message_that_is_no_call_is_told_so(body: str) -> None:
    async def test() -> None:
        async with chain_served() as stand, connect(stand.at["rpc.a.ws"]) as connection:
            await connection.send(body)
            told = json.loads(await asyncio.wait_for(connection.recv(), 5))
            assert told["id"] is None
            assert told["error"]["code"] in {-32700, -32600}

    run(test())


def test_no_endpoint_is_elsewhere() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            for at in ("/rpc/z", "/rpc/", "/rpcx/a"):
                with pytest.raises(InvalidStatus):
                    async with connect(stand.at["rpc.a.ws"].replace("/rpc/a", at)):
                        pass
            answer = await stand.http.post(stand.at["rpc.a.http"].replace("/rpc/a", "/rpc/z"))
            assert answer.status_code == 404

    run(test())
