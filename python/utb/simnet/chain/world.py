"""The stand-in chain: real execution in LiteSVM, with slots, forks and expiry around it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from solders.account import Account
from solders.clock import Clock
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.rent import Rent

from utb.domain.chain import VALIDITY_BLOCKS, Commitment
from utb.errors import UsageError
from utb.simnet.chain import faucet, tokens, wire
from utb.simnet.chain.accounts import SYSTEM, Accounts
from utb.simnet.chain.amm.markets import AmmWorld
from utb.simnet.chain.amm.spec import MarketSpec
from utb.simnet.chain.blocks import Blocks
from utb.simnet.chain.execute import Executed, Executor
from utb.simnet.chain.history import History
from utb.simnet.chain.queue import Pending, Queue
from utb.simnet.chain.reads import SLOTS_PER_EPOCH, Reads, pubkey
from utb.simnet.chain.settings import ChainSettings
from utb.simnet.chain.types import (
    ChainAccount,
    LandedTransaction,
    Market,
    Rollback,
    Simulation,
    SlotEvents,
)

_LOOKUP_TABLES: Final = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")


class Chain(Reads):
    """One chain for everybody: synchronous, deterministic for its settings and calls.

    `tick` makes one slot; nothing else lets time pass. Reads take a commitment and tell the
    state at the end of that slot. Keys, signatures and blockhashes are base58 text.

    `loss_rate` (share of tries that do not reach the leader) may be changed any time, and
    `hold_commitment` keeps slots from being confirmed or finalized.
    """

    def __init__(
        self, settings: ChainSettings | None = None, markets: Sequence[MarketSpec] = ()
    ) -> None:
        """Make a chain whose AMM world trades `markets`.

        Raises:
            UsageError: If a setting or a market is out of its range.
        """
        self.settings = settings or ChainSettings()
        svm = LiteSVM().with_blockhash_check(False).with_transaction_history(0)  # noqa: FBT003
        super().__init__(
            svm,
            Accounts(svm),
            Blocks(self.settings),
            History(self.settings.history_transactions_max),
        )
        self._queue = Queue(self.settings.seed, self.settings.loss_rate)
        self._skips = np.random.default_rng([self.settings.seed, 1])
        self._in_slot: dict[int, tuple[str, ...]] = {}
        self._rollbacks: list[Rollback] = []
        self._bundles: list[tuple[int, tuple[wire.Incoming, ...]]] = []
        self._airdrops = faucet.Faucet(self.settings.seed)
        self.set_rent(self.settings.rent_lamports_per_byte)
        self.plant(
            str(self._airdrops.address), ChainAccount(faucet.FAUCET_LAMPORTS, str(SYSTEM), b"")
        )
        self._set_clock(self._blocks.slot, self.settings.start_time_s)
        self._amm = AmmWorld(svm, self._accounts, self._airdrops.address, markets)
        self._executor = Executor(svm, self._accounts, self._amm)

    @property
    def amm(self) -> AmmWorld:
        """Return the AMM world: quotes, swap instructions and the aggregator's."""
        return self._amm

    @property
    def markets(self) -> tuple[Market, ...]:
        """Return the AMM world's markets with their pools' addresses."""
        return self._amm.markets

    @property
    def faucet(self) -> str:
        """Return the address of the wallet that airdrops come from."""
        return str(self._airdrops.address)

    @property
    def loss_rate(self) -> float:
        """Return the share of tries that do not reach the leader."""
        return self._queue.loss_rate

    @loss_rate.setter
    def loss_rate(self, rate: float) -> None:
        if not 0.0 <= rate <= 1.0:
            raise UsageError("loss_rate", str(rate), "0 to 1")
        self._queue.loss_rate = rate

    # Time passes

    def tick(self, *, skip: bool | None = None, unix_time_s: int | None = None) -> SlotEvents:
        """Make the next slot: re-peg pools, execute what is due, move the commitments on.

        Args:
            skip: True: the slot has no block; False: it has one; None: by `skip_rate`.
            unix_time_s: The slot's time; None: the last one's plus `slot_ms`.

        Returns:
            What happened, forks since the last slot included.
        """
        time_s = self._blocks.next_time(unix_time_s)
        slot, parent = self._blocks.enter()
        self._set_clock(slot, time_s)
        rollbacks, self._rollbacks = tuple(self._rollbacks), []
        if skip is None:
            skip = self._skips.random() < self.settings.skip_rate
        self._accounts.begin(slot)
        expired: tuple[str, ...] = ()
        landed: tuple[str, ...] = ()
        block = None
        if skip:
            self._blocks.skip(parent)
        else:
            self._amm.repeg()
            expired = self._queue.drop_dead(self._blocks.height + 1)
            landed = self._execute_due(slot, time_s)
            block = self._blocks.add(parent, time_s, landed)
            self._in_slot[slot] = landed
        changed = dict.fromkeys(key for one in rollbacks for key in one.accounts)
        changed.update(dict.fromkeys(map(str, self._accounts.end())))
        confirmed, finalized = self._blocks.settle()
        if finalized:
            self._settle(self._blocks.finalized)
        return SlotEvents(
            slot=slot,
            parent=parent,
            root=self._blocks.finalized,
            block=block,
            landed=landed,
            expired=expired,
            accounts=tuple(changed),
            confirmed=confirmed,
            finalized=finalized,
            rollbacks=rollbacks,
        )

    def fork(
        self, depth: int, *, drop: Callable[[str], bool] | None = None, delay_slots: int = 0
    ) -> Rollback:
        """Replace the newest `depth` slots: their state, blocks and blockhashes are gone.

        The slot number goes on, the block height goes back. Transactions go back to the queue
        and land again, perhaps with another result, or expire.

        Args:
            depth: Slots to replace; finalized ones cannot be.
            drop: Says of a signature whether its transaction vanishes instead; None: none does.
            delay_slots: Slots that the others wait before they are tried again.

        Raises:
            UsageError: If `depth` reaches a finalized slot or is below 1.
        """
        most = self._blocks.replaceable()
        if not 1 <= depth <= most:
            raise UsageError("depth", str(depth), f"1 to {most}: finalized slots stay")
        slots = self._blocks.replace(depth)
        accounts = self._accounts.undo(slots)
        signatures = [one for slot in slots for one in self._in_slot.pop(slot, ())]
        gone = [self._history.remove(one) for one in reversed(signatures)]
        vanished, requeued = [], []
        for landed in reversed(gone):
            if drop is not None and drop(landed.signature):
                vanished.append(landed.signature)
                continue
            requeued.append(landed.signature)
            incoming = wire.read(landed.raw)
            self._enqueue(incoming, max_retries=None, delay_slots=delay_slots)
        self._amm.forked()
        rollback = Rollback(
            slots, tuple(vanished), tuple(requeued), tuple(str(key) for key in accounts)
        )
        self._rollbacks.append(rollback)
        return rollback

    def hold_commitment(self, *, confirmed: bool = False, finalized: bool = False) -> None:
        """Keep slots from becoming confirmed or finalized while these are set."""
        self._blocks.hold_confirmed, self._blocks.hold_finalized = confirmed, finalized

    # Transactions

    def submit(self, raw: bytes, *, max_retries: int | None = None, delay_slots: int = 0) -> str:
        """Queue signed bytes for the next slots; this says nothing about landing.

        Args:
            raw: The signed transaction.
            max_retries: Tries after the first; None: each slot until it lands or expires.
            delay_slots: Slots that pass before the first try.

        Returns:
            Its signature.

        Raises:
            ChainError: If it is too large (-32602), malformed (-32602), of another version
                (-32015) or has a wrong signature (-32003).
        """
        incoming = wire.read(raw)
        wire.check_signatures(incoming)
        if incoming.signature not in self._history:
            self._enqueue(incoming, max_retries=max_retries, delay_slots=delay_slots)
        return incoming.signature

    def submit_bundle(self, raws: Sequence[bytes], *, delay_slots: int = 0) -> tuple[str, ...]:
        """Queue transactions for the head of one slot: all succeed, or none lands; as `submit`."""
        bundle = tuple(wire.read(raw) for raw in raws)
        for incoming in bundle:
            wire.check_signatures(incoming)
        self._bundles.append((self.slot + 1 + delay_slots, bundle))
        return tuple(incoming.signature for incoming in bundle)

    def is_queued(self, signature: str) -> bool:
        """Return whether a transaction waits for a leader."""
        return signature in self._queue

    def drop_queued(self, signature: str) -> None:
        """Lose a queued transaction; nobody is told."""
        self._queue.remove(signature)

    def simulate(
        self,
        raw: bytes,
        *,
        sig_verify: bool = False,
        replace_blockhash: bool = False,
        accounts: Iterable[str] = (),
    ) -> Simulation:
        """Run a transaction against the newest state and keep nothing.

        Args:
            raw: The transaction; its signatures may be empty unless `sig_verify`.
            sig_verify: Whether wrong signatures are an error.
            replace_blockhash: Whether a dead blockhash is replaced instead of told.
            accounts: Whose state after it is wanted.

        Raises:
            ChainError: As `submit`; the signature only with `sig_verify`.
        """
        incoming = wire.read(raw)
        if sig_verify:
            wire.check_signatures(incoming)
        replacement = self.latest_blockhash(Commitment.PROCESSED) if replace_blockhash else None
        wanted = [pubkey(one) for one in accounts]
        done = self._executor.simulate(incoming, wanted, replacement, self.slot)
        problem = None
        if not replace_blockhash and not self.is_blockhash_valid(
            incoming.blockhash, Commitment.PROCESSED
        ):
            problem = "BlockhashNotFound"
        elif incoming.signature in self._history:
            problem = "AlreadyProcessed"
        return done if problem is None else replace(done, err=problem, logs=(), units_consumed=0)

    def set_rent(self, lamports_per_byte: int) -> None:
        """Change the rent from now on; accounts keep what they hold."""
        self._svm.set_rent(Rent(lamports_per_byte))

    def plant(self, key: str, account: ChainAccount | None) -> None:
        """Put an account there as if it had always been; no fork takes it back."""
        solid = None
        if account is not None:
            solid = Account(
                account.lamports, account.data, pubkey(account.owner), account.executable
            )
        self._accounts.plant(pubkey(key), solid)

    # The world around

    def airdrop(self, key: str, lamports: int) -> str:
        """Queue a transfer from the faucet; return its signature."""
        raw = self._airdrops.lamports(pubkey(key), lamports, self._newest_hash())
        return self.submit(raw)

    def airdrop_tokens(self, owner: str, mint: str, amount_raw: int) -> str:
        """Queue tokens (wSOL included) for the owner's associated account; return its signature.

        Raises:
            UsageError: If there is no such mint.
        """
        found = self._accounts.get(pubkey(mint))
        if found is None or found.owner not in tokens.TOKEN_PROGRAMS:
            raise UsageError("mint", mint, "a mint of this chain")
        raw = self._airdrops.tokens(
            pubkey(owner), pubkey(mint), found.owner, amount_raw, self._newest_hash()
        )
        return self.submit(raw)

    def set_price(self, symbol: str, price: float) -> None:
        """Let the arbitrageur re-peg an instrument's pools to a price, in the next slot.

        Args:
            symbol: BASE-QUOTE of one of `markets`.
            price: Quote per base in whole units, finite, > 0.

        Raises:
            UsageError: If the symbol is unknown or the price out of range.
        """
        self._amm.set_price(symbol, price)

    # Inside

    def _execute_due(self, slot: int, time_s: int) -> tuple[str, ...]:
        """Execute what reaches this slot's leader; return what landed, in order."""
        landed: list[str] = []
        due = [bundle for first, bundle in self._bundles if first <= slot]
        self._bundles = [one for one in self._bundles if one[0] > slot]
        for bundle in due:
            for incoming, done in self._execute_bundle(bundle):
                self._land(incoming, done, (slot, time_s), landed)
        for pending in self._queue.due(slot):
            ran = self._execute(pending.incoming)
            if ran is not None and ran.charged:
                self._land(pending.incoming, ran, (slot, time_s), landed)
        return tuple(landed)

    def _execute(self, incoming: wire.Incoming) -> Executed | None:
        """Execute one transaction; None: its blockhash is of no block, or it landed before."""
        if self._blocks.last_valid_height(incoming.blockhash) is None:
            return None
        if incoming.signature in self._history:
            return None
        if incoming.calls(_LOOKUP_TABLES):
            # Making a table names a recent slot; costly to keep up for every slot.
            self._svm.set_slot_hashes(self._blocks.recent(VALIDITY_BLOCKS))
        return self._executor.run(incoming)

    def _execute_bundle(
        self, bundle: tuple[wire.Incoming, ...]
    ) -> list[tuple[wire.Incoming, Executed]]:
        """Execute a bundle; nothing of it stays where one of its transactions fails."""
        ran = []
        self._accounts.save()
        for incoming in bundle:
            last = self._blocks.last_valid_height(incoming.blockhash)
            alive = last is not None and self._blocks.height + 1 <= last
            done = self._execute(incoming) if alive else None
            if done is None or done.meta.err is not None:
                self._accounts.drop()
                self._amm.forked()
                return []
            ran.append((incoming, done))
        self._accounts.keep()
        return ran

    def _land(
        self, incoming: wire.Incoming, done: Executed, at: tuple[int, int], landed: list[str]
    ) -> None:
        """Put an executed transaction into the block that is made; `at` is slot and unix time."""
        signature = incoming.signature
        self._queue.remove(signature)
        self._history.add(
            LandedTransaction(
                signature=signature,
                slot=at[0],
                index=len(landed),
                block_time=at[1],
                raw=incoming.raw,
                keys=tuple(map(str, done.resolved.keys)),
                meta=done.meta,
            )
        )
        landed.append(signature)

    def _enqueue(
        self, incoming: wire.Incoming, *, max_retries: int | None, delay_slots: int
    ) -> None:
        deadline = self._blocks.last_valid_height(incoming.blockhash)
        if deadline is None:
            # Not of this chain: a node keeps it as long as a fresh one could live.
            deadline = self._blocks.height + VALIDITY_BLOCKS
        tries = None if max_retries is None else max_retries + 1
        self._queue.add(Pending(incoming, self.slot + 1 + delay_slots, tries, deadline))

    def _settle(self, slot: int) -> None:
        self._accounts.settle(slot)
        for old in [one for one in self._in_slot if one <= slot]:
            del self._in_slot[old]

    def _set_clock(self, slot: int, time_s: int) -> None:
        epoch = slot // SLOTS_PER_EPOCH
        self._svm.set_clock(Clock(slot, self.settings.start_time_s, epoch, epoch + 1, time_s))

    def _newest_hash(self) -> str:
        return self.latest_blockhash(Commitment.PROCESSED).blockhash
