"""The whole market over real sockets, in lock step."""

import asyncio
import itertools
from pathlib import Path

import msgspec
import pytest
from simnet_bot import Bot, Line, birdeye, say
from simnet_stand import engine, frames, ingest, run, serving, world_of

from utb.domain.clock import BIRDEYE, END, ENTRIES_MAX, HELIUS, FromClock, Join, Ready, Taken
from utb.ports.feed import ContextUpdate, Frame
from utb.simnet.profiles import PROFILES, Wire

TWO_CHUNKS_H = 7


def test_every_item_arrives_in_the_order_of_the_feed() -> None:
    async def test() -> None:
        async with serving(hours=TWO_CHUNKS_H) as stand:
            bot = await Bot.join(stand.at)
            bot.ready()
            items = await bot.run()
            assert items == list(stand.world.feed.items(0))
            assert [entry.index for entry in bot.entries] == [*range(len(items)), -1]
            assert bot.entries[-1].kind == END
            assert bot.entries[-1].ts_ns == stand.world.span_ns[1] == bot.market.end_ns
            assert bot.market.identity == "generated 7 7"
            core = engine(stand.world)
            ingest(core, items)
            for source, counted in core.counters()["items"].items():
                assert counted["rejected"] == {}, source
            assert core.counters()["items"]["helius"]["accepted"] > 0
            await bot.close()

    run(test())


@pytest.mark.parametrize("cursor", [1, 700, 13_000])
def test_a_bot_may_begin_anywhere(cursor: int) -> None:
    async def test() -> None:
        async with serving(hours=TWO_CHUNKS_H) as stand:
            bot = await Bot.join(stand.at, cursor)
            bot.ready()
            items = await bot.run(until=1200)
            expected = stand.world.feed.items(cursor)
            assert items == [item for item, _ in zip(expected, items, strict=False)]
            await bot.close()

    run(test())


def test_a_cursor_behind_the_end_gets_the_end() -> None:
    async def test() -> None:
        async with serving(hours=1) as stand:
            bot = await Bot.join(stand.at, 10**9)
            bot.ready()
            assert await bot.run() == []
            await bot.close()

    run(test())


def test_a_bot_that_crashed_and_a_server_that_crashed_go_on_at_the_cursor() -> None:
    async def test() -> None:
        whole = list(world_of(hours=TWO_CHUNKS_H).feed.items(0))
        async with serving(hours=TWO_CHUNKS_H) as stand:
            bot = await Bot.join(stand.at)
            bot.ready()
            items = await bot.run(until=2000)
            await bot.close()
            bot = await Bot.join(stand.at, len(items))
            bot.ready()
            items = items + await bot.run(until=2000)
        async with serving(hours=TWO_CHUNKS_H) as stand:
            again = await Bot.join(stand.at, len(items))
            again.ready()
            assert items + await again.run() == whole
            await again.close()
            await bot.http.aclose()

    run(test())


def test_at_most_two_schedules_are_under_way() -> None:
    async def test() -> None:
        async with serving(hours=TWO_CHUNKS_H) as stand:
            bot = await Bot.join(stand.at)
            bot.ready()
            for _ in range(2):
                schedule = msgspec.msgpack.decode(await bot.clock.take(), type=FromClock)
                assert len(schedule.entries) == ENTRIES_MAX
            # Time enough for a third, if there were one: an answer comes after it.
            await bot.fault("birdeye", "flood", 1, cursor=10**9)
            await bot.clock.pong()
            assert not bot.clock.messages
            say(bot.clock, Taken(cursor=0))
            await bot.clock.take()
            await bot.close()

    run(test())


def test_only_what_was_subscribed_is_sent_and_the_rest_is_lost() -> None:
    async def test() -> None:
        async with serving(hours=1) as stand:
            bot = await Bot.join(stand.at)
            mint = PROFILES[1].base_mint
            line = bot.lines[BIRDEYE]
            price = {"address": mint, "chartType": "1m", "currency": "usd"}
            line.send({"type": "SUBSCRIBE_PRICE", "data": {"queryType": "simple", **price}})
            line.send({"type": "UNSUBSCRIBE_TXS"})
            wif = bot.market.accounts[0]
            undo = {"jsonrpc": "2.0", "id": 1, "method": "accountUnsubscribe", "params": [4040]}
            assert wif.role == "base_vault"
            assert (await bot.lines[HELIUS].ask(undo))["result"] is True
            bot.ready()
            items = await bot.run()
            expected = [
                item
                for item in stand.world.feed.items(0)
                if not isinstance(item, Frame)
                or item.source == 0
                or (item.source == BIRDEYE and mint.encode() in item.payload)
                or (item.source == HELIUS and b'"subscription":4040' not in item.payload)
            ]
            assert items == expected
            assert len(frames(items, BIRDEYE)) == 180
            await bot.close()

    run(test())


