"""Wall mode: the market's present is the clock's."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable

import httpx
import msgspec
import pytest
from picows import WSHandshakeError
from simnet_bot import Line
from simnet_stand import Stand, run, serving

from utb.domain.clock import HELIUS
from utb.simnet.profiles import PROFILES, Wire, account_address
from utb.simnet.server.wall import WallMarket

SOL = PROFILES[0].base_mint
PACE = 40


class FastClock:
    """A clock that is right at first and then goes 40 times as fast."""

    def __init__(self) -> None:
        self._wall_ns = time.time_ns()
        self._begin_ns = time.perf_counter_ns()

    def now_ns(self) -> int:
        return self._wall_ns + PACE * (time.perf_counter_ns() - self._begin_ns)

    def now_s(self) -> float:
        return self.now_ns() / 10**9


def case(test: Callable[[Stand, FastClock], Awaitable[None]]) -> None:
    async def whole() -> None:
        clock = FastClock()
        async with serving(wall=clock, hours=96) as stand:
            await test(stand, clock)

    run(whole())


async def prices(stand: Stand) -> Line:
    line = await Line.open(stand.at["api.birdeye.ws_url"])
    wanted = {"queryType": "simple", "address": SOL, "chartType": "1m", "currency": "usd"}
    line.send({"type": "SUBSCRIBE_PRICE", "data": wanted})
    return line


async def closed(line: Line) -> None:
    line.close()
    await line.closed.wait()


def test_frames_come_at_their_time_and_agree_with_history() -> None:
    async def test(stand: Stand, clock: FastClock) -> None:
        assert "clock" not in stand.at
        line = await prices(stand)
        rows = []
        for _ in range(9):
            rows.append(msgspec.json.decode(await line.take())["data"])
            # Of the minute that is; a machine that is busy may be two real seconds late.
            assert 0 <= clock.now_s() - rows[-1]["unixTime"] < 60 + 2 * PACE
            assert rows[-1]["unixTime"] % 60 == 0
        now_s = int(clock.now_s())
        async with httpx.AsyncClient() as client:
            base = stand.at["api.birdeye.base_url"]
            path = (
                f"/defi/ohlcv?address={SOL}&type=1m&time_from={now_s - 600}&time_to={now_s + 600}"
            )
            items = (await client.get(base + path)).json()["data"]["items"]
            price = (await client.get(f"{base}/defi/price?address={SOL}")).json()["data"]
            week = f"/defi/ohlcv?address={SOL}&type=1H&time_from=0&time_to={now_s}"
            hours = (await client.get(base + week)).json()["data"]["items"]
        by_time = {item["unixTime"]: item for item in items}
        for row in rows[:-3]:
            bar = by_time[row["unixTime"]]
            assert bar["o"] == row["o"]
            assert bar["l"] <= row["c"] <= bar["h"]
        assert -60 <= now_s - price["updateUnixTime"] < 60
        assert 48 <= len(hours) <= 73
        assert hours[-1]["unixTime"] == now_s // 3600 * 3600
        await closed(line)

    case(test)


def test_trades_and_accounts_carry_present_times() -> None:
    async def test(stand: Stand, clock: FastClock) -> None:
        bonk = next(p for p in PROFILES if p.wire is Wire.BIRDEYE_TRADES)
        index = next(i for i, p in enumerate(PROFILES) if p.wire is Wire.RAYDIUM_V4)
        line = await Line.open(stand.at["api.birdeye.ws_url"])
        wanted = {"queryType": "simple", "address": bonk.base_mint, "txsType": "swap"}
        line.send({"type": "SUBSCRIBE_TXS", "data": wanted})
        other = await Line.open(stand.at["api.helius.ws_url"])
        address = account_address(index, "quote_vault")
        request = {"jsonrpc": "2.0", "id": 1, "method": "accountSubscribe", "params": [address]}
        number = (await other.ask(request))["result"]
        trade = msgspec.json.decode(await line.take())["data"]
        assert 0 <= clock.now_s() - trade["blockUnixTime"] < 2 * PACE
        told = msgspec.json.decode(await other.take())["params"]
        assert told["subscription"] == number
        assert 0 <= clock.now_s() - told["result"]["context"]["slot"] * 0.4 < 2 * PACE
        await closed(line)
        await closed(other)

    case(test)


def test_dexscreener_has_the_latest_pairs_and_faults_count_wall_time() -> None:
    async def test(stand: Stand, clock: FastClock) -> None:
        market = stand.server.market
        assert isinstance(market, WallMarket)
        async with httpx.AsyncClient() as client:
            url = f"{stand.at['api.dexscreener.base_url']}/tokens/{PROFILES[6].base_mint}"
            pairs = None
            while pairs is None:
                pairs = (await client.get(url)).json()["pairs"]
            assert re.fullmatch(r"\d+\.\d+", pairs[0]["priceUsd"])
            fault = {"source": "dexscreener", "kind": "429", "seconds": 60, "value": 2}
            assert (await client.post(stand.at["faults"], json=fault)).status_code == 201
            begin_s = clock.now_s()
            answer = await client.get(url)
            assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
            asked = 1
            while (await client.get(url)).status_code == 429:
                asked += 1
            told = (await client.get(stand.at["faults"])).json()["faults"][0]
            assert told["did"] == {"requests_failed": asked}
            assert 55 < clock.now_s() - begin_s < 120

    case(test)


def test_cut_and_silence_act_on_connections() -> None:
    async def test(stand: Stand, clock: FastClock) -> None:
        line = await prices(stand)
        other = await Line.open(stand.at["api.helius.ws_url"])
        async with httpx.AsyncClient() as client:
            cut = {"source": "birdeye", "kind": "cut", "seconds": 40}
            await client.post(stand.at["faults"], json=cut)
            half = {"source": "helius", "kind": "half_open", "seconds": 3600}
            await client.post(stand.at["faults"], json=half)
            await asyncio.wait_for(line.closed.wait(), 5)
            with pytest.raises(WSHandshakeError):
                await prices(stand)
            begin_s = clock.now_s()
            other.ping()
            status = "active"
            while status != "over":
                told = (await client.get(stand.at["faults"])).json()["faults"]
                status = told[0]["status"]
            assert clock.now_s() - begin_s < 100
            back = await prices(stand)
            assert (await back.take()).startswith(b'{"type":"PRICE_DATA"')
            assert other.pongs == 0
            assert HELIUS == 2
        await closed(back)
        await closed(other)

    case(test)
