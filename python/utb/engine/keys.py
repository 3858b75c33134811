"""Addresses and their texts: 32 bytes of an address or a blockhash, 64 of a signature."""

from collections.abc import Sequence

from utb import _core
from utb.engine.refusals import usage_error


def key_bytes(text: str) -> bytes:
    """Return the 32 bytes of a base58 address or blockhash.

    Raises:
        UsageError: Not base58 of exactly 32 bytes.
    """
    try:
        return _core.key_bytes(text)
    except ValueError as error:
        raise usage_error(error) from error


def key_text(key: bytes) -> str:
    """Return the base58 text of 32 bytes (address, blockhash) or 64 bytes (signature).

    Raises:
        UsageError: Another length.
    """
    try:
        return _core.key_text(key)
    except ValueError as error:
        raise usage_error(error) from error


def signature_bytes(text: str) -> bytes:
    """Return the 64 bytes of a base58 signature.

    Raises:
        UsageError: Not base58 of exactly 64 bytes.
    """
    try:
        return _core.signature_bytes(text)
    except ValueError as error:
        raise usage_error(error) from error


def find_program_address(seeds: Sequence[bytes], program: bytes) -> tuple[bytes, int]:
    """Return the program address with the highest bump, and the bump.

    Raises:
        UsageError: More than 15 seeds, or one above 32 bytes.
    """
    try:
        return _core.find_program_address(list(seeds), program)
    except ValueError as error:
        raise usage_error(error) from error


def associated_token_address(owner: bytes, mint: bytes, token_program: bytes) -> bytes:
    """Return an owner's associated token account.

    Raises:
        UsageError: A key that has not 32 bytes.
    """
    try:
        return _core.associated_token_address(owner, mint, token_program)
    except ValueError as error:
        raise usage_error(error) from error


def create_with_seed(base: bytes, seed: bytes, owner: bytes) -> bytes:
    """Return the address of a seed text below a base key: the guard's address.

    Raises:
        UsageError: A seed above 32 bytes or no UTF-8.
    """
    try:
        return _core.create_with_seed(base, seed, owner)
    except ValueError as error:
        raise usage_error(error) from error
