"""The shell around the trader: feed, core, trader, journal and venue in one total order.

Before a market item of time T every venue event due before T is handled, the core's timers first.
Records are appended, and made durable when there are submissions, before the venue sees anything.
Frames and blocks of recorded events go through the same steps, so they give the same records.
"""

from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from utb.domain.commands import Accepted, Answer, Command, Refusal, Shutdown
from utb.domain.engine import EngineEvent
from utb.domain.names import TradingMode
from utb.domain.records import Decision, FeedState, Refused
from utb.errors import InvariantError
from utb.node import effects as fx
from utb.node.calls import carry_out
from utb.node.latency import Latencies
from utb.node.trader import Trader
from utb.ports.core import Core, EventReplay
from utb.ports.feed import ContextUpdate, Feed, Frame, Records
from utb.ports.journal import FeedPosition, LoggedCommand, ResumableJournal, Snapshot
from utb.ports.venue import SimulatedWorld

BLOCK_EVENTS: Final = 1 << 16
"""Recorded events replayed at most before commands, snapshots and the display have their turn."""

SESSION_VERSION: Final = 1

TIMED_EVERY: Final = 16
"""One call of the core in so many is timed: the stopwatch costs as much as a small frame."""

SNAPSHOT_GAP_NS: Final = 250_000_000
"""Time of the machine between two snapshots at least: one takes tens of milliseconds, and in a fast
simulated run one per interval of simulated time would take longer than all the trading. A restart
then repeats at most this much work more."""


class CommandSource(Protocol):
    """Where commands of other processes wait."""

    def take(self) -> list[Command]:
        """Return the commands that came since the last call, in order."""
        ...

    def answer(self, answer: Answer) -> None:
        """Give a command's answer back."""
        ...


class Observer(Protocol):
    """Whoever watches a run; nothing it does changes a decision."""

    def on_progress(self, runner: "Runner") -> None:
        """Look at the runner between two items."""
        ...


class Session(msgspec.Struct, kw_only=True):
    """What the runner itself remembers between two items."""

    version: int = SESSION_VERSION
    position: FeedPosition = FeedPosition()
    item_ns: int = 0
    """When the last market item was received."""
    snapshot_due_ns: int = 0
    items: int = 0
    """Market items and recorded events handled."""


class Wiring(msgspec.Struct, kw_only=True):
    """Everything a runner drives."""

    core: Core
    trader: Trader
    journal: ResumableJournal
    venue: SimulatedWorld
    feed: Feed
    snapshot_every_ns: int | None
    """None: no snapshots (a run that is repeated rather than resumed)."""
    stopwatch_ns: Callable[[], int]
    mode: TradingMode
    commands: CommandSource | None = None
    observers: tuple[Observer, ...] = ()
    drain: Callable[[], None] | None = None
    """Takes the core's logs (bars, equity) to where they are kept; before snapshots, at the end."""


