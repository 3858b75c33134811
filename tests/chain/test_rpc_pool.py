"""Endpoints that are slow, lying, refusing or gone, and what the pool makes of them."""

import asyncio

import msgspec
import pytest
import uvloop
from node_stand import (
    CANARY,
    FAST,
    GENESIS,
    Node,
    Raw,
    Silence,
    World,
    pool_of,
    refusal,
    settled,
    status,
)
from pool_answers import bad, good, with_nodes
from transactions import SIGNATURE

from utb.adapters.rpc import calls
from utb.adapters.rpc.answers import Bad
from utb.adapters.rpc.pool import RpcPool
from utb.domain.chain import Commitment

# Answers


def test_answer_has_its_slot_and_the_finalized_height_known_before() -> None:
    async def work(pool: RpcPool) -> None:
        await settled(lambda: pool.heights() is not None)
        answer = good(await pool.call(calls.latest_blockhash()))
        assert answer.value.last_valid_block_height == 1_050
        assert (answer.endpoint, answer.slot) == ("a", 1_000)
        assert (answer.finalized_height, answer.finalized_slot) == (868, 968)

    with_nodes(work, Node())


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (None, "not_understood"),
        ("5", "not_understood"),
        (-1.5, "not_understood"),
        (refusal(-32602, "Invalid param"), "rpc_-32602"),
        (refusal(-32005, "Node is behind by 42 slots", {"numSlotsBehind": 42}), "rpc_-32005"),
        (Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), "not_understood"),
        (status(200, b'{"jsonrpc":"2.0","id":1}'), "not_understood"),
        (status(200, b'{"jsonrpc":"2.0","id":424242,"result":5}'), "not_understood"),
        (status(200, b"[" * 100_000), "not_understood"),
        (status(200, b'{"result":' + b"[" * 100_000), "not_understood"),
        (status(503, b"upstream " + CANARY.encode()), "http_503"),
        (status(403), "http_403"),
        (status(429, Retry_After="3"), "http_429"),
        (Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n"), "oversized"),
        (status(200, b"\x1f\x8b", Content_Encoding="gzip"), "encoded"),
    ],
)
def test_error_is_never_a_null_and_never_a_zero(result: object, reason: str) -> None:
    async def work(pool: RpcPool) -> Bad:
        return bad(await pool.call(calls.rent_minimum(0)))

    node = Node()
    node.answers["getMinimumBalanceForRentExemption"] = lambda _params: result
    assert with_nodes(work, node).reason == reason


def test_null_where_none_may_be_is_no_answer() -> None:
    """A balance that is null must not become 0; a transaction that is null is a null."""

    async def work(pool: RpcPool) -> None:
        assert (
            bad(await pool.call(calls.balance("x", Commitment.FINALIZED))).reason
            == "not_understood"
        )
        found = good(await pool.call(calls.transaction(SIGNATURE, Commitment.CONFIRMED)))
        assert found.value is None

    node = Node()
    node.on("getBalance", None, slot=5)
    node.on("getTransaction", None)
    with_nodes(work, node)


def test_error_data_is_kept() -> None:
    async def work(pool: RpcPool) -> Bad:
        return bad(await pool.call(calls.simulate(b"\0" * 80)))

    node = Node()
    node.answers["simulateTransaction"] = lambda _params: refusal(
        -32002, "failed", {"err": "AccountNotFound"}
    )
    found = with_nodes(work, node)
    assert (found.code, found.transient) == (-32002, False)
    assert msgspec.json.decode(found.data) == {"err": "AccountNotFound"}


# Choice


def test_slow_endpoint_is_left_for_the_faster_one() -> None:
    async def work(pool: RpcPool) -> None:
        slow, fast = nodes
        await settled(lambda: all(v.latency_ms is not None for v in pool.endpoints()))
        await settled(lambda: pool.usable()[0] == "b")
        slow.asked.clear()
        fast.asked.clear()
        for _ in range(20):
            assert good(await pool.call(calls.rent_minimum(0))).endpoint == "b"
        assert slow.count("getMinimumBalanceForRentExemption") == 0

    nodes = (Node("a", delay_s=0.05), Node("b"))
    with_nodes(work, *nodes)


