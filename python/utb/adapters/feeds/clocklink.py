"""The connection to the stand-in's clock."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import msgspec
import structlog
from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from utb.domain.clock import MESSAGE_BYTES_MAX, Entry, FromClock, Join, Market, Schedule, ToClock
from utb.errors import TransientError

CONNECT_SECONDS: Final = 5.0
ALIVE_SECONDS: Final = 5.0
"""Time that the stand-in has to answer a ping, by the wall: simulated time stands still."""

ANSWER_SECONDS: Final = 30.0
"""How long it may take to describe its market, by the wall."""

JOIN_ATTEMPTS: Final = 240
JOIN_PAUSE_SECONDS: Final = 0.25
"""A stand-in that restarts has a minute."""

_BINARY, _PONG, _CLOSE = WSMsgType.BINARY, WSMsgType.PONG, WSMsgType.CLOSE
_DECODER: Final = msgspec.msgpack.Decoder(FromClock)
_log = structlog.get_logger(__name__)
_SILENT: Final = logging.getLogger("utb.clock.library")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


class ClockLink(WSListener):
    """One connection, from its opening to its loss."""

    def __init__(self, on_schedule: Callable[[list[Entry]], None]) -> None:
        """Hand every schedule over inside the socket's callback."""
        super().__init__()
        self._on_schedule = on_schedule
        self._market: asyncio.Future[Market | None] = asyncio.get_running_loop().create_future()
        self._transport: WSTransport | None = None
        self._opened: WSTransport | None = None
        self._pongs: list[asyncio.Future[bool]] = []

    @classmethod
    async def join(
        cls, url: str, cursor: int, on_schedule: Callable[[list[Entry]], None]
    ) -> "tuple[ClockLink, Market]":
        """Connect, and learn what is traded; again and again for a minute, as the log says.

        Raises:
            TransientError: If nobody answers.
        """
        for attempt in range(JOIN_ATTEMPTS - 1):
            try:
                return await cls._join_once(url, cursor, on_schedule)
            except TransientError as error:
                if attempt == 0:
                    for_s = JOIN_ATTEMPTS * JOIN_PAUSE_SECONDS
                    _log.warning("waiting for the clock", reason=str(error), for_s=for_s)
                await asyncio.sleep(JOIN_PAUSE_SECONDS)
        return await cls._join_once(url, cursor, on_schedule)

    @classmethod
    async def _join_once(
        cls, url: str, cursor: int, on_schedule: Callable[[list[Entry]], None]
    ) -> "tuple[ClockLink, Market]":
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, link = await ws_connect(
                    lambda: cls(on_schedule),
                    url,
                    max_frame_size=MESSAGE_BYTES_MAX,
                    max_redirects=0,
                    logger_name=_SILENT,
                )
        except (OSError, WSError) as error:
            raise TransientError("clock", f"no answer from {url}") from error
        if not isinstance(link, cls):
            # The library returns without one where the other side hangs up instead of answering.
            raise TransientError("clock", f"{url} hangs up")
        market = await link.describe(cursor)
        if market is None:
            link.close()
            raise TransientError("clock", f"no market from {url}")
        return link, market

    async def describe(self, cursor: int) -> Market | None:
        """Join at a cursor and return the market; None if the connection or the patience ends."""
        self.send(Join(cursor=cursor))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._market
        except TimeoutError:
            return None

    def send(self, message: ToClock) -> None:
        """Send a message; on a lost connection it is lost."""
        if self._transport is not None:
            self._transport.send(_BINARY, msgspec.msgpack.encode(message))

    async def is_alive(self) -> bool:
        """Return whether the other side still answers on this connection."""
        if self._transport is None:
            return False
        pong: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._pongs.append(pong)
        self._transport.send_ping()
        try:
            async with asyncio.timeout(ALIVE_SECONDS):
                return await pong
        except TimeoutError:
            return False

    def close(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    async def wait(self) -> None:
        """Return when the connection is lost; raise what the taker of a message raised."""
        assert self._opened is not None  # noqa: S101 - set by `open`
        try:
            await self._opened.wait_disconnected()
        except WSError as error:
            raise TransientError("clock", f"the connection broke its rules: {error}") from error

    # picows' callbacks

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Keep the transport."""
        self._transport = self._opened = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Decode a message and hand it over."""
        kind = frame.msg_type
        if kind == _BINARY and frame.fin:
            try:
                message = _DECODER.decode(frame.get_payload_as_memoryview())
            except msgspec.MsgspecError as error:
                text = f"a message that cannot be read: {error}"
                raise TransientError("clock", text) from error
            if isinstance(message, Schedule):
                self._on_schedule(message.entries)
            elif not self._market.done():
                self._market.set_result(message)
        elif kind == _PONG:
            for pong in self._pongs:
                if not pong.done():
                    pong.set_result(True)
            self._pongs.clear()
        elif kind == _CLOSE:
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002 - picows' own
        """Tell whoever waits."""
        self._transport = None
        if not self._market.done():
            self._market.set_result(None)
        for pong in self._pongs:
            if not pong.done():
                pong.set_result(False)
        self._pongs.clear()
