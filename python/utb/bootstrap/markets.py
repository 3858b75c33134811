"""Where a trading process has its items from: live sources, or the stand-in's simulated time."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from utb.adapters.clocks import SystemClock
from utb.adapters.feeds.live import build_feeds, resolve_primaries, wall_wiring
from utb.adapters.feeds.lockstep import LockStep
from utb.bootstrap.assembly import LIVE, PushedSession, assemble_pushed
from utb.bootstrap.onchain import OnChain, open_chain
from utb.bootstrap.shell import Shell
from utb.bootstrap.soldout import first, sell_all
from utb.bootstrap.sources import Source
from utb.bootstrap.trading import Drive, Market, trade
from utb.config.instruments import instruments as configured_instruments
from utb.config.schema import Config
from utb.config.secrets import Secrets
from utb.domain import clock as proto
from utb.domain.clock import BIRDEYE
from utb.domain.market import Instrument
from utb.domain.names import TradingMode
from utb.domain.seam import FeedHealth
from utb.errors import UsageError
from utb.node.desk import TIMEFRAME_NS
from utb.node.result import RunResult
from utb.ports.livefeed import LiveFeed

SECOND_NS: Final = 1_000_000_000
HEALTH_S: Final = 1.0
"""How often a live session's health is looked at."""
SIMULATED_HEALTH_S: Final = 30.0
"""The same in simulated time."""
SETTLE_S: Final = 10.0
"""After history each price is of the past until its next one: entries wait so long."""
WARM_UP_S_MAX: Final = 120.0
"""Longest wait for history: a source may hold its answers back for hours."""
WARM_UP_BARS: Final = 2_600
"""5-minute bars of history: what SMA50 of 4h needs, and some."""
FINE_WARM_UP_BARS: Final = 4_000
"""1-minute bars of history, where strategies look at less than 5 minutes."""


async def trade_live(
    config: Config, secrets: Secrets, state_dir: Path, mode: TradingMode
) -> RunResult:
    """Trade on live prices until a shutdown.

    Raises:
        UtbError: What stopped the session against its will.
    """
    instruments = resolve_primaries(config, secrets, configured_instruments(config))
    source = Source(
        instruments=instruments,
        feed=None,
        finest="1m",
        identity=LIVE + " ".join(f"{one.symbol}@{one.primary}" for one in instruments),
        span_ns=(0, 0),
    )
    with ExitStack() as resources:
        chain = None
        if mode is TradingMode.LIVE:
            chain = await open_chain(config, secrets, instruments, state_dir, resources)
        pushed = assemble_pushed(
            config, state_dir, source, mode, chain=None if chain is None else chain.side
        )
        market = Market(
            drive=_live_drive(config, secrets, instruments, chain, pushed),
            now_ns=None,
            stale_after_ns=round(config.feeds.stale_after_seconds * SECOND_NS),
            span_ns=None,
        )
        return await trade(config, pushed, market)


def _live_drive(
    config: Config,
    secrets: Secrets,
    instruments: tuple[Instrument, ...],
    chain: OnChain | None,
    pushed: PushedSession,
) -> Drive:
    """Return what pushes live prices into a shell."""

    async def drive(shell: Shell) -> None:
        gate = _Gate(shell)
        feeds = build_feeds(config, secrets, instruments, wall_wiring(config, gate))
        shell.know_feeds(feeds)
        async with asyncio.TaskGroup() as group:
            if chain is not None:
                now_ns = SystemClock().now_ns
                group.create_task(chain.drive(shell, pushed.journal, now_ns))
                await chain.until_ready()
            for feed in feeds:
                group.create_task(feed.run())
            group.create_task(_watch_health(shell, SystemClock().now_ns))
            if gate.begin_warm_up():
                clock = SystemClock()
                shell.warm_up(clock.now_ns(), warming=True)
                await _warm_up_in_time(config, shell, feeds, instruments)
                gate.is_open = True
                await asyncio.sleep(SETTLE_S)
                shell.warm_up(clock.now_ns(), warming=False)

    return drive


class Simulated(msgspec.Struct, frozen=True, kw_only=True):
    """A stand-in market and what follows its end."""

    url: str
    """Of its simulated time."""
    keep: bool = False
    """Go on answering readers after the end."""
    on_end: Callable[[RunResult], None] | None = None
    """Told what the run came to as soon as the market is over."""


