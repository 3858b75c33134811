"""A session from its parts: core, trader, journal, venue and feed."""

import hashlib
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from utb.adapters.clocks import Pacer, SystemClock
from utb.adapters.feeds.inputlog import InputLogFeed
from utb.adapters.feeds.inputwriter import InputLogWriter
from utb.adapters.feeds.tape import InputTape, restore, start_anew
from utb.adapters.venues.simulated import SimulatedVenue
from utb.bootstrap.inputs import CommandReplay, LoggedFeed, LoggedJournal
from utb.bootstrap.options import RunOptions
from utb.bootstrap.reserving import INPUTS, keep_on, reserve_of
from utb.bootstrap.session import Session
from utb.bootstrap.sources import Source
from utb.config.schema import Config
from utb.domain.names import TradingMode
from utb.engine import Engine, build_params, instruments_document, params_builder
from utb.errors import UsageError
from utb.node import weights
from utb.node.chainside import ChainSide
from utb.node.desk import TIMEFRAME_NS
from utb.node.runner import Runner
from utb.node.trader import Trader
from utb.node.wiring import Observer, Wiring
from utb.ports.feed import Feed
from utb.ports.journal import ResumableJournal, SessionStore
from utb.simnet import profiles
from utb.storage.journal import SqliteJournal
from utb.storage.lock import StateLock
from utb.storage.memory import MemoryJournal

if TYPE_CHECKING:
    from utb.ports.venue import SimulatedWorld

LIVE: Final = "live "
"""How the identity of a market begins that goes on whatever the configuration says."""
HELIUS: Final = 2
"""Number of the Helius source in the core."""


class _Paced:
    """An observer that lets simulated time pass no faster than asked."""

    def __init__(self, pacer: Pacer) -> None:
        self._pacer = pacer

    def on_progress(self, runner: Runner) -> None:
        """Wait until the run's time is due."""
        if runner.now_ns:
            self._pacer.wait_until(runner.now_ns)


class PushedSession(msgspec.Struct, frozen=True):
    """A session whose items are pushed."""

    session: Session
    journal: SqliteJournal
    tape: InputTape


class _Inputs(msgspec.Struct):
    """Where a session's inputs come from and what it keeps."""

    feed: Feed | None
    store: SessionStore
    journal: ResumableJournal
    """The store, or the store with an input log beside it."""
    observers: tuple[Observer, ...] = ()


def assemble(config: Config, options: RunOptions, source: Source, mode: TradingMode) -> Session:
    """Put a session together; what was opened is closed again if that fails.

    Raises:
        UsageError: If the state directory, or the log to write or to replay, is of another run.
    """
    clock = SystemClock()
    with ExitStack() as resources:
        inputs = _inputs(config, options, source, clock, resources)
        engine = _engine(config, source)
        store = inputs.store
        every_ns = config.node.snapshot_every_bars * TIMEFRAME_NS[config.strategies.timeframe]
        wiring = Wiring(
            core=engine,
            trader=Trader(config, source.instruments, params_builder(config)),
            journal=inputs.journal,
            venue=SimulatedVenue.from_config(
                config, source.instruments, engine, seed=config.paper.seed
            ),
            feed=inputs.feed,
            snapshot_every_ns=every_ns if options.state_dir is not None else None,
            stopwatch_ns=clock.elapsed_ns,
            mode=mode,
            observers=inputs.observers,
            drain=lambda: _drain(engine, store),
        )
        return Session(
            Runner(wiring),
            engine,
            store,
            seed=config.paper.seed,
            span_ns=source.span_ns,
            resources=resources.pop_all(),
        )


