"""The composition root: the only reader of the mode, the only place that puts parts together.

`build_demo` and `build_backtest` return a session of the same classes: a demo is paper trading in
simulated time on frames, a backtest replays records; with the same prices, context, seed and
configuration their journals are equal.
"""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from utb.adapters.clocks import Pacer, SystemClock
from utb.adapters.feeds.inputlog import InputLogFeed, InputLogWriter
from utb.adapters.venues.simulated import SimulatedVenue
from utb.bootstrap import sources
from utb.bootstrap.options import RunOptions
from utb.bootstrap.session import Session
from utb.bootstrap.sources import Source
from utb.config import secrets
from utb.config.load import resolve
from utb.config.mode import resolve_mode
from utb.config.schema import Config
from utb.domain.names import TradingMode
from utb.engine import Engine, build_params, instruments_document, params_builder
from utb.errors import LiveCause, LiveRefused, UtbError
from utb.node import weights
from utb.node.desk import TIMEFRAME_NS
from utb.node.runner import Runner, Wiring
from utb.node.trader import Trader
from utb.ports.feed import Feed, FeedItem
from utb.ports.journal import SessionStore
from utb.simnet import profiles
from utb.storage.journal import SqliteJournal
from utb.storage.lock import StateLock
from utb.storage.memory import MemoryJournal

__all__ = [
    "RunOptions",
    "Session",
    "build_backtest",
    "build_demo",
    "load_config",
    "options_digest",
]

HELIUS: Final = 2
"""Number of the Helius source in the core."""


def build_demo(config: Config, options: RunOptions) -> Session:
    """Put paper trading in simulated time together, on the generated or a recorded market."""
    config = _with_options(config, options)
    if options.prices:
        source = sources.recorded(config, options, frames=config.feeds.recorded != "recorded")
    else:
        source = sources.generated(config, options)
    return _assemble(config, options, source, TradingMode.PAPER)


def build_backtest(config: Config, options: RunOptions) -> Session:
    """Put a backtest together: recorded prices as records, or the generated market's frames."""
    config = _with_options(config, options)
    if options.prices:
        source = sources.recorded(config, options, frames=False)
    else:
        source = sources.generated(config, options)
    return _assemble(config, options, source, TradingMode.BACKTEST)


def load_config(path: Path | None) -> tuple[Config, TradingMode]:
    """Return the configuration and the mode it asks for.

    Raises:
        ConfigError: With every problem of file and environment.
        LiveRefused: If a live switch is on.
    """
    loaded = resolve(path, secrets.read())
    mode = resolve_mode(loaded.config, loaded.secrets)
    if isinstance(mode, LiveCause):
        environment = loaded.config.environment
        raise LiveRefused(
            mode,
            trading_env=environment.trading_env,
            execution_mode=environment.execution_mode,
        )
    return loaded.config, mode


def _with_options(config: Config, options: RunOptions) -> Config:
    """Return the configuration with what the command line overrides."""
    paper = config.paper
    return replace(
        config,
        paper=replace(
            paper,
            seed=paper.seed if options.seed is None else options.seed,
            cash_usdc=paper.cash_usdc if options.cash_usdc is None else options.cash_usdc,
        ),
    )


class _Paced:
    """An observer that lets simulated time pass no faster than asked."""

    def __init__(self, pacer: Pacer) -> None:
        self._pacer = pacer

    def on_progress(self, runner: Runner) -> None:
        """Wait until the run's time is due."""
        if runner.now_ns:
            self._pacer.wait_until(runner.now_ns)


class _Tee:
    """A feed that writes down what it yields."""

    def __init__(self, feed: Feed, writer: InputLogWriter) -> None:
        self._feed = feed
        self._writer = writer

    def items(self, start: int) -> Iterator[FeedItem]:
        """Yield the feed's items; those the log does not have yet are appended."""
        for position, item in enumerate(self._feed.items(start), start=start):
            if position >= self._writer.count:
                self._writer.append(item)
            yield item


def _assemble(config: Config, options: RunOptions, source: Source, mode: TradingMode) -> Session:
    clock = SystemClock()
    digest = options_digest(config, source.identity)
    rows = weights.initial(weights.weight_settings(config)).rows
    engine = Engine(
        build_params(config, 0, rows),
        instruments_document(config, source.instruments),
        source.finest,
    )
    engine.log(bars=True, equity=True)
    if source.generated:
        for one in profiles.bindings():
            engine.bind(HELIUS, one.key, one.instrument, one.role)
    closers: list[Callable[[], None]] = []
    feed = source.feed if options.replay is None else InputLogFeed(options.replay, digest)
    if options.record is not None:
        writer = InputLogWriter(options.record, digest)
        closers.append(writer.close)
        feed = _Tee(feed, writer)
    store: SessionStore = MemoryJournal()
    if options.state_dir is not None:
        lock = StateLock(options.state_dir)
        closers.append(lock.release)
        try:
            store = SqliteJournal(
                options.state_dir,
                options_digest=digest,
                wall_ns=clock.now_ns,
                synchronous=config.node.journal_synchronous,
            )
        except UtbError:
            lock.release()
            raise
    every_ns = config.node.snapshot_every_bars * TIMEFRAME_NS[config.strategies.timeframe]
    runner = Runner(
        Wiring(
            core=engine,
            trader=Trader(config, source.instruments, params_builder(config)),
            journal=store,
            venue=SimulatedVenue.from_config(
                config, source.instruments, engine, seed=config.paper.seed
            ),
            feed=feed,
            snapshot_every_ns=every_ns if options.state_dir is not None else None,
            stopwatch_ns=clock.elapsed_ns,
            mode=mode,
            drain=lambda: _drain(engine, store),
        )
    )
    if options.speed is not None:
        runner.wiring.observers = (_Paced(Pacer(options.speed)),)
    session = Session(runner, engine, store, seed=config.paper.seed, span_ns=source.span_ns)
    for closer in closers:
        session.on_close(closer)
    return session


def _drain(engine: Engine, store: SessionStore) -> None:
    store.add_bars(engine.drain_bars().tobytes())
    store.add_equity(engine.drain_equity().tobytes())


def options_digest(config: Config, identity: str) -> str:
    """Return what tells a run's decisions from those of other options.

    Display, alerts, addresses and the snapshot interval decide nothing and are left out.
    """
    deciding = (
        config.trading,
        config.strategies,
        config.ensemble,
        config.risk,
        config.feeds,
        config.context,
        config.paper,
        config.execution,
        config.quotes,
        config.instruments,
    )
    return hashlib.sha256(msgspec.json.encode(deciding) + identity.encode()).hexdigest()
