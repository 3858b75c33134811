"""The reserve: room taken beforehand for what exits write when the disk has none left.

A file of fixed size, zero-filled and durable before trading begins, and only ever overwritten in
place: that needs no new block, no longer file and no quota. It is used from its start each time:
a header names the run of it, chunks follow, each at a multiple of 512 bytes.

    header   magic 8s | run u64 | in use u32 | crc32 of what is before
    chunk    magic 4s | crc32 of what follows | run u64 | number u32 | length u32 | body
    body     zlib of the MessagePack of a `Kept`

A chunk holds inputs, commands and records together, so a crash loses them together or not at all:
the last chunk may be torn, and then nothing it tells has left. A damaged one before a whole one of
the same run is an error.
"""

import os
import secrets
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from utb.errors import InvariantError, UsageError, UtbError

FILE_NAME: Final = "reserve"
BLOCK: Final = 512
"""A sector: what a disk writes whole."""
_MAGIC: Final = b"UTBRSV1\n"
_HEADER: Final = struct.Struct("<8sQI")
_CRC: Final = struct.Struct("<I")
_CHUNK_MAGIC: Final = b"UTBC"
_CHUNK: Final = struct.Struct("<4sIQII")
_BODY_CRC_AT: Final = 8
"""Where in a chunk begins what its checksum covers."""
_FAST: Final = 1
"""Level of zlib: inputs are JSON and shrink to a third, in less time than a write takes."""

Row = tuple[int, int, str, bytes]
"""Sequence, wall ns, kind, bytes of `encode_record`."""


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """What one write to the reserve keeps."""

    position: int
    """Of the first input on the tape."""
    inputs: bytes
    """Whole frames of the tape, one an input."""
    commands: tuple[bytes, ...]
    """MessagePack of each `LoggedCommand`."""
    rows: tuple[Row, ...]


class ReserveFull(UtbError):  # noqa: N818 - names the state of the file
    """What had to be kept does not fit: nothing may leave."""


class Reserve:
    """One process's reserve file; the state directory's lock keeps others away."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        """Open the file, made and filled if it is absent; one of another size is made anew.

        Args:
            path: Of the file.
            size_bytes: A multiple of `BLOCK`, at least two.

        Raises:
            UsageError: If it is no reserve, damaged, or there is no room for it.
        """
        self._path = path
        path.with_name(f"{path.name}.new").unlink(missing_ok=True)
        if path.exists():
            self._run, self.in_use = _header(path)
        if not path.exists() or (not self.in_use and path.stat().st_size != size_bytes):
            _make(path, size_bytes)
            self._run, self.in_use = _header(path)
        self._size = path.stat().st_size
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._number = 0
        self._end = BLOCK

    @property
    def path(self) -> Path:
        """Return the file."""
        return self._path

    @property
    def free_bytes(self) -> int:
        """Return how much is left for chunks."""
        return self._size - self._end

    def put(self, kept: Kept) -> None:
        """Return when `kept` is durable.

        Raises:
            ReserveFull: If there is no room for it.
            OSError: If it cannot be written.
            InvariantError: If it still holds what an earlier process put there.
        """
        if self.in_use and self._number == 0:
            raise InvariantError(f"{self._path} holds what was not moved into the journal yet")
        body = zlib.compress(msgspec.msgpack.encode(kept), _FAST)
        begins = not self.in_use
        run = secrets.randbits(64) if begins else self._run
        chunk = _CHUNK.pack(_CHUNK_MAGIC, 0, run, self._number, len(body)) + body
        chunk = chunk[:4] + _CRC.pack(zlib.crc32(chunk[_BODY_CRC_AT:])) + chunk[_BODY_CRC_AT:]
        if len(chunk) > self.free_bytes:
            raise ReserveFull(
                f"{self._path} has {self.free_bytes} bytes left and needs {len(chunk)}: nothing "
                "more can be kept, so nothing more is sent"
            )
        # Whole sectors, so that no write has to read what is under it
        self._write(chunk + bytes(-len(chunk) % BLOCK), self._end)
        if begins:
            self._write(_header_block(run, in_use=True), 0)
        os.fdatasync(self._file)
        self._run, self.in_use = run, True
        self._number += 1
        self._end += len(chunk) + -len(chunk) % BLOCK

    def kept(self) -> Iterator[Kept]:
        """Yield what the present run holds, in order; a torn last chunk is left out.

        Raises:
            UsageError: If a chunk before the last one is damaged.
        """
        if not self.in_use:
            return
        content = self._path.read_bytes()
        at, number = BLOCK, 0
        while (body := _chunk(content, at, self._run, number)) is not None:
            yield msgspec.msgpack.decode(zlib.decompress(body), type=Kept)
            at += _CHUNK.size + len(body)
            at += -at % BLOCK
            number += 1
        for later in range(at + BLOCK, len(content), BLOCK):
            if _chunk(content, later, self._run, None) is not None:
                expected = f"whole chunks: number {number} is damaged and byte {later} has another"
                raise UsageError("reserve", str(self._path), expected)

    def clear(self) -> None:
        """Return when what it held is durably forgotten; the next run begins at the start."""
        self._write(_header_block(self._run, in_use=False), 0)
        os.fdatasync(self._file)
        self.in_use = False
        self._number, self._end = 0, BLOCK

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _write(self, data: bytes, at: int) -> None:
        view = memoryview(data)
        while view:
            written = os.pwrite(self._file, view, at)
            at += written
            view = view[written:]


def _make(path: Path, size_bytes: int) -> None:
    """Fill a new file beside, and put it in its place when all of it is durable."""
    new = path.with_name(f"{path.name}.new")
    try:
        with new.open("xb", buffering=0) as file:
            os.fchmod(file.fileno(), 0o600)
            for block in (_header_block(0, in_use=False), *_zeros(size_bytes - BLOCK)):
                view = memoryview(block)
                while view:
                    view = view[file.write(view) :]
            os.fsync(file.fileno())
        new.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        expected = f"room for {size_bytes} bytes, node.reserve_mib ({error.strerror})"
        raise UsageError("reserve", str(path), expected) from error


def _zeros(total: int) -> Iterator[bytes]:
    part = bytes(1024 * 1024)
    for begin in range(0, total, len(part)):
        yield part[: total - begin]


def _header_block(run: int, *, in_use: bool) -> bytes:
    head = _HEADER.pack(_MAGIC, run, int(in_use))
    return (head + _CRC.pack(zlib.crc32(head))).ljust(BLOCK, b"\0")


def _header(path: Path) -> tuple[int, bool]:
    """Return the run, and whether it holds anything.

    Raises:
        UsageError: If the file is no reserve.
    """
    with path.open("rb") as file:
        block = file.read(BLOCK)
    magic, run, in_use = _HEADER.unpack_from(block.ljust(BLOCK, b"\0"))
    if magic != _MAGIC or block != _header_block(run, in_use=bool(in_use)):
        raise UsageError("reserve", str(path), "a reserve of this program, undamaged")
    return run, bool(in_use)


def _chunk(content: bytes, at: int, run: int, number: int | None) -> bytes | None:
    """Return a whole chunk's body; None: at `at` is none of this run with this (any) number."""
    if at + _CHUNK.size > len(content):
        return None
    magic, crc, its_run, its_number, length = _CHUNK.unpack_from(content, at)
    end = at + _CHUNK.size + length
    if magic != _CHUNK_MAGIC or its_run != run or end > len(content):
        return None
    if (number is not None and its_number != number) or zlib.crc32(
        content[at + _BODY_CRC_AT : end]
    ) != crc:
        return None
    return content[at + _CHUNK.size : end]
