"""Input log: every item a session consumed, so that it can be replayed exactly.

File: the magic line, then frames of `length u32 | crc32 u32 | body`, little-endian. The first
body is the header, every other one a feed item, both MessagePack. Frames are only ever appended,
so a crash can damage the end of the file and nothing else: a damaged end is cut and reported,
damage with whole frames behind it is an error.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self
from zlib import crc32

import msgspec

from utb.errors import UsageError, UtbError
from utb.ports.feed import FeedItem

SCHEMA: Final = 1
"""Version of the file format."""

FRAME_BYTES_MAX: Final = 64 * 1024 * 1024
"""Longest frame body; a length above it is damage."""

_MAGIC: Final = b"UTB input log\n"
_FRAME: Final = struct.Struct("<II")
_BUFFER_BYTES: Final = 256 * 1024
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(FeedItem)


class InputLogHeader(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the log belongs to."""

    schema: int
    options_digest: str
    """Digest of the options the session ran with; a replay needs the same."""


class InputLogDamaged(UtbError):  # noqa: N818 - names the state of the file
    """The log is damaged before its end: what follows cannot be trusted."""


class InputLogWriter:
    """Appends items to a log; what `sync` returned for survives any crash."""

    def __init__(self, path: Path, options_digest: str) -> None:
        """Open `path`, new or existing; an existing log loses a damaged tail and goes on.

        Raises:
            UsageError: If the file is not an input log of the same schema and options.
            InputLogDamaged: If it is damaged before its end.
        """
        self._buffer = bytearray()
        self.count = 0
        """Items in the log, those in the buffer included."""
        self.cut: str | None = None
        """What was cut off an existing log's end, or None."""
        header = InputLogHeader(schema=SCHEMA, options_digest=options_digest)
        if path.exists() and path.stat().st_size > 0:
            scan = _scan(path, header)
            self.count, self.cut = scan.items, scan.cut
            self._file: BinaryIO = path.open("r+b")
            self._file.truncate(scan.end)
            self._file.seek(scan.end)
        else:
            self._file = path.open("wb")
            self._buffer += _MAGIC
            self._put(_ENCODER.encode(header))

    def append(self, item: FeedItem) -> None:
        """Append one item (buffered)."""
        self._put(_ENCODER.encode(item))
        self.count += 1

    def sync(self) -> None:
        """Return when everything appended is durable."""
        self._flush()
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Sync and close; closing twice is fine."""
        if not self._file.closed:
            self.sync()
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
        self._buffer += _FRAME.pack(len(body), crc32(body))
        self._buffer += body
        if len(self._buffer) >= _BUFFER_BYTES:
            self._flush()

    def _flush(self) -> None:
        self._file.write(self._buffer)
        self._buffer.clear()


class InputLogFeed:
    """Replays a log as a feed."""

    def __init__(self, path: Path, options_digest: str | None = None) -> None:
        """Open `path`; with `options_digest`, insist that the log was made with those options.

        Raises:
            UsageError: If the file is not an input log, or of other options.
        """
        self._path = path
        self.cut: str | None = None
        """What `items` found damaged at the end and left out, or None."""
        with path.open("rb") as file:
            self.header = _read_header(path, file)
        if options_digest is not None and self.header.options_digest != options_digest:
            raise _other_options(path, self.header, options_digest)

    def items(self, start: int) -> Iterator[FeedItem]:
        """Yield items from position `start` (0 = the first) to the end.

        Raises:
            InputLogDamaged: If the log is damaged before its end.
        """
        with self._path.open("rb") as file:
            _read_header(self._path, file)
            position = 0
            while True:
                offset = file.tell()
                body = _read_frame(file)
                if body is None:
                    break
                if position >= start:
                    yield _DECODER.decode(body)
                position += 1
            self.cut = _describe_tail(self._path, file, offset, position)


class _Scan(msgspec.Struct, frozen=True):
    items: int
    end: int
    cut: str | None


def _scan(path: Path, header: InputLogHeader) -> _Scan:
    with path.open("rb") as file:
        found = _read_header(path, file)
        if found.options_digest != header.options_digest:
            raise _other_options(path, found, header.options_digest)
        items = 0
        while True:
            offset = file.tell()
            if _read_frame(file) is None:
                return _Scan(items, offset, _describe_tail(path, file, offset, items))
            items += 1


def _other_options(path: Path, found: InputLogHeader, wanted: str) -> UsageError:
    return UsageError(f"options of {path}", found.options_digest, f"{wanted}, those of this run")


def _read_header(path: Path, file: BinaryIO) -> InputLogHeader:
    magic = file.read(len(_MAGIC))
    if magic != _MAGIC:
        raise UsageError("input log", str(path), "a file that starts with 'UTB input log'")
    body = _read_frame(file)
    if body is None:
        raise UsageError("input log", str(path), "a whole header after the first line")
    header = msgspec.msgpack.decode(body, type=InputLogHeader)
    if header.schema != SCHEMA:
        raise UsageError(f"schema of {path}", str(header.schema), str(SCHEMA))
    return header


def _read_frame(file: BinaryIO) -> bytes | None:
    """Return the next body, or None at the end or at a damaged frame."""
    head = file.read(_FRAME.size)
    if len(head) < _FRAME.size:
        return None
    length, checksum = _FRAME.unpack(head)
    if length == 0 or length > FRAME_BYTES_MAX:
        return None
    body = file.read(length)
    return body if len(body) == length and crc32(body) == checksum else None


def _describe_tail(path: Path, file: BinaryIO, offset: int, items: int) -> str | None:
    """Return what stands after the last whole frame, or None if that was the end.

    Raises:
        InputLogDamaged: If a whole frame follows the damage.
    """
    file.seek(offset)
    rest = file.read()
    if not rest:
        return None
    follows = _whole_frame_at(rest)
    if follows is not None:
        raise InputLogDamaged(
            f"{path}: damaged at byte {offset}, after {items} items: a whole frame follows at "
            f"byte {offset + follows}, so this is not an interrupted write"
        )
    return f"{path}: cut {len(rest)} bytes at byte {offset}, after {items} items (unfinished write)"


def _whole_frame_at(rest: bytes) -> int | None:
    """Return where the first whole, decodable frame behind a damaged one starts."""
    for at in range(1, len(rest) - _FRAME.size):
        length, checksum = _FRAME.unpack_from(rest, at)
        end = at + _FRAME.size + length
        if length == 0 or end > len(rest) or crc32(rest[at + _FRAME.size : end]) != checksum:
            continue
        return at
    return None