def test_endpoint_behind_is_not_read() -> None:
    async def work(pool: RpcPool) -> None:
        await settled(lambda: pool.usable() == ("b",))
        behind = pool.endpoints()[0]
        assert (behind.usable, behind.lag_slots) == (False, 500)
        assert behind.reason == "a is 500 slots behind"
        assert good(await pool.call(calls.latest_blockhash())).endpoint == "b"

    with_nodes(work, Node("a"), Node("b", slot=1_500, height=1_400))


def test_one_endpoint_ahead_of_two_does_not_judge_them() -> None:
    """Of three the second highest slot is the measure: the liar is only one among others."""

    async def work(pool: RpcPool) -> None:
        await settled(lambda: pool.heights() is not None and len(pool.usable()) == 3)
        await settled(lambda: all(view.slot is not None for view in pool.endpoints()))
        assert set(pool.usable()) == {"a", "b", "c"}

    with_nodes(work, Node("a"), Node("b"), Node("c", slot=90_000, height=4_000))


def test_absurd_height_is_not_believed() -> None:
    """It would keep what is dead from being held for dead."""

    async def work(pool: RpcPool) -> None:
        await settled(lambda: pool.heights() is not None)
        await settled(lambda: "a block height of 90000000" in pool.endpoints()[1].reason)
        heights = pool.heights()
        assert heights is not None
        assert (heights.block, heights.finalized) == (900, 868)

    with_nodes(
        work, Node("a"), Node("b", height=90_000_000, finalized_height=90_000_000, slot=90_000_000)
    )


def test_finalized_height_is_what_two_endpoints_reached() -> None:
    async def work(pool: RpcPool) -> None:
        await settled(lambda: all(v.finalized_height is not None for v in pool.endpoints()))
        await settled(lambda: pool.heights() is not None)
        heights = pool.heights()
        assert heights is not None
        assert (heights.block, heights.finalized, heights.slot) == (910, 870, 1_010)

    ahead = Node("b", slot=1_010, height=910, finalized_slot=999, finalized_height=899)
    with_nodes(work, Node("a", finalized_height=870), ahead)


def test_answer_of_an_older_slot_is_none() -> None:
    async def work(pool: RpcPool) -> None:
        assert (
            bad(await pool.call(calls.latest_blockhash(), at_least_slot=1_001)).reason == "behind"
        )
        assert good(await pool.call(calls.latest_blockhash(), at_least_slot=1_000)).slot == 1_000

    with_nodes(work, Node())


def test_foreign_chain_is_never_asked() -> None:
    async def work(pool: RpcPool) -> None:
        assert pool.barred() == (f"b is of another chain: genesis elsewhere, expected {GENESIS}",)
        for _ in range(5):
            assert good(await pool.call(calls.latest_blockhash())).endpoint == "a"
        assert foreign.count("getLatestBlockhash") == 0

    foreign = Node("b", genesis="elsewhere")
    with_nodes(work, Node("a"), foreign)


def test_endpoint_whose_chain_is_unknown_is_not_asked() -> None:
    async def work(pool: RpcPool) -> None:
        said = bad(await pool.call(calls.latest_blockhash()))
        assert "has not told which chain it is of" in said.sentence
        node.answers.clear()
        await settled(lambda: pool.usable() == ("a",))
        good(await pool.call(calls.latest_blockhash()))

    node = Node()
    node.answers["getGenesisHash"] = lambda _params: refusal(-32603, "not yet")
    with_nodes(work, node)


def test_ask_each_asks_different_endpoints() -> None:
    async def work(pool: RpcPool) -> None:
        answers = await pool.ask_each(calls.statuses((SIGNATURE,), history=True), 2)
        assert len({answer.endpoint for answer in answers}) == 2
        everyone = await pool.ask_each(calls.genesis_hash())
        assert sorted(answer.endpoint for answer in everyone) == ["a", "b", "c"]
        assert [type(answer) for answer in everyone].count(Bad) == 0

    with_nodes(work, Node("a"), Node("b"), Node("c"))


