"""Slots, blocks, blockhashes and commitment of the stand-in chain."""

import hashlib
from bisect import bisect_right
from dataclasses import dataclass

from solders.hash import Hash

from utb.domain.chain import VALIDITY_BLOCKS, Commitment
from utb.simnet.chain.settings import ChainSettings
from utb.simnet.chain.types import Block, Blockhash


@dataclass(slots=True)
class SlotRecord:
    """One slot that is not forgotten: its block, or that it has none."""

    slot: int
    block: Block | None
    parent: int
    height: int
    """Block height at its end."""


class Blocks:
    """The chain of slots; the newest may be replaced until they are finalized."""

    def __init__(self, settings: ChainSettings) -> None:
        self._settings = settings
        self._forks = 0
        self._slots: list[SlotRecord] = []
        self._numbers: list[int] = []
        self._hashes: dict[str, int] = {}
        self._now = settings.start_slot
        self.confirmed = self.finalized = settings.start_slot
        self.hold_confirmed = self.hold_finalized = False
        """While set, that commitment stands still: it never follows from a count of slots."""
        self.genesis_hash = str(self._mint("genesis"))
        for back in range(VALIDITY_BLOCKS, -1, -1):
            slot = settings.start_slot - back
            self._add(slot, slot - 1, settings.start_height - back, self._time(slot), ())

    @property
    def slot(self) -> int:
        """Return the newest slot; it grows even where a fork takes blocks away."""
        return self._now

    @property
    def height(self) -> int:
        """Return the newest block's height."""
        return self._slots[-1].height

    @property
    def parent(self) -> int:
        """Return the newest block's slot."""
        last = self._slots[-1]
        return last.slot if last.block else last.parent

    def slot_at(self, commitment: Commitment) -> int:
        """Return the newest slot at a commitment."""
        if commitment is Commitment.PROCESSED:
            return self._now
        return self.confirmed if commitment is Commitment.CONFIRMED else self.finalized

    def height_at(self, commitment: Commitment) -> int:
        """Return the block height at a commitment."""
        return self._record(self.slot_at(commitment)).height

    def height_of(self, slot: int) -> int:
        """Return the height of a slot's block."""
        return self._record(slot).height

    def latest(self, commitment: Commitment) -> Blockhash:
        """Return the newest blockhash at a commitment and its deadline."""
        slot = self.slot_at(commitment)
        record = self._record(slot)
        block = record.block or self.block(record.parent)
        if block is None:
            raise LookupError(f"slot {slot} has no block before it")
        return Blockhash(block.blockhash, block.height + VALIDITY_BLOCKS, slot)

    def last_valid_height(self, blockhash: str) -> int | None:
        """Return the last height at which `blockhash` is valid; None: not of this chain."""
        height = self._hashes.get(blockhash)
        return None if height is None else height + VALIDITY_BLOCKS

    def block(self, slot: int) -> Block | None:
        """Return the block of a slot; None: skipped, unknown or forgotten."""
        record = self._record(slot)
        return record.block if record.slot == slot else None

    def recent(self, count: int) -> list[tuple[int, Hash]]:
        """Return (slot, hash) of the newest blocks, newest first."""
        found = []
        for record in reversed(self._slots):
            if record.block is not None:
                found.append((record.slot, Hash.from_string(record.block.blockhash)))
                if len(found) == count:
                    break
        return found

    def next_time(self, told: int | None) -> int:
        """Return the unix time of the next slot, seconds; it never goes back."""
        last = self.block(self.parent)
        time = self._time(self._now + 1) if told is None else told
        return time if last is None else max(time, last.block_time)

    def enter(self) -> tuple[int, int]:
        """Move on to the next slot; return it and the slot of the block before it."""
        parent = self.parent
        self._now += 1
        return self._now, parent

    def skip(self, parent: int) -> None:
        """Leave the slot that was entered without a block."""
        self._append(SlotRecord(self._now, None, parent, self.height))

    def add(self, parent: int, time_s: int, signatures: tuple[str, ...]) -> Block:
        """Close the slot that was entered with a block."""
        return self._add(self._now, parent, self.height + 1, time_s, signatures)

    def settle(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Move the commitments on; return the newly confirmed and finalized slots with blocks."""
        was = (self.confirmed, self.finalized)
        if not self.hold_confirmed:
            self.confirmed = max(was[0], self._now - self._settings.confirmed_lag_slots)
        if not self.hold_finalized:
            lagged = self._now - self._settings.finalized_lag_slots
            self.finalized = max(was[1], min(lagged, self.confirmed))
        return self._between(was[0], self.confirmed), self._between(was[1], self.finalized)

    def replace(self, depth: int) -> tuple[int, ...]:
        """Take the newest `depth` slots away; return them, oldest first.

        Their blockhashes die, the block height goes back, the slot number does not. A commitment
        that had reached them goes back too.
        """
        gone = self._slots[-depth:]
        del self._slots[-depth:], self._numbers[-depth:]
        for record in gone:
            if record.block is not None:
                del self._hashes[record.block.blockhash]
        self._forks += 1
        self.confirmed = min(self.confirmed, self._numbers[-1])
        return tuple(record.slot for record in gone)

    def replaceable(self) -> int:
        """Return how many of the newest slots are not finalized."""
        return len(self._numbers) - bisect_right(self._numbers, self.finalized)

    def _add(
        self, slot: int, parent: int, height: int, time_s: int, signatures: tuple[str, ...]
    ) -> Block:
        blockhash = str(self._mint(f"{slot} {self._forks}"))
        before = self.block(parent) if self._slots else None
        previous = before.blockhash if before else self.genesis_hash
        block = Block(slot, parent, height, blockhash, previous, time_s, signatures)
        self._hashes[blockhash] = height
        self._append(SlotRecord(slot, block, parent, height))
        return block

    def _append(self, record: SlotRecord) -> None:
        self._slots.append(record)
        self._numbers.append(record.slot)
        # Room for a deep fork above the window; blockhashes older than it are worth nothing.
        if len(self._slots) > 8 * VALIDITY_BLOCKS and self._numbers[0] < self.finalized:
            self._forget(4 * VALIDITY_BLOCKS)

    def _forget(self, keep: int) -> None:
        count = min(len(self._slots) - keep, bisect_right(self._numbers, self.finalized) - 1)
        for record in self._slots[:count]:
            if record.block is not None:
                del self._hashes[record.block.blockhash]
        del self._slots[:count], self._numbers[:count]

    def _record(self, slot: int) -> SlotRecord:
        """Return the newest record that is not after `slot`."""
        return self._slots[max(0, bisect_right(self._numbers, slot) - 1)]

    def _between(self, after: int, upto: int) -> tuple[int, ...]:
        begin, end = bisect_right(self._numbers, after), bisect_right(self._numbers, upto)
        return tuple(one.slot for one in self._slots[begin:end] if one.block is not None)

    def _mint(self, label: str) -> Hash:
        """Return a hash of this chain alone: a virtual machine's own are always the same."""
        seed = self._settings.seed
        return Hash(hashlib.sha256(f"utb chain {seed} {label}".encode()).digest())

    def _time(self, slot: int) -> int:
        settings = self._settings
        return settings.start_time_s + (slot - settings.start_slot) * settings.slot_ms // 1000
