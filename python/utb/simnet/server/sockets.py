"""WebSocket connections of the sources: who subscribed to what, and pings."""

from collections.abc import Callable
from typing import Final, Protocol

import structlog
from picows import WSFrame, WSListener, WSMsgType, WSTransport

from utb.simnet.server.faults import Board, Kind
from utb.simnet.server.wire import Key
from utb.simnet.server.world import SOURCES

CONNECTIONS_MAX: Final = 64
"""Most WebSocket connections of one source."""
BACKLOG_BYTES_MAX: Final = 64 * 1024 * 1024
"""A reader that leaves more than this unread is disconnected."""

_log = structlog.get_logger(__name__)


class Dialect(Protocol):
    """What a source's connection understands."""

    def answer(self, message: bytes) -> list[bytes]:
        """Take a message of the client and return what to say."""
        ...

    @property
    def keys(self) -> frozenset[Key]:
        """Return what the connection is subscribed to."""
        ...


class SourceConnection(WSListener):
    """One client of one source."""

    def __init__(self, hub: "Hub", source: int, dialect: Dialect) -> None:
        super().__init__()
        self.source = source
        self._hub = hub
        self._dialect = dialect
        self._transport: WSTransport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Join the hub."""
        self._transport = transport
        self._hub.enter(self)

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002 - one per listener
        """Leave the hub."""
        self._transport = None
        self._hub.leave(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Answer pings, closes and subscriptions."""
        kind = frame.msg_type
        if kind == WSMsgType.PING:
            self._pong(transport, frame.get_payload_as_bytes())
        elif kind == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        elif kind in (WSMsgType.TEXT, WSMsgType.BINARY):
            answers = self._dialect.answer(frame.get_payload_as_bytes())
            self._hub.subscribed()
            if self._hub.board.find(self.source, Kind.HALF_OPEN) is None:
                for one in answers:
                    transport.send(WSMsgType.TEXT, one)

    def _pong(self, transport: WSTransport, payload: bytes) -> None:
        fault = self._hub.board.find(self.source, Kind.HALF_OPEN)
        if fault is None:
            transport.send_pong(payload)
        else:
            fault.count("pongs_withheld")

    @property
    def keys(self) -> frozenset[Key]:
        """Return what it is subscribed to."""
        return self._dialect.keys

    def write(self, frames: bytes) -> None:
        """Send WebSocket messages that are framed already."""
        if self._transport is None:
            return
        out = self._transport.underlying_transport
        out.write(frames)
        if out.get_write_buffer_size() > BACKLOG_BYTES_MAX:
            _log.warning("reader_too_slow", source=SOURCES[self.source])
            self._transport.disconnect(graceful=False)

    def close(self) -> None:
        """End the connection after what was sent."""
        if self._transport is not None:
            self._transport.disconnect()


class Hub:
    """All connections of all sources."""

    def __init__(self, board: Board, on_change: Callable[[], None]) -> None:
        """Know nobody.

        Args:
            board: Faults that act on connections.
            on_change: Called when a connection comes or goes or subscribes.
        """
        self.board = board
        self._on_change = on_change
        self._connections: list[list[SourceConnection]] = [[] for _ in SOURCES]
        self._targets: dict[tuple[int, Key], list[SourceConnection]] = {}

    def enter(self, connection: SourceConnection) -> None:
        """Take in a new connection."""
        self._connections[connection.source].append(connection)
        self.subscribed()

    def leave(self, connection: SourceConnection) -> None:
        """Forget a connection."""
        if connection in self._connections[connection.source]:
            self._connections[connection.source].remove(connection)
        self.subscribed()

    def subscribed(self) -> None:
        """Learn that subscriptions changed."""
        self._targets.clear()
        self._on_change()

    def full(self, source: int) -> bool:
        """Return whether a source takes no more connections."""
        return len(self._connections[source]) >= CONNECTIONS_MAX

    def targets(self, source: int, key: Key) -> list[SourceConnection]:
        """Return who gets a frame."""
        found = self._targets.get((source, key))
        if found is None:
            found = [one for one in self._connections[source] if key in one.keys]
            self._targets[source, key] = found
        return found

    def close(self, source: int) -> int:
        """End every connection of a source after what was sent, and return how many."""
        leaving = list(self._connections[source])
        self._connections[source].clear()
        for connection in leaving:
            connection.close()
        self.subscribed()
        return len(leaving)

    def close_all(self) -> None:
        """End every connection."""
        for source in range(len(SOURCES)):
            self.close(source)
