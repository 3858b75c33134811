"""Instructions by name, for messages that are not orders: housekeeping, wallets, tests.

Amounts are base units or lamports. Keys are 32 bytes.
"""

from typing import Final

import msgspec

from utb import _core
from utb.engine.refusals import usage_error
from utb.errors import UsageError


class AccountRole(msgspec.Struct, frozen=True, array_like=True):
    """An account of an instruction."""

    key: bytes
    signer: bool
    writable: bool


class Instruction(msgspec.Struct, frozen=True, array_like=True):
    """An instruction, ours or someone else's."""

    program: bytes
    accounts: tuple[AccountRole, ...]
    data: bytes


_DECODE: Final = msgspec.msgpack.Decoder(Instruction).decode


def instruction(
    name: str,
    keys: tuple[bytes, ...] = (),
    numbers: tuple[int, ...] = (),
    data: bytes = b"",
) -> Instruction:
    """Return the instruction of a name.

    Names with their keys, then their numbers (`data` where one is said):
    `compute_budget.{request_heap_frame,set_compute_unit_limit,set_compute_unit_price,
    set_loaded_accounts_data_size_limit}`: no keys, the number;
    `system.transfer`: from, to; lamports. `system.create_account`: payer, account, owner; lamports,
    space. `system.create_account_with_seed`: payer, base, owner; lamports, space; data = seed.
    `system.transfer_with_seed`: base, owner, to; lamports; data = seed.
    `system.{advance,initialize}_nonce`: nonce, authority. `system.withdraw_nonce`: nonce,
    authority, to; lamports.
    `token.transfer`: program, from, to, owner; amount. `token.transfer_checked`: program, from,
    mint, to, owner; amount, decimals. `token.transfer_checked_with_fee` (Token-2022): from, mint,
    to, owner; amount, decimals, fee. `token.approve`: program, account, delegate, owner; amount.
    `token.revoke`: program, account, owner. `token.close_account`: program, account, destination,
    owner. `token.sync_native`: program, account. `token.initialize_account3`: program, account,
    mint, owner.
    `associated_token.{create,create_idempotent}`: payer, owner, mint, token program.
    `memo`: signers; data = text.
    `swap.*`: wallet, input mint, then the pool's keys; amount in, least output.
    `swap.raydium_amm`: pool, coin vault, pc vault, coin mint, pc mint. `swap.raydium_cpmm`: pool,
    config, vaults 0 and 1, mint 0, its program, mint 1, its program, observation.
    `swap.pumpswap`: pool, base mint, its program, quote mint, its program, base vault, quote vault,
    coin creator, protocol fee recipient, buyback recipient; a third number: 1 with cashback.
    `swap.whirlpool`: program, pool, mint a, its program, mint b, its program, vaults a and b, three
    tick arrays, oracle.

    Raises:
        UsageError: Another name, other counts, a number beyond its field, or a bad seed.
    """
    try:
        return _DECODE(_core.instruction(name, list(keys), list(numbers), data))
    except ValueError as error:
        raise usage_error(error) from error
    except OverflowError as error:
        raise UsageError("numbers", str(numbers), "in 0..2^64-1") from error
