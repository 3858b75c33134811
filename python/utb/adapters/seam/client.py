"""A reader's end of the seam."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from utb.adapters.seam.wire import FROM_TRADER, SOCKET_NAME, Unpacker, pack, reachable
from utb.domain.commands import Answer, Command
from utb.domain.seam import (
    MESSAGE_BYTES_MAX,
    SEAM_VERSION,
    Answered,
    Attach,
    FromTrader,
    Give,
    Hello,
)
from utb.errors import TransientError

OPEN_TIMEOUT_S: Final = 5.0
ANSWER_TIMEOUT_S: Final = 10.0
ARRIVED_MAX: Final = 1024
"""Messages that wait to be taken; then the socket is not read."""
HELLO_BYTES_MAX: Final = 1024 * 1024
_READ_BYTES: Final = 256 * 1024


def socket_path(state_dir: Path) -> Path:
    """Return where the trading process of a state directory listens."""
    return state_dir / "run" / SOCKET_NAME


class _Pending:
    """A command on its way, and how many wait for its answer."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.waiting = 0


class SeamClient:
    """One connection: what is published comes out of the iteration, commands are answered.

    A task reads the socket. It stops reading while nobody takes what has arrived, so a reader that
    falls behind is noticed by the trading process, which drops or disconnects it.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hello: Hello
    ) -> None:
        """Take over a connection whose greeting was `hello`; use `open`."""
        self.hello = hello
        self._reader = reader
        self._writer = writer
        self._waiting: dict[str, _Pending] = {}
        self._arrived: asyncio.Queue[FromTrader | TransientError] = asyncio.Queue(ARRIVED_MAX)
        self._lost: TransientError | None = None
        self._task = asyncio.create_task(self._read())

    @classmethod
    async def open(
        cls, path: Path, *, reader: str, lane: bool = True, records: bool = True
    ) -> "SeamClient":
        """Attach to the trading process that listens on `path`.

        Args:
            path: The socket.
            reader: Who reads, for logs.
            lane: Whether the second lane is wanted.
            records: Whether records are wanted; with neither, the connection only gives commands.

        Raises:
            TransientError: If nobody listens, or it does not greet in time or speaks another
                version.
        """
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                with reachable(path) as address:
                    stream, writer = await asyncio.open_unix_connection(address)
                writer.write(pack(Attach(reader=reader, lane=lane, records=records)))
                hello = await _greeting(stream)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, TransientError) as error:
            if writer is not None:
                writer.close()
            reason = f"no greeting within {OPEN_TIMEOUT_S:g} s"
            if not isinstance(error, TimeoutError):
                reason = f"not running, or not answering ({error})"
            raise TransientError("trade", reason) from error
        return cls(stream, writer, hello)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def __aiter__(self) -> AsyncIterator[FromTrader]:
        """Yield what is published.

        Raises:
            TransientError: When the connection is lost.
        """
        while True:
            message = await self._arrived.get()
            if isinstance(message, TransientError):
                raise message
            yield message

    async def give(self, command: Command) -> Answer:
        """Give a command and return its answer; the same id twice at a time is given once.

        Raises:
            TransientError: If the connection is lost or no answer comes in time. The command may
                have been taken: give it again with the same id, which is answered, not repeated.
        """
        if self._lost is not None:
            raise self._lost
        pending = self._waiting.get(command.command_id)
        if pending is None:
            pending = self._waiting[command.command_id] = _Pending()
            self._writer.write(pack(Give(command=command)))
        pending.waiting += 1
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                # Who gives up leaves the answer to the others
                return await asyncio.shield(pending.answer)
        except TimeoutError as error:
            raise TransientError("trade", f"no answer within {ANSWER_TIMEOUT_S:g} s") from error
        finally:
            pending.waiting -= 1
            if not pending.waiting and self._waiting.get(command.command_id) is pending:
                del self._waiting[command.command_id]

    async def close(self) -> None:
        """Close the connection."""
        self._task.cancel()
        self._lose("the connection was closed")
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def _read(self) -> None:
        unpacker: Unpacker[FromTrader] = Unpacker(FROM_TRADER, MESSAGE_BYTES_MAX)
        reason = "the connection was lost"
        try:
            while data := await self._reader.read(_READ_BYTES):
                for message in unpacker.feed(data):
                    if isinstance(message, Answered):
                        self._answered(message.answer)
                    else:
                        await self._arrived.put(message)
        except (OSError, TransientError) as error:
            reason = f"the connection was lost ({error})"
        await self._arrived.put(self._lose(reason))

    def _answered(self, answer: Answer) -> None:
        # Gone from here at once: the same id from now on is given again
        pending = self._waiting.pop(answer.command_id, None)
        if pending is not None and not pending.answer.done():
            pending.answer.set_result(answer)

    def _lose(self, reason: str) -> TransientError:
        self._lost = self._lost or TransientError("trade", reason)
        for pending in self._waiting.values():
            if not pending.answer.done():
                pending.answer.set_exception(self._lost)
        return self._lost


async def _greeting(stream: asyncio.StreamReader) -> Hello:
    """Read the greeting.

    Raises:
        TransientError: If it is none, or of another version.
    """
    length = await stream.readexactly(4)
    unpacker: Unpacker[FromTrader] = Unpacker(FROM_TRADER, HELLO_BYTES_MAX)
    found = list(unpacker.feed(length))
    found += unpacker.feed(await stream.readexactly(int.from_bytes(length, "little")))
    if not found or not isinstance(found[0], Hello):
        raise TransientError("trade", "does not greet as the trading process does")
    if found[0].version != SEAM_VERSION:
        raise TransientError(
            "trade", f"speaks version {found[0].version} of the seam, must be {SEAM_VERSION}"
        )
    return found[0]