class Runner:
    """Drives one session from its feed position to the feed's end, or to a shutdown."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.session = Session()
        self.latencies = Latencies()
        self.stopping = False
        self.last_decision: Decision | Refused | None = None
        self._core = wiring.core
        self._logged: list[LoggedCommand] = []
        self._snapshot_ns: int | None = None
        """When the last snapshot was taken, by the machine's clock."""

    @property
    def now_ns(self) -> int:
        """Return the time of the last market item."""
        return self.session.item_ns

    def resume(self) -> bool:
        """Load the last snapshot and prepare to meet the journal's tail again.

        Returns:
            Whether there was anything to resume.
        """
        wiring = self.wiring
        snapshot = wiring.journal.last_snapshot()
        after = 0
        if snapshot is not None:
            wiring.core.load(snapshot.engine)
            wiring.trader.load(snapshot.trader)
            wiring.venue.load(snapshot.venue)
            self.session = msgspec.msgpack.decode(snapshot.session, type=Session)
            after = snapshot.seq
            self._apply(wiring.trader.on_resume())
        wiring.journal.verify_after(after)
        self._logged = wiring.journal.commands(self.session.position)
        return snapshot is not None or wiring.journal.verifying()

    def run(self) -> None:
        """Run to the feed's end or to a shutdown; a shutdown leaves positions as they are."""
        self._apply(self.wiring.trader.on_start(self.session.item_ns))
        for item in self.wiring.feed.items(self.session.position.items):
            if isinstance(item, Frame):
                self._frame(item)
            elif isinstance(item, Records):
                self._block(item)
            else:
                self._context(item)
            if self.stopping:
                break
        else:
            self._end()
        if self.stopping and self.wiring.snapshot_every_ns is not None:
            self.snapshot()
        self._apply(self.wiring.trader.on_stop(self.session.item_ns))
        self.wiring.journal.sync()
        self._drain()
        self._observe()

    def give(self, command: Command) -> Answer:
        """Take a command now, between two items; it is durable before it has an effect."""
        logged = LoggedCommand(
            position=self.session.position, ts_ns=self.session.item_ns, command=command
        )
        if self.wiring.trader.knows(command.command_id):
            return self._command(logged)
        self.wiring.journal.log_command(logged)
        answer = self._command(logged)
        self.stopping |= isinstance(command, Shutdown) and isinstance(answer, Accepted)
        return answer

    def note_feed(self, source: str, state: str, reason: str) -> None:
        """Record that a feed changed its state."""
        record = FeedState(ts_ns=self.session.item_ns, source=source, state=state, reason=reason)
        self.wiring.journal.append([record])

    # One total order

    def _frame(self, frame: Frame) -> None:
        ts_ns = frame.ts_recv_ns
        if not self._begin(ts_ns):
            return
        session, stopwatch_ns = self.session, self.wiring.stopwatch_ns
        started_ns = 0 if session.items % TIMED_EVERY else stopwatch_ns()
        events = self._core.ingest(frame.source, frame.payload, ts_ns)
        if started_ns:
            self.latencies.ingest.add(stopwatch_ns() - started_ns)
        if events:
            self._market_events(events)
        self._after_prices()
        self._end_item()

    def _context(self, item: ContextUpdate) -> None:
        if not self._begin(item.ts_ns):
            return
        trader = self.wiring.trader
        self._apply(trader.on_context(item.instrument, item.payload, item.ts_ns, self._core))
        self._end_item()

    def _end_item(self) -> None:
        session = self.session
        session.items += 1
        session.position = FeedPosition(items=session.position.items + 1)

    def _begin(self, ts_ns: int) -> bool:
        """Handle everything that comes before an item; return False if the session stops there."""
        self._between(ts_ns)
        if self.stopping:
            return False
        self._time_before(ts_ns)
        self.session.item_ns = max(self.session.item_ns, ts_ns)
        return True

    def _block(self, item: Records) -> None:
        replay = self._core.replay(item.payload)
        session, size = self.session, len(replay)
        snapshots = self.wiring.snapshot_every_ns is not None
        end = end_ns = 0
        while (at := session.position.events) < size and not self.stopping:
            # Only a snapshot's turn depends on the time
            self._between(replay.ts_recv_ns(at) if snapshots else session.item_ns)
            if at >= end:
                end = min((at // BLOCK_EVENTS + 1) * BLOCK_EVENTS, size)
                end_ns = replay.ts_recv_ns(end - 1)
            if not self.stopping:
                self._step(replay, end_ns)
        if not self.stopping:
            session.position = FeedPosition(items=session.position.items + 1)

    def _step(self, replay: EventReplay, end_ns: int) -> None:
        """Advance a block to its next event that matters, or handle the venue's."""
        session, wiring = self.session, self.wiring
        at = session.position.events
        due_ns = wiring.venue.next_event_ns()
        until_ns = end_ns if due_ns is None else min(due_ns, end_ns)
        started_ns = 0 if session.items % TIMED_EVERY else wiring.stopwatch_ns()
        reached, events = replay.advance(at, until_ns, self._stop_instrument(replay, at))
        if started_ns:
            self.latencies.ingest.add(wiring.stopwatch_ns() - started_ns)
        if reached > at:
            session.item_ns = max(session.item_ns, replay.ts_recv_ns(reached - 1))
            session.items += reached - at
            session.position = FeedPosition(items=session.position.items, events=reached)
        if events:
            self._market_events(events)
        if reached > at:
            self._after_prices()
        elif not events and due_ns is not None and until_ns == due_ns:
            self._poll(due_ns)

    def _stop_instrument(self, replay: EventReplay, at: int) -> int:
        """Return the instrument after whose next event the replay must stop, or -1.

        An order may wait for an instrument's event, and the account opens at the first price; with
        several to wait for, the replay goes event by event.
        """
        waiting = self.wiring.venue.waiting_instruments()
        if len(waiting) > 1 or not self.wiring.trader.is_open:
            return replay.instrument(at)
        return waiting[0] if waiting else -1

    def _time_before(self, ts_ns: int) -> None:
        """Handle what time itself brings before an item: venue events and the core's timers.

        The timers up to the item run before its price is applied, as they would have on a clock;
        what they decide may be due at the venue before the item, too.
        """
        self._venue_before(ts_ns)
        while events := self._core.advance_to(ts_ns):
            self._market_events(events)
            self._venue_before(ts_ns)

    def _venue_before(self, ts_ns: int) -> None:
        """Handle every venue event due before `ts_ns`, the core's timers first."""
        while (due_ns := self.wiring.venue.next_event_ns()) is not None and due_ns < ts_ns:
            events = self._core.advance_to(due_ns)
            if events:
                self._market_events(events)
            else:
                self._poll(due_ns)

    def _poll(self, due_ns: int) -> None:
        trader, stopwatch_ns = self.wiring.trader, self.wiring.stopwatch_ns
        for event in self.wiring.venue.poll(due_ns):
            started_ns = stopwatch_ns()
            effects = trader.on_venue_event(event, self._core)
            self.latencies.fill.add(stopwatch_ns() - started_ns)
            self._apply(effects, event.ts_ns)

    def _market_events(self, events: list[EngineEvent]) -> None:
        trader, stopwatch_ns = self.wiring.trader, self.wiring.stopwatch_ns
        for event in events:
            started_ns = stopwatch_ns()
            effects = trader.on_engine_event(event, self._core)
            self.latencies.decide.add(stopwatch_ns() - started_ns)
            self._apply(effects, max(event.ts_ns, self.session.item_ns))

    def _after_prices(self) -> None:
        if not self.wiring.trader.is_open:
            self._apply(self.wiring.trader.on_prices(self.session.item_ns, self._core))
        if self.wiring.venue.waiting_instruments():
            self.wiring.venue.observe(self.session.item_ns)

    # Effects

    def _apply(self, effects: fx.Effects, now_ns: int = 0) -> None:
        records, submissions = effects.records, effects.submissions
        if records:
            for record in records:
                if type(record) is Decision or type(record) is Refused:
                    self.last_decision = record
            journal, stopwatch_ns = self.wiring.journal, self.wiring.stopwatch_ns
            started_ns = stopwatch_ns()
            journal.append(records)
            if submissions:
                journal.sync()
            durable_ns = stopwatch_ns()
            self.latencies.journal.add(durable_ns - started_ns)
            for submission in submissions:
                self.wiring.venue.submit(submission, now_ns)
            if submissions:
                self.latencies.submit.add(stopwatch_ns() - durable_ns)
        elif submissions:
            raise InvariantError("a submission without a record of its order")
        for call in effects.calls:
            events = carry_out(call, self._core)
            if events:
                self._market_events(events)

    # Between two items

    def _between(self, ts_ns: int) -> None:
        """Take commands, the display's look and a snapshot, before the item of `ts_ns`."""
        if self._logged:
            self._replay_commands()
        wiring = self.wiring
        if wiring.commands is not None and not wiring.journal.verifying():
            for command in wiring.commands.take():
                wiring.commands.answer(self.give(command))
        if wiring.observers:
            self._observe()
        every_ns = wiring.snapshot_every_ns
        if every_ns is not None and ts_ns >= self.session.snapshot_due_ns:
            self._snapshot_due(ts_ns, every_ns)

    def _snapshot_due(self, ts_ns: int, every_ns: int) -> None:
        """Take a snapshot that is due, unless the last one is too recent: then it stays due."""
        last_ns = self._snapshot_ns
        if last_ns is not None and self.wiring.stopwatch_ns() - last_ns < SNAPSHOT_GAP_NS:
            return
        first = self.session.snapshot_due_ns == 0
        self.session.snapshot_due_ns = ts_ns - ts_ns % every_ns + every_ns
        if not first and not self.wiring.journal.verifying():
            self.snapshot()

    def _replay_commands(self) -> None:
        """Take the commands that an earlier process took at this place."""
        while self._logged and self._logged[0].position <= self.session.position:
            self._command(self._logged.pop(0))

    def _command(self, logged: LoggedCommand) -> Answer:
        seq = self.wiring.journal.append(())
        effects = self.wiring.trader.on_command(logged.command, logged.ts_ns, seq, self._core)
        self._apply(effects, logged.ts_ns)
        if not isinstance(effects.answer, Accepted | Refusal):
            raise InvariantError(f"command {logged.command.command_id} has no answer")
        return effects.answer

    def _observe(self) -> None:
        for observer in self.wiring.observers:
            observer.on_progress(self)

    def snapshot(self) -> None:
        """Store the state of everything at this place, in one transaction with the records."""
        started_ns = self.wiring.stopwatch_ns()
        self._drain()
        wiring = self.wiring
        wiring.journal.save_snapshot(
            Snapshot(
                seq=wiring.journal.append(()),
                position=self.session.position,
                ts_ns=self.session.item_ns,
                engine=wiring.core.save(),
                trader=wiring.trader.save(),
                venue=wiring.venue.save(),
                session=msgspec.msgpack.encode(self.session),
            )
        )
        self._snapshot_ns = wiring.stopwatch_ns()
        self.latencies.snapshot.add(self._snapshot_ns - started_ns)

    def _drain(self) -> None:
        if self.wiring.drain is not None:
            self.wiring.drain()

    def _end(self) -> None:
        """Sell what is left at the last prices: the recording is over."""
        self._replay_commands()
        wiring, now_ns = self.wiring, self.session.item_ns
        for event in wiring.venue.finish(now_ns):
            self._apply(wiring.trader.on_end_of_order(event, self._core), now_ns)
        closing = wiring.trader.on_end(now_ns, self._core)
        wiring.journal.append(closing.records)
        wiring.journal.sync()
        for submission in closing.submissions:
            filled = wiring.venue.close_out(submission, now_ns)
            if filled is not None:
                self._apply(wiring.trader.on_venue_event(filled, self._core), now_ns)
        self._apply(wiring.trader.on_closed(now_ns, self._core), now_ns)
