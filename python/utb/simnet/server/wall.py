"""Wall mode: the market moved so that its present is the wall clock's, frames as time passes."""

import asyncio
from collections.abc import Callable
from typing import Final

from utb.domain.clock import DEXSCREENER
from utb.ports.clock import Clock
from utb.ports.feed import Frame
from utb.simnet.grid import SECOND_NS
from utb.simnet.server.ahead import ItemsAhead
from utb.simnet.server.faults import Board
from utb.simnet.server.lockstep import act_on_connections
from utb.simnet.server.sender import Outgoing, Sender
from utb.simnet.server.sockets import Hub
from utb.simnet.server.wire import shifted, socket_frame
from utb.simnet.server.world import Body, MarketTime, World

HISTORY_S: Final = 14 * 86_400
"""Past that a market has when it begins, or half of a shorter one."""

_DAY_NS: Final = 86_400 * SECOND_NS
_OLD_NS: Final = 60 * SECOND_NS
"""Items that are older when their turn comes are not sent any more."""
_WAIT_S: Final = 0.25
"""Longest wait: a fault that is asked for begins this soon."""


class WallMarket:
    """Sends the market's items when they are due."""

    def __init__(self, world: World, board: Board, hub: Hub, sender: Sender, clock: Clock) -> None:
        self._world = world
        self._board = board
        self._hub = hub
        self._sender = sender
        self._clock = clock
        start_ns, end_ns = world.span_ns
        past_ns = min(HISTORY_S * SECOND_NS, (end_ns - start_ns) // 2)
        now_ns = clock.now_ns()
        self.time = MarketTime(start_ns)
        # Whole days: bars stay on their grid, and nights stay nights.
        self.time.shift_ns = (now_ns - start_ns - past_ns) // _DAY_NS * _DAY_NS
        self.time.now_ns = self.time.seen_ns = now_ns - self.time.shift_ns
        self.ahead = ItemsAhead(world.feed, self._more)
        self._timer: asyncio.TimerHandle | None = None
        self._before: Callable[[], None] | None = None

    def before_frames(self, call: Callable[[], None]) -> None:
        """Let something be called when frames were made and before they go out."""
        self._before = call

    async def start(self) -> None:
        """Find the present in the market, and begin to send."""
        loop = asyncio.get_running_loop()
        cursor = await loop.run_in_executor(None, self._world.cursor_before, self.time.now_ns)
        self.time.cursor = cursor
        self.ahead.start(cursor)
        self._tick()

    def stop(self) -> None:
        """Send nothing more."""
        if self._timer is not None:
            self._timer.cancel()

    def changed(self) -> None:
        """Learn that a connection or a fault changed: nothing to do here."""

    def pump(self) -> None:
        """Send what is due."""
        self.time.now_ns = max(self.time.now_ns, self._clock.now_ns() - self.time.shift_ns)
        now_ns = self.time.seen_ns = self.time.now_ns
        if self._board.due(now_ns, self.time.cursor):
            act_on_connections(self._board.move(now_ns, self.time.cursor), self._hub)
        while True:
            item = self.ahead.peek()
            if item is None or (isinstance(item, Frame) and item.ts_recv_ns > now_ns):
                return
            self.ahead.pop()
            self.time.cursor += 1
            # Contexts have no source on the network: they are for lock step only.
            if isinstance(item, Frame):
                self._emit(item, now_ns)

    def poll(self, index: int | None) -> Body | None:  # noqa: ARG002 - nothing sets a poll off
        """Return nothing: every poll gets the latest bodies."""
        return None

    def _emit(self, item: Frame, now_ns: int) -> None:
        out = self._sender.outgoing(item.source, item.payload)
        if self._before is not None:
            self._before()
        if out is None or item.source == DEXSCREENER or item.ts_recv_ns < now_ns - _OLD_NS:
            return
        if out.delay_ns:
            delay_s = out.delay_ns / SECOND_NS
            asyncio.get_running_loop().call_later(delay_s, self._write, out)
        else:
            self._write(out)

    def _write(self, out: Outgoing) -> None:
        body = out.body
        if not body.binary:
            body = Body(shifted(out.source, body.payload, self.time.shift_ns))
        framed = socket_frame(body.payload, binary=body.binary) * out.copies
        for connection in self._sender.targets(out):
            connection.write(framed)

    def _more(self) -> None:
        self.pump()

    def _tick(self) -> None:
        self.pump()
        item = self.ahead.peek()
        wait_s = _WAIT_S
        if isinstance(item, Frame):
            due_ns = item.ts_recv_ns + self.time.shift_ns
            wait_s = min(wait_s, max(0.0, (due_ns - self._clock.now_ns()) / SECOND_NS))
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._tick)