def assemble_pushed(
    config: Config,
    state_dir: Path,
    source: Source,
    mode: TradingMode,
    chain: ChainSide | None = None,
) -> PushedSession:
    """Put a session together whose items are pushed, with the tape that brings them back.

    Orders go to `chain` where there is one, else to the simulated venue.

    Raises:
        UsageError: If the state directory is of another run, or in use.
    """
    clock = SystemClock()
    digest = options_digest(config, source.identity)
    with ExitStack() as resources:
        lock = StateLock(state_dir)
        resources.callback(lock.release)
        reserve = reserve_of(state_dir, config.node.reserve_mib, live=chain is not None)
        if reserve is not None:
            resources.callback(reserve.close)
        journal = SqliteJournal(
            state_dir,
            options_digest=digest,
            wall_ns=clock.now_ns,
            synchronous=config.node.journal_synchronous,
            may_change=source.identity.startswith(LIVE),
            instruments=source.instruments,
        )
        tape = _tape(state_dir / INPUTS, digest, journal)
        # The journal is closed before the tape: what is written of it goes along
        resources.callback(tape.close)
        resources.callback(journal.close)
        if reserve is not None:
            keep_on(reserve, journal, tape)
        engine = _engine(config, source)
        trader = Trader(
            config, source.instruments, params_builder(config), on_chain=chain is not None
        )
        venue: SimulatedWorld = chain or SimulatedVenue.from_config(
            config, source.instruments, engine, seed=config.paper.seed
        )
        wiring = Wiring(
            core=engine,
            trader=trader,
            journal=journal,
            venue=venue,
            chain=chain,
            feed=None,
            snapshot_every_ns=config.node.snapshot_every_bars
            * TIMEFRAME_NS[config.strategies.timeframe],
            stopwatch_ns=clock.elapsed_ns,
            mode=mode,
        )
        runner = Runner(wiring)
        session = Session(
            runner,
            engine,
            journal,
            seed=config.paper.seed,
            span_ns=source.span_ns,
            resources=resources.pop_all(),
        )
        return PushedSession(session=session, journal=journal, tape=tape)


def _tape(directory: Path, digest: str, journal: SqliteJournal) -> InputTape:
    """Return the tape behind a journal, with what only the journal knew of it where it belongs."""
    restore(directory, journal.tails())
    journal.forget_tails()
    snapshot = journal.last_snapshot()
    if journal.changed and snapshot is not None:
        start_anew(directory, snapshot.position.items)
        journal.adopt_options(digest)
    tape = InputTape(directory, digest)
    journal.inputs = tape
    journal.checkpoint_outside()
    return tape


def _engine(config: Config, source: Source) -> Engine:
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
    return engine


def _inputs(
    config: Config, options: RunOptions, source: Source, clock: SystemClock, resources: ExitStack
) -> _Inputs:
    digest = options_digest(config, source.identity)
    store: SessionStore = MemoryJournal()
    if options.state_dir is not None:
        lock = StateLock(options.state_dir)
        resources.callback(lock.release)
        store = SqliteJournal(
            options.state_dir,
            options_digest=digest,
            wall_ns=clock.now_ns,
            synchronous=config.node.journal_synchronous,
            instruments=source.instruments,
        )
    resources.callback(store.close)
    inputs = _Inputs(source.feed, store, store)
    if options.speed is not None:
        inputs.observers += (_Paced(Pacer(options.speed)),)
    if options.replay is not None:
        try:
            replayed = InputLogFeed(options.replay, digest)
        except OSError as error:
            raise _unusable("--replay", options.replay, "read", error) from error
        inputs.feed = replayed
        inputs.observers += (CommandReplay(replayed.commands()),)
    if options.record is not None:
        try:
            log = resources.enter_context(InputLogWriter(options.record, digest))
        except OSError as error:
            raise _unusable("--record", options.record, "written", error) from error
        if inputs.feed is not None:
            inputs.feed = LoggedFeed(inputs.feed, log)
        inputs.journal = LoggedJournal(store, log)
    return inputs


def _unusable(option: str, path: Path, what: str, error: OSError) -> UsageError:
    return UsageError(option, str(path), f"a file that can be {what} ({error.strerror})")


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
