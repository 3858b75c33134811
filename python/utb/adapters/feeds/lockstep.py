"""The bot's side of simulated time: the stand-in's schedule, handled entry by entry.

Frames come on their feeds' own connections, possibly before their turn; then they wait here. Time
moves only from entry to entry. What falls due on the way runs first, and what that sets off on the
network comes to rest before anything else: a run does not depend on the machine's speed.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final

import numpy as np

from utb.adapters.clocks import SimulatedClock
from utb.adapters.feeds.arrivals import Arrivals, Passing, Refusal
from utb.adapters.feeds.birdeye import Birdeye
from utb.adapters.feeds.clocklink import ClockLink
from utb.adapters.feeds.dexscreener import DexScreener
from utb.adapters.feeds.helius import Helius
from utb.adapters.feeds.wiring import FeedWiring, Taker
from utb.adapters.net.http import Body
from utb.adapters.timers import SimulatedTimer
from utb.config.schema import Feeds
from utb.domain import clock as proto
from utb.errors import TransientError
from utb.ports.livefeed import LiveFeed, Sink

TICK_SECONDS: Final = 0.25

GRACE_TICKS: Final = 4
"""How long time stands still for an exchange that the other side does not answer, by the wall."""

FRAME_TICKS: Final = 120
"""How long a frame of the schedule may be under way, by the wall."""

CONNECT_SECONDS: Final = 10.0
"""How long the feeds may take to connect before the first schedule, by the wall."""

CONNECT_TURNS: Final = 10
"""Turns of the event loop in which every feed has begun to connect."""

WAITING_MAX: Final = 4 * proto.WINDOW * proto.ENTRIES_MAX
"""Frames of one source that wait for their turn; more than the window holds is damage."""

_Feed = DexScreener | Birdeye | Helius


class LockStep:
    """Drives a simulated clock, and with it feeds and sink, by the stand-in's schedule."""

    def __init__(self, url: str, sink: Sink, stopwatch_ns: Callable[[], int]) -> None:
        """Connect to nothing yet.

        Args:
            url: Address of `/clock`.
            sink: Takes contexts; frames come to it through their feeds.
            stopwatch_ns: The machine's monotonic clock, for round trips.
        """
        self.clock = SimulatedClock()
        self.timer = SimulatedTimer(self.clock)
        self.cursor = 0
        """Index of the next market item: what `join` needs after a restart."""
        self.index = -1
        """Index of the item that is handed over now; -1: of a frame that no entry asked for."""
        self.finished = False
        self.excused = 0
        """Exchanges that were not waited for to the end."""
        self.lost = 0
        """Entries whose frame never came."""
        self._url = url
        self._sink = sink
        self._stopwatch_ns = stopwatch_ns
        self._link: ClockLink | None = None
        self._market: proto.Market | None = None
        self._schedules: deque[list[proto.Entry]] = deque()
        self._place = 0
        """Of the next entry in the first schedule."""
        self._received = 0
        """Schedules received since the last `Join`; the first one is number 1."""
        self._lines: dict[int, Arrivals] = {}
        """By source number."""
        self._awaited = -1
        """Source whose frame is awaited."""
        self._polls: asyncio.TaskGroup | None = None
        self._polled: proto.Entry | None = None
        """Entry whose poll is awaited."""
        self._pumping = False
        self._wake = asyncio.Event()
        self._done = 0
        """Entries handled so far, to see whether it goes on."""
        self.timer.on_rest = self._wake.set

    # Before the run

    async def join(self, cursor: int, now_ns: int = 0) -> proto.Market:
        """Connect and learn what is traded.

        Args:
            cursor: Index of the next market item wanted; 0 at first.
            now_ns: Simulated time so far, when a run is continued.

        Raises:
            TransientError: If nobody answers within a minute.
        """
        self.cursor = cursor
        market = await self._join()
        self._market = market
        self.clock.advance_to(max(market.start_ns, now_ns))
        return market

    def leave(self) -> None:
        """Close the connection: the market was only asked for."""
        if self._link is not None:
            self._link.close()

    def wiring(self, settings: Feeds, chart: str, seed: int) -> FeedWiring:
        """Return what feeds of this time are made of; `chart` is the market's finest bar."""
        return FeedWiring(
            clock=self.clock,
            timer=self.timer,
            sink=self._sink,
            turns=self,
            settings=settings,
            elapsed_ns=self.clock.now_ns,
            stopwatch_ns=self._stopwatch_ns,
            draws=lambda source: np.random.default_rng([seed, source]).random,
            prompted=True,
            chart=chart,
        )

    # The run

    async def run(self, feeds: Sequence[LiveFeed]) -> None:
        """Run `feeds` to the end of the market, through crashes of the stand-in.

        Raises:
            TransientError: If the stand-in stays away for a minute, or breaks the protocol.
        """
        self._lines = {feed.source: Arrivals(feed) for feed in feeds if isinstance(feed, _Feed)}
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(feed.run()) for feed in feeds]
            running += [group.create_task(self._drive()), group.create_task(self._watch())]
            self._polls = group
            while not self.finished:
                await self._connected_run(feeds)
            for task in running:
                task.cancel()

    async def _connected_run(self, feeds: Sequence[LiveFeed]) -> None:
        """Go on until the market or the connection ends."""
        assert self._link is not None  # noqa: S101 - `join` comes first
        await self._rest()
        self._link.send(proto.Ready())
        await self._link.wait()
        if self.finished:
            return
        self._abandon()
        for feed in feeds:
            feed.reconnect()
        market = await self._join()
        if self._market is not None and market.identity != self._market.identity:
            raise TransientError("clock", "another market came back: start a new run")
        # Those attempts were made while the stand-in was away, in no simulated time.
        for feed in feeds:
            feed.reconnect()

    async def _join(self) -> proto.Market:
        self._link, market = await ClockLink.join(self._url, self.cursor, self._on_schedule)
        return market

    async def _rest(self) -> None:
        """Return when the feeds are connected, or have given up for now."""
        for _ in range(CONNECT_TURNS):
            await asyncio.sleep(0)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                while not self.timer.at_rest:
                    self._wake.clear()
                    await self._wake.wait()
        except TimeoutError:
            self.excused += self.timer.excuse()

    async def _drive(self) -> None:
        """Go on each time something came to rest; here its errors are raised."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._pump()

    # Turns of frames

    def offer(self, taker: Taker, payload: bytes | memoryview) -> None:
        """Take a frame that just came; without a copy if it is the one awaited."""
        queue = self._lines[taker.source].queue
        if self._awaited == taker.source and not queue and self.timer.at_rest:
            queue.append(payload)
            self._pump()
            if queue and queue[0] is payload:
                # Something fell due first: the view would die with the callback.
                queue[0] = bytes(payload)
            return
        if len(queue) >= WAITING_MAX:
            raise TransientError("clock", f"more than {WAITING_MAX} frames without a schedule")
        queue.append(bytes(payload))
        self._pump_if_awaited(taker.source)

    def refuse(self, taker: Taker, reason: str) -> None:
        """Let a frame that was thrown away have its turn."""
        self._lines[taker.source].queue.append(Refusal(reason))
        self._pump_if_awaited(taker.source)

    def _pump_if_awaited(self, source: int) -> None:
        if self._awaited == source:
            self._pump()

    def stamp_ns(self) -> int:
        """Return the simulated time."""
        return self.clock.now_ns()

    async def passed(self, source: int, mark: AbstractContextManager[None]) -> None:
        """Return when every frame of a source that came so far had its turn."""
        line = self._lines[source]
        if line.queue:
            passing = Passing(mark)
            line.queue.append(passing)
            await passing.done()
        # Frames that are missing now are lost with their connection; unless the stand-in itself is
        # gone: it will send them again.
        if await self._is_alive():
            line.gone = self._received
            self._wake.set()

    # The schedule

    def _on_schedule(self, entries: list[proto.Entry]) -> None:
        self._schedules.append(entries)
        self._received += 1
        # Not at once: what happened on other connections before is met first.
        self._wake.set()

    def _pump(self) -> None:
        """Handle entries until one has to wait for something."""
        if self._pumping:
            return
        self._pumping = True
        try:
            while self._schedules and self._polled is None and self._entries(self._schedules[0]):
                if not self.timer.at_rest:
                    return
                self._schedules.popleft()
                self._place = 0
                if self._link is not None:
                    self._link.send(proto.Taken(cursor=self.cursor))
                if self.finished and self._link is not None:
                    self._link.close()
        finally:
            self._pumping = False

    def _entries(self, entries: list[proto.Entry]) -> bool:
        """Handle the entries of a schedule in order; return whether all are."""
        lines = self._lines
        while self._place < len(entries):
            entry = entries[self._place]
            ts_ns, kind = entry.ts_ns, entry.kind
            if not self._reached(ts_ns):
                return False
            if kind > 0:
                line = lines[kind]
                if line.queue:
                    self._awaited = -1
                    self.index = entry.index
                    line.hand(ts_ns)
                    self.index = -1
                elif not self._is_gone(line):
                    self._awaited = kind
                    return False
            elif kind == proto.DEXSCREENER and self._begin_poll(entry):
                return False
            elif kind == proto.CONTEXT:
                self.index = entry.index
                self._sink.on_context(entry.instrument, entry.payload, ts_ns)
                self.index = -1
            elif kind == proto.END:
                self.finished = True
            self._handled(entry)
        return True

    def _reached(self, ts_ns: int) -> bool:
        """Move the clock to an entry; return whether it is there, and all at rest."""
        timer, now_ns = self.timer, self.clock.now_ns()
        if not timer.at_rest:
            return False
        if ts_ns >= timer.next_due_ns:
            return timer.run_due(max(ts_ns, now_ns))
        if ts_ns > now_ns:
            self.clock.advance_to(ts_ns)
        return True

    def _is_gone(self, line: Arrivals) -> bool:
        """Return whether the frame that is due will not come."""
        gone = self._received - len(self._schedules) < line.gone
        if gone:
            self._awaited = -1
            self.lost += 1
        return gone

    def _handled(self, entry: proto.Entry) -> None:
        self._place += 1
        self._done += 1
        if entry.index >= self.cursor:
            self.cursor = entry.index + 1

    # Polls that entries ask for

    def _begin_poll(self, entry: proto.Entry) -> bool:
        """Start the poll of an entry; return whether there is a feed for it."""
        line = self._lines.get(proto.DEXSCREENER)
        feed = None if line is None else line.taker
        if self._polls is None or not isinstance(feed, DexScreener):
            return False
        self._polled = entry
        self._polls.create_task(self._poll(feed, entry))
        return True

    async def _poll(self, feed: DexScreener, entry: proto.Entry) -> None:
        outcome = await feed.poll(entry.index)
        if isinstance(outcome, Body):
            # One that was not waited for any more comes at its own time.
            self.index = entry.index if self._polled is entry else -1
            feed.take(outcome.payload, self.clock.now_ns())
            self.index = -1
        elif outcome is not None and outcome.unreached and not await self._is_alive():
            # The stand-in is gone: it will ask for this entry again.
            return
        if self._polled is entry:
            self._end_poll(entry, came=isinstance(outcome, Body))

    def _end_poll(self, entry: proto.Entry, *, came: bool) -> None:
        self._polled = None
        self.lost += not came
        self._handled(entry)
        self._wake.set()

    # When it does not go on

    async def _is_alive(self) -> bool:
        return self._link is not None and await self._link.is_alive()

    async def _watch(self) -> None:
        """See that it goes on, by the wall's time: the simulated one stands still meanwhile."""
        seen, ticks = -1, 0
        while True:
            await asyncio.sleep(TICK_SECONDS)
            ticks = ticks + 1 if self._schedules and self._done == seen else 0
            seen = self._done
            # A stand-in that does not answer at all is slow, or gone: both are waited for.
            if ticks >= GRACE_TICKS and await self._is_alive():
                self._unstick(ticks)

    def _unstick(self, ticks: int) -> None:
        if not self.timer.at_rest:
            self.excused += self.timer.excuse()
            self._wake.set()
        elif self._polled is not None:
            self._end_poll(self._polled, came=False)
        elif self._awaited >= 0 and ticks >= FRAME_TICKS:
            waited_s = FRAME_TICKS * TICK_SECONDS
            text = f"no frame of source {self._awaited} within {waited_s:.0f} s of its schedule"
            raise TransientError("clock", text)

    def _abandon(self) -> None:
        """Forget what was under way: the stand-in begins again at the cursor."""
        self._link = None
        self._schedules.clear()
        self._received = 0
        self._place = 0
        self._awaited = -1
        self._polled = None
        for line in self._lines.values():
            line.forget()
