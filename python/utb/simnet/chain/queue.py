"""Transactions on their way to a leader: each slot tries again until the blockhash is dead."""

from dataclasses import dataclass

import numpy as np

from utb.simnet.chain.wire import Incoming


@dataclass(slots=True)
class Pending:
    """One queued transaction."""

    incoming: Incoming
    due_slot: int
    """First slot that may take it."""
    tries_left: int | None
    """None: as many as it takes."""
    deadline_height: int
    """Block height above which no block takes it."""


class Queue:
    """Queued transactions in the order they came, by signature."""

    def __init__(self, seed: int, loss_rate: float) -> None:
        self._pending: dict[str, Pending] = {}
        self._draws = np.random.default_rng(seed)
        self.loss_rate = loss_rate
        """Share of tries that do not reach the leader, 0..1."""

    def __len__(self) -> int:
        return len(self._pending)

    def __contains__(self, signature: str) -> bool:
        return signature in self._pending

    def add(self, pending: Pending) -> None:
        """Queue a transaction; bytes that wait already keep their place and the longer life."""
        signature = pending.incoming.signature
        held = self._pending.setdefault(signature, pending)
        if held is not pending:
            if held.tries_left is not None and pending.tries_left is not None:
                held.tries_left += pending.tries_left
            else:
                held.tries_left = None
            held.due_slot = min(held.due_slot, pending.due_slot)

    def remove(self, signature: str) -> None:
        """Take a transaction out, as when it landed."""
        self._pending.pop(signature, None)

    def drop_dead(self, next_height: int) -> tuple[str, ...]:
        """Take out what no block from `next_height` on may hold; return the signatures."""
        dead = [
            signature
            for signature, one in self._pending.items()
            if next_height > one.deadline_height or one.tries_left == 0
        ]
        for signature in dead:
            del self._pending[signature]
        return tuple(dead)

    def due(self, slot: int) -> list[Pending]:
        """Return what reaches the leader of `slot`; each of them has used a try."""
        reached = []
        for one in self._pending.values():
            if one.due_slot > slot:
                continue
            if one.tries_left is not None:
                one.tries_left -= 1
            if self.loss_rate == 0.0 or self._draws.random() >= self.loss_rate:
                reached.append(one)
        return reached
