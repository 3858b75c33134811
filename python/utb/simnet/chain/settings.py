"""What a stand-in chain is made with; the same settings and calls give the same chain."""

from dataclasses import dataclass
from typing import Final

RENT_TODAY: Final = 6_960
RENT_LOWEST: Final = 696
"""Lamports per byte: where the staged change begins and where it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSettings:
    """Scale and timing of a chain."""

    seed: int = 7
    """Of its keys, blockhashes, lost tries and skipped slots, >= 0."""
    start_slot: int = 300_000_000
    start_height: int = 278_000_000
    """Block height of the start; lower than the slot, as on mainnet."""
    start_time_s: int = 1_735_689_600
    """Unix time of the start slot."""
    slot_ms: int = 400
    """Chain time between slots where `tick` is not told the time."""
    confirmed_lag_slots: int = 2
    """Slots after which one becomes confirmed, >= 0."""
    finalized_lag_slots: int = 32
    """Slots after which one becomes finalized, >= confirmed_lag_slots."""
    skip_rate: float = 0.0
    """Share of slots without a block, 0..1."""
    loss_rate: float = 0.0
    """Share of tries that do not reach the leader, 0..1; the next slot tries again."""
    rent_lamports_per_byte: int = RENT_TODAY
    history_transactions_max: int = 50_000
    """Landed transactions that are kept; the oldest finalized ones go first."""
