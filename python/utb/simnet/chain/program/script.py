"""Scripts of the planted-script program, as `venue.c` reads them."""

import struct
from collections.abc import Iterable, Sequence
from typing import Final

from solders.pubkey import Pubkey

MAGIC: Final = b"UBSCRIPT"
ANY_AMOUNT: Final = 255
EVENT_CALL: Final = bytes.fromhex("e445a52e51cb9a1d")
"""Begins the data of a program's call of itself that carries an Anchor event."""

_END, _LOG, _EVENT, _SIGNERS, _INVOKE, _PATCH, _REQUIRE, _BURN, _FAIL = range(9)
WRITABLE: Final = 1
SIGNER: Final = 2

UNITS_PER_ROUND: Final = 145
"""Of the burning loop: a system call of 140 and five instructions; those alone would be slow."""

_CUSTOM_ZERO: Final = 1 << 32
"""A program cannot return 0 as an error; the runtime reads this as Custom(0)."""
INVALID_INSTRUCTION_DATA: Final = 3 << 32
NOT_ENOUGH_ACCOUNTS: Final = 11 << 32

Meta = tuple[int, int]
"""(position among the instruction's accounts, WRITABLE | SIGNER)."""


class Script:
    """What the program does with one instruction; operations in the order they are added."""

    def __init__(
        self, program: Pubkey, key: tuple[int, Pubkey], amount: tuple[int, int] = (ANY_AMOUNT, 0)
    ) -> None:
        """Begin a script.

        Args:
            program: Whose instruction it is for.
            key: (position, account) that marks the instruction.
            amount: (position, raw) of a token account that holds that before it; ANY_AMOUNT as
                the position asks for nothing.
        """
        self._key = struct.pack("<32sB32s", bytes(program), key[0], bytes(key[1]))
        self.amount = amount
        self._parts: list[bytes] = []
        self.paid_raw = 0
        """What a swap takes of the user, input raw."""
        self.received_raw = 0
        """What the user gets of it, output raw, transfer fees taken off."""

    def log(self, text: str) -> None:
        """Log a line, `Program log: ` before it."""
        body = text.encode()
        self._parts.append(struct.pack("<BH", _LOG, len(body)) + body)

    def event(self, body: bytes) -> None:
        """Log bytes, as `Program data: <base64>`."""
        self._parts.append(struct.pack("<BH", _EVENT, len(body)) + body)

    def signers(self, *sets: Sequence[bytes]) -> None:
        """Sign the calls that follow for the program's own addresses with these seeds."""
        body = bytearray((_SIGNERS, len(sets)))
        for seeds in sets:
            body.append(len(seeds))
            for seed in seeds:
                body.append(len(seed))
                body += seed
        self._parts.append(bytes(body))

    def invoke(self, program: int, metas: Iterable[Meta], data: bytes) -> None:
        """Call a program; all positions are among the instruction's accounts."""
        flat = [value for meta in metas for value in meta]
        head = bytes((_INVOKE, program, len(flat) // 2, *flat))
        self._parts.append(head + struct.pack("<H", len(data)) + data)

    def patch(self, index: int, offset: int, body: bytes) -> None:
        """Write into an account that the program owns."""
        self._parts.append(struct.pack("<BBIH", _PATCH, index, offset, len(body)) + body)

    def require(self, index: int, least_raw: int, error: int) -> None:
        """Fail unless a token account holds at least that much at this moment."""
        self._parts.append(struct.pack("<BBQQ", _REQUIRE, index, least_raw, custom(error)))

    def burn(self, units: int) -> None:
        """Spend about that many compute units."""
        self._parts.append(struct.pack("<BI", _BURN, max(1, units // UNITS_PER_ROUND)))

    def fail(self, error: int) -> None:
        """Return an error: a custom code, or one of the runtime's own above 32 bits."""
        self._parts.append(struct.pack("<BQ", _FAIL, custom(error)))

    def body(self) -> bytes:
        """Return the entry as it is planted."""
        head = self._key + struct.pack("<BQ", *self.amount)
        body = head + b"".join(self._parts) + bytes((_END,))
        return struct.pack("<I", len(body)) + body


def custom(code: int) -> int:
    """Return what a program returns for a custom error code."""
    return code or _CUSTOM_ZERO


def planted(scripts: Sequence[Script]) -> bytes:
    """Return the data of a script account."""
    return MAGIC + struct.pack("<H", len(scripts)) + b"".join(one.body() for one in scripts)
