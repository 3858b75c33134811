"""Rent that can be had back, and the instructions that get it: apart from trades. Pure.

A guard whose rent comes back too early lets another attempt of its intent land: only when all of
them are dead or final does it go. An account is closed only empty: one raw of dust, or withheld
transfer fees, would make the instruction fail.

Source of the layouts: solana-system-interface (transferWithSeed), spl-token (closeAccount).
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec

from utb.adapters.chain import base58
from utb.adapters.chain.system import SYSTEM_PROGRAM
from utb.adapters.chain.wallet import Guard, TokenAccount

INSTRUCTIONS_MAX: Final = 8
"""Of one transaction, so that it stays below the wire's 1,232 bytes."""

_TRANSFER_WITH_SEED: Final = 11
_CLOSE_ACCOUNT: Final = 9

PlannedInstruction = tuple[bytes, tuple[tuple[bytes, bool, bool], ...], bytes]
"""Program, accounts (key, signs, is written) and data, as `TransactionBuilder.compile` takes it."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction's worth."""

    instructions: tuple[PlannedInstruction, ...]
    lamports: int
    """That come back to the wallet, before the fee."""
    least_lamports: int
    """Of the account that holds least."""
    accounts: tuple[str, ...]
    """Addresses that are emptied."""


def plan(
    wallet: str,
    guards: Sequence[Guard],
    accounts: Sequence[TokenAccount],
    *,
    open_seeds: AbstractSet[str],
    kept_mints: AbstractSet[str],
) -> tuple[Batch, ...]:
    """Return the transactions that bring rent back, as few as there can be.

    Args:
        wallet: Address: owner of the accounts, base of the guards, and who gets the rent.
        guards: That exist at a finalized slot.
        accounts: Token accounts that exist at the same slot.
        open_seeds: Intents with an attempt that is neither dead nor final: their guards stay.
        kept_mints: Mints traded or held, wrapped SOL among them: their accounts stay.
    """
    key = base58.decode(wallet)
    found = list(_emptied(key, guards, accounts, open_seeds=open_seeds, kept_mints=kept_mints))
    parts = (found[at : at + INSTRUCTIONS_MAX] for at in range(0, len(found), INSTRUCTIONS_MAX))
    return tuple(
        Batch(
            instructions=tuple(instruction for instruction, _, _ in part),
            lamports=sum(lamports for _, lamports, _ in part),
            least_lamports=min(lamports for _, lamports, _ in part),
            accounts=tuple(address for _, _, address in part),
        )
        for part in parts
    )


def _emptied(
    wallet: bytes,
    guards: Sequence[Guard],
    accounts: Sequence[TokenAccount],
    *,
    open_seeds: AbstractSet[str],
    kept_mints: AbstractSet[str],
) -> Iterator[tuple[PlannedInstruction, int, str]]:
    for guard in guards:
        if guard.seed not in open_seeds and guard.lamports > 0:
            yield _transfer_with_seed(wallet, guard), guard.lamports, guard.address
    for account in accounts:
        closable = account.amount_raw == 0 and not account.frozen and not account.withheld
        if closable and account.mint not in kept_mints:
            yield _close_account(wallet, account), account.rent_lamports, account.address


def _transfer_with_seed(wallet: bytes, guard: Guard) -> PlannedInstruction:
    seed, owner = guard.seed.encode(), base58.decode(SYSTEM_PROGRAM)
    data = (
        _TRANSFER_WITH_SEED.to_bytes(4, "little")
        + guard.lamports.to_bytes(8, "little")
        + len(seed).to_bytes(8, "little")
        + seed
        + owner
    )
    accounts = (
        (base58.decode(guard.address), False, True),
        (wallet, True, False),
        (wallet, False, True),
    )
    return owner, accounts, data


def _close_account(wallet: bytes, account: TokenAccount) -> PlannedInstruction:
    accounts = (
        (base58.decode(account.address), False, True),
        (wallet, False, True),
        (wallet, True, False),
    )
    return base58.decode(account.program), accounts, bytes((_CLOSE_ACCOUNT,))
