"""A WebSocket connection that comes back: reconnect, heartbeat, limits, accounting.

Messages are handed over inside the socket's callback as views of its buffer, without a task, a
queue or a copy; only a fragmented message is put together first. So nothing piles up in this
process: what its taker is too slow for stays in the kernel's buffer, and TCP slows the source down.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Final, Protocol
from urllib.parse import urlencode

import msgspec
from picows import (
    WSCloseCode,
    WSFrame,
    WSHandshakeError,
    WSListener,
    WSMsgType,
    WSProtocolError,
    WSTransport,
    ws_connect,
)

from utb.adapters.net.backoff import Backoff
from utb.adapters.net.endpoint import Endpoint
from utb.adapters.net.quantiles import Quantiles
from utb.adapters.net.redact import Redactor
from utb.ports.livefeed import Timer

MESSAGE_BYTES_MAX: Final = 4 * 1024 * 1024
"""Longest message, fragments together: the core's own limit of a frame. Longer ones are refused."""

FRAME_BYTES_MAX: Final = 2 * MESSAGE_BYTES_MAX
"""Longest message that is read at all: above it the connection is closed with 1009."""

RECONNECT_SECONDS_MIN: Final = 0.5

HANDSHAKE_SECONDS: Final = 10.0

_DENIED: Final = frozenset({401, 403})
_TEXT, _CONTINUATION = WSMsgType.TEXT, WSMsgType.CONTINUATION
_BINARY, _PONG, _CLOSE = WSMsgType.BINARY, WSMsgType.PONG, WSMsgType.CLOSE

# The library names addresses, keys included, in its messages: they end here.
_SILENT: Final = logging.getLogger("utb.websocket.library")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


class SocketOwner(Protocol):
    """Who lives on a connection."""

    def on_open(self) -> None:
        """Learn that it is open: subscribe."""
        ...

    def on_message(self, payload: memoryview) -> None:
        """Take a text message; the view dies with this call."""
        ...

    def on_refused(self, reason: str) -> None:
        """Learn that a message was thrown away: oversized, not_text."""
        ...

    def on_broken(self, reason: str) -> None:
        """Learn by a short name why a connection ended, or none came about.

        closed, no_pong, silent, oversized, protocol_error; http_429 and the like, unreachable,
        hung_up, no_websocket. A connection that the owner replaces ends without a reason.
        """
        ...

    async def on_closed(self, sentence: str, mark: AbstractContextManager[None]) -> None:
        """Learn that there is no connection, and why; the next one waits for the return.

        Simulated time stands still by `mark`, which may be left and entered again.
        """
        ...


class SocketWiring(msgspec.Struct, frozen=True, kw_only=True):
    """What a connection is made of beside its address."""

    timer: Timer
    elapsed_ns: Callable[[], int]
    """A clock that nobody sets: monotonic, or of the simulation."""
    stopwatch_ns: Callable[[], int]
    """The machine's monotonic clock, for round trips."""
    backoff: Backoff
    redactor: Redactor
    heartbeat_s: float
    """Silence before a ping, and time it has to be answered in."""
    query: Mapping[str, str] = {}
    """Of the address; may hold the key."""
    headers: Mapping[str, str] = {}


