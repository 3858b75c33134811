"""What has arrived from the trading process and is not written yet; its size has a limit."""

from collections import Counter
from typing import Any, Final

import msgspec

from utb.domain.seam import Pulse, Rows
from utb.storage.clickhouse.lane import KINDS, stage_totals
from utb.storage.clickhouse.records import Journaled

RECORDS_MAX: Final = 4_096
"""Durable records that wait; then no more is read, and the trading process lets go of us."""
LANE_BYTES_MAX: Final = 64 * 1024 * 1024
"""Flat rows that wait; what comes above it is dropped and counted."""
TOTALS_EVERY_NS: Final = 5_000_000_000
"""Wall time between two pulses whose stages are kept."""

TRADE: Final = "trade"
ANALYTICS: Final = "analytics"
DAMAGED: Final = "damaged"


class Waiting(msgspec.Struct, kw_only=True):
    """What is written together."""

    records: list[Journaled] = msgspec.field(default_factory=list)
    lane: dict[str, list[bytes]] = msgspec.field(default_factory=dict)
    """Flat rows by kind."""
    totals: list[tuple[Any, ...]] = msgspec.field(default_factory=list)
    drops: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    """Lost rows by (kind, cause)."""
    lane_rows: int = 0
    lane_bytes: int = 0

    @property
    def rows(self) -> int:
        """Return how many rows wait."""
        return len(self.records) + self.lane_rows + len(self.totals)

    @property
    def empty(self) -> bool:
        """Return whether there is nothing to write."""
        return not (self.rows or self.drops)


class Intake:
    """Takes messages, gives batches."""

    def __init__(self) -> None:
        self._waiting = Waiting()
        self._next_totals_ns = 0

    @property
    def rows(self) -> int:
        """Return how many rows wait."""
        return self._waiting.rows

    @property
    def empty(self) -> bool:
        """Return whether nothing waits."""
        return self._waiting.empty

    @property
    def full(self) -> bool:
        """Return whether durable records must wait outside."""
        return len(self._waiting.records) >= RECORDS_MAX

    def add_record(self, entry: Journaled) -> None:
        """Take a durable record; they come in order."""
        self._waiting.records.append(entry)

    def add_rows(self, message: Rows) -> None:
        """Take flat rows of the second lane, or count them as lost."""
        waiting = self._waiting
        if message.dropped:
            waiting.drops[message.kind, TRADE] += message.dropped
        kind = KINDS.get(message.kind)
        if kind is None:
            waiting.drops[message.kind, DAMAGED] += 1
            return
        count, rest = divmod(len(message.rows), kind.dtype.itemsize)
        if rest:
            waiting.drops[message.kind, DAMAGED] += count + 1
        elif waiting.lane_bytes + len(message.rows) > LANE_BYTES_MAX:
            waiting.drops[message.kind, ANALYTICS] += count
        elif count:
            waiting.lane.setdefault(message.kind, []).append(message.rows)
            waiting.lane_rows += count
            waiting.lane_bytes += len(message.rows)

    def add_pulse(self, pulse: Pulse, session: str) -> None:
        """Take a pulse's stages now and then."""
        if pulse.wall_ns >= self._next_totals_ns:
            self._next_totals_ns = pulse.wall_ns + TOTALS_EVERY_NS
            self._waiting.totals += stage_totals(pulse, session)

    def lose(self, lost: Counter[tuple[str, str]]) -> None:
        """Count rows that were taken and not written."""
        self._waiting.drops.update(lost)

    def take(self) -> Waiting:
        """Return what waits, and wait for more."""
        taken, self._waiting = self._waiting, Waiting()
        return taken
