"""Schedules: the next entries in order of time, and the frames behind them."""

import heapq
from typing import Final, NamedTuple

from utb.domain.clock import (
    CONTEXT,
    DEXSCREENER,
    END,
    ENTRIES_MAX,
    TIME,
    TIME_STEP_NS,
    Entry,
)
from utb.ports.feed import ContextUpdate, FeedItem, Frame
from utb.simnet.grid import SECOND_NS
from utb.simnet.server.ahead import ItemsAhead
from utb.simnet.server.faults import Board
from utb.simnet.server.sender import COPIES_MAX, Outgoing, Sender
from utb.simnet.server.sockets import SourceConnection
from utb.simnet.server.wire import socket_frame
from utb.simnet.server.world import Body, MarketTime

BYTES_MAX: Final = 32 * 1024 * 1024
"""A schedule whose frames are longer than this ends there."""
FINE_NS: Final = 900 * SECOND_NS
"""For so long after a connection or a fault changed, schedules are short."""
FINE_STEP_NS: Final = SECOND_NS
"""Span of a short schedule: what the bot does is met again this soon."""


class Batch(NamedTuple):
    """One schedule and what travels with it."""

    entries: list[Entry]
    frames: dict[SourceConnection, list[bytes]]
    polls: dict[int, Body]
    """Bodies that the bot's polls are answered with, by item index."""


class _Delayed(NamedTuple):
    ts_ns: int
    order: int
    item: int
    out: Outgoing


class Builder:
    """Makes schedules out of items; says when a fault must begin or end first."""

    def __init__(
        self, ahead: ItemsAhead, sender: Sender, board: Board, time: MarketTime, end_ns: int
    ) -> None:
        self._ahead = ahead
        self._sender = sender
        self._board = board
        self._time = time
        self._end_ns = end_ns
        self.step_ns: int | None = None
        """Span of every schedule; None: as long as they fit."""
        self._fine_until_ns = 0
        self._delayed: list[_Delayed] = []
        self._orders = 0
        self._bytes = 0
        self.ended = False
        """Whether the market's end was sent."""

    def restart(self, cursor: int) -> None:
        """Begin at an item."""
        self._time.cursor = cursor
        self._fine_until_ns = 0
        self._delayed.clear()
        self.ended = False

    def be_fine(self) -> None:
        """Make short schedules for a while: something changed."""
        self._fine_until_ns = self._time.now_ns + FINE_NS

    @property
    def fine(self) -> bool:
        """Return whether schedules are short now."""
        return self._time.now_ns < self._fine_until_ns

    def next_ns(self) -> int | None:
        """Return the time of what comes next, or None while there is nothing."""
        item = self._ahead.peek()
        if item is not None:
            next_ns = _time_of(item)
        elif self._ahead.ended and not self.ended:
            next_ns = self._end_ns
        else:
            return None
        return min(next_ns, self._delayed[0].ts_ns) if self._delayed else next_ns

    def change_due(self) -> bool:
        """Return whether a fault begins or ends before what comes next."""
        next_ns = self.next_ns()
        return next_ns is not None and self._board.due(next_ns, self._time.cursor)

    def build(self, until_ns: int) -> Batch:
        """Make the next schedule.

        Args:
            until_ns: Nothing after this time is taken.

        Returns:
            It; without entries while there is nothing to send yet.
        """
        batch = Batch([], {}, {})
        self._bytes = 0
        fine_end_ns = None
        while len(batch.entries) < ENTRIES_MAX and self._bytes < BYTES_MAX and not self.ended:
            next_ns = self.next_ns()
            if next_ns is None or next_ns > until_ns:
                break
            if self._board.due(next_ns, self._time.cursor):
                break
            span_ns = FINE_STEP_NS if self.fine else self.step_ns
            if span_ns is not None:
                fine_end_ns = fine_end_ns or self._first_ns(next_ns) + span_ns
                if batch.entries and self._first_ns(next_ns) >= fine_end_ns:
                    break
            if self._time_passes(batch, next_ns):
                continue
            if not self._step(batch, next_ns):
                break
        return batch

    def _first_ns(self, next_ns: int) -> int:
        """Return when the next entry would be: of time alone, or of what comes."""
        return min(next_ns, self._time.now_ns + self._step_ns()) if self._lossy() else next_ns

    def _step_ns(self) -> int:
        return FINE_STEP_NS if self.fine else TIME_STEP_NS

    def _lossy(self) -> bool:
        return any(self._sender.lost) or any(self._board.active)

    def _time_passes(self, batch: Batch, next_ns: int) -> bool:
        """Let time move on by itself where nothing came for long because items are lost."""
        step_ns = self._step_ns()
        if not self._lossy() or next_ns - self._time.now_ns <= step_ns:
            return False
        self._time.now_ns += step_ns
        batch.entries.append(Entry(self._time.now_ns, TIME, -1))
        return True

    def _step(self, batch: Batch, next_ns: int) -> bool:
        """Take what comes next; return whether there was room for it."""
        if self._delayed and self._delayed[0].ts_ns <= next_ns:
            late = self._delayed[0]
            if not self._emit(batch, late.ts_ns, late.item, late.out):
                return False
            heapq.heappop(self._delayed)
            return True
        item = self._ahead.peek()
        if item is None:
            self._add(batch, Entry(self._end_ns, END, -1))
            self.ended = True
            return True
        if not self._take(batch, item):
            return False
        self._ahead.pop()
        self._time.cursor += 1
        return True

    def _take(self, batch: Batch, item: FeedItem) -> bool:
        cursor = self._time.cursor
        if isinstance(item, Frame):
            # What a fault does is counted, so it is asked for once: with room for all of it.
            room = ENTRIES_MAX - len(batch.entries)
            if self._board.active[item.source] and batch.entries and room < COPIES_MAX:
                return False
            out = self._sender.outgoing(item.source, item.payload)
            if out is None:
                return True
            if out.delay_ns:
                self._orders += 1
                due_ns = item.ts_recv_ns + out.delay_ns
                late = _Delayed(due_ns, self._orders, cursor, out)
                if due_ns < self._end_ns:
                    heapq.heappush(self._delayed, late)
                return True
            return self._emit(batch, item.ts_recv_ns, cursor, out)
        if isinstance(item, ContextUpdate):
            entry = Entry(item.ts_ns, CONTEXT, cursor, item.instrument, item.payload)
            self._add(batch, entry)
        return True

    def _emit(self, batch: Batch, ts_ns: int, index: int, out: Outgoing) -> bool:
        if batch.entries and len(batch.entries) + out.copies > ENTRIES_MAX:
            return False
        entry = Entry(ts_ns, out.source, index)
        if out.source == DEXSCREENER:
            self._add(batch, entry)
            batch.polls[index] = out.body
            self._bytes += len(out.body.payload)
            return True
        targets = self._sender.targets(out)
        if not targets:
            return True
        framed = socket_frame(out.body.payload, binary=out.body.binary)
        for _ in range(out.copies):
            self._add(batch, entry)
        for connection in targets:
            batch.frames.setdefault(connection, []).extend([framed] * out.copies)
            self._bytes += len(framed) * out.copies
        return True

    def _add(self, batch: Batch, entry: Entry) -> None:
        self._time.now_ns = entry.ts_ns
        batch.entries.append(entry)


def _time_of(item: FeedItem) -> int:
    if isinstance(item, Frame):
        return item.ts_recv_ns
    if isinstance(item, ContextUpdate):
        return item.ts_ns
    raise TypeError("blocks of records are not frames")
