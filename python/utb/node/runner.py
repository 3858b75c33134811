"""The shell around the trader: feed, core, trader, journal and venue in one total order.

Before a market item of time T every venue event due before T is handled, the core's timers first.
Records are appended, and made durable when there are submissions, before the venue sees anything.
Frames and blocks of recorded events go through the same steps, so they give the same records.
"""

from typing import Final

import msgspec

from utb.domain.commands import Accepted, Answer, Command, Refusal, Shutdown
from utb.domain.engine import DecisionMade, EngineEvent
from utb.domain.names import Stage
from utb.domain.orders import VenueEvent
from utb.domain.records import Decision, FeedState, Refused
from utb.errors import InvariantError
from utb.node import effects as fx
from utb.node.blocks import run_block
from utb.node.calls import carry_out
from utb.node.closing import close_out
from utb.node.latency import Latencies
from utb.node.sending import keep_and_send
from utb.node.wiring import SNAPSHOT_GAP_NS, TIMED_EVERY, Session, Wiring, store_snapshot
from utb.ports.feed import (
    Binding,
    ContextUpdate,
    Cursor,
    FeedItem,
    Frame,
    FromVenue,
    Health,
    Moment,
    Past,
    Records,
)
from utb.ports.journal import LoggedCommand

NEVER_NS: Final = (1 << 63) - 1


