"""The book as reconciliation asks for it, and what becomes of what reconciliation finds."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from utb.adapters.chain.announced import Announced, Announcements
from utb.adapters.chain.reconcile import BookView, Difference, DifferenceKind
from utb.domain.chain import Attempt
from utb.domain.market import Instrument
from utb.domain.orders import (
    VenueDiscrepancy,
    VenueEvent,
    VenueFailed,
    VenueFilled,
    VenueFlow,
    VenueProgress,
)
from utb.domain.records import FillBooked, Flow, OrderState, Record
from utb.ledger.book import Book
from utb.ports.chain import VenueSink

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from utb.ports.livefeed import Timer

OPENING_SLOT: Final = "opening_slot"
"""What the journal's description keeps beside the instruments: when the account was opened."""


class Standstill:
    """Holds simulated time while an order is on its way; the wall's goes on."""

    def __init__(self) -> None:
        self.timer: Timer | None = None
        """Of the simulated time; None: nothing to hold."""
        self._held: AbstractContextManager[None] | None = None

    def hold(self) -> None:
        """Let time wait."""
        if self.timer is not None and self._held is None:
            self._held = self.timer.busy()
            self._held.__enter__()

    def let_go(self) -> None:
        """Let time go on."""
        if self._held is not None:
            held, self._held = self._held, None
            held.__exit__(None, None, None)


class KnownBook:
    """What the journal knows of the wallet, as reconciliation asks for it."""

    def __init__(self, book: Callable[[], Book], instruments: Sequence[Instrument]) -> None:
        """Follow a book that a restored session may replace: it is asked for each time."""
        self._book = book
        self._instruments = instruments
        self._signatures: set[str] = set()
        self._guards: dict[str, None] = {}
        self._announcements = Announcements()
        self._last_slot = 0
        self.opening_slot = 0
        """The wallet's transactions up to here were not ours."""

    def learn(self, record: Record) -> None:
        """Take a record of the journal: its transactions are known."""
        match record:
            case OrderState() if record.attempt is not None:
                self._learn_attempt(record.intent_id, record.attempt)
            case OrderState() if record.fee_lamports:
                self.reached(record.slot)
            case Flow() if record.signature:
                self._learn_flow(record)
            case FillBooked() if record.fill.signature:
                self._signatures.add(record.fill.signature)
                self.reached(record.fill.slot)
            case _:
                pass

    def _learn_attempt(self, intent_id: str, attempt: Attempt) -> None:
        self._signatures.add(attempt.signature)
        if attempt.guard is not None:
            self._guards[intent_id] = None

    def _learn_flow(self, flow: Flow | VenueFlow) -> None:
        self._signatures.add(flow.signature)
        self._announcements.learn(flow)

    def announced(self) -> tuple[Announced, ...]:
        """Return the housekeeping transactions that are announced and not closed."""
        return self._announcements.open

    def reached(self, slot: int) -> None:
        """Learn that the book has a transaction of this slot: it is of no earlier one."""
        self._last_slot = max(self._last_slot, slot)

    @property
    def moves(self) -> bool:
        """Return whether an order is on its way or not settled."""
        book = self._book()
        return bool(book.pending or book.provisional)

    def moving_mints(self) -> frozenset[str]:
        """Return the mints of orders on their way or not settled."""
        book = self._book()
        orders = [*book.pending.values(), *(one.order for one in book.provisional.values())]
        traded = (self._instruments[order.intent.instrument] for order in orders)
        return frozenset(mint for one in traded for mint in (one.base_mint, one.quote_mint))

    def view_at(self, slot: int) -> BookView | None:
        """Return the book as of a finalized slot; None: it has a later transaction already."""
        book = self._book()
        if not book.provisional and self._last_slot > slot:
            return None
        tokens = {self._instruments[0].quote_mint: book.cash_quote_raw}
        for position in book.positions.values():
            mint = self._instruments[position.instrument].base_mint
            tokens[mint] = tokens.get(mint, 0) + position.base_raw
        return BookView(
            slot=slot,
            tokens=tokens,
            lamports=book.sol_lamports,
            rent_lamports=book.rent_lamports,
        )

    def known_signatures(self) -> frozenset[str]:
        """Return every signature that the journal has."""
        return frozenset(self._signatures)

    def guard_seeds(self) -> tuple[str, ...]:
        """Return the intents whose guard accounts may exist."""
        return tuple(self._guards)

    def settled_seeds(self) -> frozenset[str]:
        """Return those of them whose orders make no guard any more."""
        book = self._book()
        return frozenset(self._guards).difference(book.pending, book.provisional)

    def guards_gone(self, seeds: Iterable[str], slot: int) -> None:
        """Look no more for guards that a finalized slot does not have.

        Args:
            seeds: Of orders that were settled before the slot was read.
            slot: One before the book's last transaction tells nothing: a guard may be of later.
        """
        if slot < self._last_slot:
            return
        for seed in seeds:
            self._guards.pop(seed, None)

    def serious(self, found: Sequence[Difference]) -> list[Difference]:
        """Return the differences that matter: nobody can stop us by sending us something.

        What came in and is no cash stays outside the book, and is never sold by itself.
        """
        return [
            one
            for one in found
            if one.kind is DifferenceKind.SHORTFALL
            or (one.kind is DifferenceKind.UNKNOWN_SIGNATURE and one.chain_raw > self.opening_slot)
        ]


class BookSide(KnownBook):
    """Stands between the venue and the trader: it passes events on and remembers their places."""

    def __init__(
        self,
        book: Callable[[], Book],
        instruments: Sequence[Instrument],
        sink: VenueSink,
        still: Standstill,
        sync: Callable[[], None],
    ) -> None:
        """Follow a book as `KnownBook` does.

        `sync` makes what was recorded durable: housekeeping tells of a transaction before it
        leaves.
        """
        super().__init__(book, instruments)
        self._sync = sync
        self._still = still
        self._sink = sink
        self.words = ""
        """What differs and stops entries; empty: nothing."""

    def on_venue(self, event: VenueEvent) -> bool:
        """Pass an event on, and remember the transaction it is about."""
        match event:
            case VenueFilled():
                self.reached(event.slot)
                self._signatures.add(event.signature)
            case VenueFailed():
                self.reached(event.slot)
            case VenueFlow() if event.signature:
                self._learn_flow(event)
            case VenueProgress() if event.attempt is not None:
                self._learn_attempt(event.intent_id, event.attempt)
            case VenueProgress() if event.fee_lamports:
                self.reached(event.slot)
            case _:
                pass
        taken = self._sink.on_venue(event)
        if isinstance(event, VenueFlow) and event.signature:
            self._sync()
        if not self._book().pending:
            self._still.let_go()
        return taken

    def on_discrepancy(self, found: Sequence[Difference], ts_ns: int) -> None:
        """Tell the trader what stops entries, or that nothing does any more."""
        words = "; ".join(one.words for one in self.serious(found))
        if words != self.words:
            self.words = words
            self.on_venue(VenueDiscrepancy(ts_ns=ts_ns, words=words))
