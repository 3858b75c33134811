"""Double entry: every amount leaves one account and enters another, per asset."""

from typing import Final

from utb.errors import InvariantError

SOL: Final = "SOL"
"""Asset of the native fee reserve; wrapped SOL bought by a trade is its own mint."""


class Account:
    """Where an amount stands; the balances of one asset over all accounts sum to zero.

    Plain strings: an enum's hash is a Python call, and a fill hashes a dozen of them.
    """

    CASH: Final = "cash"
    INVENTORY: Final = "inventory"
    SOL_RESERVE: Final = "sol_reserve"
    RENT: Final = "rent"
    """Lamports locked in accounts of ours: they come back when those are closed."""
    MARKET: Final = "market"
    """The other side of every swap."""
    NETWORK_FEES: Final = "network_fees"
    EXTERNAL: Final = "external"
    """The owner: what was deposited and withdrawn."""


_OWNED: Final = frozenset({Account.CASH, Account.INVENTORY, Account.SOL_RESERVE, Account.RENT})

Balances = dict[str, dict[str, int]]
"""Asset -> account -> base units."""


def transfer(balances: Balances, asset: str, source: str, destination: str, amount: int) -> None:
    """Move `amount` base units of `asset` from one account to another.

    Raises:
        InvariantError: If an account that holds our own funds would go below zero.
    """
    if not amount:
        return
    accounts = balances.get(asset, {})
    left = accounts.get(source, 0) - amount
    gained = accounts.get(destination, 0) + amount
    # Whom it makes richer is below zero only after a `move`: then it makes that good
    if (left < 0 < amount and source in _OWNED) or (gained < 0 > amount and destination in _OWNED):
        raise InvariantError(f"{asset}: {amount} from {source} to {destination} is not covered")
    accounts = balances.setdefault(asset, {})
    accounts[source] = left
    accounts[destination] = gained


def move(balances: Balances, asset: str, source: str, destination: str, amount: int) -> None:
    """Move an amount as `transfer` does, covered or not.

    For what the chain has done: it was covered there, and the book is short of it only while it
    has not been told yet, or no more, what covered it.
    """
    accounts = balances.setdefault(asset, {})
    accounts[source] = accounts.get(source, 0) - amount
    accounts[destination] = accounts.get(destination, 0) + amount


def take_back(balances: Balances, asset: str, source: str, destination: str, amount: int) -> None:
    """Undo a transfer `source` -> `destination`, covered or not.

    A fill that vanished from the chain is undone although its proceeds may be spent by another
    that has vanished with it, and is undone next.
    """
    move(balances, asset, destination, source, amount)


def balance(balances: Balances, asset: str, account: str) -> int:
    """Return an account's base units of an asset; an account never used holds none."""
    accounts = balances.get(asset)
    return accounts.get(account, 0) if accounts else 0
