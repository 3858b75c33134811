"""Token accounts and mints as bytes: the classic program's and Token-2022's."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from solders.account import Account
from solders.pubkey import Pubkey

from utb.domain.chain import USDC_MINT, WRAPPED_SOL_MINT

TOKEN: Final = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022: Final = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
TOKEN_PROGRAMS: Final = (TOKEN, TOKEN_2022)
ASSOCIATED: Final = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
USDC: Final = Pubkey.from_string(USDC_MINT)
WRAPPED_SOL: Final = Pubkey.from_string(WRAPPED_SOL_MINT)

ACCOUNT_BYTES: Final = 165
MINT_BYTES: Final = 82
AMOUNT_AT: Final = 64
SUPPLY_AT: Final = 36
DECIMALS_AT: Final = 44
_NATIVE_AT: Final = 109
_ACCOUNT_TYPE_AT: Final = 165
_MINT_TYPE, _ACCOUNT_TYPE = 1, 2
TRANSFER_FEE_CONFIG, _TRANSFER_FEE_AMOUNT = 1, 2
"""Extension types of Token-2022."""
_FEE_DENOMINATOR: Final = 10_000


@dataclass(frozen=True, slots=True)
class TransferFee:
    """A Token-2022 transfer fee that is in force."""

    basis_points: int
    maximum_raw: int

    def of(self, amount_raw: int) -> int:
        """Return the fee on a transfer: rounded up, at most the maximum."""
        return min(-(-amount_raw * self.basis_points // _FEE_DENOMINATOR), self.maximum_raw)


@lru_cache(maxsize=65_536)
def associated(owner: Pubkey, mint: Pubkey, program: Pubkey) -> Pubkey:
    """Return the associated token account's address."""
    return Pubkey.find_program_address([bytes(owner), bytes(program), bytes(mint)], ASSOCIATED)[0]


def is_token_account(account: Account) -> bool:
    """Return whether an account is a token account of either program."""
    if account.owner not in TOKEN_PROGRAMS:
        return False
    data = account.data
    if len(data) <= ACCOUNT_BYTES:
        return len(data) == ACCOUNT_BYTES
    return data[_ACCOUNT_TYPE_AT] == _ACCOUNT_TYPE


def is_native(data: bytes) -> bool:
    """Return whether a token account holds wSOL, whose lamports follow its amount."""
    return data[_NATIVE_AT] == 1


def amount_raw(data: bytes) -> int:
    """Return a token account's amount."""
    return int.from_bytes(data[AMOUNT_AT : AMOUNT_AT + 8], "little")


def with_amount(data: bytes, amount: int) -> bytes:
    """Return a token account's data with another amount."""
    return data[:AMOUNT_AT] + amount.to_bytes(8, "little") + data[AMOUNT_AT + 8 :]


def mint_data(
    authority: Pubkey,
    decimals: int,
    supply_raw: int,
    *,
    freeze: bool = False,
    extensions: Sequence[tuple[int, bytes]] = (),
) -> bytes:
    """Return a mint's data.

    Args:
        authority: Who mints, and who freezes where `freeze` is set.
        decimals: Of its base unit.
        supply_raw: Tokens there are.
        freeze: Whether it has a freeze authority.
        extensions: (type, value) of Token-2022; none: the classic form.
    """
    plain = struct.pack("<I32sQBB", 1, bytes(authority), supply_raw, decimals, 1)
    plain += struct.pack("<I32s", freeze, bytes(authority) if freeze else bytes(32))
    if not extensions:
        return plain
    head = plain + bytes(ACCOUNT_BYTES - MINT_BYTES) + bytes([_MINT_TYPE])
    return head + b"".join(
        struct.pack("<HH", kind, len(value)) + value for kind, value in extensions
    )


def transfer_fee_extension(authority: Pubkey, fee: TransferFee) -> tuple[int, bytes]:
    """Return a mint's transfer fee as (type, value); the same before and after its epoch."""
    rate = struct.pack("<QQH", 0, fee.maximum_raw, fee.basis_points)
    return TRANSFER_FEE_CONFIG, bytes(authority) * 2 + bytes(8) + rate + rate


def account_data(
    mint: Pubkey, owner: Pubkey, amount: int, *, native_rent: int | None = None, fee: bool = False
) -> bytes:
    """Return a token account's data.

    Args:
        mint: Its mint.
        owner: Who may move its tokens.
        amount: Base units.
        native_rent: Rent reserve of a wSOL account, lamports; None for other mints.
        fee: Whether its mint takes a transfer fee, so that it needs room for withheld amounts.
    """
    native = (0, 0) if native_rent is None else (1, native_rent)
    plain = bytes(mint) + bytes(owner) + struct.pack("<QI32sB", amount, 0, bytes(32), 1)
    plain += struct.pack("<IQQI32s", *native, 0, 0, bytes(32))
    if not fee:
        return plain
    return plain + bytes([_ACCOUNT_TYPE]) + struct.pack("<HHQ", _TRANSFER_FEE_AMOUNT, 8, 0)


def transfer_fee(mint: bytes, epoch: int) -> TransferFee | None:
    """Return the transfer fee of a mint in an epoch; None: it has none."""
    at = _ACCOUNT_TYPE_AT + 1
    while at + 4 <= len(mint):
        kind, length = struct.unpack_from("<HH", mint, at)
        if kind == TRANSFER_FEE_CONFIG:
            older, newer = (struct.unpack_from("<QQH", mint, at + 4 + 72 + 18 * n) for n in (0, 1))
            _, maximum_raw, points = newer if epoch >= newer[0] else older
            return TransferFee(points, maximum_raw)
        if kind == 0:
            return None
        at += 4 + length
    return None
