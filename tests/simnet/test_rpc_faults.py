"""Faults of the chain's endpoints: what each does, to whom, and that it is counted."""

from base64 import b64encode
from typing import Any

import httpx
import pytest
from rpc_stand import OTHER, SOL, WALLET, ChainStand, chain_served, sending, signed
from simnet_stand import run

from utb.domain.chain import Commitment

KEY = str(WALLET.pubkey())
TO = str(OTHER.pubkey())


async def sent(stand: ChainStand, lamports: int = SOL // 10, blockhash: str = "") -> Any:
    """Send a transfer without preflight; return its signature, or the HTTP status."""
    made = signed(stand, sending(lamports, OTHER.pubkey()), blockhash=blockhash)
    options = {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}
    params = [b64encode(bytes(made)).decode(), options]
    body = {"jsonrpc": "2.0", "id": 1, "method": "sendTransaction", "params": params}
    told = await stand.http.post(stand.at["rpc.a.http"], json=body)
    return told.json()["result"] if told.status_code == 200 else told.status_code


async def did(stand: ChainStand) -> list[int]:
    told = await stand.http.get(f"{stand.at['chain']}/faults")
    return [one["did"] for one in told.json()]


def slot_of(stand: ChainStand, signature: str) -> int | None:
    status = stand.chain.status(signature)
    return None if status is None else status.slot - stand.chain.slot


def test_a_dropped_send_is_answered_and_never_lands() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            stand.funded()
            await stand.fault("drop", times=1)
            lost = await sent(stand)
            stand.ticks(5)
            assert stand.chain.status(lost) is None
            kept = await sent(stand)
            stand.ticks(1)
            assert slot_of(stand, kept) == 0
            assert await did(stand) == [1]
            state = (await stand.http.get(stand.at["chain"])).json()
            assert state["sends"] == {"dropped": 1, "forwarded": 1}

    run(test())


def test_a_delayed_send_lands_later() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            stand.funded()
            await stand.fault("delay", value=4)
            late = await sent(stand)
            stand.ticks(3)
            assert stand.chain.status(late) is None
            stand.ticks(1)
            assert slot_of(stand, late) == 0

    run(test())


def test_a_duplicated_send_lands_once() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            stand.funded()
            await stand.fault("duplicate", value=5)
            await sent(stand)
            stand.ticks(5)
            assert stand.half.front.sends.counts["forwarded"] == 5
            balance = await stand.call("getBalance", TO, {"commitment": "confirmed"})
            assert balance["value"] == SOL // 10

    run(test())


def test_reordered_sends_land_last_first() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            stand.funded()
            await stand.fault("reorder", value=3)
            names = [await sent(stand, SOL // 10 + number) for number in range(4)]
            stand.ticks(6)
            found = [stand.chain.transaction(name, Commitment.PROCESSED) for name in names]
            assert all(found)
            assert len({one.slot for one in found if one}) == 1
            assert [one.index for one in found if one] == [3, 2, 1, 0]

    run(test())


def test_an_error_after_forwarding_lands_all_the_same() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            stand.funded()
            await stand.fault("error_after", value=504)
            assert await sent(stand) == 504
            assert await stand.call("getHealth") == "ok"
            stand.ticks(5)
            balance = await stand.call("getBalance", TO, {"commitment": "confirmed"})
            assert balance["value"] == SOL // 10

    run(test())


def test_lies_about_signatures_are_the_endpoints_own() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            stand.funded()
            name = await sent(stand)
            stand.ticks(40)
            await stand.fault("lie_null", endpoint="a")
            await stand.fault("lie_old", endpoint="b", value=30)
            told = {
                at: (await stand.call("getSignatureStatuses", [name], at=at))["value"][0]
                for at in "abc"
            }
            assert told["a"] is None
            assert told["b"]["confirmationStatus"] == "confirmed"
            assert told["c"]["confirmationStatus"] == "finalized"
            assert await stand.call("getTransaction", name, at="a") is None
            assert await stand.call("getSignaturesForAddress", TO, at="a") == []
            assert len(await stand.call("getSignaturesForAddress", TO, at="c")) == 1
            # Balances are not signatures: they are told truly.
            assert (await stand.call("getBalance", TO))["value"] == SOL // 10

    run(test())


def test_a_lie_about_height_is_told_as_height_only() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            await stand.fault("lie_height", value=500)
            true = stand.chain.finalized_block_height
            assert await stand.call("getBlockHeight") == true + 500
            assert (await stand.call("getEpochInfo"))["blockHeight"] == true + 500
            latest = await stand.call("getLatestBlockhash")
            assert latest["value"]["lastValidBlockHeight"] == true + 150
            await stand.http.delete(f"{stand.at['chain']}/faults")
            await stand.fault("lie_height", value=-500)
            assert await stand.call("getBlockHeight") == true - 500

    run(test())


@pytest.mark.parametrize(
    ("kind", "value", "status"), [("429", 7, 429), ("5xx", 503, 503), ("5xx", 500, 500)]
)
def test_http_errors_are_told(kind: str, value: int, status: int) -> None:
    async def test() -> None:
        async with chain_served() as stand:
            await stand.fault(kind, value=value, method="getSlot")
            body = {"jsonrpc": "2.0", "id": 4, "method": "getSlot"}
            told = await stand.http.post(stand.at["rpc.a.http"], json=body)
            assert told.status_code == status
            if status == 429:
                assert told.headers["retry-after"] == "7"
                assert told.json()["error"]["code"] == 429
                assert told.json()["id"] == 4
            assert await stand.call("getHealth") == "ok"
            assert isinstance(await stand.call("getSlot", at="b"), int)

    run(test())


def test_an_unhealthy_node_says_how_far_behind_it_is() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            await stand.fault("unhealthy", value=42)
            told = await stand.call("getHealth")
            assert told == {
                "code": -32005,
                "message": "Node is behind by 42 slots",
                "data": {"numSlotsBehind": 42},
            }

    run(test())


def test_a_blackout_cuts_and_a_hang_does_not_answer() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            await stand.fault("blackout", endpoint="a")
            with pytest.raises(httpx.TransportError):
                await stand.call("getSlot")
            await stand.fault("hang", endpoint="b")
            body = {"jsonrpc": "2.0", "id": 1, "method": "getSlot"}
            with pytest.raises(httpx.ReadTimeout):
                await stand.http.post(stand.at["rpc.b.http"], json=body, timeout=0.2)
            assert isinstance(await stand.call("getSlot", at="c"), int)

    run(test())


def test_garbage_is_no_answer() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            await stand.fault("garbage", times=3)
            body = {"jsonrpc": "2.0", "id": 1, "method": "getLatestBlockhash"}
            for _ in range(3):
                told = await stand.http.post(stand.at["rpc.a.http"], json=body)
                with pytest.raises(ValueError, match=r"."):
                    told.json()
            assert "value" in await stand.call("getLatestBlockhash")

    run(test())


def test_chance_is_drawn_by_the_seed() -> None:
    """The same seed draws the same sends; half of them at a chance of 0.5."""

    async def drawn(seed: int) -> list[bool]:
        async with chain_served() as stand:
            stand.funded()
            await stand.fault("drop", chance=0.5, seed=seed)
            lost = []
            for number in range(24):
                before = stand.half.front.sends.counts["dropped"]
                await sent(stand, SOL // 100 + number)
                lost.append(stand.half.front.sends.counts["dropped"] > before)
            return lost

    async def test() -> None:
        first, again, other = await drawn(3), await drawn(3), await drawn(4)
        assert first == again
        assert first != other
        assert 4 < sum(first) < 20

    run(test())


def test_a_fault_ends_after_its_slots_and_its_times() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            await stand.fault("5xx", slots=2, value=500)
            await stand.fault("lie_height", times=2, value=9)
            stand.ticks(2)
            true = stand.chain.finalized_block_height
            told = [await stand.call("getBlockHeight") for _ in range(3)]
            assert told == [true + 9, true + 9, true]
            assert await did(stand) == [0, 2]

    run(test())


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"endpoint": "z", "kind": "drop"}, "endpoint is z"),
        ({"endpoint": "a", "kind": "explode"}, "kind is explode"),
        ({"endpoint": "a", "kind": "drop", "value": 3}, "value is 3"),
        ({"endpoint": "a", "kind": "delay", "value": 0}, "value is 0"),
        ({"endpoint": "a", "kind": "5xx", "value": 200}, "value is 200"),
        ({"endpoint": "a", "kind": "drop", "chance": 0}, "chance is 0"),
        ({"endpoint": "a", "kind": "drop", "chance": 1.5}, "chance is 1.5"),
        ({"endpoint": "a", "kind": "drop", "slots": 0}, "slots is 0"),
        ({"endpoint": "a", "kind": "drop", "times": 0}, "times is 0"),
        ({"endpoint": "a", "kind": "drop", "seed": -1}, "seed is -1"),
        ({"endpoint": "a", "kind": "platform_fee"}, "endpoint is a"),
        ({"endpoint": "a", "kind": "fork"}, "endpoint is a"),
        ({"endpoint": "chain", "kind": "drop"}, "endpoint is chain"),
        ({"endpoint": "a"}, "kind"),
        ({"endpoint": "a", "kind": "drop", "more": 1}, "more"),
    ],
)
def test_a_wrong_fault_is_refused(body: dict[str, Any], words: str) -> None:
    async def test() -> None:
        async with chain_served() as stand:
            told = await stand.http.post(f"{stand.at['chain']}/faults", json=body)
            assert told.status_code == 400
            assert words in told.json()["error"]
            assert await did(stand) == []

    run(test())


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("fork", {"depth": 0}, "depth is 0"),
        ("fork", {"depth": 1, "drop": "some"}, "drop is some"),
        ("slots", {"count": 0}, "count is 0"),
        ("rent", {"lamports_per_byte": 0}, "lamports_per_byte is 0"),
        ("price", {"symbol": "X-USDC", "price": 1}, "symbol is X-USDC"),
        ("tokens", {"owner": KEY, "mint": KEY, "amount_raw": 1}, "mint is"),
        ("tokens", {"owner": "x", "mint": KEY, "amount_raw": 1}, "WrongSize"),
        ("limits", {"endpoint": "a", "requests": 0}, "requests is 0"),
        ("limits", {"endpoint": "q", "requests": 1}, "endpoint is q"),
        ("limits", {"endpoint": "a", "requests": 1, "window_s": 0}, "window_s is 0"),
        ("loss", {"rate": 2}, "loss_rate is 2"),
    ],
)
def test_a_wrong_control_is_refused(name: str, body: dict[str, Any], words: str) -> None:
    async def test() -> None:
        async with chain_served() as stand:
            told = await stand.http.post(f"{stand.at['chain']}/{name}", json=body)
            assert told.status_code == 400, told.text
            assert words in told.json()["error"]

    run(test())


