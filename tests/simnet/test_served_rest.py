"""REST of the stand-in world: history, prices, pairs, and errors as the sources give them."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from picows import WSHandshakeError
from simnet_bot import Bot, Line
from simnet_stand import Stand, engine, frames, ingest, run, serving, world_of

from utb.domain.clock import DEXSCREENER
from utb.simnet.market import SimulatedMarket
from utb.simnet.profiles import PROFILES, USDC_MINT, Wire
from utb.simnet.server.history import TYPES_S
from utb.simnet.server.world import Keys

START_S = 1_735_689_600
SOL, BTC = PROFILES[0].base_mint, PROFILES[1].base_mint


async def get(stand: Stand, path: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(stand.at["api.birdeye.base_url"] + path, headers=headers)


async def data(stand: Stand, path: str) -> Any:
    answer = await get(stand, path)
    assert answer.status_code == 200, answer.text
    assert answer.json()["success"] is True
    return answer.json()["data"]


async def at_the_end(stand: Stand) -> Bot:
    bot = await Bot.join(stand.at)
    bot.ready()
    await bot.run()
    return bot


def ohlcv(mint: str, kind: str, begin_s: int, end_s: int) -> str:
    return f"/defi/ohlcv?address={mint}&type={kind}&time_from={begin_s}&time_to={end_s}"


def test_history_is_that_of_the_bars_the_core_makes() -> None:
    async def test() -> None:
        async with serving(hours=13) as stand:
            bot = await at_the_end(stand)
            core = engine(stand.world)
            ingest(core, bot.items)
            bars = core.drain_bars()
            met = set()
            for number, kind in enumerate(("1m", "5m", "15m", "1H", "4H")):
                for profile, one in zip(PROFILES, stand.world.instruments, strict=True):
                    mine = bars[(bars["instrument"] == one.index) & (bars["timeframe"] == number)]
                    if not mine.size:
                        # The core builds what its strategies need.
                        continue
                    met.add(kind)
                    begin, end = int(mine["ts_ns"][0]) // 10**9, int(mine["ts_ns"][-1]) // 10**9
                    path = ohlcv(one.base_mint, kind, begin, end)
                    items = (await data(stand, path))["items"]
                    mine = mine[: len(items)]
                    tolerance = 1e-9 if profile.wire.is_pool else 1e-12
                    assert [i["unixTime"] for i in items] == (mine["ts_ns"] // 10**9).tolist()
                    for field in ("open", "high", "low", "close"):
                        got = [item[field[0]] for item in items]
                        assert got == pytest.approx(mine[field], rel=tolerance), (kind, field)
                    if profile.wire in {Wire.BIRDEYE_PRICE, Wire.BIRDEYE_TRADES}:
                        got = [item["v"] for item in items]
                        assert got == pytest.approx(mine["volume"], rel=1e-3)
            assert {"15m", "1H"} <= met
            await bot.close()

    run(test())


def test_every_type_of_bar_is_made_of_the_finest() -> None:
    async def test() -> None:
        async with serving(hours=31) as stand:
            bot = await at_the_end(stand)
            # 1860 minutes: two answers of at most 1000.
            fine: list[dict[str, Any]] = []
            for begin in (0, 60_000):
                path = ohlcv(SOL, "1m", START_S + begin, START_S + 31 * 3600)
                fine += (await data(stand, path))["items"]
            assert len(fine) == 1860
            for kind, length in TYPES_S.items():
                path = ohlcv(SOL, kind, START_S - 604_800, START_S + 31 * 3600)
                items = (await data(stand, path))["items"]
                assert len(items) == min(1000, len({i["unixTime"] // length for i in fine}))
                for item in items:
                    part = [i for i in fine if i["unixTime"] // length * length == item["unixTime"]]
                    assert item["o"] == part[0]["o"]
                    assert item["c"] == part[-1]["c"]
                    assert item["h"] == max(i["h"] for i in part)
                    assert item["l"] == min(i["l"] for i in part)
                    assert item["v"] == pytest.approx(sum(i["v"] for i in part))
            await bot.close()

    run(test())


def test_history_ends_where_the_bot_is() -> None:
    async def test() -> None:
        async with serving(hours=6) as stand:
            bot = await Bot.join(stand.at)
            whole = ohlcv(SOL, "1m", START_S, START_S + 6 * 3600)
            assert (await data(stand, whole))["items"] == []
            assert await data(stand, f"/defi/price?address={SOL}") is None
            bot.ready()
            await bot.run(until=4000)
            items = (await data(stand, whole))["items"]
            now_s = bot.entries[-1].ts_ns / 10**9
            assert items
            assert items[-1]["unixTime"] < now_s
            market = SimulatedMarket(seed=7, hours=6)
            price = next(iter(market.chunks())).path.price[0]
            assert items[-1]["c"] in price[: int((now_s - START_S) // 20) + 1]
            await bot.close()

    run(test())


def test_prices_and_overview_are_of_the_latest_slot() -> None:
    async def test() -> None:
        async with serving(hours=26) as stand:
            bot = await at_the_end(stand)
            chunks = list(SimulatedMarket(seed=7, hours=26).chunks())
            price = np.concatenate([chunk.path.price for chunk in chunks], axis=1)
            price = price[:, : 26 * 180]
            one = await data(stand, f"/defi/price?address={SOL}")
            assert one["value"] == price[0, -1]
            assert one["updateUnixTime"] == START_S + 26 * 3600 - 1
            assert one["updateHumanTime"] == "2025-01-02T01:59:59"
            more = await data(stand, f"/defi/multi_price?list_address={SOL},{BTC},{'1' * 32}")
            assert more[BTC]["value"] == price[1, -1]
            day = 100 * (price[1, -1] / price[1, 2 * 180 - 1] - 1)
            assert more[BTC]["priceChange24h"] == pytest.approx(day)
            assert more["1" * 32] is None
            told = await data(stand, f"/defi/token_overview?address={SOL}")
            assert (told["symbol"], told["decimals"]) == ("SOL", 9)
            assert told["price"] == price[0, -1]
            assert told["history1hPrice"] == price[0, -181]
            usd = np.concatenate([c.volume * c.price for c in chunks], axis=1)[0, : 26 * 180]
            assert told["v1hUSD"] == pytest.approx(usd[-180:].sum())
            await bot.close()

    run(test())


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/defi/price", 400, "address is required"),
        (f"/defi/price?address={'1' * 32}", 404, "Not found"),
        ("/defi/nothing", 404, "Not found"),
        (f"/defi/ohlcv?address={SOL}&type=7m&time_from=1&time_to=2", 400, "type must be one of"),
        (f"/defi/ohlcv?address={SOL}&type=1m&time_to=2", 400, "time_from must be a time"),
        (f"/defi/ohlcv?address={SOL}&type=1m&time_from=3&time_to=2", 400, "not be after"),
        ("/defi/multi_price", 400, "list_address must have 1 to 100"),
    ],
)
def test_birdeye_errors(path: str, status: int, message: str) -> None:
    async def test() -> None:
        async with serving(hours=1) as stand:
            answer = await get(stand, path)
            assert answer.status_code == status
            assert answer.json()["success"] is False
            assert message in answer.json()["message"]

    run(test())


def test_keys_are_demanded() -> None:
    async def test() -> None:
        keys = Keys(birdeye="b-key", helius="h-key")
        assert "b-key" not in repr(keys)
        async with serving(world_of(hours=1, keys=keys)) as stand:
            path = f"/defi/price?address={SOL}"
            assert (await get(stand, path)).status_code == 401
            wrong = await get(stand, path, **{"X-API-KEY": "no"})
            assert wrong.json() == {"success": False, "message": "Unauthorized"}
            assert (await get(stand, path, **{"X-API-KEY": "b-key"})).status_code == 200
            for name, parameter, key in (
                ("api.birdeye.ws_url", "x-api-key", "b-key"),
                ("api.helius.ws_url", "api-key", "h-key"),
            ):
                for url in (stand.at[name], f"{stand.at[name]}?{parameter}=no"):
                    with pytest.raises(WSHandshakeError) as refused:
                        await Line.open(url)
                    assert refused.value.response is not None
                    assert refused.value.response.status == 401
                line = await Line.open(f"{stand.at[name]}?{parameter}={key}")
                line.close()
                await line.closed.wait()

    run(test())


def test_dexscreener_answers_by_address() -> None:
    async def test() -> None:
        async with serving(hours=1) as stand:
            empty = (await get(stand, f"/latest/dex/tokens/{SOL}")).json()
            assert empty == {"schemaVersion": "1.0.0", "pairs": None, "pair": None}
            bot = await at_the_end(stand)
            bodies = frames(bot.items, DEXSCREENER)
            sol, jup = PROFILES[0], PROFILES[6]
            for path, count in (
                (f"/latest/dex/pairs/solana/{sol.pair_address},{jup.pair_address}", 2),
                (f"/latest/dex/tokens/{jup.base_mint}", 1),
                (f"/latest/dex/tokens/{USDC_MINT}", 8),
                ("/latest/dex/search?q=jup", 1),
            ):
                found = (await get(stand, path)).json()["pairs"]
                assert len(found) == count, path
            latest = [one for one in bodies if jup.base_mint.encode() in one.payload][-1]
            alone = await get(stand, f"/latest/dex/pairs/solana/{jup.pair_address}")
            assert alone.content == latest.payload
            bare = await get(stand, f"/tokens/v1/solana/{jup.base_mint}")
            assert bare.json() == alone.json()["pairs"]
            other = await get(stand, f"/latest/dex/pairs/ethereum/{jup.pair_address}")
            assert other.json()["pairs"] is None
            assert (await get(stand, f"/latest/dex/tokens/{','.join('a' * 31)}")).status_code == 400
            assert (await get(stand, "/latest/dex/nothing/a")).status_code == 404
            await bot.close()

    run(test())


def test_polls_without_the_item_header_get_the_bodies_in_order() -> None:
    async def test() -> None:
        async with serving(hours=1) as stand:
            bot = await Bot.join(stand.at)
            bot.ready()
            await bot.clock.take()
            expected = frames(list(stand.world.feed.items(0))[:400], DEXSCREENER)
            for one in expected[:5]:
                answer = await get(stand, "/latest/dex/pairs/solana/a")
                assert answer.content == one.payload
            await bot.close()

    run(test())


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n", 404),
        (b"nonsense\r\n\r\n", 400),
        (b"POST /defi/price HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n", 405),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", 414),
        (b"POST /faults HTTP/1.1\r\nhost: x\r\ncontent-length: 70000\r\n\r\n" + b"a" * 70000, 413),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000, 413),
        (b"PUT /faults HTTP/1.1\r\nhost: x\r\n\r\n", 405),
    ],
)
def test_requests_have_limits(request_bytes: bytes, status: int) -> None:
    async def test() -> None:
        async with serving(hours=1) as stand:
            host, port = stand.at["faults"].split("/")[2].split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(request_bytes)
            line = await asyncio.wait_for(reader.readline(), 5)
            assert int(line.split()[1]) == status
            writer.transport.abort()

    run(test())


def test_pipelined_requests_are_answered_in_order() -> None:
    async def test() -> None:
        async with serving(hours=1) as stand:
            host, port = stand.at["faults"].split("/")[2].split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            paths = [f"/defi/price?address={SOL}", "/latest/dex/tokens/a", "/defi/price", "/faults"]
            head = "GET {} HTTP/1.1\r\nhost: x\r\n\r\n"
            writer.write("".join(head.format(path) for path in paths).encode())
            writer.write(b"GET /last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            everything = await asyncio.wait_for(reader.read(), 5)
            statuses = [part[:3] for part in everything.split(b"HTTP/1.1 ")[1:]]
            assert statuses == [b"200", b"200", b"400", b"200", b"404"]
            writer.close()

    run(test())


def test_recorded_history_is_the_recording(tmp_path: Path) -> None:
    rows = [f"{1_704_067_200_000 + 300_000 * n},10,20.5,9,1{n % 8}.0,3" for n in range(100)]
    path = tmp_path / "SOLUSDT.csv"
    path.write_text("ts,open,high,low,close,volume\n" + "\n".join(rows) + "\n")

    async def test() -> None:
        async with serving(prices=(str(path),), seed=None) as stand:
            bot = await at_the_end(stand)
            begin = 1_704_067_200
            items = (await data(stand, ohlcv(SOL, "5m", begin, begin + 30_000)))["items"]
            assert [item["c"] for item in items] == [10.0 + n % 8 for n in range(100)]
            assert [item["v"] for item in items] == [3.0] * 100
            assert (await data(stand, ohlcv(SOL, "1m", begin, begin + 30_000)))["items"] == []
            await bot.close()

    run(test())
