"""The bot's own feeds against the stand-in world, in lock step over real sockets."""

import asyncio
from dataclasses import dataclass, field

import httpx
import msgspec
import pytest
from msgspec.structs import replace
from simnet_stand import Stand, frames, run, serving

from utb.adapters.clocks import SystemClock
from utb.adapters.feeds.live import build_feeds
from utb.adapters.feeds.lockstep import LockStep
from utb.config.load import defaults
from utb.config.schema import Config
from utb.config.secrets import Secrets
from utb.config.table import Secret
from utb.domain.clock import BIRDEYE
from utb.domain.seam import FeedHealth
from utb.ports.feed import ContextUpdate, FeedItem, Frame
from utb.simnet.profiles import bindings


@dataclass
class Taken:
    """A sink that keeps what it gets."""

    items: list[FeedItem] = field(default_factory=list)
    bound: set[tuple[int, str, int, str]] = field(default_factory=set)
    told: list[FeedHealth] = field(default_factory=list)

    def on_frame(self, source: int, payload: bytes | memoryview, ts_recv_ns: int) -> None:
        self.items.append(Frame(source, bytes(payload), ts_recv_ns))

    def on_context(self, instrument: int, payload: bytes, ts_ns: int) -> None:
        self.items.append(ContextUpdate(instrument, payload, ts_ns))

    def on_bind(self, source: int, key: str, instrument: int, role: str) -> None:
        self.bound.add((source, key, instrument, role))

    def on_feed(self, health: FeedHealth) -> None:
        self.told.append(health)


def configured(stand: Stand) -> Config:
    config = defaults()
    at, api = stand.at, config.api
    return replace(
        config,
        api=replace(
            api,
            dexscreener=replace(api.dexscreener, base_url=at["api.dexscreener.base_url"]),
            birdeye=replace(
                api.birdeye, base_url=at["api.birdeye.base_url"], ws_url=at["api.birdeye.ws_url"]
            ),
            helius=replace(
                api.helius, base_url=at["api.helius.base_url"], ws_url=at["api.helius.ws_url"]
            ),
        ),
    )


async def trade(stand: Stand, sink: Taken) -> LockStep:
    config = configured(stand)
    lockstep = LockStep(stand.at["clock"], sink, SystemClock().elapsed_ns)
    market = await lockstep.join(0)
    secrets = Secrets(birdeye_api_key=Secret("b"), helius_api_key=Secret("h"))
    wiring = lockstep.wiring(config.feeds, market.finest, 7)
    feeds = build_feeds(config, secrets, market.instruments, wiring, market.accounts)
    await lockstep.run(feeds)
    return lockstep


def test_the_sink_gets_every_item_in_order() -> None:
    async def test() -> None:
        async with serving(hours=7) as stand:
            sink = Taken()
            lockstep = await trade(stand, sink)
            expected = list(stand.world.feed.items(0))
            assert sink.items == expected
            assert (lockstep.cursor, lockstep.lost, lockstep.excused) == (len(expected), 0, 0)
            assert sink.bound == {(2, one.key, one.instrument, one.role) for one in bindings()}

    run(test())


FAULTS: list[tuple[str, str, float | None]] = [
    ("birdeye", "cut", None),
    ("birdeye", "silence", None),
    ("helius", "half_open", None),
    ("birdeye", "slow", 7.0),
    ("dexscreener", "429", 30.0),
    ("dexscreener", "500", None),
    ("dexscreener", "cut", None),
    ("birdeye", "garbage", None),
    ("dexscreener", "garbage", None),
    ("birdeye", "stale", None),
    ("helius", "lying", 2.0),
    ("birdeye", "flood", 10.0),
]


@pytest.mark.parametrize(("source", "kind", "value"), FAULTS)
def test_the_feeds_come_through_a_fault_and_alike_twice(
    source: str, kind: str, value: float | None
) -> None:
    async def once() -> tuple[Taken, list[FeedItem]]:
        async with serving(hours=2) as stand:
            asked = {"source": source, "kind": kind, "seconds": 120, "cursor": 1000, "value": value}
            async with httpx.AsyncClient() as client:
                answer = await client.post(stand.at["faults"], content=msgspec.json.encode(asked))
                assert answer.status_code == 201
                sink = Taken()
                await asyncio.wait_for(trade(stand, sink), 50)
                told = (await client.get(stand.at["faults"])).json()["faults"]
            assert told[0]["status"] == "over"
            assert told[0]["did"]
            return sink, list(stand.world.feed.items(0))

    async def test() -> None:
        (sink, expected), (again, _) = await once(), await once()
        assert sink.items == again.items
        # Long after the fault, everything is as if there had been none.
        assert sink.items[-1500:] == expected[-1500:]
        others = [s for s in range(3) if ("dexscreener", "birdeye", "helius")[s] != source]
        for other in others:
            assert frames(sink.items, other) == frames(expected, other)
        assert frames(sink.items, BIRDEYE)

    run(test())
