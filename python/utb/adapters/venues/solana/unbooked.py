"""Housekeeping transactions that were announced and are not booked, by this process or another.

Each is read at finalized commitment and booked as it landed, or proven dead by the rules of an
order's attempts. Until then SOL and rent are held against the book in sum only.
"""

from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol

from utb.adapters.chain.announced import Announced
from utb.adapters.chain.landed import Landed, Unread, read_landed
from utb.adapters.rpc import calls
from utb.adapters.rpc.answers import Good
from utb.adapters.venues.solana.parts import ChainReadings, Rpc, Watcher
from utb.domain.chain import Commitment
from utb.domain.orders import FlowCause, VenueFlow
from utb.orderlife import evidence
from utb.orderlife.events import Event, Status, StatusAbsent, WalletAbsent
from utb.orderlife.life import AttemptLife, AttemptState, Life, OrderKind, Rules, limit_height
from utb.ports.chain import VenueSink

ALARM_LOOKS: Final = 120
"""Looks at a transaction without an end after which a person is told: more than four minutes."""


class AnnouncedBook(Protocol):
    """The book as far as housekeeping goes."""

    opening_slot: int
    """The wallet's transactions up to here were not ours."""

    def announced(self) -> tuple[Announced, ...]:
        """Return the transactions that are announced and not closed."""
        ...

    def reached(self, slot: int) -> None:
        """Learn that the book has a transaction of this slot."""
        ...


