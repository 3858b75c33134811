"""Signed transactions as they come in: checked, and with their lookup tables resolved."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from solders.account import Account
from solders.message import Message, MessageV0, MessageV1, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.transaction import SanitizeError, VersionedTransaction

from utb.simnet.chain.types import ChainError

PACKET_BYTES_MAX: Final = 1_232
"""1280 of the network's smallest MTU less 48 of headers."""

INVALID_PARAMS: Final = -32602
SIGNATURE_FAILURE: Final = -32003
UNSUPPORTED_VERSION: Final = -32015
_V0_MARK: Final = 0x80
_TABLE_HEADER_BYTES: Final = 56
_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Incoming:
    """A transaction that could be read."""

    raw: bytes
    transaction: VersionedTransaction
    message: Message | MessageV0
    signature: str
    blockhash: str

    def calls(self, program: Pubkey) -> bool:
        """Return whether an instruction of it, not of a program it calls, is `program`'s."""
        keys = self.message.account_keys
        return any(keys[one.program_id_index] == program for one in self.message.instructions)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A transaction's accounts: static keys, loaded writable, loaded readonly."""

    keys: tuple[Pubkey, ...]
    writable: tuple[bool, ...]
    static_count: int
    loaded_writable_count: int


def read(raw: bytes) -> Incoming:
    """Read a signed transaction.

    Raises:
        ChainError: If it is too large, of an unknown version, or not one transaction.
    """
    if len(raw) > PACKET_BYTES_MAX:
        raise ChainError(
            INVALID_PARAMS,
            f"transaction is {len(raw)} bytes, expected at most {PACKET_BYTES_MAX} bytes",
        )
    _check_version(raw)
    try:
        transaction = VersionedTransaction.from_bytes(raw)
        transaction.sanitize()
    except (ValueError, SanitizeError) as error:
        raise ChainError(INVALID_PARAMS, f"invalid transaction: {error}") from error
    if bytes(transaction) != raw:
        raise ChainError(INVALID_PARAMS, "invalid transaction: bytes after its end")
    message = transaction.message
    if isinstance(message, MessageV1):
        raise ChainError(UNSUPPORTED_VERSION, "Transaction version (1) is not supported")
    return Incoming(
        raw, transaction, message, str(transaction.signatures[0]), str(message.recent_blockhash)
    )


def _check_version(raw: bytes) -> None:
    """Refuse message versions other than 0 by name, before a parser guesses."""
    offset = 1 + 64 * raw[0] if raw else 0
    # A first byte of 0x81 is a version 1 transaction: its signatures come after the message.
    marks = (raw[0] if raw else 0, raw[offset] if offset < len(raw) else 0)
    for mark in marks:
        if mark > _V0_MARK:
            raise ChainError(
                UNSUPPORTED_VERSION,
                f"Transaction version ({mark - _V0_MARK}) is not supported, expected 0 or legacy",
            )


def check_signatures(incoming: Incoming) -> None:
    """Check every signature.

    Raises:
        ChainError: If one is missing or wrong.
    """
    message = incoming.message
    signatures = incoming.transaction.signatures
    needed = message.header.num_required_signatures
    signed = to_bytes_versioned(message)
    keys = message.account_keys
    if len(signatures) != needed or not all(
        one.verify(key, signed) for one, key in zip(signatures, keys, strict=False)
    ):
        raise ChainError(SIGNATURE_FAILURE, "Transaction signature verification failure")


def resolve(message: Message | MessageV0, table: Callable[[Pubkey], Account | None]) -> Resolved:
    """Return the accounts of a message; entries that a table does not have are left out.

    The virtual machine refuses such a transaction itself.
    """
    keys = list(message.account_keys)
    static_count = len(keys)
    writable = _static_writable(message)
    lookups = message.address_table_lookups if isinstance(message, MessageV0) else []
    loaded: tuple[list[Pubkey], list[Pubkey]] = ([], [])
    for lookup in lookups:
        account = table(lookup.account_key)
        data = b"" if account is None else account.data
        for found, indexes in zip(
            loaded, (lookup.writable_indexes, lookup.readonly_indexes), strict=True
        ):
            for index in indexes:
                at = _TABLE_HEADER_BYTES + _KEY_BYTES * index
                if at + _KEY_BYTES <= len(data):
                    found.append(Pubkey(data[at : at + _KEY_BYTES]))
    keys += loaded[0] + loaded[1]
    writable += [True] * len(loaded[0]) + [False] * len(loaded[1])
    return Resolved(tuple(keys), tuple(writable), static_count, len(loaded[0]))


def _static_writable(message: Message | MessageV0) -> list[bool]:
    header, count = message.header, len(message.account_keys)
    signers = header.num_required_signatures
    writable_signers = signers - header.num_readonly_signed_accounts
    writable_end = count - header.num_readonly_unsigned_accounts
    return [index < writable_signers or signers <= index < writable_end for index in range(count)]