def test_a_bot_without_a_source_is_told_that_time_passes() -> None:
    async def test() -> None:
        async with serving(hours=1) as stand:
            bot = await Bot.join(stand.at)
            for source in (BIRDEYE, HELIUS):
                bot.lines[source].close()
                await bot.lines[source].closed.wait()
            bot.ready()
            await bot.run()
            assert {entry.kind for entry in bot.entries} == {0, -1, -2, -3}
            times = [stand.world.span_ns[0], *(entry.ts_ns for entry in bot.entries)]
            steps = [b - a for a, b in itertools.pairwise(times)]
            assert min(steps) >= 0
            assert max(steps) <= 5 * 10**9
            await bot.close()

    run(test())


def test_a_connection_that_comes_back_is_served_within_a_second_of_market_time() -> None:
    async def test() -> None:
        async with serving(hours=2) as stand:
            bot = await Bot.join(stand.at)
            bot.ready()
            await bot.run(until=1500)
            bot.lines[BIRDEYE].close()
            await bot.lines[BIRDEYE].closed.wait()
            # What was under way before the loss is still met: its frames arrived before.
            for _ in range(40):
                await bot.step()
            lost_ns = bot.entries[-1].ts_ns
            bot.lines[BIRDEYE] = await birdeye(stand.at, bot.market)
            await bot.lines[BIRDEYE].pong()
            count = len(bot.entries)
            await bot.run()
            back_ns = next(e.ts_ns for e in bot.entries[count:] if e.kind == BIRDEYE)
            due = [i for i in stand.world.feed.items(0) if isinstance(i, Frame) and i.source == 1]
            first_ns = next(i.ts_recv_ns for i in due if i.ts_recv_ns > lost_ns + 2 * 10**9)
            assert back_ns <= first_ns
            await bot.close()

    run(test())


def test_recorded_prices_and_context_arrive_in_the_order_of_the_feed(tmp_path: Path) -> None:
    rows = [
        f"{1_704_067_200_000 + 300_000 * n},1{n % 7}.0,19.5,9.5,1{n % 5}.5,3" for n in range(600)
    ]
    path = tmp_path / "SOLUSDT.csv"
    path.write_text("ts,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    context = tmp_path / "context.jsonl"
    context.write_text(
        '{"ts":1704070000000000000,"instrument":"SOL-USDC","kind":"venue","price":11.0}\n'
    )

    async def test() -> None:
        async with serving(prices=(str(path),), context=context, seed=None) as stand:
            bot = await Bot.join(stand.at)
            assert bot.market.finest == "5m"
            assert bot.market.accounts == ()
            bot.ready()
            items = await bot.run()
            assert items == list(stand.world.feed.items(0))
            assert sum(isinstance(item, ContextUpdate) for item in items) == 1
            assert {entry.kind for entry in bot.entries} == {1, -1, -3}
            await bot.close()

    run(test())


def test_speed_paces_the_market() -> None:
    """At 7200 market seconds a second, an hour takes half a second."""

    async def test() -> None:
        async with serving(hours=1, speed=7200.0) as stand:
            bot = await Bot.join(stand.at)
            assert bot.market.speed == 7200.0
            loop = asyncio.get_running_loop()
            begin = loop.time()
            bot.ready()
            items = await bot.run()
            assert loop.time() - begin >= 0.45
            assert items == list(stand.world.feed.items(0))
            await bot.close()

    run(test())


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([Ready()], b"Ready comes once"),
        ([Taken(cursor=3)], b"without a schedule"),
        ([Join(cursor=-1)], b"expected 0 to"),
        ([Join(cursor=0), Join(cursor=0)], b"joined twice"),
    ],
)
def test_a_bot_out_of_step_is_refused_with_a_reason(
    messages: list[Join | Ready | Taken], reason: bytes
) -> None:
    async def test() -> None:
        async with serving(hours=1) as stand:
            clock = await Line.open(stand.at["clock"])
            for message in messages:
                say(clock, message)
            await asyncio.wait_for(clock.closed.wait(), 5)
            assert reason in clock.close_reason

    run(test())


def test_a_second_bot_and_a_broken_message_are_refused() -> None:
    async def test() -> None:
        async with serving(hours=1) as stand:
            bot = await Bot.join(stand.at)
            other = await Line.open(stand.at["clock"])
            say(other, Join(cursor=0))
            await asyncio.wait_for(other.closed.wait(), 5)
            assert b"another bot" in other.close_reason
            bot.clock.send({"type": "join"})
            await asyncio.wait_for(bot.clock.closed.wait(), 5)
            third = await Bot.join(stand.at)
            await third.close()
            await bot.http.aclose()

    run(test())


def test_wires_of_the_market_are_all_met() -> None:
    assert {profile.wire for profile in PROFILES} == set(Wire)
