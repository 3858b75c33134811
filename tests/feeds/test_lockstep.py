"""Feeds in lock step with the stand-in market, over real sockets."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
import uvloop
from stand_ins import CANARY, CLOCK, Heard, config_with
from structlog.testing import capture_logs

from utb.adapters.feeds import clocklink
from utb.adapters.feeds.generated import GeneratedFeed
from utb.adapters.feeds.live import build_feeds
from utb.adapters.feeds.lockstep import LockStep
from utb.bootstrap.options import RunOptions
from utb.bootstrap.simnet import SimnetOptions, build_world
from utb.config.load import defaults
from utb.config.schema import Config
from utb.config.secrets import Secrets
from utb.config.table import Secret
from utb.domain.seam import FeedHealth
from utb.errors import TransientError
from utb.ports.feed import ContextUpdate, FeedItem, Frame
from utb.simnet.market import SimulatedMarket
from utb.simnet.server.app import Server, ServerOptions
from utb.simnet.server.world import Keys

KEYS = Secrets(birdeye_api_key=Secret(CANARY), helius_api_key=Secret(CANARY + "h"))
HOURS = 2


@dataclass
class Items(Heard):
    """A sink that keeps one list, as a feed of items would give them."""

    items: list[FeedItem] = field(default_factory=list)
    on_item: Callable[[], None] | None = None

    def on_frame(self, source: int, payload: bytes | memoryview, ts_recv_ns: int) -> None:
        self._add(Frame(source, bytes(payload), ts_recv_ns))

    def on_context(self, instrument: int, payload: bytes, ts_ns: int) -> None:
        self._add(ContextUpdate(instrument, payload, ts_ns))

    def _add(self, item: FeedItem) -> None:
        self.items.append(item)
        if self.on_item is not None:
            self.on_item()


@dataclass
class Outcome:
    """What a run was."""

    items: list[FeedItem]
    step: LockStep
    healths: dict[str, FeedHealth]
    statuses: list[tuple[str, str]]


def at_addresses(at: dict[str, str]) -> Config:
    tables = [
        f'[api.{name}]\nbase_url = "{at[f"api.{name}.base_url"]}"\n'
        for name in ("dexscreener", "birdeye", "helius")
    ]
    tables[1] += f'ws_url = "{at["api.birdeye.ws_url"]}"\n'
    tables[2] += f'ws_url = "{at["api.helius.ws_url"]}"\n'
    return config_with("".join(tables))


async def take_all(
    at: dict[str, str],
    *,
    cursor: int = 0,
    now_ns: int = 0,
    on_item: Callable[[], None] | None = None,
) -> Outcome:
    """Join, and run to the end of the market."""
    sink = Items(on_item=on_item)
    step = LockStep(at["clock"], sink, CLOCK.elapsed_ns)
    async with asyncio.timeout(50):
        market = await step.join(cursor, now_ns)
        config = at_addresses(at)
        wiring = step.wiring(config.feeds, market.finest, 7)
        feeds = build_feeds(config, KEYS, market.instruments, wiring, market.accounts)
        await step.run(feeds)
    assert CANARY not in repr(sink.statuses)
    return Outcome(
        sink.items,
        step,
        {feed.name: feed.health(step.clock.now_ns()) for feed in feeds},
        [(one.source, one.status.value) for one in sink.statuses],
    )


@asynccontextmanager
async def stand_in(hours: int = HOURS) -> AsyncIterator[dict[str, str]]:
    options = SimnetOptions(
        state_dir=Path(), http_port=0, ws_port=0, run=RunOptions(seed=7, hours=hours)
    )
    world = build_world(defaults(), options, Keys())
    server = Server(world, ServerOptions(http_port=0, ws_port=0), CLOCK)
    try:
        yield await server.start()
    finally:
        await server.stop()


def expected(cursor: int = 0) -> list[FeedItem]:
    return list(GeneratedFeed(SimulatedMarket(seed=7, hours=HOURS)).items(cursor))


async def with_fault(source: str, kind: str) -> Outcome:
    async with stand_in() as at:
        async with httpx.AsyncClient() as client:
            fault = {"source": source, "kind": kind, "seconds": 300, "cursor": 1500}
            assert (await client.post(at["faults"], json=fault)).status_code == 201
        return await take_all(at)


def test_items_are_exactly_those_of_the_generated_market() -> None:
    async def run() -> Outcome:
        async with stand_in() as at:
            return await take_all(at)

    outcome = uvloop.run(run())
    assert outcome.items == expected()
    assert (outcome.step.lost, outcome.step.excused, outcome.step.finished) == (0, 0, True)
    assert outcome.step.cursor == len(outcome.items)
    assert [health.status.value for health in outcome.healths.values()] == ["FRESH"] * 3
    assert outcome.healths["birdeye"].latency_p50_ms is not None


def test_run_goes_on_at_a_cursor() -> None:
    async def run() -> Outcome:
        async with stand_in() as at:
            now_ns = getattr(expected()[2999], "ts_recv_ns", 0)
            return await take_all(at, cursor=3000, now_ns=now_ns)

    assert uvloop.run(run()).items == expected(3000)


@pytest.mark.parametrize(
    ("source", "kind", "status"),
    [
        ("birdeye", "cut", "DISCONNECTED"),
        ("birdeye", "silence", "STALE"),
        ("birdeye", "garbage", "FRESH"),
        ("helius", "cut", "DISCONNECTED"),
        ("dexscreener", "cut", "DISCONNECTED"),
        ("dexscreener", "429", "STALE"),
        ("dexscreener", "500", "STALE"),
        ("dexscreener", "slow", "FRESH"),
    ],
)
def test_fault_is_survived_and_the_run_repeats(source: str, kind: str, status: str) -> None:
    """What is lost is that source's alone; simulated time makes both runs equal."""
    first, second = (uvloop.run(with_fault(source, kind)) for _ in range(2))
    assert first.items == second.items
    assert first.statuses == second.statuses
    assert (source, status) in first.statuses
    assert first.healths[source].status.value == "FRESH"
    number = ("dexscreener", "birdeye", "helius").index(source)

    def others(items: list[FeedItem]) -> list[FeedItem]:
        return [one for one in items if not (isinstance(one, Frame) and one.source == number)]

    assert others(first.items) == others(expected())