# Failures


@pytest.mark.parametrize(
    "fault",
    [
        Raw(b"", then_close=True),
        Raw(b"garbage\r\n\r\n", then_close=True),
        status(500),
        status(429, Retry_After="60"),
    ],
    ids=["hangs_up", "garbage", "500", "429"],
)
def test_failing_endpoint_is_replaced_within_the_call(fault: Raw) -> None:
    async def work(pool: RpcPool) -> None:
        nodes[0].fault = fault
        for _ in range(10):
            assert good(await pool.call(calls.latest_blockhash())).endpoint == "b"
        await settled(lambda: not pool.endpoints()[0].usable)

    nodes = (Node("a"), Node("b", delay_s=0.01))
    with_nodes(work, *nodes)


def test_silent_endpoint_costs_one_timeout_and_is_rested() -> None:
    async def work(pool: RpcPool) -> None:
        nodes[0].fault = Silence()
        started = asyncio.get_running_loop().time()
        assert good(await pool.call(calls.latest_blockhash())).endpoint == "b"
        took_s = asyncio.get_running_loop().time() - started
        assert took_s < 0.6
        await settled(lambda: pool.usable() == ("b",))
        for _ in range(5):
            assert good(await pool.call(calls.latest_blockhash())).endpoint == "b"

    nodes = (Node("a"), Node("b", delay_s=0.01))
    with_nodes(work, *nodes, text=FAST.replace("timeout_seconds = 1.0", "timeout_seconds = 0.2"))


def test_retry_after_is_obeyed() -> None:
    async def work(pool: RpcPool) -> None:
        node.answers["getLatestBlockhash"] = lambda _params: status(429, Retry_After="3600")
        assert bad(await pool.call(calls.latest_blockhash())).reason == "http_429"
        # What was under way at that moment is answered yet.
        await asyncio.sleep(0.1)
        node.asked.clear()
        await asyncio.sleep(0.3)
        said = bad(await pool.call(calls.latest_blockhash()))
        assert "asked to be left alone" in said.sentence
        assert node.asked == []

    node = Node()
    with_nodes(work, node)


def test_key_is_in_no_sentence() -> None:
    async def work(pool: RpcPool) -> None:
        said = bad(await pool.call(calls.latest_blockhash()))
        views = repr(pool.endpoints())
        assert CANARY not in f"{said} {views}"
        assert any(f"api-key={CANARY}".encode() in request for request in node.requests)

    node = Node()
    node.answers["getLatestBlockhash"] = lambda _params: refusal(
        -32603, f"bad {CANARY} \x00\x1b[2J"
    )
    with_nodes(work, node)


def test_ninety_seconds_without_any_endpoint_pass_by_themselves() -> None:
    """Simulated time: all endpoints answer 503 for 90 s, then all is as before."""

    async def run() -> None:
        world = World()
        nodes = Node("a"), Node("b")
        text = "[rpc]\nrequests_per_second = 1000\n"
        async with pool_of(*nodes, text=text, world=world) as pool:
            await world.run_for(5)
            assert set(pool.usable()) == {"a", "b"}
            for node in nodes:
                node.fault = status(503)
                node.cut()
            await world.run_for(20)
            assert pool.usable() == ()
            said = bad(await pool.call(calls.latest_blockhash()))
            assert said.reason == "no_endpoint"
            assert "rested after" in said.sentence
            before = len(nodes[0].asked)
            await world.run_for(70)
            # Rests grow to 10 s at most: it is tried again, but not often.
            assert 4 <= len(nodes[0].asked) - before <= 40
            for node in nodes:
                node.fault = None
            await world.run_for(15)
            assert set(pool.usable()) == {"a", "b"}
            assert [view.connected for view in pool.endpoints()] == [True, True]

    uvloop.run(run())
