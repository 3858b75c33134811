"""The least output that stands in the instruction itself."""

from utb.domain.amounts import BPS, div_ceil, mul_div_ceil


def least_out(quoted_raw: int, slippage_bps: int) -> int:
    """Return ceil(quote x (1 - slippage)): rounded against nobody but ourselves."""
    return div_ceil(quoted_raw * (BPS - slippage_bps), BPS)


def floor_at(min_out_raw: int, *, slippage_bps: int, slippage_bps_first: int) -> int:
    """Return an intent's least output at the tolerance of a later attempt.

    The intent's own figure holds at its own tolerance; a later attempt's wider one lowers it in
    proportion, so that the quote behind it stays the one the decision was taken at.
    """
    if slippage_bps <= slippage_bps_first:
        return min_out_raw
    return mul_div_ceil(min_out_raw, BPS - slippage_bps, BPS - slippage_bps_first)


def leg_minimums(quoted_raw: tuple[int, ...], slippage_bps: int, floor_raw: int) -> tuple[int, ...]:
    """Return each leg's least output; together at least `floor_raw`.

    Each is ceil(quote x (1 - slippage)). Where the order's floor is above their sum, the rest is
    spread over the legs in proportion to their quotes, never above a leg's own quote.

    Raises:
        ValueError: If the quotes together are below the floor.
    """
    if sum(quoted_raw) < floor_raw:
        raise ValueError(f"quoted {sum(quoted_raw)} is below the least output {floor_raw}")
    least = [least_out(quoted, slippage_bps) for quoted in quoted_raw]
    if sum(least) >= floor_raw:
        return tuple(least)
    total = sum(quoted_raw)
    # Rounded up they sum to the floor at least, and floor <= total keeps each within its quote.
    return tuple(mul_div_ceil(quoted, floor_raw, total) for quoted in quoted_raw)
