"""Base58 as Solana writes keys, signatures and instruction data.

For settlement and reconciliation, off the hot path; there the compiled core does it.
"""

from typing import Final

ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES: Final = {letter: value for value, letter in enumerate(ALPHABET)}


def encode(data: bytes) -> str:
    """Return bytes in base58; each leading zero byte is a `1`."""
    number = int.from_bytes(data)
    letters = []
    while number:
        number, digit = divmod(number, 58)
        letters.append(ALPHABET[digit])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(letters))


def decode(text: str) -> bytes:
    """Return the bytes of a base58 text.

    Raises:
        ValueError: If it holds another letter.
    """
    number = 0
    for letter in text:
        value = _VALUES.get(letter)
        if value is None:
            raise ValueError(f"{letter!r} is no letter of base58")
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes(-(-number.bit_length() // 8))
