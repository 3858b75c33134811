"""Chance and cost of the simulated venue: every draw is a function of (seed, intent id)."""

import hashlib
import math
from statistics import NormalDist

import msgspec

from utb.domain.orders import OrderIntent

NANOS_PER_MS = 1_000_000
NANOS_PER_S = 1_000_000_000
_STANDARD_NORMAL = NormalDist()
_BITS = 53
_STEPS = float(1 << _BITS)


def uniform(seed: int, intent_id: str, label: str) -> float:
    """Return a draw in (0, 1) that depends on nothing but its arguments.

    53 bits of BLAKE2b, moved by half a step so that neither 0 nor 1 occurs.
    """
    digest = hashlib.blake2b(f"{seed}/{intent_id}/{label}".encode(), digest_size=8).digest()
    return ((int.from_bytes(digest, "big") >> (64 - _BITS)) + 0.5) / _STEPS


class LatencyModel(msgspec.Struct, frozen=True, kw_only=True):
    """Time from decision to landing: log-normal."""

    seed: int
    median_ms: float
    sigma: float
    """Standard deviation of the logarithm."""

    def landing_delay_ns(self, intent_id: str) -> int:
        """Return the delay of an order, nanoseconds, >= 1."""
        normal = _STANDARD_NORMAL.inv_cdf(uniform(self.seed, intent_id, "latency"))
        return max(1, int(self.median_ms * math.exp(self.sigma * normal) * NANOS_PER_MS))


class FillModel(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an order lands at all, and how our own impact fades."""

    seed: int
    landing_probability: float
    expiry_ns: int
    impact_memory_ns: int

    def lands(self, intent_id: str) -> bool:
        """Return whether the order lands before its blockhash dies."""
        return uniform(self.seed, intent_id, "landing") < self.landing_probability

    def remembered_ppt(self, displacement_ppt: int, age_ns: int) -> int:
        """Return what is left of our impact after `age_ns`: it fades linearly to 0."""
        if age_ns >= self.impact_memory_ns:
            return 0
        left = self.impact_memory_ns - max(age_ns, 0)
        return displacement_ppt * left // self.impact_memory_ns


class FeeModel(msgspec.Struct, frozen=True, kw_only=True):
    """Network fees of one transaction, lamports."""

    base_fee_lamports: int
    priority_fee_lamports: int

    def fee_lamports(self, intent: OrderIntent, fee_lamports_max: int) -> int:
        """Return base + priority fee; the priority fee grows by itself with each attempt."""
        priority = self.priority_fee_lamports * (1 + intent.attempt)
        return min(self.base_fee_lamports + priority, max(fee_lamports_max, self.base_fee_lamports))
