"""First-in first-out lots of one position."""

import msgspec

from utb.domain.amounts import mul_div_ceil
from utb.errors import InvariantError


class Lot(msgspec.Struct, array_like=True):
    """What is left of one purchase."""

    base_raw: int
    cost_quote_raw: int


def take(lots: list[Lot], base_raw: int) -> int:
    """Remove the oldest `base_raw` units and return what they cost.

    The cost of part of a lot is rounded up, the rest keeps the remainder, so the costs of all
    parts sum to what was paid.

    Raises:
        InvariantError: If the lots hold less.
    """
    cost = 0
    left = base_raw
    while left:
        if not lots:
            raise InvariantError(f"a sale of {base_raw} is {left} more than the lots hold")
        lot = lots[0]
        if lot.base_raw <= left:
            left -= lot.base_raw
            cost += lot.cost_quote_raw
            del lots[0]
            continue
        part = mul_div_ceil(lot.cost_quote_raw, left, lot.base_raw)
        lot.base_raw -= left
        lot.cost_quote_raw -= part
        cost += part
        left = 0
    return cost
