"""What each fault does on the wire."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import msgspec
import pytest
from picows import WSHandshakeError
from simnet_bot import Bot, birdeye, helius
from simnet_stand import Stand, engine, frames, ingest, run, serving

from utb.domain.clock import BIRDEYE, DEXSCREENER, HELIUS, TIME
from utb.ports.feed import FeedItem, Frame

SECOND = 10**9
BEGIN = 2000
"""Market item at which the faults of these tests begin."""


def during(stand: Stand, source: int, seconds: float) -> list[Frame]:
    """Return the frames of a source that a fault from item BEGIN on is about."""
    items = list(stand.world.feed.items(0))
    begin_ns = time_of(items[BEGIN])
    end_ns = begin_ns + int(seconds * SECOND)
    return [one for one in frames(items, source) if begin_ns <= one.ts_recv_ns < end_ns]


def time_of(item: FeedItem) -> int:
    return item.ts_recv_ns if isinstance(item, Frame) else item.ts_ns


def case(test: Callable[[Stand, Bot], Awaitable[None]], hours: int = 2) -> None:
    async def whole() -> None:
        async with serving(hours=hours) as stand:
            bot = await Bot.join(stand.at)
            try:
                await test(stand, bot)
            finally:
                await bot.close()

    run(whole())


async def whole_market(stand: Stand, bot: Bot) -> tuple[list[FeedItem], list[FeedItem]]:
    """Run to the end; return what came and what would have come without a fault."""
    bot.ready()
    return await bot.run(), list(stand.world.feed.items(0))


def test_silence_and_half_open_lose_exactly_the_items_of_their_time() -> None:
    async def test(stand: Stand, bot: Bot) -> None:
        await bot.fault("birdeye", "silence", 300, cursor=BEGIN)
        await bot.fault("helius", "half_open", 200, cursor=BEGIN)
        items, expected = await whole_market(stand, bot)
        lost = during(stand, BIRDEYE, 300) + during(stand, HELIUS, 200)
        assert len(lost) > 90
        assert items == [item for item in expected if item not in lost]
        told = await bot.faults()
        assert [one["status"] for one in told] == ["over", "over"]
        assert [one["did"]["items_lost"] for one in told] == [
            len(during(stand, BIRDEYE, 300)),
            len(during(stand, HELIUS, 200)),
        ]
        assert told[0]["start_ns"] == time_of(expected[BEGIN])
        assert told[0]["end_ns"] - told[0]["start_ns"] == 300 * SECOND
        times = [entry.ts_ns for entry in bot.entries]
        quiet = [t for t in times if told[0]["start_ns"] <= t < told[1]["end_ns"]]
        assert max(b - a for a, b in itertools.pairwise(quiet)) <= 5 * SECOND

    case(test)


def test_pongs_come_in_silence_and_not_when_half_open() -> None:
    async def test(stand: Stand, bot: Bot) -> None:
        await bot.fault("birdeye", "silence", 60, cursor=BEGIN)
        await bot.fault("helius", "half_open", 60, cursor=BEGIN)
        bot.ready()
        while not any(one["status"] == "active" for one in await bot.faults()):
            await bot.step()
        bot.lines[HELIUS].ping()
        late = await helius(stand.at, bot.market, answered=False)
        late.ping()
        await bot.lines[BIRDEYE].pong()
        # Whatever was sent before was answered by now, had it been answered.
        assert bot.lines[HELIUS].pongs == late.pongs == 0
        assert (await bot.faults())[1]["did"]["pongs_withheld"] == 2
        late.close()
        await bot.run()
        await bot.lines[HELIUS].pong()

    case(test)


def test_cut_closes_connections_and_refuses_new_ones_while_it_lasts() -> None:
    async def test(stand: Stand, bot: Bot) -> None:
        await bot.fault("birdeye", "cut", 120, cursor=BEGIN)
        bot.ready()
        line = bot.lines[BIRDEYE]
        while not line.closed.is_set():
            await bot.step()
        with pytest.raises(WSHandshakeError):
            await birdeye(stand.at, bot.market)
        with pytest.raises(httpx.RemoteProtocolError):
            await bot.http.get(f"{stand.at['api.birdeye.base_url']}/defi/price?address=x")
        while (await bot.faults())[0]["status"] == "active":
            await bot.step()
        bot.lines[BIRDEYE] = await birdeye(stand.at, bot.market)
        await bot.run()
        expected = list(stand.world.feed.items(0))
        lost = [item for item in expected if item not in bot.items]
        assert {item.source for item in lost if isinstance(item, Frame)} == {BIRDEYE}
        # What happens at an item's time is met before it; a bot is back within two seconds.
        spare = during(stand, BIRDEYE, 123)
        assert set(map(time_of, lost)) <= set(map(time_of, spare))
        assert set(map(time_of, during(stand, BIRDEYE, 120))) <= set(map(time_of, lost))
        did = (await bot.faults())[0]["did"]
        assert did["connections_closed"] == did["connections_refused"] == 1
        assert did["requests_failed"] == 1

    case(test)


def test_cut_of_dexscreener_cuts_its_polls_only() -> None:
    async def test(stand: Stand, bot: Bot) -> None:
        await bot.fault("dexscreener", "cut", 120, cursor=BEGIN)
        items, expected = await whole_market(stand, bot)
        lost = during(stand, DEXSCREENER, 120)
        assert bot.statuses == [0] * len(lost)
        assert items == [item for item in expected if item not in lost]

    case(test)


@pytest.mark.parametrize(("kind", "value"), [("429", 7), ("500", None)])
def test_polls_are_refused_and_their_items_lost(kind: str, value: int | None) -> None:
    async def test(stand: Stand, bot: Bot) -> None:
        more = {} if value is None else {"value": value}
        await bot.fault("dexscreener", kind, 120, cursor=BEGIN, **more)
        bot.ready()
        while not bot.statuses:
            await bot.step()
        answer = await bot.http.get(f"{stand.at['api.dexscreener.base_url']}/pairs/solana/a")
        assert answer.status_code == int(kind)
        assert answer.headers.get("retry-after") == (None if value is None else str(value))
        items = await bot.run()
        lost = during(stand, DEXSCREENER, 120)
        assert bot.statuses == [int(kind)] * len(lost)
        assert items == [item for item in stand.world.feed.items(0) if item not in lost]
        assert (await bot.faults())[0]["did"] == {"requests_failed": len(lost) + 1}

    case(test)


def test_upgrades_are_refused_with_429_and_500() -> None:
    async def test(stand: Stand, bot: Bot) -> None:
        await bot.fault("birdeye", "429", 60, value=3)
        await bot.fault("helius", "500", 60)
        bot.ready()
        active = False
        while not active:
            active = all(one["status"] == "active" for one in await bot.faults())
        for connect, status in ((birdeye, 429), (helius, 500)):
            with pytest.raises(WSHandshakeError) as refused:
                await connect(stand.at, bot.market)
            assert refused.value.response is not None
            assert refused.value.response.status == status
            if status == 429:
                assert refused.value.response.headers["Retry-After"] == "3"

    case(test)


def test_slow_items_come_late_and_none_is_lost() -> None:
    async def test(stand: Stand, bot: Bot) -> None:
        await bot.fault("birdeye", "slow", 120, value=9.5, cursor=BEGIN)
        items, expected = await whole_market(stand, bot)
        late = during(stand, BIRDEYE, 120)
        moved = [
            Frame(item.source, item.payload, item.ts_recv_ns + 9_500_000_000)
            if isinstance(item, Frame) and item in late
            else item
            for item in expected
        ]
        assert items == sorted(moved, key=time_of)
        times = [entry.ts_ns for entry in bot.entries]
        assert times == sorted(times)

    case(test)


def test_flood_repeats_every_item() -> None:
    async def test(stand: Stand, bot: Bot) -> None:
        await bot.fault("helius", "flood", 100, cursor=BEGIN)
        await bot.fault("dexscreener", "flood", 100, value=3, cursor=BEGIN)
        items, expected = await whole_market(stand, bot)
        many = during(stand, HELIUS, 100)
        polled = during(stand, DEXSCREENER, 100)
        for item in many:
            assert items.count(item) == 10
        assert len(frames(items, HELIUS)) == len(frames(expected, HELIUS)) + 9 * len(many)
        bodies = [msgspec.json.decode(one.payload)["pairs"] for one in frames(items, DEXSCREENER)]
        thrice = [one for one in bodies if one[0]["pairAddress"] in str(one[1:])]
        assert len(thrice) == len(polled)
        core = engine(stand.world)
        ingest(core, items)
        counted = core.counters()["items"]["helius"]
        assert counted["duplicate"] + counted["late"] > 0

    case(test)


def test_stale_repeats_the_last_items_with_their_old_times() -> None:
    async def test(stand: Stand, bot: Bot) -> None:
        await bot.fault("birdeye", "stale", 120, cursor=BEGIN)
        items, expected = await whole_market(stand, bot)
        begin_ns = time_of(expected[BEGIN])
        old = {one.payload for one in frames(expected, BIRDEYE) if one.ts_recv_ns < begin_ns}
        seen = [
            one
            for one in frames(items, BIRDEYE)
            if begin_ns <= one.ts_recv_ns < begin_ns + 120 * SECOND
        ]
        assert len(seen) == len(during(stand, BIRDEYE, 120))
        assert {one.payload for one in seen} <= old
        assert len({one.payload for one in seen}) == 5

    case(test)


def test_lying_scales_the_prices_that_the_core_reads() -> None:
    async def test(stand: Stand, bot: Bot) -> None:
        for source in ("dexscreener", "birdeye", "helius"):
            await bot.fault(source, "lying", 7200, value=1.25, cursor=0)
        items, expected = await whole_market(stand, bot)
        lied, true = engine(stand.world), engine(stand.world)
        ingest(lied, items)
        ingest(true, expected)
        for index in range(len(lied)):
            one, other = lied.mark(index), true.mark(index)
            assert one is not None
            assert other is not None
            assert one.price == pytest.approx(1.25 * other.price, rel=1e-6)

    case(test, hours=1)


def test_garbage_comes_in_four_kinds_and_the_core_takes_none() -> None:
    async def test(stand: Stand, bot: Bot) -> None:
        await bot.fault("birdeye", "garbage", 60, cursor=BEGIN)
        await bot.fault("dexscreener", "garbage", 60, cursor=BEGIN)
        items, expected = await whole_market(stand, bot)
        wrong = [one for one in frames(items, BIRDEYE) if one not in expected]
        assert len(wrong) == len(during(stand, BIRDEYE, 60))
        sizes = [len(one.payload) for one in wrong]
        assert sizes[3] == 4 * 1024 * 1024 + 1
        assert sizes[2] == 256
        core = engine(stand.world)
        ingest(core, [one for one in items if one in wrong])
        counted = core.counters()["items"]["birdeye"]
        assert counted["accepted"] == 0
        assert sum(counted["rejected"].values()) == len(wrong)

    case(test)


def test_faults_that_are_deleted_end_with_the_next_item() -> None:
    async def test(stand: Stand, bot: Bot) -> None:
        await bot.fault("birdeye", "silence", 7200, cursor=BEGIN)
        await bot.fault("helius", "silence", 60, cursor=10**6)
        bot.ready()
        while (await bot.faults())[0]["status"] != "active":
            await bot.step()
        answer = await bot.http.delete(stand.at["faults"])
        assert answer.status_code == 200
        items = await bot.run()
        assert {one["status"] for one in await bot.faults()} == {"over"}
        lost = [one for one in stand.world.feed.items(0) if one not in items]
        assert len(lost) < 10

    case(test)


def test_paced_market_goes_on_while_all_that_is_due_is_lost() -> None:
    async def whole() -> None:
        async with serving(hours=1, speed=1800) as stand:
            bot = await Bot.join(stand.at)
            for source in ("birdeye", "helius", "dexscreener"):
                await bot.fault(source, "silence", 1200, cursor=500)
            bot.ready()
            await bot.run()
            assert bot.ended
            await bot.close()

    run(whole())


def test_the_same_faults_at_the_same_cursor_give_the_same_world() -> None:
    """Also after the bot came back: what it met before, it meets again."""
    worlds: list[list[Any]] = []

    async def test(_stand: Stand, bot: Bot) -> None:
        await bot.fault("birdeye", "silence", 100, cursor=BEGIN)
        await bot.fault("helius", "garbage", 30, cursor=BEGIN + 300)
        bot.ready()
        await bot.run()
        worlds.append([(entry.ts_ns, entry.kind) for entry in bot.entries])
        worlds.append(list(bot.items))

    async def again(stand: Stand, bot: Bot) -> None:
        await bot.fault("birdeye", "silence", 100, cursor=BEGIN)
        await bot.fault("helius", "garbage", 30, cursor=BEGIN + 300)
        bot.ready()
        await bot.run(until=2900)
        await bot.close()
        back = await Bot.join(stand.at, 1000)
        back.ready()
        await back.run()
        first = [(e.ts_ns, e.kind) for e in bot.entries if e.index < 1000 and e.kind != TIME]
        worlds.append(first + [(entry.ts_ns, entry.kind) for entry in back.entries])
        await back.close()

    case(test)
    case(test)
    assert worlds[0] == worlds[2]
    assert worlds[1] == worlds[3]
    case(again)
    assert worlds[4] == worlds[0]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"source": "jupiter"}, "source is jupiter, expected one of dexscreener"),
        ({"kind": "melt"}, "kind is melt, expected one of cut"),
        ({"seconds": 0}, "seconds is 0.0, expected more than 0"),
        ({"kind": "flood", "value": 1}, "value is 1.0, expected copies from 2 to 100"),
        ({"kind": "cut", "value": 1}, "value is 1.0, expected none"),
        ({"cursor": -1}, "cursor is -1, expected 0 or more"),
        ({"colour": 1}, "unknown field `colour`"),
    ],
)
def test_a_wrong_request_says_what_is_wrong(body: dict[str, object], told: str) -> None:
    async def test(stand: Stand, bot: Bot) -> None:
        asked = {"source": "birdeye", "kind": "silence", "seconds": 1, **body}
        answer = await bot.http.post(stand.at["faults"], json=asked)
        assert answer.status_code == 400
        assert told in answer.json()["error"]

    case(test, hours=1)
