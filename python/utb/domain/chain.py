"""The chain as the system speaks of it.

Keys, signatures and blockhashes are base58 text here; only calls of the compiled core take bytes.
Amounts are base units, fees and rent lamports, deadlines block heights.
"""

from enum import StrEnum
from typing import Final

import msgspec

USDC_MINT: Final = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
WRAPPED_SOL_MINT: Final = "So11111111111111111111111111111111111111112"

BASE_FEE_LAMPORTS: Final = 5_000
"""Of each signature; one of two parts of a transaction's fee."""
VALIDITY_BLOCKS: Final = 150
"""Blocks a blockhash lives at most."""
GUARD_SEED_BYTES: Final = 16
"""Length of a guard account's seed: the intent id as text."""
UNIQUE_BITS: Final = 1_024
"""The compute-unit price modulo this is the durable sequence modulo this."""
COMPUTE_UNITS_MAX: Final = 1_400_000
"""Of one transaction."""


class Commitment(StrEnum):
    """How settled the chain holds something to be, weakest first."""

    PROCESSED = "processed"
    CONFIRMED = "confirmed"
    FINALIZED = "finalized"


class Program(StrEnum):
    """Programs whose pools are traded directly, and the aggregator."""

    RAYDIUM_AMM = "raydium_amm"
    RAYDIUM_CPMM = "raydium_cpmm"
    PUMPSWAP = "pumpswap"
    WHIRLPOOL = "whirlpool"
    JUPITER = "jupiter"


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One swap of a route: an exact input into one pool, or the aggregator's whole swap."""

    program: Program
    pool: str
    """Address; of an aggregator's swap its route plan in words."""
    input_mint: str
    output_mint: str
    amount_in_raw: int
    quoted_out_raw: int
    min_out_raw: int
    pool_fee_raw: int
    """The pool's fee by the quote, in input raw."""


class RefusedRoute(msgspec.Struct, frozen=True, kw_only=True):
    """An alternative that was not taken."""

    words: str
    """Program and pool, or the split."""
    net_out_raw: int | None
    """None: it could not quote."""
    reason: str


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """How an order is executed: its legs, all in one transaction, and what was not taken."""

    legs: tuple[Leg, ...]
    slot: int
    """Slot of the pool state the quote is from."""
    mid_price: float
    """Quote per base, of the largest leg before the swap."""
    quoted_out_raw: int
    min_out_raw: int
    net_out_raw: int
    """Quoted output less the expected network costs, in output raw."""
    protected: bool
    """Only on protected senders: a relay with a tip."""
    refused: tuple[RefusedRoute, ...] = ()


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One signed transaction; durable in the journal before its first byte leaves."""

    number: int
    """0 for the first of its order."""
    signature: str
    transaction: bytes
    """Signed, as sent."""
    blockhash: str
    last_valid_block_height: int
    """As the endpoint told it with the blockhash."""
    height_seen: int
    """Highest block height any endpoint had told when it was signed."""
    senders: tuple[str, ...]
    """Names of the senders it may go to; a re-broadcast stays among them."""
    guard: str | None
    """Address of its guard account; None: unguarded."""
    sequence: int
    """Durable number that its unique bits come from."""
    compute_unit_limit: int
    compute_unit_price: int
    """Micro-lamports, unique bits included."""
    tip_lamports: int
    route: Route


class ChainFill(msgspec.Struct, frozen=True, kw_only=True):
    """What a landed transaction did to our wallet, from the chain's own balances."""

    signature: str
    slot: int
    base_raw: int
    """Base that changed hands, > 0."""
    quote_raw: int
    """Quote that changed hands, > 0."""
    fee_lamports: int
    """Base and priority fee."""
    tip_lamports: int
    rent_lamports: int
    """Locked in accounts the transaction opened, less what it got back: signed."""
    compute_units: int