class Unbooked:
    """Looks after what is announced."""

    def __init__(  # noqa: PLR0913 - whom to ask and whom to tell
        self,
        *,
        wallet: str,
        rpc: Rpc,
        watcher: Watcher,
        chain: ChainReadings,
        book: AnnouncedBook,
        sink: VenueSink,
        rules: Rules,
        now_ns: Callable[[], int],
        on_alarm: Callable[[str], None],
    ) -> None:
        """Look at nothing yet.

        Args:
            wallet: Address.
            rpc: Whom to ask for transactions.
            watcher: Asks for statuses; its words come back to `take`.
            chain: How far it is.
            book: What is announced.
            sink: Takes what became of it.
            rules: Of proofs of death.
            now_ns: Stamps what is booked.
            on_alarm: Takes a sentence about a transaction whose end does not become known.
        """
        self._wallet = wallet
        self._rpc = rpc
        self._watcher = watcher
        self._chain = chain
        self._book = book
        self._sink = sink
        self._rules = rules
        self._now_ns = now_ns
        self._on_alarm = on_alarm
        self._attempts: dict[str, AttemptLife] = {}
        self._since_slots: dict[str, int] = {}
        self._looks: Counter[str] = Counter()
        self.trouble = ""
        """What was wrong with the last transaction that was looked at; empty: nothing."""
        self.recovered_lamports = 0

    def announce(self, signature: str, reason: str, *, last_valid_block_height: int) -> bool:
        """Book that a transaction is about to leave; it is durable when this returns.

        False: it is not on record, because the session ends, and must not leave.

        Args:
            signature: In base58.
            reason: What it is for, in words.
            last_valid_block_height: As it was told with its blockhash.
        """
        seen, slot = self._chain.height_seen(), self._chain.slot()
        self._attempts[signature] = _attempt(
            signature, limit_height(last_valid_block_height, seen or 0)
        )
        self._since_slots[signature] = self._book.opening_slot if slot is None else slot.value
        return self._flow(FlowCause.HOUSEKEEPING_FEE, 0, signature, reason)

    def waits_for(self, signature: str) -> bool:
        """Return whether a transaction is announced and not closed."""
        return any(one.signature == signature for one in self._book.announced())

    @property
    def waits(self) -> bool:
        """Return whether any is."""
        return bool(self._book.announced())

    async def look(self) -> None:
        """Look once at everything that is announced, and book what is known of it."""
        for one in self._book.announced():
            await self._look(one)

    def take(self, event: Event) -> bool:
        """Take an endpoint's word; return whether it is about one of these transactions."""
        if not isinstance(event, Status | StatusAbsent | WalletAbsent):
            return False
        attempt = self._attempts.get(event.signature)
        if attempt is None:
            return False
        if isinstance(event, StatusAbsent):
            attempt = evidence.add_null(attempt, event)
        elif isinstance(event, WalletAbsent):
            attempt = evidence.add_wallet_absence(attempt, event)
        else:
            attempt = evidence.alive(attempt)
        self._attempts[event.signature] = attempt
        return True

    async def _look(self, one: Announced) -> None:
        signature = one.signature
        answer = await self._rpc.call(calls.transaction(signature, Commitment.FINALIZED))
        if not self.waits_for(signature):
            # Somebody else looked meanwhile
            return
        if isinstance(answer, Good) and answer.value is not None:
            landed = read_landed(answer.value, self._wallet)
            if isinstance(landed, Unread):
                self._unknown(signature, f"transaction {signature}: {landed.sentence}")
            else:
                self._landed(one, landed)
        elif self._is_dead(signature):
            words = f"it never landed: {one.reason}"
            self._flow(FlowCause.HOUSEKEEPING_FEE, 0, signature, words)
            self._forget(signature)
            self.trouble = f"{signature} did not land"
        else:
            self._unknown(signature, f"it is not known whether transaction {signature} landed")

    def _landed(self, one: Announced, landed: Landed) -> None:
        signature, words = one.signature, one.reason
        self._book.reached(landed.slot)
        back = landed.wallet_lamports + landed.fee_lamports
        # The fee closes it: what a kill between the two leaves is taken up again
        if back and not one.rent_booked:
            self.recovered_lamports += back
            self._flow(FlowCause.RENT, back, signature, words)
        self._flow(FlowCause.HOUSEKEEPING_FEE, -landed.fee_lamports, signature, words)
        self._forget(signature)
        self.trouble = landed.err or ""

    def _is_dead(self, signature: str) -> bool:
        """Return whether it is proven that a transaction never lands; ask for what proves it."""
        heights = self._chain.heights()
        if heights is None:
            return False
        attempt = self._attempts.get(signature)
        if attempt is None:
            # Of an earlier process: signed before now, so it lives no longer than one signed now
            attempt = _attempt(signature, limit_height(0, heights.block))
            self._attempts[signature] = attempt
        if heights.finalized <= attempt.limit_height:
            return False
        life = Life(
            intent_id=signature,
            kind=OrderKind.EXIT,
            unguarded_first=False,
            finalized=heights.finalized,
        )
        if evidence.is_dead(attempt, life, self._rules):
            return True
        self._watcher.ask_status(signature, history=True)
        if attempt.nulls and not attempt.wallet_absent:
            since_slot = self._since_slots.get(signature, self._book.opening_slot)
            self._watcher.ask_wallet(signature, since_slot=since_slot)
        return False

    def _unknown(self, signature: str, words: str) -> None:
        self.trouble = words
        self._looks[signature] += 1
        if self._looks[signature] == ALARM_LOOKS:
            self._on_alarm(f"{words}; SOL and rent are compared in sum only until that is known")

    def _forget(self, signature: str) -> None:
        for known in (self._attempts, self._since_slots, self._looks):
            known.pop(signature, None)

    def _flow(self, cause: FlowCause, lamports: int, signature: str, reason: str) -> bool:
        return self._sink.on_venue(
            VenueFlow(
                ts_ns=self._now_ns(),
                cause=cause,
                lamports=lamports,
                signature=signature,
                reason=reason,
            )
        )


def _attempt(signature: str, limit: int) -> AttemptLife:
    return AttemptLife(
        number=0,
        signature=signature,
        limit_height=limit,
        guarded=False,
        state=AttemptState.SENT,
    )
