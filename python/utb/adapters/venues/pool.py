"""Constant-product swap in integers, rounded against the trader."""

import msgspec

from utb.domain.amounts import price_of
from utb.domain.names import Side

BPS = 10_000
PPT = 1_000_000_000_000
"""Scale of a displacement: parts per 10^12 of the mid price."""


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """Reserves of one pool, base units."""

    base_raw: int
    quote_raw: int
    fee_bps: int
    """Taken from the input, out of 10 000."""


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of an exact-in swap."""

    out_raw: int
    fee_quote_raw: int
    """The pool's fee valued in quote: what the swap would have given without it, for a sale."""
    base_after_raw: int
    quote_after_raw: int


def pool_at(
    *,
    price: float,
    displacement_ppt: int,
    quote_raw: int,
    base_decimals: int,
    quote_decimals: int,
    fee_bps: int,
) -> Pool:
    """Return the pool whose mid is `price`, moved by our own remembered impact.

    Args:
        price: Quote units per base unit, > 0; taken as the exact ratio the float stands for.
        displacement_ppt: Our impact in parts per 10^12 of the price, > -10^12.
        quote_raw: Depth of the quote side, base units, > 0.
        base_decimals: Decimals of the base token.
        quote_decimals: Decimals of the quote token.
        fee_bps: Pool fee out of 10 000.

    Source: x * y = k; base = quote / mid.
    """
    numerator, denominator = price.as_integer_ratio()
    base_raw = (quote_raw * denominator * PPT * 10**base_decimals) // (
        numerator * (PPT + displacement_ppt) * 10**quote_decimals
    )
    return Pool(base_raw=max(base_raw, 1), quote_raw=quote_raw, fee_bps=fee_bps)


def swap(pool: Pool, side: Side, amount_in_raw: int) -> Swap:
    """Return what an exact input buys; output rounded down, fee rounded up.

    A BUY pays quote and receives base; a SELL pays base and receives quote.
    """
    net_raw = amount_in_raw * (BPS - pool.fee_bps) // BPS
    fee_in_raw = amount_in_raw - net_raw
    if side is Side.BUY:
        out_raw = _out(pool.quote_raw, pool.base_raw, net_raw)
        return Swap(
            out_raw=out_raw,
            fee_quote_raw=fee_in_raw,
            base_after_raw=pool.base_raw - out_raw,
            quote_after_raw=pool.quote_raw + net_raw,
        )
    out_raw = _out(pool.base_raw, pool.quote_raw, net_raw)
    gross_raw = _out(pool.base_raw, pool.quote_raw, amount_in_raw)
    return Swap(
        out_raw=out_raw,
        fee_quote_raw=gross_raw - out_raw,
        base_after_raw=pool.base_raw + net_raw,
        quote_after_raw=pool.quote_raw - out_raw,
    )


def displacement_after(pool: Pool, done: Swap, before_ppt: int) -> int:
    """Return our displacement of the mid after a swap, parts per 10^12 of the market's price."""
    moved = (done.quote_after_raw * pool.base_raw * (PPT + before_ppt)) // (
        max(done.base_after_raw, 1) * pool.quote_raw
    )
    return max(moved, 1) - PPT


def mid_price(pool: Pool, base_decimals: int, quote_decimals: int) -> float:
    """Return the pool's mid in quote units per base unit, for the record only."""
    return price_of(pool.base_raw, pool.quote_raw, base_decimals, quote_decimals)


def _out(reserve_in_raw: int, reserve_out_raw: int, net_in_raw: int) -> int:
    return reserve_out_raw * net_in_raw // (reserve_in_raw + net_in_raw)
