"""The System program's instructions in a landed transaction: the only way lamports leave a wallet.

Source of the layouts: solana-system-interface; tag u32 and lamports u64, little-endian.
"""

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Final

import msgspec

from utb.adapters.chain import base58
from utb.adapters.rpc.answers import TransactionValue

SYSTEM_PROGRAM: Final = "1" * 32

_TAG_BYTES: Final = 4
_KEY_BYTES: Final = 32


class _Tag(IntEnum):
    CREATE = 0
    ASSIGN = 1
    TRANSFER = 2
    CREATE_WITH_SEED = 3
    ALLOCATE = 8
    TRANSFER_WITH_SEED = 11


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """Lamports that a System instruction moves, or an account it opens."""

    source: str
    """Empty: none are moved."""
    destination: str
    lamports: int
    opens: bool
    """Whether the destination becomes an account of its own by it."""
    base: str = ""
    """Whose derived account the source is, of a transfer with seed."""


def keys_of(transaction: TransactionValue) -> tuple[str, ...]:
    """Return the accounts by index: static, then loaded writable, then loaded readonly."""
    loaded = transaction.meta.loaded_addresses
    static = transaction.transaction.message.account_keys
    return static if loaded is None else (*static, *loaded.writable, *loaded.readonly)


def moves(transaction: TransactionValue) -> Iterator[Move]:
    """Yield what the System program did, called directly or by other programs.

    Raises:
        ValueError: If an instruction cannot be read.
    """
    keys = keys_of(transaction)
    inner = transaction.meta.inner_instructions or ()
    called = [each for group in inner for each in group.instructions]
    for instruction in (*transaction.transaction.message.instructions, *called):
        if not instruction.program_id_index < len(keys):
            raise ValueError(f"an instruction names program {instruction.program_id_index}")
        if keys[instruction.program_id_index] == SYSTEM_PROGRAM:
            accounts = tuple(keys[index] for index in instruction.accounts if index < len(keys))
            move = _move(base58.decode(instruction.data), accounts)
            if move is not None:
                yield move


def _move(data: bytes, accounts: Sequence[str]) -> Move | None:
    tag = int.from_bytes(data[:_TAG_BYTES], "little")
    lamports = int.from_bytes(data[4:12], "little")
    if tag in {_Tag.ASSIGN, _Tag.ALLOCATE}:
        (opened,) = accounts[:1]
        return Move(source="", destination=opened, lamports=0, opens=True)
    if tag in {_Tag.CREATE, _Tag.TRANSFER}:
        source, destination = accounts[:2]
        opens = tag == _Tag.CREATE
        return Move(source=source, destination=destination, lamports=lamports, opens=opens)
    if tag == _Tag.CREATE_WITH_SEED:
        # base 32, length of the seed u64, seed, lamports.
        length = int.from_bytes(data[36:44], "little")
        amount = data[44 + length : 52 + length]
        source, destination = accounts[:2]
        return Move(
            source=source,
            destination=destination,
            lamports=int.from_bytes(amount, "little"),
            opens=True,
        )
    if tag == _Tag.TRANSFER_WITH_SEED:
        source, base, destination = accounts[:3]
        return Move(
            source=source, destination=destination, lamports=lamports, opens=False, base=base
        )
    return None
