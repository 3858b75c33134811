"""Landed transactions, by signature and by address."""

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import replace

from utb.simnet.chain.types import LandedTransaction


class History:
    """What landed and was not replaced by a fork; the oldest goes when there is too much."""

    def __init__(self, transactions_max: int) -> None:
        self._max = transactions_max
        self._by_signature: dict[str, LandedTransaction] = {}
        self._names: dict[str, str] = {}
        self._by_address: dict[str, deque[LandedTransaction]] = defaultdict(deque)

    def __contains__(self, signature: str) -> bool:
        return signature in self._by_signature

    def __len__(self) -> int:
        return len(self._by_signature)

    def get(self, signature: str) -> LandedTransaction | None:
        """Return a landed transaction."""
        return self._by_signature.get(signature)

    def add(self, landed: LandedTransaction) -> None:
        """Add the newest transaction."""
        # The same few hundred addresses in every transaction: one text of each is enough.
        names = tuple(self._names.setdefault(key, key) for key in landed.keys)
        landed = replace(landed, keys=names)
        self._by_signature[landed.signature] = landed
        for key in names:
            self._by_address[key].append(landed)
        if len(self._by_signature) > self._max:
            oldest = next(iter(self._by_signature))
            for key in self._by_signature.pop(oldest).keys:
                self._by_address[key].popleft()

    def remove(self, signature: str) -> LandedTransaction:
        """Take back the newest transaction: a fork replaced its block."""
        landed = self._by_signature.pop(signature)
        for key in landed.keys:
            self._by_address[key].pop()
        return landed

    def of(self, address: str) -> Iterator[LandedTransaction]:
        """Yield the transactions that name an address, newest first."""
        return reversed(self._by_address.get(address, deque()))
