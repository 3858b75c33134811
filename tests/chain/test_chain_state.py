"""What is known of the chain, its age, and when it is unknown."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st
from node_stand import (
    BLOCKHASH,
    CLOCK,
    FAST,
    Node,
    World,
    config_with,
    pool_of,
    refusal,
    running,
    serving,
    settled,
    status,
    wiring_of,
)
from transactions import key

from utb.adapters.chain.fees import FeeLevel, TipFloor, percentile, price_of
from utb.adapters.chain.state import ChainState
from utb.adapters.net.budget import RateBudget
from utb.adapters.net.endpoint import Endpoint
from utb.adapters.net.http import HttpClient, HttpWiring
from utb.adapters.net.redact import Redactor
from utb.adapters.rpc.answers import FeeEntry
from utb.adapters.rpc.pool import RpcPool
from utb.adapters.timers import WallTimer
from utb.orderlife.events import Heights


@asynccontextmanager
async def state_of(
    *nodes: Node, text: str = FAST, world: World | None = None, tips: str = ""
) -> AsyncIterator[tuple[ChainState, RpcPool]]:
    async with pool_of(*nodes, text=text, world=world) as pool:
        client = client_of(tips) if tips else None
        wiring = wiring_of(text, world=world)
        state = ChainState(pool, wiring, config_with(text).senders, client)
        try:
            async with running(state.run()):
                yield state, pool
        finally:
            if client is not None:
                await client.close()


def client_of(url: str) -> HttpClient:
    timer = WallTimer()
    wiring = HttpWiring(
        clock=CLOCK,
        timer=timer,
        stopwatch_ns=CLOCK.elapsed_ns,
        budget=RateBudget(60_000, timer, CLOCK.elapsed_ns),
        redactor=Redactor(),
        timeout_s=1.0,
    )
    return HttpClient(Endpoint.of(url, "senders.jito.tip_floor_url"), wiring)


def test_everything_is_unknown_before_it_is_read() -> None:
    async def run() -> None:
        node = Node()
        async with pool_of(node) as pool:
            state = ChainState(pool, wiring_of(), config_with().senders, None)
            assert state.blockhash() is None
            assert state.slot() is None
            assert state.heights() is None
            assert state.height_seen() is None
            assert state.rent_minimum(165) is None
            assert state.epoch() is None
            assert state.watch_fees([key(1)]).price(FeeLevel.ENTRY) is None

    uvloop.run(run())


def test_readings_come_with_their_age() -> None:
    async def run() -> None:
        node = Node()
        async with state_of(node) as (state, _):
            await settled(lambda: state.blockhash() is not None and state.epoch() is not None)
            held = state.blockhash()
            assert held is not None
            assert (held.blockhash, held.last_valid_block_height) == (BLOCKHASH, 1_050)
            assert (held.slot, held.endpoint) == (1_000, "a")
            assert 0 <= held.age_s < 5
            slot, epoch = state.slot(), state.epoch()
            assert slot is not None
            assert epoch is not None
            assert (slot.value, epoch.value) == (1_000, 7)
            assert state.heights() == Heights(block=900, finalized=868, slot=1_000)

    uvloop.run(run())


def test_blockhash_that_is_slots_old_is_none() -> None:
    async def run() -> None:
        node = Node()
        async with state_of(node) as (state, _):
            await settled(lambda: state.blockhash() is not None)
            node.answers["getLatestBlockhash"] = lambda _params: refusal(-32603, "no")
            await settled(lambda: "blockhash" in state.troubles)
            node.tick(60)
            await settled(lambda: (state.slot() or state).value == 1_060)
            assert state.blockhash() is not None
            node.tick(1)
            await settled(lambda: state.blockhash() is None)

    uvloop.run(run())


def test_blockhash_is_none_when_all_endpoints_are_gone() -> None:
    """No slot tells its age any more: 60 slots are taken for 24 s."""

    async def run() -> None:
        world, node = World(), Node()
        async with state_of(node, text="[rpc]\n", world=world) as (state, _):
            await world.run_for(3)
            assert state.blockhash() is not None
            node.fault = status(503)
            node.cut()
            await world.run_for(20)
            assert state.blockhash() is not None
            await world.run_for(6)
            assert state.blockhash() is None
            age = state.slot()
            assert age is not None
            assert age.age_s > 20

    uvloop.run(run())


def test_endpoint_behind_does_not_make_the_blockhash_older() -> None:
    async def run() -> None:
        node = Node()
        async with state_of(node) as (state, _):
            await settled(lambda: state.blockhash() is not None)
            older = {"blockhash": "older", "lastValidBlockHeight": 1_040}
            node.on("getLatestBlockhash", older, slot=990)
            asked = node.count("getLatestBlockhash")
            await node.until(lambda: node.count("getLatestBlockhash") >= asked + 3)
            held = state.blockhash()
            assert held is not None
            assert held.blockhash == BLOCKHASH

    uvloop.run(run())


def test_heights_are_told_with_every_slot_and_never_fall_in_what_was_seen() -> None:
    async def run() -> None:
        node = Node()
        async with state_of(node) as (state, _):
            told: list[Heights] = []
            state.on_heights.append(told.append)
            await settled(lambda: state.height_seen() == 900)
            node.tick(5)
            await settled(lambda: any(heights.slot == 1_005 for heights in told))
            await settled(lambda: state.height_seen() == 905)
            node.height = 890
            asked = node.count("getEpochInfo")
            await node.until(lambda: node.count("getEpochInfo") >= asked + 4)
            assert state.height_seen() == 905

    uvloop.run(run())


def test_rent_of_a_size_is_read_once_it_is_wanted() -> None:
    async def run() -> None:
        node = Node()
        node.answers["getMinimumBalanceForRentExemption"] = lambda params: 696 * (128 + params[0])
        async with state_of(node) as (state, _):
            await settled(lambda: state.rent_minimum(165) is not None)
            guard = state.rent_minimum(0)
            assert guard is not None
            assert guard.value == 89_088
            assert state.rent_minimum(137) is None
            await settled(lambda: state.rent_minimum(137) is not None)

    uvloop.run(run())


def test_fees_are_read_per_pool_and_age() -> None:
    async def run() -> None:
        world, node = World(), Node()
        node.on(
            "getRecentPrioritizationFees",
            [{"slot": n, "prioritizationFee": n * 1_000} for n in range(1, 101)],
        )
        async with state_of(node, text="[rpc]\n", world=world) as (state, _):
            watch = state.watch_fees([key(1), key(2)])
            await world.run_for(6)
            prices = [watch.price(level) for level in FeeLevel]
            assert [price and price.value for price in prices] == [50_000, 75_000, 95_000]
            asked = next(p for m, p in node.asked if m == "getRecentPrioritizationFees")
            assert asked == [[key(1), key(2)]]
            node.answers["getRecentPrioritizationFees"] = lambda _params: refusal(-32603, "no")
            await world.run_for(50)
            assert watch.price(FeeLevel.ENTRY) is not None
            await world.run_for(15)
            assert watch.price(FeeLevel.ENTRY) is None
            watch.cancel()
            asked_before = node.count("getRecentPrioritizationFees")
            await world.run_for(12)
            assert node.count("getRecentPrioritizationFees") == asked_before

    uvloop.run(run())


TIPS = (
    b'[{"time":"2024-09-01T12:58:00Z","landed_tips_25th_percentile":6.001e-06,'
    b'"landed_tips_50th_percentile":1e-05,"landed_tips_75th_percentile":3.61965e-05,'
    b'"landed_tips_95th_percentile":0.0014479055,"landed_tips_99th_percentile":0.010007999,'
    b'"ema_landed_tips_50th_percentile":9.836078125e-06}]'
)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (TIPS, [10_000, 36_197, 500_000]),
        (b'[{"landed_tips_50th_percentile":-1}]', [1_000, 1_000, 1_000]),
        (TIPS.replace(b"1e-05", b"1e99"), [1_000, 1_000, 1_000]),
        (b"[]", [1_000, 1_000, 1_000]),
    ],
)
def test_tips_are_in_lamports_within_their_bounds(body: bytes, expected: list[int]) -> None:
    """1e-05 SOL are 10,000 lamports; 3.61965e-05 are rounded up; the 95th is above the most."""

    async def run() -> None:
        relay = Node("relay", fault=status(200, body))
        async with (
            serving(relay),
            state_of(Node(), tips=relay.http_url + "/tip_floor") as (state, _),
        ):
            await relay.until(lambda: relay.count("GET") >= 1)
            await asyncio.sleep(0.05)
            assert [state.tip(level).value for level in FeeLevel] == expected
            assert relay.requests[0].startswith(b"GET /tip_floor HTTP/1.1\r\n")

    uvloop.run(run())


# Pure


def test_percentile_is_the_nearest_rank() -> None:
    """Of 15, 20, 35, 40, 50 the 30th percentile is the second, the 100th the last."""
    values = [50, 15, 40, 20, 35]
    assert [percentile(values, p) for p in (5, 30, 40, 50, 100)] == [15, 20, 20, 35, 50]
    assert percentile([], 50) is None


@given(st.lists(st.integers(0, 10**12), min_size=1), st.integers(1, 100))
def test_percentile_has_so_many_at_or_below(values: list[int], percent: int) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= (found or 0) for value in values) * 100 >= percent * len(values)


def test_price_has_floor_and_cap_and_unknown_is_unknown() -> None:
    def entries(*prices: int) -> list[FeeEntry]:
        return [FeeEntry(slot=1, prioritization_fee=price) for price in prices]

    assert price_of(entries(0, 0, 0), FeeLevel.EXIT, floor=1_000, cap=9_000) == 1_000
    assert price_of(entries(50_000), FeeLevel.EXIT, floor=1_000, cap=9_000) == 9_000
    assert price_of(entries(5_000), FeeLevel.EXIT, floor=1_000, cap=9_000) == 5_000
    assert price_of([], FeeLevel.EXIT, floor=1_000, cap=9_000) is None


def test_tip_is_rounded_up_to_the_lamport() -> None:
    assert TipFloor(1e-9, 1.5e-9, 0.0).lamports(FeeLevel.EXIT) == 2
