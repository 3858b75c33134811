"""Jupiter's lookup tables: the accounts of each pair's pools, so that its routes fit a packet."""

import struct
from typing import Final, NamedTuple

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.pubkey import Pubkey

from utb.simnet.chain.types import ChainAccount
from utb.simnet.chain.world import Chain
from utb.simnet.profiles import key_of
from utb.simnet.rpc.accounts import LOOKUP_PROGRAM
from utb.simnet.rpc.quoting import Quotes

ADDRESSES_MAX: Final = 256
"""Of one table."""
_ACTIVE: Final = 2**64 - 1
_HEAD_BYTES: Final = 56
_TRIED_RAW: Final = 1_000_000
"""Input of the swaps whose accounts are looked at."""
_USERS: Final = tuple(str(Pubkey(key_of(f"jupiter table user {one}"))) for one in range(2))


class Table(NamedTuple):
    """One lookup table."""

    key: str
    addresses: tuple[str, ...]

    @property
    def account(self) -> AddressLookupTableAccount:
        """Return it as compilers of messages take it."""
        addresses = [Pubkey.from_string(one) for one in self.addresses]
        return AddressLookupTableAccount(Pubkey.from_string(self.key), addresses)


class Tables:
    """One table per pair of mints, put on the chain when it is first needed."""

    def __init__(self, chain: Chain, quotes: Quotes) -> None:
        self._chain = chain
        self._quotes = quotes
        self._made: dict[frozenset[str], Table] = {}

    def of(self, one_mint: str, other_mint: str) -> Table:
        """Return the table of a pair; it may be empty."""
        pair = frozenset((one_mint, other_mint))
        found = self._made.get(pair)
        if found is None:
            found = self._made[pair] = self._make(one_mint, other_mint)
        return found

    def _make(self, one_mint: str, other_mint: str) -> Table:
        first, second = (self._named(user, one_mint, other_mint) for user in _USERS)
        # What both users' swaps name is nobody's own.
        shared = tuple(key for key in first if key in second)[:ADDRESSES_MAX]
        names = " ".join(sorted((one_mint, other_mint)))
        key = str(Pubkey(key_of(f"jupiter table {names}")))
        head = struct.pack("<IQQBB", 1, _ACTIVE, 0, 0, 0).ljust(_HEAD_BYTES, b"\0")
        data = head + b"".join(bytes(Pubkey.from_string(one)) for one in shared)
        lamports = self._chain.minimum_balance(len(data))
        self._chain.plant(key, ChainAccount(lamports, LOOKUP_PROGRAM, data))
        return Table(key, shared)

    def _named(self, user: str, one_mint: str, other_mint: str) -> dict[str, None]:
        quotes = self._quotes
        named: dict[str, None] = {}
        for place in quotes.pools(one_mint, other_mint):
            for mint in (one_mint, other_mint):
                swap = quotes.swap(place, user, mint, _TRIED_RAW)
                if swap is not None:
                    named |= {str(meta.pubkey): None for meta in swap.instruction.accounts}
                    named[str(swap.instruction.program_id)] = None
        named.pop(user, None)
        return named
