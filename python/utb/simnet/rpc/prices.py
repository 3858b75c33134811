"""Compute-unit prices: what transactions bid, what they cost, and what slots asked for.

lamports = 5,000 x signatures + ceil(price x min(limit, 1,400,000) / 1,000,000), exact on recorded
mainnet transactions. Per slot and account the least price that landed counts.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

from utb.domain.chain import BASE_FEE_LAMPORTS, COMPUTE_UNITS_MAX
from utb.simnet.chain.types import LandedTransaction
from utb.simnet.rpc.messages import AnyMessage, message_of, writable

COMPUTE_BUDGET: Final = "ComputeBudget111111111111111111111111111111"
SLOTS_MAX: Final = 150
_UNITS: Final = 200_000
"""Of an instruction, where a transaction sets no limit."""
_BUILTIN_UNITS: Final = 3_000
_BUILTINS: Final = frozenset(
    {
        COMPUTE_BUDGET,
        "11111111111111111111111111111111",
        "AddressLookupTab1e1111111111111111111111111",
        "Vote111111111111111111111111111111111111111",
    }
)
_LIMIT_TAG: Final = 2
_PRICE_TAG: Final = 3


class Bid(NamedTuple):
    """What a transaction pays for its place."""

    limit: int
    """Compute units."""
    price: int
    """Micro-lamports per unit."""

    @property
    def lamports(self) -> int:
        """Return the priority fee."""
        return -(-self.price * min(self.limit, COMPUTE_UNITS_MAX) // 1_000_000)


def bid(message: AnyMessage) -> Bid:
    """Return what a message pays beside the base fee."""
    limit, price, default = None, 0, 0
    keys = message.account_keys
    for one in message.instructions:
        program, data = str(keys[one.program_id_index]), bytes(one.data)
        default += _BUILTIN_UNITS if program in _BUILTINS else _UNITS
        if program != COMPUTE_BUDGET or not data:
            continue
        if data[0] == _LIMIT_TAG:
            limit = int.from_bytes(data[1:5], "little")
        elif data[0] == _PRICE_TAG:
            price = int.from_bytes(data[1:9], "little")
    return Bid(default if limit is None else limit, price)


def fee_lamports(message: AnyMessage) -> int:
    """Return what landing a message costs."""
    signatures = message.header.num_required_signatures
    return BASE_FEE_LAMPORTS * signatures + bid(message).lamports


class SlotPrices:
    """Least prices of the last slots."""

    def __init__(self) -> None:
        self._slots: deque[tuple[int, int, dict[str, int]]] = deque(maxlen=SLOTS_MAX)

    def keep(self, slot: int, landed: Iterable[LandedTransaction]) -> None:
        """Take in a slot's transactions."""
        least: int | None = None
        by_key: dict[str, int] = {}
        for one in landed:
            message = message_of(one.raw)
            price = bid(message).price
            least = price if least is None else min(least, price)
            for index, key in enumerate(one.keys):
                if self._writes(one, message, index):
                    by_key[key] = min(price, by_key.get(key, price))
        self._slots.append((slot, least or 0, by_key))

    def forget(self, slots: tuple[int, ...]) -> None:
        """Forget slots that a fork replaced."""
        kept = [one for one in self._slots if one[0] not in slots]
        self._slots.clear()
        self._slots.extend(kept)

    def rows(self, keys: tuple[str, ...]) -> list[tuple[int, int]]:
        """Return (slot, price) of the last slots, oldest first: the most any of the keys asks."""
        return [
            (slot, max([least, *(by_key.get(key, 0) for key in keys)]) if keys else least)
            for slot, least, by_key in self._slots
        ]

    def percentile(self, keys: tuple[str, ...], share: float) -> int:
        """Return a percentile (share 0..1) of the rows' prices; 0 without rows."""
        prices = sorted(price for _, price in self.rows(keys))
        return prices[min(len(prices) - 1, int(share * len(prices)))] if prices else 0

    @staticmethod
    def _writes(one: LandedTransaction, message: AnyMessage, index: int) -> bool:
        static = len(message.account_keys)
        if index < static:
            return writable(message, index)
        return index < static + len(one.meta.loaded_writable)
