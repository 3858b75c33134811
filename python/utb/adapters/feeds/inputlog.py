"""Input log: every item and command a session took, so that it can be replayed exactly.

File: the magic line, then frames of `length u32 | crc32 u32 | body`, little-endian. The first
body is the header, every other one an entry, all MessagePack: a feed item, a command with the feed
position it was taken at, or the mark of a process that went on with the session. A command stands
behind the item that comes after it, because the item is read before the command is taken: its
position decides. Frames are only ever appended, so a crash can damage the end of the file and
nothing else: a damaged end is cut and reported, damage with whole frames behind it is an error.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, get_args
from zlib import crc32

import msgspec

from utb.domain.commands import Shutdown
from utb.errors import UsageError, UtbError
from utb.ports.feed import FeedItem
from utb.ports.journal import LoggedCommand

SCHEMA: Final = 1
"""Version of the file format."""

FRAME_BYTES_MAX: Final = 64 * 1024 * 1024
"""Longest frame body; a length above it is damage."""

MAGIC: Final = b"UTB input log\n"
FRAME: Final = struct.Struct("<II")
"""Length and CRC-32 of a frame's body."""


class CommandTaken(msgspec.Struct, frozen=True, array_like=True, tag="m"):
    """An entry: a command, and where it was taken."""

    logged: LoggedCommand


class WentOn(msgspec.Struct, frozen=True, array_like=True, tag="b"):
    """An entry: another process went on with the session, so no shutdown before it was the end."""


_DECODER: Final[msgspec.msgpack.Decoder[FeedItem | CommandTaken | WentOn]] = (
    msgspec.msgpack.Decoder(FeedItem | CommandTaken | WentOn)
)
_ITEM_TAGS: Final = tuple(
    b"\xa1" + str(kind.__struct_config__.tag).encode() for kind in get_args(FeedItem)
)
"""Second and third byte of an item's body: its tag, behind the array's length."""


class InputLogHeader(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the log belongs to."""

    schema: int
    options_digest: str
    """Digest of the options the session ran with; a replay needs the same."""


class InputLogDamaged(UtbError):  # noqa: N818 - names the state of the file
    """The log is damaged before its end: what follows cannot be trusted."""


def frames_of(data: bytes) -> Iterator[bytes]:
    """Yield the whole frames that `unwritten` gave in one piece.

    Raises:
        InputLogDamaged: If it is not made of whole frames.
    """
    at = 0
    while at < len(data):
        length, checksum = FRAME.unpack_from(data.ljust(at + FRAME.size, b"\0"), at)
        end = at + FRAME.size + length
        if end > len(data) or crc32(memoryview(data)[at + FRAME.size : end]) != checksum:
            raise InputLogDamaged(f"held back inputs: no whole frame at byte {at} of {len(data)}")
        yield data[at:end]
        at = end


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

    def commands(self) -> list[LoggedCommand]:
        """Return the commands in the order of their positions.

        A shutdown is among them only if the session ended with it.

        Raises:
            InputLogDamaged: If the log is damaged before its end.
        """
        found = scan(self._path, self.header)
        commands = [
            logged
            for place, logged in enumerate(found.commands)
            if place >= found.went_on_at or not isinstance(logged.command, Shutdown)
        ]
        return sorted(commands, key=lambda logged: logged.position)

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
                if not _is_item(body):
                    continue
                if position >= start:
                    entry = _DECODER.decode(body)
                    if not isinstance(entry, CommandTaken | WentOn):
                        yield entry
                position += 1
            self.cut = _describe_tail(self._path, file, offset, position)


class Scan(msgspec.Struct, frozen=True):
    """What a log holds, and where what is whole of it ends."""

    items: int
    commands: tuple[LoggedCommand, ...]
    went_on_at: int
    """Commands before the last process went on."""
    end: int
    cut: str | None


def scan(path: Path, header: InputLogHeader) -> Scan:
    """Read a log from its beginning to its end.

    Raises:
        UsageError: If the file is not an input log of the same schema and options.
        InputLogDamaged: If it is damaged before its end.
    """
    with path.open("rb") as file:
        found = _read_header(path, file)
        if found.options_digest != header.options_digest:
            raise _other_options(path, found, header.options_digest)
        items, went_on_at = 0, 0
        commands: list[LoggedCommand] = []
        while True:
            offset = file.tell()
            body = _read_frame(file)
            if body is None:
                cut = _describe_tail(path, file, offset, items)
                return Scan(items, tuple(commands), went_on_at, offset, cut)
            if _is_item(body):
                items += 1
                continue
            entry = _DECODER.decode(body)
            if isinstance(entry, CommandTaken):
                commands.append(entry.logged)
            else:
                went_on_at = len(commands)


def _is_item(body: bytes) -> bool:
    """Tell an item from the other entries without decoding it."""
    return body[1:3] in _ITEM_TAGS


def _other_options(path: Path, found: InputLogHeader, wanted: str) -> UsageError:
    return UsageError(f"options of {path}", found.options_digest, f"{wanted}, those of this run")


def _read_header(path: Path, file: BinaryIO) -> InputLogHeader:
    magic = file.read(len(MAGIC))
    if magic != MAGIC:
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
    head = file.read(FRAME.size)
    if len(head) < FRAME.size:
        return None
    length, checksum = FRAME.unpack(head)
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
    for at in range(1, len(rest) - FRAME.size):
        length, checksum = FRAME.unpack_from(rest, at)
        end = at + FRAME.size + length
        if length == 0 or end > len(rest) or crc32(rest[at + FRAME.size : end]) != checksum:
            continue
        return at
    return None
