"""A run that is put together."""

import gc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from utb.domain.market import Instrument
from utb.engine import Engine
from utb.errors import InvariantError
from utb.node.recovery import StateView, view_of
from utb.node.result import RunResult, totals
from utb.node.runner import Runner
from utb.node.wiring import CommandSource, Observer
from utb.ports.feed import Feed
from utb.ports.journal import SessionStore

GC_THRESHOLDS: Final = (50_000, 50, 1_000)
"""Records and effects are trees without cycles: the collector rarely has anything to find, and a
full pass over a long journal in memory takes milliseconds in the middle of an order."""


class _UntilMet:
    """An observer that stops a run as soon as its journal has come again."""

    def on_progress(self, runner: Runner) -> None:
        """Stop between two items when no stored record is left to meet."""
        if not runner.wiring.journal.verifying():
            runner.stopping = True


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
        resources: ExitStack,
    ) -> None:
        """Take over the parts; `resources` is closed with the session."""
        self.runner = runner
        self.engine = engine
        self.span_ns = span_ns
        self.resumed = False
        self._store = store
        self._seed = seed
        self._resources = resources

    @property
    def unfinished(self) -> bool:
        """Return whether the state directory holds a run to continue."""
        return self._store.last_snapshot() is not None

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Return who is traded."""
        return self.runner.wiring.trader.desk.instruments

    @property
    def feed(self) -> Feed:
        """Return where the session's items come from.

        Raises:
            InvariantError: If they are pushed.
        """
        feed = self.runner.wiring.feed
        if feed is None:
            raise InvariantError("a session whose items are pushed has no feed to draw from")
        return feed

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
        try:
            with rare_collections():
                self.resumed = self.runner.resume()
                self.runner.run()
                return self.result((stopwatch_ns() - started_ns) / 1e9)
        finally:
            self.close()

    def recover(self) -> StateView:
        """Bring back the state the journal tells, and go no further; the session stays open.

        The run stops before the item after the one that made the last stored record, as a shutdown
        there would: with a snapshot. A run killed behind its last item is brought to its end.
        """
        self.watch(_UntilMet())
        self.resumed = self.runner.resume()
        self.runner.run()
        return view_of(self.runner.wiring.trader)

    def close(self) -> None:
        """Release the state directory and files; a second call does nothing."""
        self._resources.close()

    def result(self, wall_s: float) -> RunResult:
        """Return what the run came to, after so many seconds of this process."""
        runner = self.runner
        book = runner.wiring.trader.book
        total = totals(record for _, record in self._store.records(0))
        return RunResult(
            mode=runner.wiring.mode,
            seed=self._seed,
            instruments=self.instruments,
            finished=runner.ended,
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
            chain=None if runner.wiring.chain is None else runner.wiring.chain.held,
            journal_hash=self._store.journal_hash(),
            equity=self._store.equity(),
            bars=self._store.bars(),
        )


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let the collector run rarely, as `GC_THRESHOLDS` says."""
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
