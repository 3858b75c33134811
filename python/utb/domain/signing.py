"""Messages between the trading process and the signer, and their framing.

A frame is a length (u32, little-endian) and a MessagePack body. The client speaks first, and one
request at a time is on its way: an answer carries its request's number.
"""

import struct
from typing import Final

import msgspec

MESSAGE_BYTES_MAX: Final = 16_384
"""Of a frame's body; a transaction has 1,232 bytes."""
SOCKET_NAME: Final = "sign.sock"
LENGTH: Final = struct.Struct("<I")
VERSION: Final = 1


class SignRequest(msgspec.Struct, frozen=True, tag="sign", kw_only=True):
    """Sign a message; the claim is what is said of it."""

    number: int
    message: bytes
    kind: str
    intent_id: str
    attempt: int


class HelloRequest(msgspec.Struct, frozen=True, tag="hello", kw_only=True):
    """Ask who signs here."""

    number: int
    version: int = VERSION


class HaltRequest(msgspec.Struct, frozen=True, tag="halt", kw_only=True):
    """Switch the halt on; no request switches it off."""

    number: int


class SignedAnswer(msgspec.Struct, frozen=True, tag="signed", kw_only=True):
    """The signature."""

    number: int
    signature: bytes


class RefusedAnswer(msgspec.Struct, frozen=True, tag="refused", kw_only=True):
    """Why it is not signed."""

    number: int
    code: str
    message: str


class HelloAnswer(msgspec.Struct, frozen=True, tag="hello", kw_only=True):
    """Who signs, and whether the halt switch is on."""

    number: int
    version: int
    public_key: str
    halted: bool


ToSigner = SignRequest | HelloRequest | HaltRequest
FromSigner = SignedAnswer | RefusedAnswer | HelloAnswer

_encoder: Final = msgspec.msgpack.Encoder()


def pack(message: ToSigner | FromSigner) -> bytes:
    """Return a message as it goes over the socket."""
    body = _encoder.encode(message)
    return LENGTH.pack(len(body)) + body
