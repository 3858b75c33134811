"""How an input is divided over two pools.

With concave outputs the best division is where the marginal rates after both swaps are equal. The
search halves the interval on that difference, then the exact quotes decide: what it finds is used
only where it is better, so rounding and ticks cannot make it worse.
"""

from typing import Final

import msgspec

from utb.domain.names import Side
from utb.routing.quotes import PoolCandidate, PoolQuote

STEPS: Final = 10
"""Halvings: the division is found to 1/1,024 of the input. Output is flat at the best division, so
what that leaves is about a millionth of the gain."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One pool's part of an order, by its exact quote."""

    candidate: PoolCandidate
    amount_in_raw: int
    quote: PoolQuote


def marginal_rate(part: Part, side: Side, *, before: bool = False) -> float:
    """Return output per further input after the part's swap, its fee taken off.

    In units that are the same for every pool of the pair: whole quote per base on a sale, whole
    base per quote on a purchase.
    """
    price = part.quote.price_before if before else part.quote.price_after
    kept = 1.0 - part.quote.fee_raw / part.amount_in_raw
    rate = price if side is Side.SELL else 1.0 / price
    return rate * kept


def gain_most_raw(first: Part, second: Part, side: Side) -> float:
    """Return a bound on the output that dividing can bring above the first pool's whole.

    No division is better than all of the input at the best first rate, and the first pool's whole
    is at least as good as all of it at its last. 0: even its last unit is better there than the
    other pool's first.

    Args:
        first: The better pool with the whole input.
        second: Another pool with the whole input.
        side: Of the order.
    """
    last = marginal_rate(first, side)
    other = marginal_rate(second, side, before=True)
    if last >= other:
        return 0.0
    best_rate = max(other, marginal_rate(first, side, before=True))
    return first.quote.out_raw * (best_rate / last - 1.0)


def best_split(
    first: Part, second: Part, side: Side, gain_min_raw: int = 0
) -> tuple[Part, Part] | None:
    """Return the best division between two pools; None if the whole in one of them is better.

    Args:
        first: The better pool with the whole input.
        second: Another pool with the whole input.
        side: Of the order.
        gain_min_raw: Output a division must bring above the first pool; what cannot is not
            searched for.
    """
    amount_raw = first.amount_in_raw
    most_raw = gain_most_raw(first, second, side)
    if most_raw <= 0.0 or most_raw < gain_min_raw:
        return None
    low, high = 0, amount_raw
    best: tuple[Part, Part] | None = None
    for _ in range(STEPS):
        middle = (low + high) // 2
        if middle in {low, high}:
            break
        parts = _divided(first.candidate, second.candidate, amount_raw, middle)
        if parts is None:
            break
        if best is None or _out(parts) >= _out(best):
            best = parts
        if marginal_rate(parts[0], side) > marginal_rate(parts[1], side):
            low = middle
        else:
            high = middle
    if best is None or _out(best) <= first.quote.out_raw:
        return None
    return best


def _divided(
    first: PoolCandidate, second: PoolCandidate, amount_raw: int, first_raw: int
) -> tuple[Part, Part] | None:
    one, other = first.quote(first_raw), second.quote(amount_raw - first_raw)
    if isinstance(one, str) or isinstance(other, str) or not one.out_raw or not other.out_raw:
        return None
    return (
        Part(candidate=first, amount_in_raw=first_raw, quote=one),
        Part(candidate=second, amount_in_raw=amount_raw - first_raw, quote=other),
    )


def _out(parts: tuple[Part, Part]) -> int:
    return parts[0].quote.out_raw + parts[1].quote.out_raw