def test_controls_do_what_they_say() -> None:
    async def test() -> None:
        async with chain_served() as stand:
            stand.funded()
            told = await stand.control("rent", lamports_per_byte=696)
            assert told == {"minimum_of_165": (165 + 128) * 696}
            assert await stand.call("getMinimumBalanceForRentExemption", 0) == 89_088
            begun = stand.chain.slot
            assert await stand.control("slots", count=3) == {"slot": begun + 3}
            await stand.control("hold", finalized=True)
            finalized = stand.chain.finalized_slot
            stand.ticks(5)
            assert stand.chain.finalized_slot == finalized
            await stand.control("hold")
            stand.ticks(1)
            assert stand.chain.finalized_slot == stand.chain.slot - 32
            await stand.control("loss", rate=1)
            lost = await sent(stand)
            stand.ticks(3)
            assert stand.chain.status(lost) is None
            await stand.control("limits", endpoint="a", requests=1, window_s=60)
            assert await stand.call("getHealth") == "ok"
            assert (await stand.call("getHealth"))["code"] == 429
            await stand.control("limits", endpoint="a", requests=None)
            assert await stand.call("getHealth") == "ok"
            state = (await stand.http.get(stand.at["chain"])).json()
            assert state["slot"] == stand.chain.slot
            assert state["called"]["a"]["getHealth"] == 2
            nothing = await stand.http.post(f"{stand.at['chain']}/nothing", json={})
            assert nothing.status_code == 404

    run(test())


@pytest.mark.parametrize(("kind", "lands"), [("fork", True), ("fork_drop", False)])
def test_forks_come_by_chance_and_money_is_not_made(kind: str, *, lands: bool) -> None:
    async def test() -> None:
        async with chain_served() as stand:
            stand.funded()
            # A fork may take the block whose blockhash it is; a finalized one stays.
            rooted = stand.chain.latest_blockhash(Commitment.FINALIZED).blockhash
            name = await sent(stand, blockhash=rooted)
            stand.ticks(1)
            await stand.fault(kind, endpoint="chain", value=3, chance=0.5, seed=1)
            height = stand.chain.block_height
            stand.ticks(20)
            forks = (await did(stand))[0]
            assert 4 < forks < 16
            assert stand.chain.block_height < height + 20
            await stand.http.delete(f"{stand.at['chain']}/faults")
            stand.ticks(40)
            assert (stand.chain.status(name) is not None) == lands
            balance = (await stand.call("getBalance", TO))["value"]
            assert balance == (SOL // 10 if lands else 0)

    run(test())
