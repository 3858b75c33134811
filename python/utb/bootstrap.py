"""The composition root: the only reader of the mode, the only place that puts parts together.

`build_demo` and `build_backtest` return a session of the same classes: a demo is paper trading in
simulated time on frames, a backtest replays records; with the same prices, context, seed and
configuration their journals are equal.
"""

import gc
import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from utb.adapters.clocks import Pacer, SystemClock
from utb.adapters.feeds.bars import RecordedBars, load_bars
from utb.adapters.feeds.context_file import load_context
from utb.adapters.feeds.generated import GeneratedFeed
from utb.adapters.feeds.inputlog import InputLogFeed, InputLogWriter
from utb.adapters.feeds.recorded import Market, RecordedFrames, RecordedRecords
from utb.adapters.venues.simulated import SimulatedVenue
from utb.config import secrets
from utb.config.instruments import instruments as configured_instruments
from utb.config.load import resolve
from utb.config.mode import resolve_mode
from utb.config.schema import Config
from utb.domain.market import Instrument
from utb.domain.names import TradingMode
from utb.engine import Engine, build_params, instruments_document, params_builder
from utb.errors import LiveCause, LiveRefused, UsageError, UtbError
from utb.node import weights
from utb.node.desk import TIMEFRAME_NS
from utb.node.result import RunResult, totals
from utb.node.runner import CommandSource, Observer, Runner, Wiring
from utb.node.trader import Trader
from utb.ports.feed import ContextUpdate, Feed, FeedItem
from utb.ports.journal import SessionStore
from utb.simnet import profiles
from utb.simnet.market import DEFAULT_HOURS, SimulatedMarket
from utb.storage.journal import SqliteJournal
from utb.storage.lock import StateLock
from utb.storage.memory import MemoryJournal

HELIUS: Final = 2
"""Number of the Helius source in the core."""
GC_THRESHOLDS: Final = (50_000, 50, 1_000)
"""Records and effects are trees without cycles: the collector rarely has anything to find, and a
full pass over a long journal in memory takes milliseconds in the middle of an order."""
UNLISTED_DECIMALS: Final = 9
"""Decimals of a recorded token that the configuration does not name: the finest in common use."""


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a demo or backtest is asked to do."""

    seed: int | None = None
    """None: `paper.seed`."""
    hours: int | None = None
    """Simulated length; None: the generated market's own, or the whole recording."""
    prices: tuple[str, ...] = ()
    """Recorded bars, `PATH` or `SYMBOL=PATH`; empty: the generated market."""
    context: Path | None = None
    state_dir: Path | None = None
    """None: the journal is in memory, and nothing outlives the process."""
    record: Path | None = None
    """Input log to write."""
    replay: Path | None = None
    """Input log to take the market from."""
    cash_usdc: float | None = None
    """None: `paper.cash_usdc`."""
    speed: float | None = None
    """Simulated seconds per second of wall time; None: as fast as it goes."""


class _Source(msgspec.Struct, frozen=True):
    """A market: who is traded, and where its items come from."""

    instruments: tuple[Instrument, ...]
    feed: Feed
    finest: str
    """Smallest bar the input makes."""
    identity: str
    """Tells this market from others, for the options' digest."""
    span_ns: tuple[int, int]
    """Simulated start and end."""
    generated: bool = False


class Session:
    """A run that is put together and not started."""

    def __init__(
        self,
        runner: Runner,
        engine: Engine,
        store: SessionStore,
        *,
        seed: int,
        span_ns: tuple[int, int],
    ) -> None:
        self.runner = runner
        self.engine = engine
        self.span_ns = span_ns
        self.resumed = False
        self._store = store
        self._seed = seed
        self._closers: list[Callable[[], None]] = [store.close]

    @property
    def unfinished(self) -> bool:
        """Return whether the state directory holds a run to continue."""
        return self._store.last_snapshot() is not None

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Return who is traded."""
        return self.runner.wiring.trader.desk.instruments

    def on_close(self, closer: Callable[[], None]) -> None:
        """Have something released when the session closes, after the journal."""
        self._closers.append(closer)

    def watch(self, *observers: Observer) -> None:
        """Let observers look at the run between two items."""
        self.runner.wiring.observers = (*self.runner.wiring.observers, *observers)

    def take_commands(self, source: CommandSource) -> None:
        """Take commands of other processes between two items."""
        self.runner.wiring.commands = source

    def run(self) -> RunResult:
        """Run to the end, or to a shutdown; then everything is closed."""
        stopwatch_ns = self.runner.wiring.stopwatch_ns
        started_ns = stopwatch_ns()
        thresholds = gc.get_threshold()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        try:
            self.resumed = self.runner.resume()
            self.runner.run()
            return self._result((stopwatch_ns() - started_ns) / 1e9)
        finally:
            gc.set_threshold(*thresholds)
            gc.unfreeze()
            self.close()

    def close(self) -> None:
        """Release the state directory and files; a second call does nothing."""
        while self._closers:
            self._closers.pop(0)()

    def _result(self, wall_s: float) -> RunResult:
        runner = self.runner
        book = runner.wiring.trader.book
        total = totals(record for _, record in self._store.records(0))
        return RunResult(
            mode=runner.wiring.mode,
            seed=self._seed,
            instruments=self.instruments,
            finished=not runner.stopping,
            resumed=self.resumed,
            sim_start_ns=total.start_ns,
            sim_end_ns=runner.now_ns,
            wall_s=wall_s,
            events=runner.session.items,
            equity_start_quote_raw=total.first_equity_raw,
            equity_end_quote_raw=total.last_equity_raw,
            trades=tuple(book.trades),
            fills=tuple(total.fills),
            fees=book.state.fees,
            entries_by_lead=dict(total.entries_by_lead),
            exits_by_reason=dict(total.exits_by_reason),
            refusals_by_code=dict(total.refusals_by_code),
            contexts_by_kind=dict(total.contexts_by_kind),
            counters=self.engine.counters(),
            latency=runner.latencies.summary(),
            journal_hash=self._store.journal_hash(),
            equity=self._store.equity(),
            bars=self._store.bars(),
        )


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


def build_demo(config: Config, options: RunOptions) -> Session:
    """Put paper trading in simulated time together, on the generated or a recorded market."""
    config = _with_options(config, options)
    if options.prices:
        source = _recorded(config, options, frames=config.feeds.recorded != "recorded")
    else:
        source = _generated(config, options)
    return _assemble(config, options, source, TradingMode.PAPER)


def build_backtest(config: Config, options: RunOptions) -> Session:
    """Put a backtest together: recorded prices as records, or the generated market's frames."""
    config = _with_options(config, options)
    if options.prices:
        source = _recorded(config, options, frames=False)
    else:
        source = _generated(config, options)
    return _assemble(config, options, source, TradingMode.BACKTEST)


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