async def trade_lock_step(
    config: Config, secrets: Secrets, state_dir: Path, mode: TradingMode, simulated: Simulated
) -> RunResult:
    """Trade in the simulated time of a stand-in market until its end, or a shutdown.

    Raises:
        UtbError: What stopped the session against its will.
    """
    url = simulated.url
    described = await _describe(url)
    source = Source(
        instruments=described.instruments,
        feed=None,
        finest=described.finest,
        identity=described.identity,
        span_ns=(described.start_ns, described.end_ns),
    )
    config = _patient(config, described.finest)
    with ExitStack() as resources:
        chain = None
        if mode is TradingMode.LIVE:
            config = _named(config, described.instruments)
            chain = await open_chain(config, secrets, described.instruments, state_dir, resources)
        pushed = assemble_pushed(
            config, state_dir, source, mode, chain=None if chain is None else chain.side
        )
        session = pushed.session.runner.session
        stepped = _Stepped()
        finest = described.finest
        market = Market(
            drive=_lock_step_drive((config, secrets), (url, finest), stepped, chain, pushed),
            now_ns=lambda: stepped.now_ns or session.item_ns,
            stale_after_ns=round(config.feeds.stale_after_seconds * SECOND_NS),
            span_ns=source.span_ns,
        )
        return await trade(config, pushed, market, keep=simulated.keep, on_end=simulated.on_end)


def _lock_step_drive(
    configured: tuple[Config, Secrets],
    stand_in: tuple[str, str],
    stepped: "_Stepped",
    chain: OnChain | None,
    pushed: PushedSession,
) -> Drive:
    """Return what pushes a stand-in's items into a shell, in its simulated time.

    Args:
        configured: Configuration and secrets.
        stand_in: Address of its time, and the finest timeframe of its market.
        stepped: The sink.
        chain: Where orders go; None: to the simulated venue.
        pushed: The session.
    """
    (config, secrets), (url, finest) = configured, stand_in

    async def drive(shell: Shell) -> None:
        session = shell.runner.session
        lock = LockStep(url, stepped, SystemClock().elapsed_ns)
        stepped.begin(shell, lock)
        market = await lock.join(session.cursor, session.item_ns)
        wiring = lock.wiring(config.feeds, finest, config.paper.seed)
        feeds = build_feeds(config, secrets, market.instruments, wiring, market.accounts)
        shell.know_feeds(feeds)
        stepped.watch_health()
        if chain is None:
            await lock.run(feeds)
        else:
            chain.stand_still(lock.timer)
            carrying = asyncio.ensure_future(
                chain.drive(shell, pushed.journal, lambda: stepped.now_ns)
            )
            # The chain runs by the wall's clock, also while simulated time waits for an order
            watching = asyncio.ensure_future(_watch_health(shell, lambda: stepped.now_ns))
            try:
                await first(chain.until_ready(), carrying)
                await first(lock.run(feeds), carrying)
                await first(sell_all(shell), carrying)
                await first(chain.compare_at_end(), carrying)
            finally:
                watching.cancel()
                carrying.cancel()
                await asyncio.wait((watching, carrying))
        shell.on_end()

    return drive


def _named(config: Config, instruments: Sequence[Instrument]) -> Config:
    """Return the configuration with the tables of these instruments, in their order.

    Raises:
        UsageError: If one has no table: its pools are not known.
    """
    tables = {table.symbol: table for table in config.instruments}
    missing = [one.symbol for one in instruments if one.symbol not in tables]
    if missing:
        raise UsageError("instruments", ", ".join(missing), "a table [[instruments]] for each")
    named = tuple(tables[one.symbol] for one in instruments)
    return replace(config, instruments=named)


async def _describe(url: str) -> proto.Market:
    """Ask the stand-in what it trades; the run itself joins again, where it left off."""
    lock = LockStep(url, _Stepped(), SystemClock().elapsed_ns)
    described = await lock.join(0)
    lock.leave()
    return described


def _patient(config: Config, finest: str) -> Config:
    """Let a feed be silent for two of its bars: recorded prices come four a bar."""
    stale_s = max(config.feeds.stale_after_seconds, 2 * TIMEFRAME_NS[finest] / SECOND_NS)
    return replace(config, feeds=replace(config.feeds, stale_after_seconds=stale_s))


async def _watch_health(shell: Shell, now_ns: Callable[[], int]) -> None:
    while True:
        await asyncio.sleep(HEALTH_S)
        shell.check_health(now_ns())


