"""Lock step: the market moves on when the bot has taken what it was sent."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec
import structlog
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from utb.domain.clock import DEXSCREENER, WINDOW, Join, Market, Ready, Schedule, Taken, ToClock
from utb.simnet.grid import SECOND_NS
from utb.simnet.server.ahead import ItemsAhead
from utb.simnet.server.faults import Board, Fault, Kind
from utb.simnet.server.schedule import Batch, Builder
from utb.simnet.server.sender import Sender
from utb.simnet.server.sockets import Hub
from utb.simnet.server.world import SOURCES, Body, MarketTime, World

CURSOR_MAX: Final = 2**53

_DECODER: Final = msgspec.msgpack.Decoder(ToClock)
_ENCODER: Final = msgspec.msgpack.Encoder()
_FOREVER: Final = 2**63 - 1
_BEHIND_S: Final = 1.0
"""A paced market that is further behind than this does not catch up."""

_log = structlog.get_logger(__name__)


class ProtocolError(Exception):
    """The bot said what it may not say now; its text is the reason of the close."""


class LockStep:
    """The market's side of one bot."""

    def __init__(self, world: World, board: Board, hub: Hub, sender: Sender) -> None:
        self._world = world
        self._board = board
        self._hub = hub
        self._sender = sender
        self.time = MarketTime(world.span_ns[0])
        self.ahead = ItemsAhead(world.feed, self.pump)
        self._builder = Builder(self.ahead, sender, board, self.time, world.span_ns[1])
        self._pace: Pace | None = None
        self._bot: ClockConnection | None = None
        self._ready = self._placed = False
        self._under_way: deque[tuple[int, list[int]]] = deque()
        """Last time and polls of each schedule that is sent and not yet taken."""
        self._polls: dict[int, Body] = {}
        self._schedules_max = WINDOW
        self._pump_due = False
        self._before: Callable[[], None] | None = None
        self.connections: set[ClockConnection] = set()

    def at_speed(self, speed: float | None) -> None:
        """Send at so many market seconds per second; None: as fast as it is taken."""
        self._pace = None if speed is None else Pace(speed)

    def in_steps(self, step_ns: int) -> None:
        """Send at most so much market time at once, and nothing more before it is taken.

        What follows the market beside the frames, as a chain's pools do, is then never further
        ahead of the bot than this.
        """
        self._builder.step_ns = step_ns
        self._schedules_max = 1

    def before_frames(self, call: Callable[[], None]) -> None:
        """Let something be called when frames were made and before they go out."""
        self._before = call

    # The bot's messages

    def join(self, bot: "ClockConnection", message: Join) -> Market:
        """Begin at the bot's cursor and say what is traded.

        Raises:
            ProtocolError: If another bot is joined, or the cursor is none.
        """
        if self._bot is not None:
            raise ProtocolError("another bot is joined" if self._bot is not bot else "joined twice")
        if not 0 <= message.cursor <= CURSOR_MAX:
            raise ProtocolError(f"cursor is {message.cursor}, expected 0 to {CURSOR_MAX}")
        self._bot = bot
        self._ready = self._placed = False
        self._under_way.clear()
        self._polls.clear()
        self._builder.restart(message.cursor)
        if self._pace is not None:
            self._pace = Pace(self._pace.speed)
        self.ahead.start(message.cursor)
        _log.info("bot_joined", cursor=message.cursor)
        world = self._world
        return Market(
            instruments=world.instruments,
            start_ns=world.span_ns[0],
            end_ns=world.span_ns[1],
            seed=world.seed,
            identity=world.identity,
            finest=world.finest,
            accounts=world.accounts,
            speed=None if self._pace is None else self._pace.speed,
        )

    def begin(self, bot: "ClockConnection") -> None:
        """Send the first schedules.

        Raises:
            ProtocolError: If the bot did not join, or was ready before.
        """
        if bot is not self._bot or self._ready:
            raise ProtocolError("Ready comes once, after Join")
        self._ready = True
        self._soon()

    def taken(self, bot: "ClockConnection", message: Taken) -> None:
        """Note that a schedule is handled, and send the next.

        Raises:
            ProtocolError: If none is under way.
        """
        if bot is not self._bot or not self._under_way:
            raise ProtocolError(f"Taken({message.cursor}) without a schedule under way")
        self.time.seen_ns, polls = self._under_way.popleft()
        for index in polls:
            self._polls.pop(index, None)
        # What came on other connections before this is met first: they share one poll of the loop.
        self._soon()

    def left(self, bot: "ClockConnection") -> None:
        """Forget a connection; if it was the bot's, wait for it to come back."""
        self.connections.discard(bot)
        if bot is self._bot:
            _log.info("bot_left", cursor=self.time.cursor)
            self._bot = None
            self._ready = False

    # What else happens

    def changed(self) -> None:
        """Learn that a connection, a subscription or a fault changed."""
        if self._ready:
            self._builder.be_fine()

    def poll(self, index: int | None) -> Body | None:
        """Return the body of the poll of an item, once; None: it has none (any more).

        Args:
            index: Of the item; None: of the oldest poll that is expected.
        """
        if index is None:
            index = next(iter(self._polls), -1)
        return self._polls.pop(index, None)

    def pump(self) -> None:
        """Send what may be sent now."""
        self._pump_due = False
        while self._bot is not None and self._ready and len(self._under_way) < self._window():
            if not self._placed and not self._place():
                return
            if self._builder.change_due() and not self._change():
                return
            batch = self._builder.build(self._until_ns())
            if batch.entries:
                self._send(self._bot, batch)
            elif not self._builder.change_due():
                # All that was due was lost: nobody will ask for what comes next.
                self._until_ns(again=True)
                return

    def _soon(self) -> None:
        if not self._pump_due:
            self._pump_due = True
            asyncio.get_running_loop().call_soon(self.pump)

    def _window(self) -> int:
        return 1 if self._builder.fine else self._schedules_max

    def _place(self) -> bool:
        """Find out when the first item is; return whether that is known yet."""
        next_ns = self._builder.next_ns()
        if next_ns is None:
            return False
        self.time.now_ns = self._world.span_ns[0] if self.time.cursor == 0 else next_ns - 1
        self.time.seen_ns = self.time.now_ns
        self._board.rewind(self.time.now_ns)
        self._sender.forget()
        self._placed = True
        return True

    def _change(self) -> bool:
        """Let faults begin and end when the bot is at rest; return whether it is."""
        next_ns = self._builder.next_ns()
        if self._under_way or next_ns is None:
            return False
        act_on_connections(self._board.move(next_ns, self.time.cursor), self._hub)
        self._builder.be_fine()
        return True

    def _until_ns(self, *, again: bool = False) -> int:
        """Return how far the market may be, and come back when what follows is due.

        Args:
            again: Come back also for what became due meanwhile.
        """
        next_ns = self._builder.next_ns()
        if self._pace is None:
            return _FOREVER
        until_ns, wait_s = self._pace.until_ns(next_ns)
        if wait_s > 0 or (again and next_ns is not None):
            asyncio.get_running_loop().call_later(wait_s, self._soon)
        return until_ns

    def _send(self, bot: "ClockConnection", batch: Batch) -> None:
        self._under_way.append((batch.entries[-1].ts_ns, list(batch.polls)))
        self._polls.update(batch.polls)
        if self._before is not None:
            self._before()
        bot.send(Schedule(entries=batch.entries))
        for connection, frames in batch.frames.items():
            connection.write(b"".join(frames))


