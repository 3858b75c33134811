"""How one endpoint is: latency, failures and rests, slots and heights. Pure, time comes in."""

from collections.abc import Callable
from typing import Final

import msgspec

from utb.adapters.net.backoff import Backoff

LATENCY_WEIGHT: Final = 0.2
"""Of a new sample in the moving average: five calls change it by two thirds."""

SLOT_MS: Final = 400.0
"""What a slot of lag costs when endpoints are compared; only their order depends on it."""

SLOTS_FREE: Final = 4
"""Lag below which endpoints count as equal: they are read at different moments."""


class EndpointView(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint as others see it."""

    name: str
    usable: bool
    answers: bool
    """Usable, and it answered since its last rest: one that rested is usable for a try."""
    reason: str
    """Why it is not used, or what failed last; empty: nothing."""
    latency_ms: float | None
    slot: int | None
    lag_slots: int | None
    """Behind the best; None: unknown."""
    block_height: int | None
    finalized_slot: int | None
    finalized_height: int | None
    requests: int
    failures: int
    connected: bool
    """Whether its WebSocket is open."""
    subscriptions: int


class Gauge:
    """The record of one endpoint."""

    def __init__(self, elapsed_ns: Callable[[], int], backoff: Backoff, failures_max: int) -> None:
        """Know nothing yet.

        Args:
            elapsed_ns: A clock that nobody sets.
            backoff: Lengths of the rests.
            failures_max: Failures in a row that bring a rest, >= 1.
        """
        self._elapsed_ns = elapsed_ns
        self._backoff = backoff
        self._failures_max = failures_max
        self._in_a_row = 0
        self._resting_until_ns: int | None = None
        self._trying = False
        self.latency_ms: float | None = None
        self.failures = 0
        self.reason = ""
        self.barred = ""
        """Why it is never used: a sentence; empty: it may be."""
        self.slot: int | None = None
        self.slot_ns = 0
        """When the slot was told."""
        self.block_height: int | None = None
        self.finalized_slot: int | None = None
        self.finalized_height: int | None = None

    @property
    def resting(self) -> bool:
        """Return whether it is left alone; after the rest one call at a time tries it."""
        if self._resting_until_ns is None:
            return False
        return self._trying or self._elapsed_ns() < self._resting_until_ns

    @property
    def on_trial(self) -> bool:
        """Return whether it has not answered since it was left alone."""
        return self._resting_until_ns is not None

    def asked(self) -> None:
        """Note that a call is under way."""
        self._trying = self._resting_until_ns is not None

    def answered(self, took_ns: int) -> None:
        """Take a good answer."""
        took_ms = took_ns / 1e6
        if self.latency_ms is None:
            self.latency_ms = took_ms
        else:
            self.latency_ms += LATENCY_WEIGHT * (took_ms - self.latency_ms)
        self._in_a_row = 0
        self._resting_until_ns = None
        self._trying = False
        self._backoff.reset()

    def failed(self, reason: str, rest_s: float | None = None) -> None:
        """Take a failure of the endpoint, not one of the question.

        Args:
            reason: A sentence.
            rest_s: Rest at once, so long: it said so. None: after some failures in a row.
        """
        self.reason = reason
        self.failures += 1
        self._in_a_row += 1
        self._trying = False
        tried = self._resting_until_ns is not None
        if rest_s is not None or tried or self._in_a_row >= self._failures_max:
            wait_s = self._backoff.next() if rest_s is None else rest_s
            self._resting_until_ns = self._elapsed_ns() + round(wait_s * 1e9)

    def left(self) -> None:
        """Note that a call ended without saying anything about the endpoint."""
        self._trying = False

    def learn_slot(self, slot: int) -> None:
        """Take the slot it told last."""
        self.slot, self.slot_ns = slot, self._elapsed_ns()

    def learn_heights(self, block_height: int) -> None:
        """Take the block height at processed that it told last."""
        self.block_height = block_height

    def learn_finalized(self, slot: int, height: int) -> None:
        """Take the finalized slot and its block height that it told last."""
        self.finalized_slot, self.finalized_height = slot, height

    def cost_ms(self, best_slot: int | None) -> float:
        """Return what orders endpoints: latency, and lag in slots beyond some."""
        lag = 0 if best_slot is None or self.slot is None else best_slot - self.slot
        return (self.latency_ms or 0.0) + max(0, lag - SLOTS_FREE) * SLOT_MS