async def _warm_up_in_time(
    config: Config,
    shell: Shell,
    feeds: Sequence[LiveFeed],
    instruments: Sequence[Instrument],
) -> None:
    """Fill the indicators from history, and stop where that takes too long."""
    try:
        async with asyncio.timeout(WARM_UP_S_MAX):
            await _warm_up(config, shell, feeds, instruments)
    except TimeoutError:
        shell.runner.note_feed(
            "birdeye",
            "HISTORY",
            f"not complete within {WARM_UP_S_MAX:g} s: prices go on without it",
        )


async def _warm_up(
    config: Config,
    shell: Shell,
    feeds: Sequence[LiveFeed],
    instruments: Sequence[Instrument],
) -> None:
    """Fill the indicators from history, where the source has one."""
    by_name = {feed.name: feed for feed in feeds}
    fine = TIMEFRAME_NS[config.strategies.timeframe] < TIMEFRAME_NS["5m"]
    timeframe, count = ("1m", FINE_WARM_UP_BARS) if fine else ("5m", WARM_UP_BARS)
    for instrument in instruments:
        feed = by_name.get(instrument.primary)
        if feed is None:
            continue
        history = await feed.history(instrument, timeframe, count)
        for frame in history.frames:
            shell.on_past(frame.source, frame.payload, frame.ts_recv_ns)
        shell.note_history(instrument, history)


class _Gate:
    """The sink of live feeds: Birdeye's prices wait outside while its history goes in before them.

    Other sources have no history and need not wait. With a position open nobody waits: its stops
    must see every price, and what the price was in the meantime must not fire them.
    """

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.is_open = True

    def begin_warm_up(self) -> bool:
        """Close for a warm-up; return False if that may not be."""
        book = self._shell.runner.wiring.trader.book
        self.is_open = bool(book.positions or book.pending)
        return not self.is_open

    def on_frame(self, source: int, payload: bytes | memoryview, ts_recv_ns: int) -> None:
        """Take one frame, or let it go."""
        if self.is_open or source != BIRDEYE:
            self._shell.on_frame(source, payload, ts_recv_ns)

    def on_context(self, instrument: int, payload: bytes, ts_ns: int) -> None:
        """Take a slow input."""
        self._shell.on_context(instrument, payload, ts_ns)

    def on_bind(self, source: int, key: str, instrument: int, role: str) -> None:
        """Learn what a subscription delivers."""
        self._shell.on_bind(source, key, instrument, role)

    def on_feed(self, health: FeedHealth) -> None:
        """Learn that a feed came into another status."""
        self._shell.on_feed(health)


class _Stepped:
    """The sink of a lock-step run: it keeps the market's cursor with the items."""

    def __init__(self) -> None:
        self._shell: Shell | None = None
        self._lock: LockStep | None = None

    def begin(self, shell: Shell, lock: LockStep) -> None:
        """Deliver to a shell from now on."""
        self._shell, self._lock = shell, lock

    @property
    def now_ns(self) -> int:
        """Return the simulated time; 0 before the run."""
        return 0 if self._lock is None else self._lock.clock.now_ns()

    def watch_health(self) -> None:
        """Look at the health now and then, in simulated time."""
        shell, lock = self._parts()
        shell.check_health(lock.clock.now_ns())
        lock.timer.call_later(SIMULATED_HEALTH_S, self.watch_health)

    def on_frame(self, source: int, payload: bytes | memoryview, ts_recv_ns: int) -> None:
        """Take one frame."""
        shell, lock = self._parts()
        expected = shell.runner.session.cursor
        shell.on_frame(source, payload, ts_recv_ns)
        if lock.index != expected:
            shell.on_cursor(max(expected, lock.index + 1))

    def on_context(self, instrument: int, payload: bytes, ts_ns: int) -> None:
        """Take a slow input."""
        shell, lock = self._parts()
        expected = shell.runner.session.cursor
        shell.on_context(instrument, payload, ts_ns)
        if lock.index != expected:
            shell.on_cursor(max(expected, lock.index + 1))

    def on_bind(self, source: int, key: str, instrument: int, role: str) -> None:
        """Learn what a subscription delivers."""
        self._parts()[0].on_bind(source, key, instrument, role)

    def on_feed(self, health: FeedHealth) -> None:
        """Learn that a feed came into another status."""
        self._parts()[0].on_feed(health)

    def _parts(self) -> tuple[Shell, LockStep]:
        assert self._shell is not None  # noqa: S101 - items come after `begin`
        assert self._lock is not None  # noqa: S101 - as above
        return self._shell, self._lock
