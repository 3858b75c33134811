"""Transactions on their way from an endpoint to the chain, with the faults that act there."""

from collections import Counter
from typing import Final, NamedTuple

from utb.simnet.chain import wire
from utb.simnet.chain.world import Chain
from utb.simnet.rpc.faults import Board, Kind

HELD_MAX: Final = 100_000
"""Most transactions that faults hold back at once; more are dropped."""


class _Held(NamedTuple):
    due_slot: int
    order: int
    raw: bytes
    retries: int | None


class Sends:
    """Forwards signed bytes to the chain: at once, later, twice, in another order, or not."""

    def __init__(self, chain: Chain, board: Board) -> None:
        self._chain = chain
        self._board = board
        self._held: list[_Held] = []
        self._orders = 0
        self.counts: Counter[str] = Counter()
        """What became of sends: forwarded, dropped, held."""

    def send(self, endpoint: str, raw: bytes, *, retries: int | None, method: str) -> str:
        """Take a transaction in and return its signature.

        Args:
            endpoint: Who took it.
            raw: Signed bytes.
            retries: Slots after the first that it is tried again; None: until it is dead.
            method: What the client called.

        Raises:
            ChainError: If it is no signed transaction.
        """
        incoming = wire.read(raw)
        wire.check_signatures(incoming)
        methods = (method,)
        if self._board.strike(endpoint, Kind.DROP, methods) is not None:
            self.counts["dropped"] += 1
            return incoming.signature
        twice = self._board.strike(endpoint, Kind.DUPLICATE, methods)
        copies = 1 if twice is None else twice.whole
        late = self._board.strike(endpoint, Kind.DELAY, methods)
        mixed = self._board.strike(endpoint, Kind.REORDER, methods)
        wait = (late.whole if late else 0) + (mixed.whole if mixed else 0)
        for _ in range(copies):
            if wait:
                self._hold(raw, wait, retries, last_first=mixed is not None)
            else:
                self._forward(raw, retries)
        return incoming.signature

    def flush(self, next_slot: int) -> None:
        """Forward what was held back until `next_slot`."""
        if not self._held:
            return
        due = sorted(one for one in self._held if one.due_slot <= next_slot)
        self._held = [one for one in self._held if one.due_slot > next_slot]
        for one in due:
            self._forward(one.raw, one.retries)

    def bundle(self, endpoint: str, raws: tuple[bytes, ...], *, method: str) -> None:
        """Take in a bundle: its transactions land together and succeed, or none does.

        Raises:
            ChainError: If one is no signed transaction.
        """
        if self._board.strike(endpoint, Kind.DROP, (method,)) is not None:
            self.counts["dropped"] += 1
            return
        late = self._board.strike(endpoint, Kind.DELAY, (method,))
        self.counts["forwarded"] += 1
        self._chain.submit_bundle(raws, delay_slots=0 if late is None else late.whole)

    def _hold(self, raw: bytes, slots: int, retries: int | None, *, last_first: bool) -> None:
        if len(self._held) >= HELD_MAX:
            self.counts["dropped"] += 1
            return
        self._orders += 1
        order = -self._orders if last_first else self._orders
        # What is mixed waits for the same slot, so that it leaves together.
        due = self._chain.slot + slots
        due = due - due % slots + slots if last_first else due
        self._held.append(_Held(due, order, raw, retries))
        self.counts["held"] += 1

    def _forward(self, raw: bytes, retries: int | None) -> None:
        self.counts["forwarded"] += 1
        self._chain.submit(raw, max_retries=retries)
