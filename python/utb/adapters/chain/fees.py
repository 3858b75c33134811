"""Prices of compute that landed on the accounts a transaction writes, and tips; pure."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from utb.adapters.rpc.answers import FeeEntry


class FeeLevel(StrEnum):
    """How much it matters to land at once."""

    ENTRY = "entry"
    EXIT = "exit"
    EMERGENCY = "emergency"


PERCENT: Final[Mapping[FeeLevel, int]] = {
    FeeLevel.ENTRY: 50,
    FeeLevel.EXIT: 75,
    FeeLevel.EMERGENCY: 95,
}
"""Percentile of recent prices that is offered."""

LAMPORTS_PER_SOL: Final = 1_000_000_000


Sol = Annotated[float, msgspec.Meta(ge=0.0, le=1_000_000.0)]


class TipFloor(msgspec.Struct, frozen=True):
    """Tips that landed of late, in SOL, as Jito tells them."""

    landed_tips_50th_percentile: Sol
    landed_tips_75th_percentile: Sol
    landed_tips_95th_percentile: Sol

    def lamports(self, level: FeeLevel) -> int:
        """Return the percentile of a level in lamports, rounded up."""
        sol = {
            FeeLevel.ENTRY: self.landed_tips_50th_percentile,
            FeeLevel.EXIT: self.landed_tips_75th_percentile,
            FeeLevel.EMERGENCY: self.landed_tips_95th_percentile,
        }[level]
        return -int(-sol * LAMPORTS_PER_SOL // 1)


def percentile(prices: Iterable[int], percent: int) -> int | None:
    """Return the nearest-rank percentile of prices, `percent` in 1..100; None without a price.

    Source: the nearest-rank definition: the smallest value with at least so many percent at or
    below it.
    """
    ordered = sorted(prices)
    if not ordered:
        return None
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def price_of(entries: Iterable[FeeEntry], level: FeeLevel, *, floor: int, cap: int) -> int | None:
    """Return the price to offer per compute unit, micro-lamports; None: nothing is known.

    A slot's entry is the lowest price that landed in it on any of the accounts; it is 0 where
    nobody had to pay.
    """
    found = percentile((entry.prioritization_fee for entry in entries), PERCENT[level])
    return None if found is None else min(cap, max(floor, found))
