"""Writes an input log (`inputlog`): whole frames, durable when it is asked for.

What was written and not waited for with the disk can be asked for, so that another file can keep it
meanwhile; and a full disk leaves everything in the buffer.
"""

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self
from zlib import crc32

import msgspec

from utb.adapters.feeds.inputlog import (
    FRAME,
    MAGIC,
    SCHEMA,
    CommandTaken,
    InputLogHeader,
    WentOn,
    scan,
)
from utb.ports.feed import FeedItem
from utb.ports.journal import LoggedCommand
from utb.ports.room import NO_ROOM, NoRoom

FRESH_BYTES_MAX: Final = 64 * 1024
"""Most bytes written since a sync that are remembered."""

_BUFFER_BYTES: Final = 256 * 1024
_ENCODER: Final = msgspec.msgpack.Encoder()


class InputLogWriter:
    """Appends items and commands to a log; what `sync` returned for survives any crash."""

    def __init__(self, path: Path, options_digest: str) -> None:
        """Open `path`, new or existing; an existing log loses a damaged tail and goes on.

        Raises:
            UsageError: If the file is not an input log of the same schema and options.
            InputLogDamaged: If it is damaged before its end.
        """
        self.path = path
        self._buffer = bytearray()
        self.count = 0
        """Items in the log, those in the buffer included."""
        self.written = 0
        """Items in the file."""
        self.held_back = False
        """The file has no room: what comes stays in the buffer until `let_go`."""
        self.command_ids: set[str] = set()
        """Commands in the log."""
        self.cut: str | None = None
        """What was cut off an existing log's end, or None."""
        self._fresh = _Fresh()
        """Written since the last sync."""
        self._later: _Fresh | None = None
        """Written since a sync outside began."""
        header = InputLogHeader(schema=SCHEMA, options_digest=options_digest)
        self._is_new = not (path.exists() and path.stat().st_size > 0)
        self._file: BinaryIO
        self._good = 0
        if self._is_new:
            self._begin(header)
        else:
            self._go_on_with(header)

    def _begin(self, header: InputLogHeader) -> None:
        self._file = self.path.open("wb", buffering=0)
        self._buffer += MAGIC
        self._put(_ENCODER.encode(header))
        try:
            self.sync()
            _sync_directory(self.path.parent)
        except OSError:
            self._file.close()
            raise

    def _go_on_with(self, header: InputLogHeader) -> None:
        found = scan(self.path, header)
        self.count, self.cut = found.items, found.cut
        self.written = found.items
        self.command_ids = {logged.command.command_id for logged in found.commands}
        self._file = self.path.open("r+b", buffering=0)
        self._file.truncate(found.end)
        self._file.seek(found.end)
        # What the process before wrote may be in the machine's memory only
        os.fdatasync(self._file.fileno())
        self._good = found.end

    def append(self, item: FeedItem) -> None:
        """Append one item (buffered)."""
        body = _ENCODER.encode(item)
        # Counted first: the buffer keeps it, also where the file does not take it
        self.count += 1
        self._put(body)

    def append_frame(self, frame: bytes) -> None:
        """Append one item's whole frame, as `unwritten` gave it (buffered)."""
        self.count += 1
        self._put(frame[FRAME.size :])

    def unwritten(self, start: int = 0) -> bytes:
        """Return the frames that are in the buffer alone, from a byte on."""
        return bytes(memoryview(self._buffer)[start:])

    @property
    def unwritten_bytes(self) -> int:
        """Return how many bytes are in the buffer alone."""
        return len(self._buffer)

    def hold_back(self) -> None:
        """Write nothing more until `let_go`; what is in the file is durable on return."""
        os.fdatasync(self._file.fileno())
        self._fresh, self._later = _Fresh(), None
        self.held_back = True

    def let_go(self) -> None:
        """Write what was held back; durable on return.

        Raises:
            NoRoom: If there is none; it stays held back.
        """
        self.sync()
        self.held_back = False

    def append_command(self, logged: LoggedCommand) -> None:
        """Append a command that was taken (buffered)."""
        self._put(_ENCODER.encode(CommandTaken(logged)))
        self.command_ids.add(logged.command.command_id)

    def go_on(self) -> None:
        """Note that the session goes on from here; a new log needs no note."""
        if not self._is_new:
            self._put(_ENCODER.encode(WentOn()))

    def sync(self) -> None:
        """Return when everything appended is durable."""
        self.flush()
        os.fdatasync(self._file.fileno())
        self._fresh, self._later = _Fresh(), None

    def begin_sync(self) -> Callable[[], None]:
        """Write the buffer, and return what another thread calls to make it durable.

        `end_sync` is called when that has returned, unless a `sync` came first.
        """
        self.flush()
        self._later = _Fresh()
        # Opened anew: the kernel tells a failed write to each open file once, so `sync` hears of it
        # too, whoever is first
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)

        def wait() -> None:
            try:
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)

        return wait

    def end_sync(self) -> None:
        """Learn that what was written before `begin_sync` is durable."""
        if self._later is not None:
            self._fresh, self._later = self._later, None

    @property
    def unsynced_bytes(self) -> int:
        """Return how much was appended since the last sync."""
        return len(self._buffer) + self._fresh.length

    def fresh(self) -> tuple[int, bytes] | None:
        """Return what was written since the last sync and the byte of the file where it begins.

        None: it is more than `FRESH_BYTES_MAX`, which only a sync makes durable.
        """
        if self._fresh.length > FRESH_BYTES_MAX:
            return None
        return self._good - self._fresh.length, bytes(self._fresh.body)

    def close(self) -> None:
        """Sync and close; closing twice is fine, and what was held back is not tried again."""
        if not self._file.closed:
            try:
                if not self.held_back:
                    self.sync()
            finally:
                self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _put(self, body: bytes) -> None:
        self._buffer += FRAME.pack(len(body), crc32(body))
        self._buffer += body
        if len(self._buffer) >= _BUFFER_BYTES and not self.held_back:
            self.flush()

    def flush(self) -> None:
        """Write the buffer whole, or leave the file as it was.

        Raises:
            NoRoom: If there is no room for it; a later try writes the same bytes.
            OSError: If it cannot be written for another reason.
        """
        view, written = memoryview(self._buffer), 0
        try:
            while written < len(view):
                written += self._file.write(view[written:])
        except OSError as error:
            self._file.truncate(self._good)
            self._file.seek(self._good)
            if error.errno in NO_ROOM:
                raise NoRoom(error.errno, error.strerror, str(self.path)) from error
            raise
        finally:
            view.release()
        self._good += written
        self._fresh.add(self._buffer)
        if self._later is not None:
            self._later.add(self._buffer)
        self.written = self.count
        self._buffer.clear()


class _Fresh:
    """Bytes written since a sync, forgotten when there are too many."""

    __slots__ = ("body", "length")

    def __init__(self) -> None:
        self.body = bytearray()
        self.length = 0

    def add(self, more: bytearray) -> None:
        self.length += len(more)
        if self.length <= FRESH_BYTES_MAX:
            self.body += more
        else:
            self.body.clear()


def _sync_directory(directory: Path) -> None:
    """Let a file's name survive a power loss as its content does."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
