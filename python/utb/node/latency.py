"""How long the stages took, by the machine's clock: beside the records, never in them."""

from typing import Final

import msgspec

from utb.domain.names import Stage

STAGES: Final = ("decide", "approve", "journal", "submit", "fill", "snapshot")
"""Stages that are timed, in the order an order passes them."""

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

    __slots__ = ("_counts", "max_ns")

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self.max_ns = 0

    def add(self, duration_ns: int) -> None:
        """Count one duration, >= 0; called with every frame, so it does no more than that."""
        # Below two powers of the sub-buckets the bucket is the duration itself
        exponent = duration_ns.bit_length() - 1 - _SUB_BITS
        if exponent > 0:
            self._counts[(exponent << _SUB_BITS) + (duration_ns >> exponent)] += 1
        else:
            self._counts[duration_ns] += 1
        self.max_ns = max(self.max_ns, duration_ns)

    @property
    def count(self) -> int:
        """Return how many durations were counted."""
        return sum(self._counts)

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

    __slots__ = STAGES

    def __init__(self) -> None:
        self.decide = Histogram()
        """The core on one frame, or on recorded events up to the next that matters; some of them
        are timed (`runner.TIMED_EVERY`)."""
        self.approve = Histogram()
        """The trader on one event: risk, size, order."""
        self.journal = Histogram()
        """Append, and sync where orders follow."""
        self.submit = Histogram()
        """Hand-over of an input's orders to the venue."""
        self.fill = Histogram()
        """The trader on what became of an order."""
        self.snapshot = Histogram()
        """The state of everything stored."""

    def of(self, stage: Stage) -> Histogram:
        """Return a stage's histogram."""
        found: Histogram = getattr(self, stage.name.lower())
        return found

    def summary(self) -> dict[str, StageLatency]:
        """Return the stages that ran."""
        stages: dict[str, Histogram] = {name: getattr(self, name) for name in STAGES}
        return {name: stage.summary() for name, stage in stages.items() if stage.count}


def _upper_bound(bucket: int) -> int:
    if bucket < (1 << _SUB_BITS):
        return bucket
    exponent = (bucket >> _SUB_BITS) - 1
    mantissa = (bucket & ((1 << _SUB_BITS) - 1)) + (1 << _SUB_BITS)
    return ((mantissa + 1) << exponent) - 1