class WebSocket:
    """One connection to a source, until `run` is cancelled."""

    def __init__(self, endpoint: Endpoint, owner: SocketOwner, wiring: SocketWiring) -> None:
        """Connect to nothing yet."""
        self._endpoint = endpoint
        self._owner = owner
        self._wiring = wiring
        self._transport: WSTransport | None = None
        self._tls = ssl.create_default_context() if endpoint.secure else None
        self._nap: asyncio.Future[None] | None = None
        self._urgent = False
        self.reconnects = 0
        self.bytes_received = 0
        self.burst_max = 0
        """Most messages that one read of the socket held: how far behind the taker ever was."""
        self.write_pauses = 0
        self.pongs = Quantiles()

    @property
    def connected(self) -> bool:
        """Return whether the connection is open."""
        return self._transport is not None

    def send(self, text: bytes) -> None:
        """Send a text message; without a connection it is lost."""
        if self._transport is not None:
            self._transport.send(_TEXT, text)

    def adopt(self, transport: WSTransport, listener: "_Listener") -> None:
        """Learn that the connection is open; its first messages may be there already."""
        self._transport, self._listener = transport, listener
        self._owner.on_open()

    def clean(self, text: str) -> str:
        """Return a text of the other side as it may be shown."""
        return self._wiring.redactor.clean(text)

    def drop(self, sentence: str, reason: str = "silent") -> None:
        """Cut the connection; `run` opens another."""
        if self._transport is not None:
            self._listener.fail(reason, sentence)
            self._transport.disconnect(graceful=False)

    def reconnect(self) -> None:
        """Cut the connection, if there is one, and open another without a wait."""
        self._urgent = True
        self.drop("connecting anew", "")
        if self._nap is not None:
            self._nap.cancel()

    async def run(self) -> None:
        """Connect, and connect again; only the owner's own errors end it."""
        wiring = self._wiring
        while True:
            opened_ns = wiring.elapsed_ns()
            failed, mark = await self._once()
            if failed.reason:
                self._owner.on_broken(failed.reason)
            await self._owner.on_closed(self.clean(failed.sentence), mark)
            # One that lived long was good: a source that accepts and drops is backed off from.
            if wiring.elapsed_ns() - opened_ns > wiring.heartbeat_s * 2e9:
                wiring.backoff.reset()
            await self._pause(wiring.backoff.next(), mark)
            self.reconnects += 1

    async def _pause(self, seconds: float, mark: AbstractContextManager[None]) -> None:
        """Wait, unless `reconnect` was or is called; simulated time goes on meanwhile."""
        if not self._urgent:
            self._nap = asyncio.ensure_future(self._wiring.timer.sleep(seconds))
            try:
                # One turn of the loop, for the wait to begin.
                await asyncio.sleep(0)
                mark.__exit__(None, None, None)
                await asyncio.wait({self._nap})
            finally:
                self._nap.cancel()
                self._nap = None
        else:
            mark.__exit__(None, None, None)
        self._urgent = False

    async def _once(self) -> "tuple[_Failed, AbstractContextManager[None]]":
        """Live through one connection; return why it ended, while time stands still."""
        mark = self._wiring.timer.busy()
        mark.__enter__()
        opened = await self._open()
        if isinstance(opened, _Failed):
            return opened, mark
        transport, listener = opened
        mark.__exit__(None, None, None)
        try:
            await transport.wait_disconnected()
        except WSProtocolError as error:
            listener.refuse(error)
        finally:
            self._transport = None
            listener.end()
            transport.disconnect(graceful=False)
        sentence = f"{self._endpoint.authority}: {listener.problem.sentence}; connecting again"
        return _Failed(listener.problem.reason, sentence), listener.ending

    async def _open(self) -> "tuple[WSTransport, _Listener] | _Failed":
        place, wiring = self._endpoint, self._wiring
        query = f"?{urlencode(wiring.query)}" if wiring.query else ""
        url = f"{place.scheme}://{place.authority}{place.path or '/'}{query}"
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                transport, listener = await ws_connect(
                    lambda: _Listener(self, self._owner, wiring),
                    url,
                    ssl_context=self._tls,
                    max_frame_size=FRAME_BYTES_MAX,
                    max_redirects=0,
                    websocket_handshake_timeout=HANDSHAKE_SECONDS,
                    extra_headers=dict(wiring.headers),
                    logger_name=_SILENT,
                )
        except OSError as error:
            return _Failed("unreachable", place.unreachable(error))
        except WSHandshakeError as error:
            return self._refused(error)
        if not isinstance(listener, _Listener):
            # The library returns without one where the source hangs up instead of answering.
            sentence = f"{place.authority} hangs up on the WebSocket; check {place.setting}"
            return _Failed("hung_up", sentence)
        return transport, listener

    def _refused(self, error: WSHandshakeError) -> "_Failed":
        host, setting = self._endpoint.authority, self._endpoint.setting
        status = None if error.response is None else int(error.response.status)
        if status is None:
            return _Failed("no_websocket", f"{host} does not speak WebSocket; check {setting}")
        if status in _DENIED:
            sentence = f"{host} refuses the key (HTTP {status}); check the key and its plan"
        else:
            sentence = f"{host} answers HTTP {status} to the WebSocket; check {setting}"
        return _Failed(f"http_{status}", sentence)


class _Failed(msgspec.Struct, frozen=True):
    """Why there is no connection."""

    reason: str
    """Short name to count it under; empty: not counted."""
    sentence: str


