"""One connection of the signer's socket: requests in, each one's answer out before the next."""

import asyncio
import socket
import struct
from typing import Final, Protocol, cast

import msgspec
import structlog

from utb.domain.signing import LENGTH, MESSAGE_BYTES_MAX, FromSigner, RefusedAnswer, ToSigner, pack

log = structlog.get_logger()

BODY_S: Final = 5.0
"""Seconds a frame may take to arrive once it has begun, and an answer to be taken."""
BAD_REQUEST: Final = "BAD_REQUEST"
"""What is no request is answered with this code, and its connection is closed."""
_CREDENTIALS: Final = struct.Struct("3i")
_DECODER: Final[msgspec.msgpack.Decoder[ToSigner]] = msgspec.msgpack.Decoder(ToSigner)


class Answering(Protocol):
    """Who answers."""

    def admit(self, connection: "Connection", uid: int) -> bool:
        """Return whether a user may ask."""
        ...

    def answer(self, request: ToSigner) -> FromSigner:
        """Return the answer to a request."""
        ...

    def tell(self) -> None:
        """Log what was answered: the answer does not wait for that."""
        ...

    def leave(self, connection: "Connection") -> None:
        """Learn that a connection ended."""
        ...


class Connection(asyncio.Protocol):
    """Cuts a stream into requests; bad input ends the connection, never the process."""

    def __init__(self, server: Answering) -> None:
        """Wait for the other end."""
        self._server = server
        self._buffer = bytearray()
        self._limit: asyncio.TimerHandle | None = None
        """Ends a connection whose frame does not arrive whole, or that takes no answer."""
        self._stopped = False
        """No further request is looked at: its answers are not taken, or it is being closed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See who is at the other end, as the kernel says."""
        # uvloop's are none of asyncio's classes, and do what they do
        self._transport = cast("asyncio.Transport", transport)
        if not self._server.admit(self, _peer_uid(self._transport)):
            self._close()

    def data_received(self, data: bytes) -> None:
        """Take bytes, and answer each whole request."""
        self._buffer += data
        self._go_on()

    def pause_writing(self) -> None:
        """Answer no more while the other end does not read."""
        self._stopped = True
        self._transport.pause_reading()
        self._set_limit()

    def resume_writing(self) -> None:
        """Go on where it was stopped."""
        self._stopped = False
        self._transport.resume_reading()
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the server."""
        self._clear_limit()
        self._stopped = True
        if exc is not None:
            log.info("connection_ended", reason=type(exc).__name__)
        self._server.leave(self)

    def exchange(self, body: bytes) -> None:
        """Answer one request."""
        try:
            answer = self._server.answer(_DECODER.decode(body))
        except msgspec.DecodeError as error:
            self._refuse(str(error))
            return
        self._transport.write(pack(answer))
        self._server.tell()

    # Leaves

    def _go_on(self) -> None:
        while not self._stopped and len(self._buffer) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._buffer)
            if length > MESSAGE_BYTES_MAX:
                self._refuse(f"a request of {length} bytes, at most {MESSAGE_BYTES_MAX}")
                return
            end = LENGTH.size + length
            if len(self._buffer) < end:
                break
            body = bytes(memoryview(self._buffer)[LENGTH.size : end])
            del self._buffer[:end]
            self._clear_limit()
            self.exchange(body)
        if self._buffer and not self._stopped:
            self._set_limit()

    def _refuse(self, message: str) -> None:
        log.warning("bad_request", reason=message)
        answer = RefusedAnswer(number=0, code=BAD_REQUEST, message=message)
        self._transport.write(pack(answer))
        self._close()

    def _close(self) -> None:
        self._stopped = True
        self._transport.close()

    def _set_limit(self) -> None:
        if self._limit is None:
            self._limit = asyncio.get_running_loop().call_later(BODY_S, self._transport.abort)

    def _clear_limit(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None


def _peer_uid(transport: asyncio.Transport) -> int:
    peer = transport.get_extra_info("socket")
    raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(raw)
    return int(uid)
