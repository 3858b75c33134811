"""What a round trip costs: pool fees, our own price impact, network fees.

The pool is a constant product with `depth` quote on one side and as much in base on the other.
Costs are bounds from above that are simple in the size `q` (quote raw), so that every cap on
them has an exact largest size:

- pool fees of both swaps: 2 f q (exactly q (1 - (1 - f)^2), which is less);
- impact of both swaps: 2 q^2 / depth (a swap of q moves the average price by x / (1 + x),
  x = (1 - f) q / depth, which is less than q / depth);
- network fees: a fixed amount.
"""

from typing import Final

import msgspec

from utb.domain.amounts import (
    BPS,
    LAMPORT_DECIMALS,
    PPB,
    Q64_SHIFT,
    div_ceil,
    price_q64_ceil,
    quote_value_ceil,
)

SWAPS: Final = 2
"""Swaps of a round trip."""


class Pool(msgspec.Struct, frozen=True):
    """A constant-product pool around a price, and the network's fee."""

    price_q64: int
    """Mid price, quote raw per base raw, > 0."""
    depth_raw: int
    """Quote side, quote raw, > 0."""
    fee_bps: int
    """0..9,999."""
    network_raw: int
    """Network fees of a round trip, quote raw."""

    @property
    def fee_ppb(self) -> int:
        """Return the fee in parts per billion."""
        return self.fee_bps * (PPB // BPS)


def network_fee_raw(lamports: int, sol_price: float, quote_decimals: int) -> int:
    """Return a network fee in quote raw, rounded up.

    Args:
        lamports: Fee, >= 0.
        sol_price: Quote units per SOL, finite, > 0.
        quote_decimals: Decimals of the quote asset.
    """
    price = price_q64_ceil(sol_price, LAMPORT_DECIMALS, quote_decimals)
    return quote_value_ceil(lamports, price)


def quoted_base(pool: Pool, quote_raw: int) -> int:
    """Return the base a purchase brings, impact and fee included, rounded down."""
    paid = quote_raw * (BPS - pool.fee_bps)
    # base reserve = depth / price, so out = depth / price * paid / (depth + paid)
    reserve_q64 = (pool.depth_raw << Q64_SHIFT) * paid
    return reserve_q64 // (pool.price_q64 * (pool.depth_raw * BPS + paid))


def quoted_quote(pool: Pool, base_raw: int) -> int:
    """Return the quote a sale brings, impact and fee included, rounded down."""
    value_q64 = base_raw * (BPS - pool.fee_bps) * pool.price_q64
    depth_q64 = (pool.depth_raw * BPS) << Q64_SHIFT
    return pool.depth_raw * value_q64 // (depth_q64 + value_q64)


def quote_needed(pool: Pool, base_raw: int) -> int | None:
    """Return the least quote that buys `base_raw`; None if the pool does not hold as much."""
    sold_q64 = base_raw * pool.price_q64
    left_q64 = (pool.depth_raw << Q64_SHIFT) - sold_q64
    if left_q64 <= 0:
        return None
    return div_ceil(pool.depth_raw * sold_q64 * BPS, left_q64 * (BPS - pool.fee_bps))


def one_way_cost_ppb(pool: Pool, quote_raw: int) -> int:
    """Return fee + impact of a purchase as a fraction of its size, rounded up."""
    paid = quote_raw * (BPS - pool.fee_bps)
    return PPB - PPB * (BPS - pool.fee_bps) * pool.depth_raw // (pool.depth_raw * BPS + paid)


def round_trip_raw(pool: Pool, quote_raw: int) -> int:
    """Return the expected cost of buying and selling `quote_raw`, rounded up."""
    fees = div_ceil(SWAPS * quote_raw * pool.fee_bps, BPS)
    impact = div_ceil(SWAPS * quote_raw * quote_raw, pool.depth_raw)
    return fees + impact + pool.network_raw


def impact_size_max(pool: Pool, tolerance_ppb: int) -> int:
    """Return the largest purchase whose fee + impact stay within a tolerance, quote raw.

    From 1 - (1 - f) / (1 + (1 - f) q / depth) <= tolerance.
    """
    room = tolerance_ppb - pool.fee_ppb
    if room <= 0:
        return 0
    return pool.depth_raw * room * PPB // ((PPB - tolerance_ppb) * (PPB - pool.fee_ppb))
