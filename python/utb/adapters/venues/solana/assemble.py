"""Messages of attempts: direct swaps by the builder, the aggregator's by our own compilation.

The order of instructions is the same in both: compute-unit limit, price, guard, opened accounts,
swaps, memo, tip.
"""

from typing import Final

import msgspec

from utb.adapters.jupiter.client import Swap
from utb.adapters.venues.solana.parts import Builder
from utb.adapters.venues.solana.wallet import OwnAccount
from utb.domain.chain import Route
from utb.engine.chain import (
    AccountRole,
    BuildOrder,
    Guard,
    Instruction,
    LookupTable,
    SwapSpec,
    Tip,
    TokenAccount,
    create_with_seed,
    instruction,
    key_bytes,
)
from utb.routing.fees import Fee

SYSTEM_PROGRAM: Final = "11111111111111111111111111111111"

_STRUCK_OUT: Final = b"\xff" * 32
"""Stands in a table's place of an account that must not be loaded from it."""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What an attempt has around its swaps."""

    wallet: bytes
    fee: Fee
    tip_account: str | None
    guard_seed: bytes | None
    guard_lamports: int
    memo: bytes | None
    open_account: OwnAccount | None
    """Token account of the output that may not be there."""


def direct(builder: Builder, route: Route, frame: Frame, blockhash: bytes) -> bytes:
    """Return the message of a route over pools.

    Raises:
        UsageError: The builder cannot make it.
    """
    opened = frame.open_account
    guard = None
    if frame.guard_seed is not None:
        guard = Guard(seed=frame.guard_seed, lamports=frame.guard_lamports)
    tip = None
    if frame.tip_account is not None:
        tip = Tip(account=key_bytes(frame.tip_account), lamports=frame.fee.tip_lamports)
    order = BuildOrder(
        compute_unit_limit=frame.fee.compute_unit_limit,
        compute_unit_price=frame.fee.compute_unit_price,
        guard=guard,
        create_token_accounts=()
        if opened is None
        else (TokenAccount(mint=opened.mint_key, token_program=opened.token_program_key),),
        legs=tuple(
            SwapSpec(
                program=leg.program,
                pool=key_bytes(leg.pool),
                input_mint=key_bytes(leg.input_mint),
                amount_in_raw=leg.amount_in_raw,
                min_out_raw=leg.min_out_raw,
            )
            for leg in route.legs
        ),
        memo=frame.memo,
        tip=tip,
    )
    return builder.build(order, blockhash)


def foreign(builder: Builder, swap: Swap, frame: Frame, blockhash: bytes) -> bytes:
    """Return the message of the aggregator's swap, compiled by us.

    Its tables are used for accounts that need no judgement; the others stand in the message.

    Raises:
        UsageError: The builder cannot make it.
    """
    wallet = frame.wallet
    system = key_bytes(SYSTEM_PROGRAM)
    instructions = compute_budget(frame.fee)
    if frame.guard_seed is not None:
        keys = wallet, wallet, system
        numbers = frame.guard_lamports, 0
        instructions.append(
            instruction("system.create_account_with_seed", keys, numbers, frame.guard_seed)
        )
    if frame.open_account is not None:
        opened = frame.open_account
        keys4 = wallet, wallet, opened.mint_key, opened.token_program_key
        instructions.append(instruction("associated_token.create_idempotent", keys4))
    given = swap.instruction
    instructions.append(
        Instruction(
            key_bytes(given.program_id),
            tuple(
                AccountRole(key_bytes(a.pubkey), a.is_signer, a.is_writable) for a in given.accounts
            ),
            given.data_bytes() or b"",
        )
    )
    if frame.memo is not None:
        instructions.append(instruction("memo", data=frame.memo))
    if frame.tip_account is not None:
        pair = wallet, key_bytes(frame.tip_account)
        instructions.append(instruction("system.transfer", pair, (frame.fee.tip_lamports,)))
    tables = tuple(
        LookupTable(
            key_bytes(key),
            tuple(key_bytes(address) if address else _STRUCK_OUT for address in addresses),
        )
        for key, addresses in swap.tables
    )
    return builder.compile(instructions, blockhash, tables)


def compute_budget(fee: Fee) -> list[Instruction]:
    """Return the instructions that set the compute-unit limit and its price."""
    return [
        instruction("compute_budget.set_compute_unit_limit", (), (fee.compute_unit_limit,)),
        instruction("compute_budget.set_compute_unit_price", (), (fee.compute_unit_price,)),
    ]


def guard_address(wallet: bytes, seed: bytes) -> bytes:
    """Return the address of the guard account of a seed."""
    return create_with_seed(wallet, seed, key_bytes(SYSTEM_PROGRAM))
