"""Framing of the seam: a length (u32, little-endian) and a MessagePack body."""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Generic, TypeVar

import msgspec

from utb.domain.seam import MESSAGE_BYTES_MAX, FromTrader, ToTrader
from utb.errors import TransientError

Message = TypeVar("Message")

SOCKET_NAME: Final = "trade.sock"

_LENGTH: Final = struct.Struct("<I")
_PATH_BYTES_MAX: Final = 100
"""A socket's path may hold 107 bytes; a longer one is reached through its open directory."""

_encoder = msgspec.msgpack.Encoder()

FROM_TRADER: Final[msgspec.msgpack.Decoder[FromTrader]] = msgspec.msgpack.Decoder(FromTrader)
TO_TRADER: Final[msgspec.msgpack.Decoder[ToTrader]] = msgspec.msgpack.Decoder(ToTrader)


def pack(message: FromTrader | ToTrader) -> bytes:
    """Return a message as it goes over the socket."""
    body = _encoder.encode(message)
    return _LENGTH.pack(len(body)) + body


class Unpacker(Generic[Message]):
    """Cuts a stream into messages."""

    def __init__(self, decoder: msgspec.msgpack.Decoder[Message], bytes_max: int) -> None:
        self._decoder = decoder
        self._bytes_max = min(bytes_max, MESSAGE_BYTES_MAX)
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield the messages that `data` completes.

        Raises:
            TransientError: If the stream is damaged: a length above the limit, or a body that is
                no message.
        """
        self._buffer += data
        at = 0
        try:
            while len(self._buffer) - at >= _LENGTH.size:
                (length,) = _LENGTH.unpack_from(self._buffer, at)
                if length > self._bytes_max:
                    raise TransientError(
                        "seam", f"a message of {length} bytes, at most {self._bytes_max}"
                    )
                end = at + _LENGTH.size + length
                if len(self._buffer) < end:
                    break
                body = bytes(self._buffer[at + _LENGTH.size : end])
                at = end
                try:
                    message = self._decoder.decode(body)
                except msgspec.DecodeError as error:
                    raise TransientError("seam", f"a body that is no message: {error}") from error
                yield message
        finally:
            del self._buffer[:at]


@contextmanager
def reachable(path: Path) -> Iterator[str]:
    """Give a socket's path in a form that is short enough for the kernel."""
    text = str(path)
    if len(os.fsencode(text)) <= _PATH_BYTES_MAX:
        yield text
        return
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)
