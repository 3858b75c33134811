"""How long the stages took, by the machine's clock: beside the records, never in them."""

from typing import Final

import msgspec

STAGES: Final = ("ingest", "decide", "journal", "submit", "fill", "snapshot")
"""Core; trader on an event; append and sync; hand-over; trader on a fill; state stored."""

_SUB_BITS: Final = 4
_BUCKETS: Final = 64 << _SUB_BITS


class StageLatency(msgspec.Struct, frozen=True, kw_only=True):
    """Percentiles of one stage, microseconds; the bucket's upper bound, at most 1/16 too high."""

    count: int
    p50: float
    p99: float
    max: float


class Histogram:
    """Counts of durations in buckets of a sixteenth of a power of two."""

    __slots__ = ("_counts", "count", "max_ns")

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self.count = 0
        self.max_ns = 0

    def add(self, duration_ns: int) -> None:
        """Count one duration, >= 0."""
        self._counts[_bucket(duration_ns)] += 1
        self.count += 1
        self.max_ns = max(self.max_ns, duration_ns)

    def quantile_ns(self, fraction: float) -> int:
        """Return the upper bound of the bucket that holds the quantile; 0 when empty."""
        rank = fraction * self.count
        seen = 0
        for bucket, number in enumerate(self._counts):
            seen += number
            if number and seen >= rank:
                return min(_upper_bound(bucket), self.max_ns)
        return 0

    def summary(self) -> StageLatency:
        """Return the percentiles in microseconds."""
        return StageLatency(
            count=self.count,
            p50=self.quantile_ns(0.5) / 1e3,
            p99=self.quantile_ns(0.99) / 1e3,
            max=self.max_ns / 1e3,
        )


class Latencies:
    """One histogram per stage."""

    def __init__(self) -> None:
        self._stages = {stage: Histogram() for stage in STAGES}

    def add(self, stage: str, duration_ns: int) -> None:
        """Count one duration of a stage."""
        self._stages[stage].add(duration_ns)

    def summary(self) -> dict[str, StageLatency]:
        """Return the stages that ran."""
        return {name: h.summary() for name, h in self._stages.items() if h.count}


def _bucket(duration_ns: int) -> int:
    if duration_ns < (1 << _SUB_BITS):
        return max(duration_ns, 0)
    exponent = duration_ns.bit_length() - 1 - _SUB_BITS
    return ((exponent + 1) << _SUB_BITS) + ((duration_ns >> exponent) - (1 << _SUB_BITS))


def _upper_bound(bucket: int) -> int:
    if bucket < (1 << _SUB_BITS):
        return bucket
    exponent = (bucket >> _SUB_BITS) - 1
    mantissa = (bucket & ((1 << _SUB_BITS) - 1)) + (1 << _SUB_BITS)
    return ((mantissa + 1) << exponent) - 1
