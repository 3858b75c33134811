"""WebSocket connections of an endpoint: calls in, answers and notifications out."""

import asyncio
from typing import Any, Final

import structlog
from picows import WSFrame, WSListener, WSMsgType, WSTransport

from utb.simnet.rpc import request
from utb.simnet.rpc.errors import RpcError, method_not_found
from utb.simnet.rpc.faults import Kind
from utb.simnet.rpc.node import Node
from utb.simnet.rpc.params import Params
from utb.simnet.rpc.subscriptions import Slot, Subscriptions, known

CONNECTIONS_MAX: Final = 256
"""Of one endpoint."""
BACKLOG_BYTES_MAX: Final = 64 * 1024 * 1024
"""A reader that leaves more than this unread is disconnected."""

_log = structlog.get_logger(__name__)


class RpcConnection(WSListener):
    """One client of one endpoint."""

    def __init__(self, node: Node, connections: "set[RpcConnection]") -> None:
        super().__init__()
        self._node = node
        self._connections = connections
        self._transport: WSTransport | None = None
        self._subscriptions = Subscriptions(node)
        self._fresh: list[int] = []

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Begin."""
        self._transport = transport
        self._connections.add(self)

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002 - one per listener
        """End."""
        self._transport = None
        self._connections.discard(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Answer pings, closes and calls."""
        kind = frame.msg_type
        if kind == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif kind == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        elif kind in (WSMsgType.TEXT, WSMsgType.BINARY):
            self._answer(frame.get_payload_as_bytes())

    def bring(self, slot: Slot) -> None:
        """Tell what one slot brought."""
        for told in self._subscriptions.bring(slot):
            self._notify(told)

    def close(self) -> None:
        """End the connection after what was sent."""
        if self._transport is not None:
            self._transport.disconnect()

    def _answer(self, body: bytes) -> None:
        try:
            asked = request.parse(body)
        except RpcError as error:
            self._later(request.encode(request.failure(None, error)))
            return
        self._later(request.answer(asked, self._handle))
        fresh, self._fresh = self._fresh, []
        for number in fresh:
            for told in self._subscriptions.at_once(number):
                self._notify(told)

    def _handle(self, method: str, params: Params) -> Any:
        self._node.called[method if known(method) else "unknown"] += 1
        if not known(method):
            raise method_not_found()
        made = self._subscriptions.take(method, params)
        if made is not True:
            self._fresh.append(made)
        return made

    def _notify(self, told: dict[str, Any]) -> None:
        board, name = self._node.board, self._node.name
        if board.strike(name, Kind.DEAF, (str(told["method"]),)) is None:
            self._later(request.encode(told))

    def _later(self, message: bytes) -> None:
        """Send, late where the endpoint is slow; what is late keeps its order."""
        slow = self._node.board.acting(self._node.name, Kind.SLOW)
        if slow is None:
            self._send(message)
        else:
            slow.did += 1
            asyncio.get_running_loop().call_later(slow.value, self._send, message)

    def _send(self, message: bytes) -> None:
        if self._transport is None or not message:
            return
        self._transport.send(WSMsgType.TEXT, message)
        if self._transport.underlying_transport.get_write_buffer_size() > BACKLOG_BYTES_MAX:
            _log.warning("reader_too_slow", endpoint=self._node.name)
            self._transport.disconnect(graceful=False)
