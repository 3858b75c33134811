"""The signer behind the socket of `utb sign`."""

import asyncio
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

import msgspec
import structlog

from utb.adapters.seam.wire import reachable
from utb.domain.signing import (
    LENGTH,
    MESSAGE_BYTES_MAX,
    VERSION,
    FromSigner,
    HelloAnswer,
    HelloRequest,
    RefusedAnswer,
    SignedAnswer,
    SignRequest,
    pack,
)
from utb.errors import TransientError
from utb.ports.chain import NotSigned, SignClaim, Signed

log = structlog.get_logger()

UNREACHABLE: Final = "UNREACHABLE"
BUSY: Final = "BUSY"
"""More requests wait than the queue holds; this one was never asked."""
WAITING_MAX: Final = 64
RECONNECT_S: Final = 0.2
_DECODER: Final[msgspec.msgpack.Decoder[FromSigner]] = msgspec.msgpack.Decoder(FromSigner)

Done = Callable[[Signed | NotSigned], None]


class _Waiting(msgspec.Struct):
    message: bytes
    claim: SignClaim
    done: Done


class SignerConnection(asyncio.Protocol):
    """Cuts what the signer sends into answers; a damaged stream ends the connection."""

    def __init__(
        self,
        on_answer: Callable[[FromSigner], None],
        on_lost: Callable[["SignerConnection"], None],
    ) -> None:
        """Hand answers to `on_answer`, and the end to `on_lost`."""
        self._on_answer = on_answer
        self._on_lost = on_lost
        self._buffer = bytearray()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        # uvloop's are none of asyncio's classes, and do what they do
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes, and answer each whole frame."""
        self._buffer += data
        while len(self._buffer) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._buffer)
            if length > MESSAGE_BYTES_MAX:
                self._damaged(f"a frame of {length} bytes")
                return
            end = LENGTH.size + length
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[LENGTH.size : end])
            del self._buffer[:end]
            try:
                answer = _DECODER.decode(body)
            except msgspec.DecodeError as error:
                self._damaged(str(error))
                return
            self._on_answer(answer)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """Tell that it ended."""
        self._on_lost(self)

    def _damaged(self, reason: str) -> None:
        log.warning("signer_stream_damaged", reason=reason)
        if self.transport is not None:
            self.transport.abort()


class ProcessSigner:
    """Asks `utb sign`, one request at a time; connects again when the connection is lost.

    A request whose answer does not come in time is answered UNREACHABLE, not definitive: nobody
    knows whether it was signed. Asking for the same bytes again is safe.
    """

    def __init__(self, path: Path, *, timeout_s: float) -> None:
        """Ask at the socket `path`; made by `connect_signer`."""
        self._path = path
        self._timeout_s = timeout_s
        self._connection: SignerConnection | None = None
        self._queue: deque[_Waiting] = deque()
        self._asked: tuple[int, _Waiting, asyncio.TimerHandle] | None = None
        self._number = 0
        self._hello: asyncio.Future[HelloAnswer] | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._public_key = ""
        self._closed = False

    @property
    def public_key(self) -> str:
        """Return the wallet's address."""
        return self._public_key

    @property
    def connected(self) -> bool:
        """Return whether the signer can be asked now."""
        return self._connection is not None

    def sign(self, message: bytes, claim: SignClaim, done: Done) -> None:
        """Ask for a signature; `done` is called once, from the event loop or at once."""
        if self._connection is None:
            text = "the signer is not connected"
            done(NotSigned(code=UNREACHABLE, message=text, definitive=True))
            return
        if len(self._queue) >= WAITING_MAX:
            text = f"{WAITING_MAX} requests wait for the signer"
            done(NotSigned(code=BUSY, message=text, definitive=True))
            return
        self._queue.append(_Waiting(message, claim, done))
        self._next()

    async def open(self) -> None:
        """Connect and learn the wallet's address.

        Raises:
            TransientError: Nobody answers at the socket, or it is of another version.
        """
        loop = asyncio.get_running_loop()
        hello: asyncio.Future[HelloAnswer] = loop.create_future()
        self._hello = hello
        try:
            async with asyncio.timeout(self._timeout_s):
                with reachable(self._path) as path:
                    _, connection = await loop.create_unix_connection(
                        lambda: SignerConnection(self._on_answer, self._on_lost), path
                    )
                if connection.transport is None:
                    raise TransientError("signer", f"{self._path}: no stream")
                connection.transport.write(pack(HelloRequest(number=0)))
                answer = await hello
        except (OSError, TimeoutError) as error:
            reason = str(error) or "no answer in time"
            raise TransientError("signer", f"{self._path}: {reason}") from error
        finally:
            self._hello = None
        if answer.version != VERSION or (self._public_key not in {"", answer.public_key}):
            connection.transport.abort()
            raise TransientError("signer", f"{self._path}: another version or another wallet")
        self._public_key = answer.public_key
        self._connection = connection
        log.info("signer_connected", wallet=answer.public_key, halted=answer.halted)

    def close(self) -> None:
        """End the connection; what waits is answered UNREACHABLE."""
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
        if self._connection is not None and self._connection.transport is not None:
            self._connection.transport.close()
        self._fail("the signer's connection was closed")

    def _next(self) -> None:
        """Send the next request, if none is on its way."""
        connection = self._connection
        if self._asked is not None or not self._queue or connection is None:
            return
        if connection.transport is None:
            return
        waiting = self._queue.popleft()
        self._number += 1
        claim = waiting.claim
        request = SignRequest(
            number=self._number,
            message=waiting.message,
            kind=claim.kind.value,
            intent_id=claim.intent_id,
            attempt=claim.attempt,
        )
        timer = asyncio.get_running_loop().call_later(self._timeout_s, self._late)
        self._asked = (self._number, waiting, timer)
        connection.transport.write(pack(request))

    def _on_answer(self, answer: FromSigner) -> None:
        if isinstance(answer, HelloAnswer):
            if self._hello is not None and not self._hello.done():
                self._hello.set_result(answer)
            return
        if self._asked is None or self._asked[0] != answer.number:
            # Of a request that was given up, or of none: the stream cannot be trusted any more.
            log.warning("signer_answer_unasked", number=answer.number)
            self._abort()
            return
        _, waiting, timer = self._asked
        timer.cancel()
        self._asked = None
        match answer:
            case SignedAnswer():
                waiting.done(Signed(answer.signature))
            case RefusedAnswer():
                waiting.done(NotSigned(code=answer.code, message=answer.message, definitive=True))
        self._next()

    def _late(self) -> None:
        log.warning("signer_silent", seconds=self._timeout_s)
        self._abort()

    def _abort(self) -> None:
        if self._connection is not None and self._connection.transport is not None:
            self._connection.transport.abort()
        self._lost("the signer does not answer")

    def _on_lost(self, connection: SignerConnection) -> None:
        if self._hello is not None and not self._hello.done():
            self._hello.set_exception(TransientError("signer", f"{self._path}: closed at once"))
        if connection is self._connection:
            self._lost("the signer's connection was lost")

    def _lost(self, reason: str) -> None:
        self._connection = None
        self._fail(reason)
        if not self._closed and self._connecting is None:
            self._connecting = asyncio.get_running_loop().create_task(self._reconnect())

    def _fail(self, reason: str) -> None:
        """Answer what was asked (nobody knows) and what waits (never asked)."""
        asked, self._asked = self._asked, None
        waiting = [*self._queue]
        self._queue.clear()
        if asked is not None:
            asked[2].cancel()
            asked[1].done(NotSigned(code=UNREACHABLE, message=reason, definitive=False))
        for it in waiting:
            it.done(NotSigned(code=UNREACHABLE, message=reason, definitive=True))

    async def _reconnect(self) -> None:
        try:
            while not self._closed and self._connection is None:
                try:
                    await self.open()
                except TransientError as error:
                    log.info("signer_unreachable", reason=str(error))
                    await asyncio.sleep(RECONNECT_S)
        finally:
            self._connecting = None


async def connect_signer(path: Path, *, timeout_s: float) -> ProcessSigner:
    """Return a signer that is connected.

    Raises:
        TransientError: Nobody answers at the socket.
    """
    signer = ProcessSigner(path, timeout_s=timeout_s)
    await signer.open()
    return signer
