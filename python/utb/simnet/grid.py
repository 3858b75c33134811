"""Time of the generated market: slots, bars and chunks."""

from dataclasses import dataclass
from typing import Final

from utb.errors import UsageError

START_NS: Final = 1_735_689_600_000_000_000
"""Where the market begins: 2025-01-01T00:00:00Z."""

BAR_S: Final = 900
CHUNK_S: Final = 6 * 3600
CHUNK_BARS: Final = CHUNK_S // BAR_S
FLOW_S: Final = 300
"""Step of the whale flows."""
MOOD_S: Final = 1200
"""Step of sentiment."""
CHUNK_FLOWS: Final = CHUNK_S // FLOW_S
CHUNK_MOODS: Final = CHUNK_S // MOOD_S
SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Grid:
    """Resolution of a generated market: one price per instrument and slot."""

    slot_s: int

    def __post_init__(self) -> None:
        if self.slot_s not in {10, 12, 15, 20, 30}:
            raise UsageError("slot_s", str(self.slot_s), "10, 12, 15, 20 or 30")

    @property
    def bar_slots(self) -> int:
        """Return the slots of a 15-minute bar."""
        return BAR_S // self.slot_s

    @property
    def minute_slots(self) -> int:
        """Return the slots of a minute."""
        return 60 // self.slot_s

    @property
    def chunk_slots(self) -> int:
        """Return the slots of a chunk."""
        return CHUNK_S // self.slot_s
