"""Who signed what the wallet's history lists.

An address's history has every transaction that mentions it. Whoever sends us a lamport would stop
our entries if each of them counted: only what our key signed can be somebody else with our key.
"""

from collections.abc import Iterable
from typing import Final

from utb.adapters.rpc import calls
from utb.adapters.rpc.answers import Bad, TransactionValue
from utb.adapters.rpc.pool import RpcPool
from utb.domain.chain import Commitment

LOOKED_UP_MAX: Final = 128
"""Transactions asked for at a time; those beyond it count as ours until they are looked up."""


def signed_by(transaction: TransactionValue, wallet: str) -> bool:
    """Return whether a wallet's key signed a transaction: signers are the first accounts."""
    signed = transaction.transaction
    return wallet in signed.message.account_keys[: len(signed.signatures)]


class Authors:
    """Tells and remembers which transactions only mention the wallet."""

    def __init__(self, pool: RpcPool, wallet: str) -> None:
        """Know nothing yet."""
        self._pool = pool
        self._wallet = wallet
        self._ours: set[str] = set()
        self._others: set[str] = set()

    async def of_others(self, signatures: Iterable[str]) -> frozenset[str]:
        """Return those of finalized transactions that our key did not sign.

        What cannot be read is not among them.
        """
        asked = [one for one in signatures if one not in self._others]
        new = [one for one in asked if one not in self._ours]
        for signature in new[:LOOKED_UP_MAX]:
            answer = await self._pool.call(calls.transaction(signature, Commitment.FINALIZED))
            if isinstance(answer, Bad) or answer.value is None:
                continue
            mine = signed_by(answer.value, self._wallet)
            (self._ours if mine else self._others).add(signature)
        return frozenset(self._others)
