"""What a transaction pays for its place: limit, price, tip, within one order's most.

lamports = 5,000 x signatures + ceil(price x min(limit, 1,400,000) / 1e6) + tip. The price's low
bits are the transaction's own (`domain.chain.UNIQUE_BITS`), so no two share a signature.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from utb.domain.amounts import div_ceil
from utb.domain.chain import BASE_FEE_LAMPORTS, COMPUTE_UNITS_MAX, UNIQUE_BITS, Program

MICRO: Final = 1_000_000
"""Micro-lamports in one lamport."""

PERCENT: Final = 100

SWAP_UNITS: Final[Mapping[Program, int]] = {
    Program.RAYDIUM_AMM: 60_000,
    Program.RAYDIUM_CPMM: 80_000,
    Program.PUMPSWAP: 150_000,
    Program.WHIRLPOOL: 110_000,
    Program.JUPITER: 400_000,
}
"""Compute units of one swap until a simulation of the route has told: measured, doubled."""

TOKEN_ACCOUNT_UNITS: Final = 30_000
"""Of opening a token account that does not exist."""

MEMO_UNITS: Final = 25_000
GUARD_UNITS: Final = 5_000
FRAME_UNITS: Final = 3_000
"""Of the compute-budget instructions and the tip's transfer."""


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What of a transaction decides its compute units."""

    programs: tuple[Program, ...]
    token_accounts: int = 0
    memo: bool = False
    guard: bool = False


def units_assumed(
    shape: Shape, measured: Mapping[Program, int], *, at_least_table: bool = False
) -> int:
    """Return the compute units a shape needs at most, by what is known of its parts.

    Args:
        shape: Of the transaction.
        measured: Units of one swap as simulated, margin included; wins over the table.
        at_least_table: Whether what is measured below the table does not count.
    """
    units = FRAME_UNITS + shape.token_accounts * TOKEN_ACCOUNT_UNITS
    units += MEMO_UNITS if shape.memo else 0
    units += GUARD_UNITS if shape.guard else 0
    for program in shape.programs:
        table = SWAP_UNITS[program]
        found = measured.get(program, table)
        units += table if at_least_table and found < table else found
    return min(units, COMPUTE_UNITS_MAX)


def with_margin(units: int, margin_percent: int) -> int:
    """Return simulated units with a margin, rounded up."""
    return min(div_ceil(units * (PERCENT + margin_percent), PERCENT), COMPUTE_UNITS_MAX)


class FeeRules(msgspec.Struct, frozen=True, kw_only=True):
    """`[execution]` as the choice of a fee uses it."""

    price_default: int
    """Micro-lamports per unit while the chain's recent fees are unknown."""
    price_min: int
    step_percent: int
    """Rise of price and tip with each attempt of an exit."""


class FeeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt that needs a fee."""

    compute_unit_limit: int
    price_recent: int | None
    """Percentile of recent prices on the accounts written; None: unknown."""
    tip_lamports: int
    """0: no tip."""
    fee_step: int
    """0 for the first attempt."""
    fee_lamports_max: int
    sequence: int
    """Durable; its low bits make the price the transaction's own."""


class Fee(msgspec.Struct, frozen=True, kw_only=True):
    """What one transaction pays at most."""

    compute_unit_limit: int
    compute_unit_price: int
    tip_lamports: int
    total_lamports: int
    """Base, priority and tip."""


def fee_lamports(limit: int, price: int, tip_lamports: int = 0, signatures: int = 1) -> int:
    """Return the whole fee of a transaction."""
    priority = div_ceil(price * min(limit, COMPUTE_UNITS_MAX), MICRO)
    return BASE_FEE_LAMPORTS * signatures + priority + tip_lamports


def choose_fee(request: FeeRequest, rules: FeeRules) -> Fee | str:
    """Return the fee of an attempt; a text says why the most allowed is too little.

    The tip is kept (a relay demands it), the price gives way to the order's most.
    """
    rise = PERCENT + request.fee_step * rules.step_percent
    known = rules.price_default if request.price_recent is None else request.price_recent
    price = max(known, rules.price_min) * rise // PERCENT
    tip = request.tip_lamports
    spare = request.fee_lamports_max - BASE_FEE_LAMPORTS
    if tip:
        tip = min(tip * rise // PERCENT, max(tip, spare // 2))
    room = spare - tip
    limit = min(request.compute_unit_limit, COMPUTE_UNITS_MAX)
    unique = request.sequence % UNIQUE_BITS
    price_max = max(room, 0) * MICRO // limit
    if room < 0 or price_max < unique:
        return (
            f"base fee and tip {BASE_FEE_LAMPORTS + tip} lamports leave no room for a price "
            f"below the most of {request.fee_lamports_max}"
        )
    price = with_bits(price, unique)
    if price > price_max:
        steps = div_ceil(price - price_max, UNIQUE_BITS)
        price -= steps * UNIQUE_BITS
    return Fee(
        compute_unit_limit=limit,
        compute_unit_price=price,
        tip_lamports=tip,
        total_lamports=fee_lamports(limit, price, tip),
    )


def with_bits(price: int, unique: int) -> int:
    """Return the lowest price of at least `price` whose low bits are `unique`.

    Never below what was asked for: at prices of a few hundred the bits are most of it.
    """
    found = price - price % UNIQUE_BITS + unique
    return found if found >= price else found + UNIQUE_BITS


def percentile(values: Sequence[int], percent: int) -> int | None:
    """Return the nearest-rank percentile of prices; None without any."""
    if not values:
        return None
    ordered = sorted(values)
    rank = max(1, div_ceil(percent * len(ordered), PERCENT))
    return ordered[rank - 1]
