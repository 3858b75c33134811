"""The trading process's end of the seam.

Everything here runs in the loop's thread between two market items. Sending never waits: a reader
whose buffer is full loses messages of the second lane, and is disconnected when records no longer
fit, for it can catch up from the journal's file.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

from utb.adapters.seam.wire import TO_TRADER, Unpacker, pack, reachable
from utb.domain.commands import Answer, Command
from utb.domain.seam import (
    SEAM_VERSION,
    Answered,
    Attach,
    FromTrader,
    Give,
    Hello,
    Records,
    ToTrader,
)
from utb.errors import TransientError, UsageError

READERS_MAX: Final = 32
COMMAND_BYTES_MAX: Final = 64 * 1024
LANE_BUFFER_MAX: Final = 2 * 1024 * 1024
"""Unsent bytes of a reader above which its second lane is dropped."""
RECORD_BUFFER_MAX: Final = 16 * 1024 * 1024
"""Unsent bytes above which a reader is disconnected."""

Reply = Callable[[Answer], None]
OnCommand = Callable[[Command, Reply], None]
"""Takes a command and who to answer; it answers at once or later, once."""


class SeamServer:
    """Listens for readers and gives them what is published."""

    def __init__(self, hello: Callable[[], Hello], on_command: OnCommand) -> None:
        self._hello = hello
        self._on_command = on_command
        self._readers: set[_Reader] = set()
        self._server: asyncio.Server | None = None
        self._path: Path | None = None
        self.dropped = 0
        """Messages of the second lane that readers did not get."""

    async def listen(self, path: Path) -> None:
        """Listen on a Unix socket that only this user may open.

        The caller holds the state directory's lock, so a socket found there is of a dead process.

        Raises:
            UsageError: If the socket cannot be made.
        """
        path.unlink(missing_ok=True)  # noqa: ASYNC240 - a socket node, before anything runs
        loop = asyncio.get_running_loop()
        try:
            with reachable(path) as address:
                self._server = await loop.create_unix_server(lambda: _Reader(self), address)
            path.chmod(0o600)  # noqa: ASYNC240 - as above
        except OSError as error:
            raise UsageError("--state", str(path), f"a place for a socket ({error})") from error
        self._path = path

    @property
    def has_readers(self) -> bool:
        """Return whether anybody wants the second lane."""
        return any(reader.wants_lane for reader in self._readers)

    def publish_records(self, message: Records) -> None:
        """Send durable records to every reader that wants them."""
        data = None
        for reader in tuple(self._readers):
            if reader.wants_records:
                data = data or pack(message)
                reader.send_records(data)

    def publish(self, message: FromTrader) -> None:
        """Send a message of the second lane; who does not keep up does not get it."""
        data = None
        for reader in tuple(self._readers):
            if reader.wants_lane:
                data = data or pack(message)
                if not reader.send_lane(data):
                    self.dropped += 1

    async def close(self) -> None:
        """Send what is on its way, stop listening and remove the socket."""
        if self._server is not None:
            self._server.close()
        for reader in tuple(self._readers):
            reader.finish()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        self._server = None

    # For readers

    def attached(self, reader: "_Reader") -> bool:
        """Take a reader in; False if there are too many."""
        if len(self._readers) >= READERS_MAX:
            return False
        self._readers.add(reader)
        return True

    def detached(self, reader: "_Reader") -> None:
        """Forget a reader."""
        self._readers.discard(reader)

    def greeting(self) -> Hello:
        """Return what a reader needs before anything else."""
        return self._hello()

    def give(self, command: Command, reply: Reply) -> None:
        """Hand a command on."""
        self._on_command(command, reply)


class _Reader(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: SeamServer) -> None:
        self._server = server
        self._unpacker: Unpacker[ToTrader] = Unpacker(TO_TRADER, COMMAND_BYTES_MAX)
        self._transport: asyncio.WriteTransport | None = None
        self._attach: Attach | None = None

    @property
    def wants_lane(self) -> bool:
        """Return whether the reader asked for the second lane."""
        return self._attach is not None and self._attach.lane

    @property
    def wants_records(self) -> bool:
        """Return whether the reader asked for records."""
        return self._attach is not None and self._attach.records

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, unless there are too many."""
        # A stream's transport; uvloop's is none of asyncio's classes.
        self._transport = cast("asyncio.WriteTransport", transport)
        if not self._server.attached(self):
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - either way it is gone
        """Forget the connection."""
        self._server.detached(self)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Take what the reader says; who breaks the protocol is disconnected."""
        try:
            for message in self._unpacker.feed(data):
                self._take(message)
        except TransientError:
            self._abort()

    def send_records(self, data: bytes) -> None:
        """Send records, or give the reader up."""
        if self._transport is None:
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > RECORD_BUFFER_MAX:
            self._abort()

    def send_lane(self, data: bytes) -> bool:
        """Send a message if it fits; return whether it was sent."""
        if self._transport is None or self._transport.get_write_buffer_size() > LANE_BUFFER_MAX:
            return False
        self._transport.write(data)
        return True

    def finish(self) -> None:
        """Close when what was written is sent."""
        if self._transport is not None:
            self._transport.close()

    def _take(self, message: ToTrader) -> None:
        if isinstance(message, Give):
            self._server.give(message.command, self._reply)
            return
        self._write(pack(self._server.greeting()))
        if message.version == SEAM_VERSION:
            self._attach = message
        else:
            self.finish()

    def _reply(self, answer: Answer) -> None:
        self._write(pack(Answered(answer=answer)))

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