class _Listener(WSListener):
    """The callbacks of one connection."""

    def __init__(self, socket: WebSocket, owner: SocketOwner, wiring: SocketWiring) -> None:
        super().__init__()
        self.problem = _Failed("closed", "the connection was lost")
        self._socket = socket
        self._owner = owner
        self._wiring = wiring
        self._parts = bytearray()
        self._fragmented = False
        self._burst = 0
        self.ending = wiring.timer.busy()
        """Holds simulated time from the end of the connection on."""
        self._seen_ns = wiring.elapsed_ns()
        self._pinged_ns: int | None = None
        self._pinged_watch_ns = 0
        self._cancel: Callable[[], None] | None = None
        self._transport: WSTransport | None = None

    def end(self) -> None:
        """Stop the heartbeat."""
        if self._cancel is not None:
            self._cancel()
        self._alive()
        self._transport = None

    def fail(self, reason: str, sentence: str) -> None:
        """Note why the connection ends."""
        self.problem = _Failed(reason, sentence)

    def refuse(self, error: WSProtocolError) -> None:
        """Note a message or frame that broke the protocol or a limit."""
        if error.args[0] == WSCloseCode.MESSAGE_TOO_BIG:
            self.fail("oversized", f"a message above {FRAME_BYTES_MAX:,} bytes")
        else:
            self.fail("protocol_error", "broken WebSocket frames")

    # picows' callbacks

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Start the heartbeat, and let the owner subscribe."""
        self._transport = transport
        self._arm(self._wiring.heartbeat_s)
        self._socket.adopt(transport, self)

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002 - picows' own
        """Hold simulated time until the end is dealt with."""
        self.ending.__enter__()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Hand a message over."""
        self._seen_ns = self._wiring.elapsed_ns()
        socket = self._socket
        socket.bytes_received += frame.payload_size
        self._burst += 1
        if frame.last_in_buffer:
            socket.burst_max = max(socket.burst_max, self._burst)
            self._burst = 0
        kind = frame.msg_type
        if kind == _TEXT and frame.fin and not self._fragmented:
            if frame.payload_size > MESSAGE_BYTES_MAX:
                self._owner.on_refused("oversized")
            else:
                self._owner.on_message(frame.get_payload_as_memoryview())
        elif kind in (_TEXT, _CONTINUATION):
            self._fragment(kind, frame)
        elif kind == _PONG:
            if self._pinged_ns is not None:
                socket.pongs.add(self._wiring.stopwatch_ns() - self._pinged_watch_ns)
            self._alive()
        elif kind == _BINARY:
            self._owner.on_refused("not_text")
        elif kind == _CLOSE:
            said = frame.get_close_message().decode("utf-8", "replace")
            code = frame.get_close_code()
            self.fail("closed", f"closed by the source ({code}) {said}".rstrip())
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()

    def pause_writing(self) -> None:
        """Count: the source does not read what is sent to it."""
        self._socket.write_pauses += 1

    # Leaves

    def _fragment(self, kind: WSMsgType, frame: WSFrame) -> None:
        if (kind == _TEXT) == self._fragmented:
            raise WSProtocolError(WSCloseCode.PROTOCOL_ERROR, "fragments out of order")
        self._fragmented = not frame.fin
        if len(self._parts) + frame.payload_size > FRAME_BYTES_MAX:
            raise WSProtocolError(WSCloseCode.MESSAGE_TOO_BIG, "fragments above the limit")
        self._parts += frame.get_payload_as_memoryview()
        if frame.fin:
            whole, self._parts = self._parts, bytearray()
            if len(whole) > MESSAGE_BYTES_MAX:
                self._owner.on_refused("oversized")
            else:
                self._owner.on_message(memoryview(whole))

    def _arm(self, seconds: float) -> None:
        self._cancel = self._wiring.timer.call_later(seconds, self._beat)

    def _beat(self) -> None:
        """Ping a silent connection; give up one that left a ping unanswered."""
        wiring = self._wiring
        if self._transport is None:
            return
        silent_s = (wiring.elapsed_ns() - self._seen_ns) / 1e9
        if silent_s < wiring.heartbeat_s:
            self._alive()
            self._arm(wiring.heartbeat_s - silent_s)
        elif self._pinged_ns is not None:
            said = f"half-open: a ping had no answer within {wiring.heartbeat_s:g} s"
            self.fail("no_pong", said)
            self._transport.disconnect(graceful=False)
        else:
            self._pinged_ns = wiring.elapsed_ns()
            self._pinged_watch_ns = wiring.stopwatch_ns()
            self._pending = wiring.timer.busy()
            self._pending.__enter__()
            self._transport.send_ping()
            self._arm(wiring.heartbeat_s)

    def _alive(self) -> None:
        """End the wait for a pong, if there is one: something came."""
        if self._pinged_ns is None:
            return
        self._pinged_ns = None
        self._pending.__exit__(None, None, None)
