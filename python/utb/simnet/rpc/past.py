"""What the chain was in the slots before: endpoints that lag behind tell it as the present."""

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass
from typing import Final

from utb.domain.chain import Commitment
from utb.simnet.chain.types import Blockhash, ChainAccount, SlotEvents
from utb.simnet.chain.world import Chain
from utb.simnet.rpc.prices import SlotPrices

MOMENTS_MAX: Final = 640
"""Slots that are remembered: more than any endpoint may be behind with a live blockhash."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The chain's heads after one slot."""

    events: SlotEvents | None
    """None: of the slot the stand-in began with."""
    slots: dict[Commitment, int]
    heights: dict[Commitment, int]
    blockhashes: dict[Commitment, Blockhash]


class Past:
    """Heads and account versions of the last slots."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self.moments: deque[Moment] = deque(maxlen=MOMENTS_MAX)
        self._versions: dict[str, tuple[list[int], list[ChainAccount | None]]] = {}
        self.changed: dict[int, tuple[str, ...]] = {}
        """Accounts that each slot changed, as far back as moments go."""
        self.prices = SlotPrices()
        self.transactions = 0
        """Landed and not rolled back since the start."""
        self._heights: dict[str, int] = {}
        self._record(None)

    @property
    def now(self) -> Moment:
        """Return the newest moment."""
        return self.moments[-1]

    def ago(self, slots: int) -> Moment:
        """Return the moment of so many slots before, or the oldest that is remembered."""
        return self.moments[max(0, len(self.moments) - 1 - slots)]

    def keep(self, events: SlotEvents) -> None:
        """Remember what one slot brought."""
        for rollback in events.rollbacks:
            self._roll_back(rollback.slots)
            self.transactions -= len(rollback.vanished) + len(rollback.requeued)
        for key in events.accounts:
            slots, accounts = self._versions.setdefault(key, ([], []))
            if not slots:
                # Unchanged since before the first change that is kept.
                slots.append(0)
                accounts.append(self._chain.account(key, Commitment.FINALIZED))
            slots.append(events.slot)
            accounts.append(self._chain.account(key, Commitment.PROCESSED))
        self.changed[events.slot] = events.accounts
        landed = [self._chain.transaction(one, Commitment.PROCESSED) for one in events.landed]
        self.prices.keep(events.slot, [one for one in landed if one is not None])
        self.transactions += len(landed)
        if events.block is not None:
            self._heights[events.block.blockhash] = events.block.height
        self._record(events)
        self._forget()

    def height_of(self, blockhash: str) -> int | None:
        """Return the height of the block that made a blockhash; None: from before the start."""
        return self._heights.get(blockhash)

    def account(self, key: str, slot: int) -> ChainAccount | None:
        """Return an account as it stood at a slot."""
        found = self._versions.get(key)
        if found is None:
            return self._chain.account(key, Commitment.FINALIZED)
        slots, accounts = found
        return accounts[max(0, bisect_right(slots, slot) - 1)]

    def _record(self, events: SlotEvents | None) -> None:
        hashes = {one: self._chain.latest_blockhash(one) for one in Commitment}
        self.moments.append(
            Moment(
                events,
                {one: self._chain.slot_at(one) for one in Commitment},
                {one: self._chain.block_height_at(one) for one in Commitment},
                hashes,
            )
        )

    def _roll_back(self, slots: tuple[int, ...]) -> None:
        """Forget versions of slots that are no more; what they became comes with this slot."""
        self.prices.forget(slots)
        gone = set(slots)
        for key in {key for slot in slots for key in self.changed.pop(slot, ())}:
            numbers, accounts = self._versions[key]
            kept = [index for index, slot in enumerate(numbers) if slot not in gone]
            numbers[:] = [numbers[index] for index in kept]
            accounts[:] = [accounts[index] for index in kept]

    def _forget(self) -> None:
        oldest = self.moments[0].slots[Commitment.FINALIZED]
        if len(self._heights) > 2 * MOMENTS_MAX:
            for blockhash in list(self._heights)[:MOMENTS_MAX]:
                del self._heights[blockhash]
        for slot in [one for one in self.changed if one < oldest]:
            for key in self.changed.pop(slot):
                slots, accounts = self._versions[key]
                # One version from before the oldest moment is still needed.
                extra = bisect_right(slots, oldest) - 1
                if extra > 0:
                    del slots[:extra], accounts[:extra]
