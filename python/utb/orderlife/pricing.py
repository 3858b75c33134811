"""Fees and tolerance of an attempt: unique bits, the ladder over attempts, the caps.

All in integers. A price is micro-lamports per compute unit; rounding is against us in fees.
"""

import msgspec

from utb.domain.chain import BASE_FEE_LAMPORTS, COMPUTE_UNITS_MAX, UNIQUE_BITS

MICRO = 1_000_000
"""Micro-lamports in a lamport."""
BPS = 10_000


class AttemptFees(msgspec.Struct, frozen=True, kw_only=True):
    """What an attempt pays the network."""

    compute_unit_price: int
    """Unique bits included."""
    fee_lamports: int
    """Base and priority fee, as the chain charges it."""
    tip_lamports: int

    @property
    def total_lamports(self) -> int:
        """Return everything the network and the relay get."""
        return self.fee_lamports + self.tip_lamports


def with_unique_bits(price: int, sequence: int) -> int:
    """Return the price with its low bits replaced by those of a durable number.

    Two orders that are equal in everything else then differ in their bytes, so they never share a
    signature.
    """
    return price - price % UNIQUE_BITS + sequence % UNIQUE_BITS


def network_fee_lamports(price: int, compute_unit_limit: int, signatures: int = 1) -> int:
    """Return base and priority fee; the chain rounds the priority fee up."""
    units = min(compute_unit_limit, COMPUTE_UNITS_MAX)
    return BASE_FEE_LAMPORTS * signatures + -(-price * units // MICRO)


def price_at_step(price: int, step: int, *, step_bps: int) -> int:
    """Return the price of the attempt after `step` others: each pays `step_bps` more than before.

    Compounded in integers, each step rounded up, so it rises with every step if `price > 0`.
    """
    for _ in range(step):
        price = -(-price * (BPS + step_bps) // BPS)
    return price


def slippage_bps_at_step(slippage_bps: int, step: int, *, step_bps: int, max_bps: int) -> int:
    """Return the tolerance of the attempt after `step` others, at most `max_bps`."""
    return min(slippage_bps + step * step_bps, max_bps)


def min_out_raw(quoted_out_raw: int, slippage_bps: int) -> int:
    """Return the least output that is accepted: ceil(quote x (1 - tolerance))."""
    return -(-quoted_out_raw * (BPS - slippage_bps) // BPS)


def attempt_fees(
    price: int,
    *,
    sequence: int,
    compute_unit_limit: int,
    tip_lamports: int,
    max_fee_lamports: int,
) -> AttemptFees | None:
    """Return the attempt's fees with its unique bits, lowered to the order's cap where they must.

    Args:
        price: Wanted, micro-lamports per compute unit.
        sequence: Durable number of the attempt.
        compute_unit_limit: Of the transaction, > 0.
        tip_lamports: To a relay, 0 without one.
        max_fee_lamports: Cap of base fee, priority fee and tip together.

    Returns:
        None if even the base fee and the tip with the unique bits alone are above the cap.
    """
    bits = sequence % UNIQUE_BITS
    units = min(compute_unit_limit, COMPUTE_UNITS_MAX)
    left = max_fee_lamports - tip_lamports - BASE_FEE_LAMPORTS
    highest = left * MICRO // units
    if left < 0 or highest < bits:
        return None
    base = min(price - price % UNIQUE_BITS, (highest - bits) // UNIQUE_BITS * UNIQUE_BITS)
    unit_price = base + bits
    return AttemptFees(
        compute_unit_price=unit_price,
        fee_lamports=network_fee_lamports(unit_price, compute_unit_limit),
        tip_lamports=tip_lamports,
    )
