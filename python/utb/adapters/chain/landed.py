"""What a landed transaction did to the wallet, to the lamport, from the chain's own balances.

Lamports leave a wallet as the fee, or by instructions of the System program; they come back from
accounts that are closed. So with F the fee, T the tips, R the rent locked in accounts of ours (less
what came back) and D the wallet's change, `D + F + T + R` is what else moved: nothing, unless SOL
itself was swapped without a wrapped account of ours that lasts.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec

from utb.adapters.chain.system import Move, keys_of, moves
from utb.adapters.chain.tips import TIP_ACCOUNTS
from utb.adapters.rpc.answers import TokenBalance, TransactionValue
from utb.domain.chain import WRAPPED_SOL_MINT

_NOT_OURS: Final = "the wallet takes no part in the transaction"


class Unread(msgspec.Struct, frozen=True):
    """A transaction that is not what was expected, and why."""

    sentence: str


class Landed(msgspec.Struct, frozen=True, kw_only=True):
    """The wallet's side of a transaction."""

    signature: str
    slot: int
    err: str | None
    """The error as JSON; None: it succeeded."""
    fee_lamports: int
    """Base and priority fee; 0 where somebody else paid it."""
    tip_lamports: int
    rent_lamports: int
    """Locked in accounts it opened, less what came back from accounts it closed."""
    wallet_lamports: int
    """Change of the wallet's own balance."""
    other_lamports: int
    """Change that neither fee, tip nor rent explains: SOL that was swapped, sent or received."""
    tokens: dict[str, int]
    """Change by mint, over all token accounts of the wallet; wrapped SOL included."""
    compute_units: int | None


class _Holding(msgspec.Struct):
    """A token account of ours, before and after."""

    mint: str
    before_raw: int = 0
    after_raw: int = 0


def error_text(err: object) -> str | None:
    """Return a TransactionError as compact JSON; None: there is none."""
    return None if err is None else msgspec.json.encode(err).decode()


def read_landed(
    transaction: TransactionValue, wallet: str, tip_accounts: AbstractSet[str] = TIP_ACCOUNTS
) -> Landed | Unread:
    """Return the wallet's side of a transaction.

    Args:
        transaction: As `getTransaction` answers with the encoding `json`.
        wallet: Address.
        tip_accounts: Transfers from the wallet to these are tips.
    """
    meta, keys = transaction.meta, keys_of(transaction)
    if wallet not in keys:
        return Unread(_NOT_OURS)
    if not len(keys) == len(meta.pre_balances) == len(meta.post_balances):
        told = f"{len(meta.pre_balances)} and {len(meta.post_balances)} balances"
        return Unread(f"the transaction has {len(keys)} accounts, but {told}")
    if not transaction.transaction.signatures:
        return Unread("the transaction has no signature")
    changes = {
        key: after - before
        for key, before, after in zip(keys, meta.pre_balances, meta.post_balances, strict=True)
    }
    holdings = _holdings(transaction, keys, wallet)
    if isinstance(holdings, Unread):
        return holdings
    try:
        moved = () if meta.err is not None else tuple(moves(transaction))
    except ValueError as error:
        return Unread(f"an instruction of the System program cannot be read: {error}")
    fee = meta.fee if keys[0] == wallet else 0
    tips = sum(m.lamports for m in moved if m.source == wallet and m.destination in tip_accounts)
    ended = dict(zip(keys, meta.post_balances, strict=True))
    rent = _own_rent(holdings, changes) + _opened(moved, wallet, holdings, ended, tip_accounts)
    tokens: dict[str, int] = {}
    for holding in holdings.values():
        change = holding.after_raw - holding.before_raw
        tokens[holding.mint] = tokens.get(holding.mint, 0) + change
    return Landed(
        signature=transaction.transaction.signatures[0],
        slot=transaction.slot,
        err=error_text(meta.err),
        fee_lamports=fee,
        tip_lamports=tips,
        rent_lamports=rent,
        wallet_lamports=changes[wallet],
        other_lamports=changes[wallet] + fee + tips + rent,
        tokens=tokens,
        compute_units=meta.compute_units_consumed,
    )


def _holdings(
    transaction: TransactionValue, keys: Sequence[str], wallet: str
) -> dict[str, _Holding] | Unread:
    """Return the wallet's token accounts by address."""
    found: dict[str, _Holding] = {}
    before = transaction.meta.pre_token_balances or ()
    after = transaction.meta.post_token_balances or ()
    for balances, is_after in ((before, False), (after, True)):
        for balance in balances:
            if balance.owner != wallet:
                continue
            problem = _unreadable(balance, keys)
            if problem:
                return Unread(problem)
            key = keys[balance.account_index]
            holding = found.setdefault(key, _Holding(balance.mint))
            if holding.mint != balance.mint:
                return Unread(f"token account {key} changes its mint")
            amount = int(balance.ui_token_amount.amount)
            if is_after:
                holding.after_raw = amount
            else:
                holding.before_raw = amount
    return found


def _unreadable(balance: TokenBalance, keys: Sequence[str]) -> str:
    if not 0 <= balance.account_index < len(keys):
        return f"a token balance names account {balance.account_index} of {len(keys)}"
    amount = balance.ui_token_amount.amount
    if not (amount.isdecimal() and amount.isascii()):
        return f"a token balance is {amount[:40]!r}, expected a whole number"
    return ""


def _own_rent(holdings: dict[str, _Holding], changes: dict[str, int]) -> int:
    """Return what token accounts of ours locked: lamports beside the wrapped SOL they hold."""
    rent = 0
    for key, holding in holdings.items():
        rent += changes[key]
        if holding.mint == WRAPPED_SOL_MINT:
            rent -= holding.after_raw - holding.before_raw
    return rent


def _opened(
    moved: Sequence[Move],
    wallet: str,
    holdings: dict[str, _Holding],
    ended: dict[str, int],
    tip_accounts: AbstractSet[str],
) -> int:
    """Return what the wallet locked in other accounts: guards, and those programs keep for it.

    An account that was opened and closed again in the same transaction locks nothing.
    """
    opened = {move.destination for move in moved if move.opens}
    rent = 0
    for move in moved:
        elsewhere = move.destination not in holdings and move.destination not in tip_accounts
        if move.source == wallet and elsewhere and move.destination in opened:
            rent += move.lamports if ended.get(move.destination, 0) > 0 else 0
        elif move.base == wallet and move.destination == wallet:
            rent -= move.lamports
    return rent