def _generated(config: Config, options: RunOptions) -> _Source:
    hours = DEFAULT_HOURS if options.hours is None else options.hours
    market = SimulatedMarket(seed=config.paper.seed, hours=hours)
    return _Source(
        instruments=tuple(profiles.instruments()),
        feed=GeneratedFeed(market),
        finest="1m",
        identity=f"generated {config.paper.seed} {hours}",
        span_ns=(market.start_ns, market.end_ns),
        generated=True,
    )


def _recorded(config: Config, options: RunOptions, *, frames: bool) -> _Source:
    bars = [
        load_bars(one, strategy_timeframe=config.strategies.timeframe) for one in options.prices
    ]
    if options.hours is not None:
        start_ns = min(int(one.ts_ns[0]) for one in bars)
        cut = [_first_hours(one, options.hours, start_ns) for one in bars]
        bars = [one for one in cut if one.ts_ns.size]
    markets = _markets(config, bars)
    instruments = tuple(instrument for instrument, _ in markets)
    contexts: Sequence[ContextUpdate] = ()
    if options.context is not None:
        contexts = load_context(options.context, {i.symbol: i.index for i in instruments})
    finest = min(bars, key=lambda one: one.span_ns).timeframe
    digest = hashlib.sha256()
    for _, one in markets:
        digest.update(one.symbol.encode())
        for column in (one.ts_ns, one.open, one.high, one.low, one.close, one.volume):
            digest.update(column.tobytes())
    for update in contexts:
        digest.update(msgspec.msgpack.encode(update))
    feed = RecordedFrames(markets, contexts) if frames else RecordedRecords(markets, contexts)
    form = "frames" if frames else "records"
    return _Source(
        instruments=instruments,
        feed=feed,
        finest=finest,
        identity=f"{form} {digest.hexdigest()}",
        span_ns=(
            min(int(one.ts_ns[0]) for one in bars),
            max(int(one.ts_ns[-1]) + one.span_ns for one in bars),
        ),
    )


def _markets(config: Config, bars: Sequence[RecordedBars]) -> list[Market]:
    """Pair recordings with their instruments, numbered anew: only what has prices is traded."""
    known = {instrument.symbol: instrument for instrument in configured_instruments(config)}
    chosen: dict[str, RecordedBars] = {}
    for one in bars:
        known.setdefault(one.symbol, _unlisted(config, one, len(known)))
        if one.symbol in chosen:
            raise UsageError("--prices", f"{one.symbol} ({one.path})", "each instrument once")
        chosen[one.symbol] = one
    names = sorted(chosen, key=lambda symbol: known[symbol].index)
    return [
        (replace(known[name], index=index, primary="birdeye"), chosen[name])
        for index, name in enumerate(names)
    ]


def _unlisted(config: Config, bars: RecordedBars, index: int) -> Instrument:
    """Return an instrument that the configuration does not name: tradable, but not liquid.

    Its mint is a name for the decoders, made from the symbol; no such account exists.
    """
    quote = bars.symbol.partition("-")[2]
    if quote not in config.quotes:
        expected = f"a quote of {', '.join(config.quotes)}"
        raise UsageError("--prices", f"{bars.symbol} ({bars.path})", expected)
    return Instrument(
        index=index,
        symbol=bars.symbol,
        base_mint=base58(hashlib.sha256(bars.symbol.encode()).digest()),
        quote_mint=config.quotes[quote].mint,
        base_decimals=UNLISTED_DECIMALS,
        quote_decimals=config.quotes[quote].decimals,
        primary="birdeye",
        liquid=False,
        min_order_quote_raw=round(
            config.execution.min_order_usdc * 10 ** config.quotes[quote].decimals
        ),
    )


def base58(key: bytes) -> str:
    """Return 32 bytes as Solana writes keys."""
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, text = int.from_bytes(key), ""
    while number:
        number, digit = divmod(number, 58)
        text = alphabet[digit] + text
    return "1" * (len(key) - len(key.lstrip(bytes(1)))) + text


def _first_hours(bars: RecordedBars, hours: int, start_ns: int) -> RecordedBars:
    """Return the bars that open within so many hours of the recording's start."""
    from dataclasses import replace as with_fields  # noqa: PLC0415 - the one dataclass here

    end = int(bars.ts_ns.searchsorted(start_ns + hours * TIMEFRAME_NS["1h"]))
    names = ("ts_ns", "open", "high", "low", "close", "volume")
    return with_fields(bars, **{name: getattr(bars, name)[:end] for name in names})


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


def _assemble(config: Config, options: RunOptions, source: _Source, mode: TradingMode) -> Session:
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
