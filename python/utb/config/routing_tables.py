"""Table `[routing]`: which ways an order may take, and what a mint must be to be bought."""

from typing import Annotated, Literal

from msgspec import Meta

from utb.config.ranges import NotNegative
from utb.config.table import Table

PoolAddress = Annotated[
    str,
    Meta(
        pattern=r"^(raydium_amm|raydium_cpmm|pumpswap|whirlpool):[1-9A-HJ-NP-Za-km-z]{32,44}\Z",
        description=(
            'program and address of a pool, for example "whirlpool:" and 32 to 44 characters of '
            "base58; programs: raydium_amm, raydium_cpmm, pumpswap, whirlpool"
        ),
    ),
]

MintRisk = Literal[
    "freeze_authority",
    "mint_authority",
    "transfer_fee",
    "transfer_fee_authority",
    "close_authority",
    "permanent_delegate",
    "transfer_hook",
    "non_transferable",
    "default_frozen",
    "interest",
    "scaled_amount",
    "pausable",
    "confidential_transfer",
    "unknown_extension",
]
"""What a mint may carry that can take a holder's money or sale."""

Aggregator = Literal["off", "fallback", "compare"]


class Routing(Table, frozen=True):
    """How a route is chosen, and the gate before the first purchase of an unlisted mint."""

    aggregator: Aggregator
    aggregator_age_ms_max: Annotated[int, Meta(ge=50, le=60_000)]
    aggregator_accounts_max: Annotated[int, Meta(ge=8, le=24)]
    """A transaction with more would not fit without lookup tables of others."""
    legs_max: Annotated[int, Meta(ge=1, le=2)]
    split_gain_bps_min: Annotated[int, Meta(ge=0, le=1_000)]
    pool_age_slots_max: Annotated[int, Meta(ge=1, le=150)]
    protected_from_usdc: NotNegative
    compute_margin_percent: Annotated[int, Meta(ge=0, le=200)]
    round_trip_loss_bps_max: Annotated[int, Meta(ge=1, le=5_000)]
    mint_check_seconds: Annotated[int, Meta(ge=1, le=86_400)]
    mint_risks_allowed: Annotated[tuple[MintRisk, ...], Meta(max_length=14)]
    sandwich_check_enabled: bool
