"""The asyncio shell of the trading process: items in, commands in, records and views out.

An item is decoded and decided inside the callback that brings it. Timers of the loop let time pass
in silence, publish, and watch the health; none of them may take long.
"""

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Protocol

from utb.adapters.feeds.tape import InputTape
from utb.adapters.seam.server import Reply
from utb.bootstrap.diskwork import DiskWork
from utb.bootstrap.healthwatch import HealthWatch
from utb.bootstrap.publisher import TICK_S, Condition, Publisher
from utb.domain import commands as cmd
from utb.domain.market import Instrument
from utb.domain.names import BreakerKind
from utb.domain.orders import VenueEvent
from utb.domain.records import HISTORY, HISTORY_SHORT
from utb.domain.seam import ChainHealth, FeedHealth
from utb.node.runner import Runner
from utb.ports.feed import Binding, ContextUpdate, Cursor, FeedItem, FromVenue, Moment, Past
from utb.ports.livefeed import History
from utb.storage.journal import SqliteJournal

MOMENT_S: Final = 0.02
"""How often a live session looks whether time alone brings something."""


class HasHealth(Protocol):
    """A feed as the shell looks at it."""

    def health(self, now_ns: int) -> FeedHealth:
        """Return how the feed is."""
        ...


class Shell:
    """Drives one runner from callbacks of the loop; it is the feeds' sink."""

    def __init__(
        self,
        runner: Runner,
        journal: SqliteJournal,
        tape: InputTape,
        publisher: Publisher,
        watch: HealthWatch,
    ) -> None:
        """Take over the parts of a session that was resumed."""
        self.runner = runner
        self._journal = journal
        self._tape = tape
        self._hold_frame = tape.hold_frame
        self._frame = runner.frame
        self._publisher = publisher
        self._watch = watch
        watch.journal = lambda: journal.trouble
        if journal.overflow is not None:
            journal.overflow.on_change = self._journal_changed
        self._feeds: Sequence[HasHealth] = ()
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._fatal = _Fatal(self._done)
        self._disk = DiskWork(journal, tape, self._fatal.note)
        self._finished = False
        self._turned = 0
        self._timers: list[asyncio.Task[None]] = []
        self._told: deque[VenueEvent] = deque()
        self._busy = False
        """An item or a command is being handled."""

    # Sink

    def on_frame(self, source: int, payload: bytes | memoryview, ts_recv_ns: int) -> None:
        """Take one frame: decode and decide."""
        if self._done.done():
            return
        # One copy for both: the core takes bytes faster than a view of the socket's buffer
        body = bytes(payload)
        failed = self._busy = True
        try:
            self._hold_frame(source, body, ts_recv_ns)
            self._frame(source, body, ts_recv_ns)
            failed = False
        finally:
            self._busy = False
            # As `_fatal`, which costs more than this frame should
            if failed:
                self._fatal.note(sys.exception())
        if self._told:
            self._take_told()

    def on_context(self, instrument: int, payload: bytes, ts_ns: int) -> None:
        """Take a slow input of one instrument."""
        self._take(ContextUpdate(instrument, payload, ts_ns))

    def on_past(self, source: int, payload: bytes, ts_recv_ns: int) -> None:
        """Take bars of the past; nothing is traded on them."""
        self._take(Past(source, payload, ts_recv_ns))

    def on_bind(self, source: int, key: str, instrument: int, role: str) -> None:
        """Learn what a subscription delivers; one that is known already changes nothing."""
        item = Binding(source, key, instrument, role)
        if item not in self.runner.session.bindings:
            self._take(item)

    def on_cursor(self, index: int) -> None:
        """Learn which item of the market comes next, where it is not the one that was expected."""
        if index != self.runner.session.cursor:
            self._take(Cursor(index))

    def on_feed(self, health: FeedHealth) -> None:
        """Record that a feed came into another status."""
        if not self._done.done():
            self.runner.note_feed(health.source, health.status, health.reason, health.since_ns)

    def warm_up(self, now_ns: int, *, warming: bool) -> None:
        """Deny entries while history goes in."""
        self._watch.warming = warming
        self.check_health(now_ns)

    def note_history(self, instrument: Instrument, history: History) -> None:
        """Record how far an instrument's past went into its indicators."""
        said = history.reason or f"{len(history.frames)} answers"
        state = HISTORY_SHORT if history.reason else HISTORY
        self.runner.note_feed(instrument.primary, state, f"{instrument.symbol}: {said}")

    def on_venue(self, event: VenueEvent) -> bool:
        """Take what became of an order; False: it is not taken, the session ends.

        A venue may tell of it while the item that sent the order is still being handled; it waits
        for that item's end, so that the tape has both in the order in which they were handled.
        """
        self._told.append(event)
        if not self._busy:
            self._take_told()
        return not self._done.done()

    def _take_told(self) -> None:
        """Take what the venue told during an item, one after the other."""
        while self._told and not self._done.done():
            self._handle(FromVenue(self._told.popleft()))

    def on_end(self) -> None:
        """Take the market's end: everything is sold at the last prices."""
        if self._finished or self._done.done():
            return
        with self._fatal:
            # On the reserve nothing is written here, and the records take the inputs along
            self._tape.sync()
            self.runner.end()
            self._journal.sync()
            self._finished = True

    # Commands

    def on_command(self, command: cmd.Command, reply: Reply) -> None:
        """Take a command between two items; it is durable before it has an effect."""
        refusal = self._refusal(command)
        if refusal is not None:
            reply(refusal)
            return
        self._busy = True
        with self._fatal:
            answer = self.runner.give(command)
            self._journal.sync()
            reply(answer)
        self._busy = False
        self._take_told()
        if self.runner.stopping:
            self.stop()

    def _refusal(self, command: cmd.Command) -> cmd.Refusal | None:
        """Return why no command can be taken now."""
        if self.runner.wiring.journal.verifying() or self._done.done():
            return cmd.Refusal(
                command_id=command.command_id,
                code="RECOVERING",
                field="state",
                value="the journal's tail is met again",
                expected="a session that goes on; try again in a moment",
            )
        if self._finished and not isinstance(command, cmd.Shutdown):
            return cmd.Refusal(
                command_id=command.command_id,
                code="MARKET_CLOSED",
                field="market",
                value="the simulated market is over",
                expected="a market that is open",
            )
        return None

    # Life

    def know_feeds(self, feeds: Sequence[HasHealth]) -> None:
        """Learn whose health is watched and shown."""
        self._feeds = feeds

    def know_chain(self, health: Callable[[], ChainHealth | None]) -> None:
        """Learn who tells how the way to the chain is."""
        self._watch.chain = health

    def start(self, now_ns: Callable[[], int] | None) -> None:
        """Begin: record the start and set the timers.

        Args:
            now_ns: The wall's time in a live session; None where time comes with the items.
        """
        self.runner.begin()
        self._timers.append(asyncio.create_task(self._every(TICK_S, self._publish)))
        if now_ns is not None:
            self._timers.append(
                asyncio.create_task(self._every(MOMENT_S, lambda: self._moment(now_ns())))
            )

    def stop(self) -> None:
        """End the session in order; positions stay as they are."""
        self.runner.stopping = True
        if not self._done.done():
            self._done.set_result(None)

    async def wait(self) -> None:
        """Return when the session is to stop.

        Raises:
            UtbError: What stopped it against its will.
        """
        await asyncio.shield(self._done)

    @property
    def finished(self) -> bool:
        """Return whether the market is over."""
        return self._finished

    def finish(self) -> None:
        """Store where the session is, and say the last to the readers."""
        self.close()
        self.runner.finish()
        self._tape.close()
        self._publisher.tick(self._condition)

    def close(self) -> None:
        """Stop the timers."""
        for timer in self._timers:
            timer.cancel()

    def know_health(self) -> None:
        """Learn from the guards what they hold to be unhealthy, after a session was resumed."""
        active = self.runner.wiring.trader.desk.breakers.active
        self._watch.told = {
            b.instrument: b.cause for b in active if b.kind is BreakerKind.UNHEALTHY
        }

    def check_health(self, now_ns: int) -> None:
        """Let the guards know what became stale, broken, or well again.

        Not while records are still to come again: behind the tape only those of a market's end do.
        """
        if self._finished or self._journal.verifying():
            return
        for item in self._watch.changes(now_ns, self._feed_health(now_ns)):
            self._take(item)

    def _take(self, item: FeedItem) -> None:
        self._handle(item)
        self._take_told()

    def _handle(self, item: FeedItem) -> None:
        if self._done.done():
            return
        self._busy = True
        with self._fatal:
            self._tape.hold(item)
            self.runner.take(item)
        self._busy = False

    def _moment(self, now_ns: int) -> None:
        if self.runner.is_due(now_ns):
            self._take(Moment(now_ns))

    def _journal_changed(self) -> None:
        """Stop or allow entries at once, behind the item that is being handled."""
        loop = asyncio.get_running_loop()
        loop.call_soon(lambda: self.check_health(self._watch.now_ns()))

    def _publish(self) -> None:
        self._journal.tick()
        self._disk.begin()
        self._publisher.drain_logs()
        if self._turned != self.runner.snapshot_items:
            self._turned = self.runner.snapshot_items
            self._tape.turn(self._turned)
        self._publisher.tick(self._condition)

    def _condition(self) -> Condition:
        now_ns = self._watch.now_ns()
        feeds = self._feed_health(now_ns)
        return Condition(
            feeds=feeds,
            # Nothing is entered any more: a feed that brings nothing is as it should be
            reasons=() if self._finished else self._watch.reasons(now_ns, feeds),
            clock_sound=self._watch.clock_sound,
            finished=self._finished,
            chain=self._watch.chain(),
        )

    def _feed_health(self, now_ns: int) -> tuple[FeedHealth, ...]:
        return tuple(feed.health(now_ns) for feed in self._feeds)

    async def _every(self, seconds: float, call: Callable[[], None]) -> None:
        while not self._done.done():
            await asyncio.sleep(seconds)
            with self._fatal:
                call()


class _Fatal:
    """Around everything a callback does: an error there must end the process, not get lost.

    What raises below is a broken invariant or a broken disk; the loop would only log it and go on.
    """

    def __init__(self, done: "asyncio.Future[None]") -> None:
        self._done = done

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self.note(error)
        return isinstance(error, Exception)

    def note(self, error: BaseException | None) -> None:
        """End the process for an error."""
        if isinstance(error, Exception) and not self._done.done():
            self._done.set_exception(error)
