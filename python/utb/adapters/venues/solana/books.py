"""Chain against book, again and again: what is missing stops entries, what came is booked."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

import msgspec

from utb.adapters.chain.authors import Authors
from utb.adapters.chain.reconcile import (
    RENT,
    SOL,
    BookView,
    Difference,
    DifferenceKind,
    compare,
)
from utb.adapters.chain.wallet import WalletReading, read_wallet
from utb.adapters.rpc.answers import Bad
from utb.adapters.rpc.pool import RpcPool
from utb.adapters.venues.solana.unbooked import AnnouncedBook
from utb.domain.orders import FlowCause, VenueFlow
from utb.ports.chain import VenueSink
from utb.ports.livefeed import Timer

EVERY_SECONDS: Final = 60.0

LASTING_SLOTS: Final = 32
"""A difference counts when readings so many slots apart show it: one may meet a book on its way."""

NS_PER_S: Final = 1_000_000_000


class BookSource(AnnouncedBook, Protocol):
    """The book as reconciliation asks for it; the node's side wires it."""

    def view_at(self, slot: int) -> BookView | None:
        """Return the book folded to a finalized slot; None: it cannot be told for that slot."""
        ...

    def known_signatures(self) -> frozenset[str]:
        """Return every signature that the journal has."""
        ...

    def guard_seeds(self) -> tuple[str, ...]:
        """Return the intents whose guard accounts may exist."""
        ...

    def settled_seeds(self) -> frozenset[str]:
        """Return those of them whose orders make no guard any more."""
        ...

    def guards_gone(self, seeds: Iterable[str], slot: int) -> None:
        """Learn whose guards a finalized slot does not have, of orders settled before it."""
        ...


class InFlight(Protocol):
    """What of the wallet is moving; the venue is one."""

    def in_flight_mints(self) -> frozenset[str]:
        """Return the mints that orders on their way may move."""
        ...

    def known_signatures(self) -> frozenset[str]:
        """Return the signatures of orders on their way, and of late."""
        ...


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison."""

    reading: WalletReading
    differences: tuple[Difference, ...]


class _Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A difference that every reading has shown since one."""

    since_slot: int
    least_raw: int
    """Its smallest amount since: whoever sends a lamport again and again hides nothing by it."""
    lasts: bool = False


class Books:
    """Compares the wallet with the book."""

    def __init__(  # noqa: PLR0913 - both sides of the comparison
        self,
        *,
        pool: RpcPool,
        timer: Timer,
        wallet: str,
        quote_mint: str,
        book: BookSource,
        flights: InFlight,
        sink: VenueSink,
        now_ns: Callable[[], int],
        on_discrepancy: Callable[[list[Difference]], None],
    ) -> None:
        """Compare nothing yet.

        Args:
            pool: Whom to ask.
            timer: Passes the waits.
            wallet: Address.
            quote_mint: Cash: what of it came in is booked.
            book: The other side.
            flights: What is moving and so not compared.
            sink: Takes what came in from outside.
            now_ns: Wall clock.
            on_discrepancy: Takes what stops entries: shortfalls, signatures that nobody knows,
                tokens that came in and are no cash.
        """
        self._pool = pool
        self._timer = timer
        self._wallet = wallet
        self._authors = Authors(pool, wallet)
        self._quote_mint = quote_mint
        self._book = book
        self._flights = flights
        self._sink = sink
        self._now_ns = now_ns
        self._on_discrepancy = on_discrepancy
        self._seen: dict[tuple[DifferenceKind, str], _Seen] = {}
        """What the last readings showed, by kind and asset."""
        self.trouble = ""
        """Why the last comparison could not be made; empty when it was."""
        self.last: Reconciliation | None = None

    async def run(self) -> None:
        """Compare until cancelled."""
        while True:
            await self.compare()
            await self._timer.sleep(EVERY_SECONDS)

    async def compare(self) -> Reconciliation | None:
        """Compare once, book what came in and tell what is wrong; None: it could not be done."""
        moving = self._flights.in_flight_mints()
        now_ns = self._now_ns()
        # What was announced before the reading may be in it
        unbooked = len(self._book.announced())
        seeds = self._book.guard_seeds()
        # One that settles during the reading may have its guard in a later slot
        settled = self._book.settled_seeds()
        reading = await read_wallet(self._pool, self._wallet, seeds, now_ns / NS_PER_S)
        if isinstance(reading, Bad):
            self.trouble = reading.sentence
            return None
        others = await self._authors.of_others(self._strange(reading))
        view = self._book.view_at(reading.slot)
        if view is None:
            self.trouble = f"the book cannot be told as of slot {reading.slot}"
            return None
        gone = settled.difference(guard.seed for guard in reading.guards)
        self._book.guards_gone(gone, reading.slot)
        # What began or ended meanwhile counts as moving too.
        moving |= self._flights.in_flight_mints()
        unbooked = max(unbooked, len(self._book.announced()))
        found = compare(reading, view, moving, self._known() | others, unbooked=unbooked)
        self.trouble = ""
        self.last = Reconciliation(reading=reading, differences=found)
        self._act(self._lasting(found, reading.slot), reading.slot, now_ns)
        return self.last

    def _known(self) -> frozenset[str]:
        return self._book.known_signatures() | self._flights.known_signatures()

    def _strange(self, reading: WalletReading) -> list[str]:
        """Return the transactions since the opening that nobody here knows."""
        known, since = self._known(), self._book.opening_slot
        return [
            entry.signature
            for entry in reading.signatures
            if entry.slot > since and entry.signature not in known
        ]

    def _lasting(self, found: Sequence[Difference], slot: int) -> list[Difference]:
        before, self._seen = self._seen, {}
        lasting = []
        for item in found:
            raw = abs(item.chain_raw - item.book_raw)
            seen = before.get((item.kind, item.asset))
            if seen is None:
                seen = _Seen(since_slot=slot, least_raw=raw)
            else:
                seen = msgspec.structs.replace(
                    seen,
                    least_raw=min(seen.least_raw, raw),
                    # What counted goes on counting, also by an endpoint that is behind
                    lasts=seen.lasts or slot >= seen.since_slot + LASTING_SLOTS,
                )
            self._seen[item.kind, item.asset] = seen
            if seen.lasts:
                lasting.append(item)
        return lasting

    def _act(self, lasting: Sequence[Difference], slot: int, now_ns: int) -> None:
        wrong = []
        cash = {SOL, RENT, self._quote_mint}
        for item in lasting:
            if item.kind is DifferenceKind.INFLOW and item.asset in cash:
                self._book_inflow(item, slot, now_ns)
            else:
                wrong.append(item)
        self._on_discrepancy(wrong)

    def _book_inflow(self, item: Difference, slot: int, now_ns: int) -> None:
        """Book what came in and stayed; what is beyond it began with this reading."""
        key = item.kind, item.asset
        more_raw = self._seen.pop(key).least_raw
        rest_raw = item.chain_raw - item.book_raw - more_raw
        if rest_raw:
            self._seen[key] = _Seen(since_slot=slot, least_raw=rest_raw)
        self._sink.on_venue(
            VenueFlow(
                ts_ns=now_ns,
                cause=FlowCause.EXTERNAL,
                lamports=more_raw if item.asset == SOL else 0,
                quote_raw=more_raw if item.asset == self._quote_mint else 0,
                rent_lamports=more_raw if item.asset == RENT else 0,
                reason=item.words + (f", {rest_raw} of it only now" if rest_raw else ""),
            )
        )
        # A reading of before it would lack what the book has now
        self._book.reached(slot)