def test_half_open_connection_is_found_in_simulated_time() -> None:
    outcome = uvloop.run(with_fault("birdeye", "half_open"))
    assert ("birdeye", "DISCONNECTED") in outcome.statuses
    assert outcome.healths["birdeye"].status.value == "FRESH"
    assert outcome.step.excused > 0


def test_poll_obeys_retry_after_in_simulated_time() -> None:
    """The stand-in asks for 5 s after each 429; no poll comes within them."""
    outcome = uvloop.run(with_fault("dexscreener", "429"))
    assert outcome.healths["dexscreener"].rejected["http_429"] >= 10


def test_nobody_there_is_an_error_after_all_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocklink, "JOIN_ATTEMPTS", 3)
    monkeypatch.setattr(clocklink, "JOIN_PAUSE_SECONDS", 0.01)

    async def run() -> None:
        await LockStep("ws://127.0.0.1:1/clock", Items(), CLOCK.elapsed_ns).join(0)

    with capture_logs() as logs, pytest.raises(TransientError, match="clock: no answer"):
        uvloop.run(run())
    (waiting,) = logs
    assert waiting["reason"] == "clock: no answer from ws://127.0.0.1:1/clock"


class Process:
    """`utb simnet` as a process of its own."""

    def __init__(self, state: Path, at: dict[str, str] | None = None) -> None:
        ports = ["0", "0"] if at is None else [_port(at["faults"]), _port(at["clock"])]
        self._file = state / "run" / "simnet.json"
        command = [sys.executable, "-m", "utb", "simnet", "--seed", "7", "--hours", str(HOURS)]
        command += ["--http-port", ports[0], "--ws-port", ports[1], "--state", str(state)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    async def addresses(self) -> dict[str, str]:
        while not self._file.exists():
            assert self.process.poll() is None
            await asyncio.sleep(0.05)
        return msgspec.json.decode(self._file.read_bytes(), type=dict[str, str])

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._file.unlink(missing_ok=True)


def _port(url: str) -> str:
    return str(urlsplit(url).port)


def test_stand_in_that_is_killed_and_comes_back_loses_nothing(tmp_path: Path) -> None:
    """Killed with -9 in mid-run and started again: the same items, each once."""

    async def run() -> Outcome:
        served = [Process(tmp_path)]
        count = 0

        def on_item() -> None:
            nonlocal count
            count += 1
            if count in (700, 2300):
                served[-1].kill()
                served.append(Process(tmp_path, at))

        try:
            async with asyncio.timeout(20):
                at = await served[0].addresses()
            return await take_all(at, on_item=on_item)
        finally:
            served[-1].kill()

    outcome = uvloop.run(run())
    assert outcome.items == expected()
    assert outcome.step.lost == 0