class Runner:
    """Drives one session from its feed position to the feed's end, or to a shutdown."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.session = Session()
        self.latencies = Latencies()
        self.stopping = False
        self.ended = False
        """The market's end was reached: a next start meets it again, from an earlier snapshot."""
        self.last_decision: Decision | Refused | None = None
        self._core = wiring.core
        self._ingest_at = wiring.core.ingest_at
        self._calm_until_ns = 0
        """Before this time a frame has nobody to wait for: no order, no snapshot, no command."""
        self._logged: list[LoggedCommand] = []
        self._snapshot_ns: int | None = None  # of the machine's clock
        self.snapshot_items = 0
        """Items before the last snapshot of this process."""

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
            for it in self.session.bindings:
                wiring.core.bind(it.source, it.key, it.instrument, it.role)
            after = snapshot.seq
            self._apply(wiring.trader.on_resume())
        wiring.journal.verify_after(after)
        self._logged = wiring.journal.commands(self.session.position)
        return snapshot is not None or wiring.journal.verifying()

    def run(self) -> None:
        """Run to the feed's end or to a shutdown; a shutdown leaves positions as they are.

        Raises:
            InvariantError: If the session has no feed to draw from.
        """
        feed = self.wiring.feed
        if feed is None:
            raise InvariantError("a session without a feed is pushed, not run")
        self.begin()
        for item in feed.items(self.session.at_item):
            self.take(item)
            if self.stopping:
                break
        else:
            self.end()
        self.finish()

    def begin(self) -> None:
        """Record that the session starts; items may come from here on."""
        self._apply(self.wiring.trader.on_start(self.session.item_ns))

    def take(self, item: FeedItem) -> None:
        """Handle one item; while `stopping` nothing more is taken."""
        if isinstance(item, Frame):
            self.frame(item.source, item.payload, item.ts_recv_ns)
        elif isinstance(item, Records):
            run_block(self, item)
        elif isinstance(item, ContextUpdate):
            self._context(item)
        else:
            self._rare(item)

    def frame(self, source: int, payload: bytes | memoryview, ts_ns: int) -> None:
        """Handle one message of a source, received at `ts_ns`.

        Most frames cause nothing while nobody waits for one; those take the short way.
        """
        session = self.session
        if ts_ns >= self._calm_until_ns or self.stopping:
            if not self._turn(ts_ns):
                return
            self._venue_before(ts_ns)
        stopwatch_ns = self.wiring.stopwatch_ns
        started_ns = 0 if session.items % TIMED_EVERY else stopwatch_ns()
        found = self._ingest_at(source, payload, ts_ns)
        if started_ns:
            self.latencies.decide.add(stopwatch_ns() - started_ns)
        if found is not None or ts_ns >= self._calm_until_ns:
            self._after_frame(source, payload, ts_ns, found)
        elif ts_ns > session.item_ns:
            session.item_ns = ts_ns
        session.items += 1
        session.at_item += 1
        session.cursor += 1

    def _after_frame(
        self,
        source: int,
        payload: bytes | memoryview,
        ts_ns: int,
        found: tuple[bool, list[EngineEvent]] | None,
    ) -> None:
        """Handle what a frame caused, and see whether anybody waits for the next one."""
        while found is not None and not found[0]:
            # Timers come before the frame, and what they decide may be due at the venue before it
            self.market_events(found[1])
            self._venue_before(ts_ns)
            found = self._ingest_at(source, payload, ts_ns)
        session, wiring = self.session, self.wiring
        session.item_ns = max(session.item_ns, ts_ns)
        if found is not None:
            self.market_events(found[1])
        self.after_prices()
        waits = wiring.observers or wiring.commands is not None or self._logged
        orders = wiring.venue.next_event_ns() is not None or wiring.venue.waiting_instruments()
        if waits or orders or not wiring.trader.is_open:
            self._calm_until_ns = 0
        else:
            never = wiring.snapshot_every_ns is None
            self._calm_until_ns = NEVER_NS if never else session.snapshot_due_ns

    def is_due(self, ts_ns: int) -> bool:
        """Return whether time alone brings something at or before `ts_ns`."""
        due_ns = self.wiring.venue.next_event_ns()
        return self._core.next_timer_ns() <= ts_ns or (due_ns is not None and due_ns < ts_ns)

    def end(self) -> None:
        """Sell what is left at the last prices: the recording is over.

        On the chain there are no last prices: what was to be sold was sold before.
        """
        self.replay_commands()
        wiring, now_ns = self.wiring, self.session.item_ns
        if wiring.chain is None:
            for effects in close_out(wiring, now_ns):
                self._apply(effects, now_ns)
        self._apply(wiring.trader.on_closed(now_ns, self._core), now_ns)
        self.ended = True

    def finish(self) -> None:
        """Store where the session is, unless it ended, and record that it stops."""
        if self.stopping and not self.ended and self.wiring.snapshot_every_ns is not None:
            self.snapshot()
        self._apply(self.wiring.trader.on_stop(self.session.item_ns))
        self.wiring.journal.sync()
        self.drain()
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

    def note_feed(self, source: str, state: str, reason: str, since_ns: int = 0) -> None:
        """Record that a feed changed its state, at `since_ns` or with the last item."""
        ts_ns = max(self.session.item_ns, since_ns)
        self.wiring.journal.append(
            [FeedState(ts_ns=ts_ns, source=source, state=state, reason=reason)]
        )

    # One total order

    def _context(self, item: ContextUpdate) -> None:
        if not self._begin(item.ts_ns):
            return
        trader = self.wiring.trader
        self._apply(trader.on_context(item.instrument, item.payload, item.ts_ns, self._core))
        self.session.cursor += 1
        self._end_item()

    def _rare(self, item: Past | Moment | Binding | Health | Cursor | FromVenue) -> None:
        """Handle an item that is no news of the market."""
        if self._logged:
            self.replay_commands()
        if isinstance(item, Moment | Health):
            if not self._begin(item.ts_ns):
                return
            if isinstance(item, Health):
                self._apply(self.wiring.trader.on_health(item, self._core), item.ts_ns)
        elif isinstance(item, FromVenue):
            if not self._begin(item.event.ts_ns):
                return
            self._told(item.event)
        elif isinstance(item, Past):
            events = self._core.ingest(item.source, item.payload, item.ts_recv_ns)
            self.market_events([e for e in events if not isinstance(e, DecisionMade)])
        elif isinstance(item, Binding):
            self.session.bind(item)
            self._core.bind(item.source, item.key, item.instrument, item.role)
        else:
            self.session.cursor = item.index
        self._end_item()

    def _end_item(self) -> None:
        session = self.session
        session.items += 1
        session.at_item += 1

    def _begin(self, ts_ns: int) -> bool:
        """Handle everything that comes before an item; return False if the session stops there."""
        if not self._turn(ts_ns):
            return False
        self._time_before(ts_ns)
        self.session.item_ns = max(self.session.item_ns, ts_ns)
        return True

    def _turn(self, ts_ns: int) -> bool:
        """Give everybody between two items their turn; return False if the session stops there."""
        wiring, session = self.wiring, self.session
        due = wiring.snapshot_every_ns is not None and ts_ns >= session.snapshot_due_ns
        if due or self._logged or wiring.observers or wiring.commands is not None:
            self.between(ts_ns)
        return not self.stopping

    def _time_before(self, ts_ns: int) -> None:
        """Handle what time itself brings before an item: venue events and the core's timers.

        The timers up to the item run before its price is applied, as they would have on a clock;
        what they decide may be due at the venue before the item, too.
        """
        self._venue_before(ts_ns)
        while events := self._core.advance_to(ts_ns):
            self.market_events(events)
            self._venue_before(ts_ns)

    def _venue_before(self, ts_ns: int) -> None:
        """Handle every venue event due before `ts_ns`, the core's timers first."""
        while (due_ns := self.wiring.venue.next_event_ns()) is not None and due_ns < ts_ns:
            events = self._core.advance_to(due_ns)
            if events:
                self.market_events(events)
            else:
                self.poll(due_ns)

    def poll(self, due_ns: int) -> None:
        """Handle what became of orders up to `due_ns`."""
        for event in self.wiring.venue.poll(due_ns):
            self._told(event)

    def _told(self, event: VenueEvent) -> None:
        """Let the trader take what became of an order."""
        stopwatch_ns = self.wiring.stopwatch_ns
        started_ns = stopwatch_ns()
        effects = self.wiring.trader.on_venue_event(event, self._core)
        self._spent(Stage.FILL, stopwatch_ns() - started_ns)
        self._apply(effects, event.ts_ns)

    def market_events(self, events: list[EngineEvent]) -> None:
        """Let the trader take the core's events, and carry out what it wants."""
        trader, stopwatch_ns = self.wiring.trader, self.wiring.stopwatch_ns
        for event in events:
            started_ns = stopwatch_ns()
            effects = trader.on_engine_event(event, self._core)
            self._spent(Stage.APPROVE, stopwatch_ns() - started_ns)
            self._apply(effects, max(event.ts_ns, self.session.item_ns))

    def after_prices(self) -> None:
        """Let those who wait for a price see it: the account's opening, orders at the venue."""
        if not self.wiring.trader.is_open:
            self._apply(self.wiring.trader.on_prices(self.session.item_ns, self._core))
        if self.wiring.venue.waiting_instruments():
            self.wiring.venue.observe(self.session.item_ns)

    # Effects

    def _apply(self, effects: fx.Effects, now_ns: int = 0) -> None:
        self._calm_until_ns = 0
        if effects.records:
            for record in effects.records:
                if type(record) is Decision or type(record) is Refused:
                    self.last_decision = record
            keep_and_send(self.wiring, effects, now_ns, self._spent)
        elif effects.submissions:
            raise InvariantError("a submission without a record of its order")
        for call in effects.calls:
            events = carry_out(call, self._core)
            if events:
                self.market_events(events)

    # Between two items

    def between(self, ts_ns: int) -> None:
        """Take commands, the display's look and a snapshot, before the item of `ts_ns`."""
        if self._logged:
            self.replay_commands()
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

    def replay_commands(self) -> None:
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
        self.drain()
        wiring = self.wiring
        stored = store_snapshot(wiring, self.session)
        self._snapshot_ns = wiring.stopwatch_ns()
        if stored:
            self.snapshot_items = self.session.at_item
        self._spent(Stage.SNAPSHOT, self._snapshot_ns - started_ns)

    def _spent(self, stage: Stage, duration_ns: int) -> None:
        """Count a duration here and, in a trading process, in the core's log of stages."""
        self.latencies.of(stage).add(duration_ns)
        if self.wiring.note_stage is not None:
            self.wiring.note_stage(stage, self.session.item_ns, duration_ns)

    def drain(self) -> None:
        """Take the core's logs to where they are kept."""
        if self.wiring.drain is not None:
            self.wiring.drain()
