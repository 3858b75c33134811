"""A chain of one wallet in plain integers: blocks, balances, guard accounts, expiry and forks."""

from collections import Counter
from typing import NamedTuple

from utb.domain.chain import VALIDITY_BLOCKS, ChainFill

FINALITY = 32
"""Blocks until a block is final; no fork goes deeper."""
CONFIRMATION = 2
RENT_LAMPORTS = 890_880
PRICE = 1_000
PRICE_SLOTS = 4
"""Slots that share a price."""


class Tx(NamedTuple):
    """A signed transaction; its signature is a function of everything that is in its bytes."""

    signature: str
    intent: str
    decision: str
    """What may happen once: an entry, or one reduction of a position over all its epochs."""
    entry: bool
    mint: int
    amount: int
    min_out: int
    last_valid: int
    """As the chain holds it, whatever anybody was told."""
    guard: str | None
    fee: int
    fails: bool
    """Runs out of compute units, wherever it lands."""
    raw: bytes = b""
    """As sent, on a chain that takes bytes."""


class Landed(NamedTuple):
    """A transaction in a block."""

    tx: Tx
    slot: int
    ok: bool
    err: str | None
    guard_failed: bool
    base: int
    quote: int
    rent: int

    def fill(self) -> ChainFill | None:
        """Return what it did to the wallet; None if it failed."""
        if not self.ok:
            return None
        return ChainFill(
            signature=self.tx.signature,
            slot=self.slot,
            base_raw=self.base,
            quote_raw=self.quote,
            fee_lamports=self.tx.fee,
            tip_lamports=0,
            rent_lamports=self.rent,
            compute_units=0,
        )


class Chain:
    """Time is slots; some have no block, and a fork takes heights back."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.slot = 1_000
        self.height = 900
        self.heights: dict[int, int] = {self.slot: self.height}
        """Block height at each slot."""
        self.base: Counter[int] = Counter()
        self.quote = 0
        self.lamports = 0
        self.guards: set[str] = set()
        self.known: dict[str, Landed] = {}
        self.blocks: list[Landed] = []
        self.pool: dict[int, list[Tx]] = {}
        self.successes: Counter[str] = Counter()
        """Successful transactions on the chain, of each intent and each decision."""
        self.doubles: list[str] = []
        self.forks = 0
        self.moves = 1
        """0: prices rest."""
        self.recovered = 0
        """Lamports that closed guard accounts brought, less what closing them cost."""

    def height_at(self, slot: int) -> int:
        """Return the block height at a slot, the first one's before it."""
        return self.heights.get(slot, 900)

    def price(self, slot: int) -> int:
        """Return quote per thousand base at a slot: a walk that is a function of the seed."""
        mixed = ((self.seed * 1_000_003 + slot // PRICE_SLOTS) * 2_654_435_761) & 0xFFFFFFFF
        return PRICE + self.moves * (((mixed >> 13) % 41) - 20)

    def quote_out(self, mint: int, amount: int, *, entry: bool) -> int:
        """Return what an exact input gives now."""
        del mint
        price = self.price(self.slot)
        return amount * PRICE // price if entry else amount * price // PRICE

    def blockhash(self, slot: int) -> tuple[str, int]:
        """Return the blockhash of a slot and the last height it is valid at."""
        height = self.height_at(slot)
        return str(slot), height + VALIDITY_BLOCKS

    def sign(self, draft: Tx, blockhash: str, unit_price: int, memo: str) -> Tx:
        """Return a transaction with its signature: equal bytes have equal ones."""
        mark = f"guard {draft.guard}" if draft.guard else memo
        side = "entry" if draft.entry else "exit"
        signature = (
            f"{side} {draft.mint} {draft.amount} {draft.min_out} {blockhash} {unit_price} {mark}"
        )
        return draft._replace(signature=signature)

    def submit(self, tx: Tx, after_slots: int) -> None:
        """Have bytes reach a leader some slots from now."""
        self.pool.setdefault(self.slot + after_slots, []).append(tx)

    def tick(self) -> list[Landed]:
        """Make one slot; return what landed in it."""
        self.slot += 1
        self.height += 1
        self.heights[self.slot] = self.height
        # Duplicates come one after another: each sees what landed before it
        return [
            self._land(tx)
            for tx in self.pool.pop(self.slot, ())
            if tx.signature not in self.known and self.height <= tx.last_valid
        ]

    def _land(self, tx: Tx) -> Landed:
        err, guard_failed, out = None, False, 0
        if tx.guard is not None and tx.guard in self.guards:
            err, guard_failed = "Custom(0)", True
        elif tx.fails:
            err = "ComputationalBudgetExceeded"
        else:
            out = self.quote_out(tx.mint, tx.amount, entry=tx.entry)
            if out < tx.min_out:
                err = "Custom(6001)"
            elif not tx.entry and self.base[tx.mint] < tx.amount:
                err = "Custom(1)"
        ok = err is None
        base, quote = (out, tx.amount) if tx.entry else (tx.amount, out)
        rent = RENT_LAMPORTS if ok and tx.guard is not None else 0
        record = Landed(tx, self.slot, ok, err, guard_failed, base, quote, rent)
        self._apply(record, 1)
        self.enter(record)
        return record

    def enter(self, record: Landed) -> None:
        """Take note of what landed, and whether it is one too many."""
        tx = record.tx
        self.known[tx.signature] = record
        self.blocks.append(record)
        if not record.ok:
            return
        for name in {tx.intent, tx.decision}:
            self.successes[name] += 1
            if self.successes[name] > 1:
                self.doubles.append(name)

    def _apply(self, record: Landed, sign: int) -> None:
        tx = record.tx
        self.lamports -= sign * tx.fee
        if not record.ok:
            return
        way = sign if tx.entry else -sign
        self.base[tx.mint] += way * record.base
        self.quote -= way * record.quote
        self.lamports -= sign * record.rent
        if tx.guard is not None:
            (self.guards.add if sign > 0 else self.guards.discard)(tx.guard)

    def fork(self, depth: int) -> list[Landed]:
        """Replace the last slots by ones without a block; return what was in them."""
        since = self.slot - depth
        self.height = self.height_at(since)
        return self.rewind(since)

    def rewind(self, since: int) -> list[Landed]:
        """Forget what landed after a slot; the heights there are the present one."""
        self.forks += 1
        undone = []
        while self.blocks and self.blocks[-1].slot > since:
            record = self.blocks.pop()
            del self.known[record.tx.signature]
            if record.ok:
                for name in {record.tx.intent, record.tx.decision}:
                    self.successes[name] -= 1
            self._undo(record)
            undone.append(record)
        for slot in range(since + 1, self.slot + 1):
            self.heights[slot] = self.height
        return undone

    def _undo(self, record: Landed) -> None:
        self._apply(record, -1)

    def prefund(self, guard: str) -> None:
        """Let a stranger make a guard's account."""
        self.guards.add(guard)

    def recover(self, guard: str) -> None:
        """Close a guard account."""
        if guard in self.guards:
            self.guards.discard(guard)
            self.lamports += RENT_LAMPORTS
            self.recovered += RENT_LAMPORTS

    def balances(self) -> tuple[Counter[int], int, int]:
        """Return what the wallet gained of each base mint, of quote and of lamports."""
        return self.base, self.quote, self.lamports