class Pace:
    """How far the market may be by now."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._origin: tuple[int, float] | None = None

    def until_ns(self, next_ns: int | None) -> tuple[int, float]:
        """Return the market time that is due, and how long until `next_ns` is, seconds."""
        if next_ns is None:
            return 0, 0.0
        wall_s = asyncio.get_running_loop().time()
        if self._origin is None:
            self._origin = (next_ns, wall_s)
        from_ns, from_s = self._origin
        due_ns = from_ns + int((wall_s - from_s) * self.speed * SECOND_NS)
        if due_ns - next_ns > _BEHIND_S * self.speed * SECOND_NS:
            self._origin = (next_ns, wall_s)
            due_ns = next_ns
        return due_ns, max(0.0, (next_ns - due_ns) / SECOND_NS / self.speed)


class ClockConnection(WSListener):
    """A bot on `/clock`."""

    def __init__(self, lockstep: LockStep) -> None:
        super().__init__()
        self._lockstep = lockstep
        self._transport: WSTransport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Wait for `Join`."""
        self._transport = transport
        self._lockstep.connections.add(self)

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002 - one per listener
        """Tell the market."""
        self._transport = None
        self._lockstep.left(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take one message."""
        kind = frame.msg_type
        if kind == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif kind == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        elif kind in (WSMsgType.TEXT, WSMsgType.BINARY):
            try:
                self._take(_DECODER.decode(frame.get_payload_as_memoryview()))
            except (msgspec.MsgspecError, ProtocolError) as error:
                _log.warning("bot_refused", reason=str(error))
                # A close frame's reason has at most 123 bytes.
                transport.send_close(WSCloseCode.POLICY_VIOLATION, str(error).encode()[:120])
                transport.disconnect()

    def send(self, message: Market | Schedule) -> None:
        """Send a message; a bot that is gone does not get it."""
        if self._transport is not None:
            self._transport.send(WSMsgType.BINARY, _ENCODER.encode(message))

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.send_close(WSCloseCode.GOING_AWAY)
            self._transport.disconnect()

    def _take(self, message: ToClock) -> None:
        if isinstance(message, Join):
            self.send(self._lockstep.join(self, message))
        elif isinstance(message, Ready):
            self._lockstep.begin(self)
        else:
            self._lockstep.taken(self, message)


def act_on_connections(began: list[Fault], hub: Hub) -> None:
    """Do to connections what faults that begin do."""
    for fault in began:
        if fault.kind is Kind.CUT:
            closed = hub.close(SOURCES.index(fault.source))
            if fault.source != SOURCES[DEXSCREENER]:
                fault.count("connections_closed", closed)
