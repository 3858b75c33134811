"""The signer's socket: one request at a time per connection, from users that are allowed."""

import asyncio
import contextlib
import os
import socket
import stat
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from utb.domain.signing import (
    VERSION,
    FromSigner,
    HaltRequest,
    HelloAnswer,
    HelloRequest,
    RefusedAnswer,
    SignedAnswer,
    SignRequest,
    ToSigner,
)
from utb.engine.signer import CoreSigner
from utb.errors import UsageError
from utb.ports.chain import SignClaim, Signed, SignKind
from utb.signing.connection import Connection

log = structlog.get_logger()

CONNECTIONS_MAX: Final = 8
BACKLOG: Final = 8
STATE: Final = "STATE"
_KINDS: Final = {kind.value: kind for kind in SignKind}
_OWN_ONLY: Final = 0o600
_ALL_MAY_ASK: Final = 0o666


class SignerServer:
    """Answers requests; bad input ends a connection, never the process."""

    def __init__(
        self, signer: CoreSigner, allowed: AbstractSet[int], now_s: Callable[[], int]
    ) -> None:
        """Serve `signer` to users of `allowed` ids; `now_s` is Unix time."""
        self._signer = signer
        self._allowed = allowed
        self._now_s = now_s
        self._open: set[Connection] = set()
        self._written = asyncio.Event()
        self._lines: list[Callable[[], None]] = []
        """What is logged when the answers are written."""

    async def serve(self, listener: socket.socket, until: asyncio.Event) -> None:
        """Serve until told to stop; the record is on the disk then."""
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(lambda: Connection(self), sock=listener)
        syncing = asyncio.create_task(self._sync())
        try:
            await until.wait()
        finally:
            server.close()
            syncing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await syncing

    async def _sync(self) -> None:
        """Bring what was signed to the disk, off the loop; if it fails only exits are signed."""
        loop = asyncio.get_running_loop()
        flush = self._signer.flusher()
        while True:
            await self._written.wait()
            self._written.clear()
            try:
                self._signer.reserve_ahead()
            except UsageError as error:
                # Nothing was reserved; a signature that needs it meets the disk itself
                log.critical("nothing_reserved_ahead", reason=str(error))
            try:
                await loop.run_in_executor(None, flush)
            except UsageError as error:
                self._signer.doubt()
                log.critical("record_not_on_disk", reason=str(error))
            else:
                self._signer.reserved()

    # Of its connections

    def admit(self, connection: Connection, uid: int) -> bool:
        """Return whether a user may ask."""
        if uid not in self._allowed or len(self._open) >= CONNECTIONS_MAX:
            log.warning("connection_refused", uid=uid, connections=len(self._open))
            return False
        self._open.add(connection)
        return True

    def leave(self, connection: Connection) -> None:
        """Learn that a connection ended."""
        self._open.discard(connection)

    def answer(self, request: ToSigner) -> FromSigner:
        """Return the answer to a request."""
        match request:
            case SignRequest():
                return self._sign(request)
            case HelloRequest():
                return self._hello(request.number)
            case HaltRequest():
                return self._halt(request.number)

    def tell(self) -> None:
        """Log what was answered."""
        lines, self._lines = self._lines, []
        for line in lines:
            line()

    def _hello(self, number: int) -> HelloAnswer:
        return HelloAnswer(
            number=number,
            version=VERSION,
            public_key=self._signer.public_key,
            halted=self._signer.halted,
        )

    def _halt(self, number: int) -> FromSigner:
        try:
            self._signer.halt()
        except UsageError as error:
            return RefusedAnswer(number=number, code=STATE, message=str(error))
        log.warning("halted")
        return self._hello(number)

    def _sign(self, request: SignRequest) -> FromSigner:
        kind = _KINDS.get(request.kind)
        if kind is None:
            expected = f"kind: expected {', '.join(_KINDS)}"
            return RefusedAnswer(number=request.number, code="BAD_CLAIM", message=expected)
        if request.attempt < 0:
            return RefusedAnswer(
                number=request.number, code="BAD_CLAIM", message="attempt: expected >= 0"
            )
        claim = SignClaim(kind=kind, intent_id=request.intent_id, attempt=request.attempt)
        answer = self._signer.sign(request.message, claim, self._now_s())
        if isinstance(answer, Signed):
            self._written.set()
            self._lines.append(
                partial(log.info, "signed", kind=kind.value, intent_id=claim.intent_id)
            )
            return SignedAnswer(number=request.number, signature=answer.signature)
        log.warning("refused", kind=kind.value, code=answer.code, reason=answer.message)
        return RefusedAnswer(number=request.number, code=answer.code, message=answer.message)


@contextlib.contextmanager
def listening(path: Path, *, others: bool) -> Iterator[socket.socket]:
    """Yield a bound socket at `path`, which only its owner may open unless `others` may ask.

    Raises:
        UsageError: Something that is no socket is there, or the place cannot be written.
    """
    mode = _ALL_MAY_ASK if others else _OWN_ONLY
    try:
        if path.exists():
            if not stat.S_ISSOCK(path.lstat().st_mode):
                raise UsageError("signer.socket", str(path), "a path that is free or a socket")
            # Whoever holds the record is the only signer: what lies here is of a process gone.
            path.unlink()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o777 & ~mode)
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
        listener.listen(BACKLOG)
    except OSError as error:
        raise UsageError("signer.socket", str(path), f"a path for a socket ({error})") from error
    with listener:
        try:
            yield listener
        finally:
            path.unlink(missing_ok=True)
