"""A wallet's reading beside a book, for the comparison and the rent."""

import asyncio
from collections.abc import Iterable
from typing import Any, cast

import msgspec
import pytest
from venue_announced import AnnouncedBook
from venue_doubles import INTENT, SLOT, WALLET

from utb.adapters.chain.announced import Announcements
from utb.adapters.chain.reconcile import BookView, Difference
from utb.adapters.chain.wallet import Guard, TokenAccount, WalletReading, guard_address
from utb.adapters.rpc.answers import (
    Bad,
    Good,
    MessageValue,
    SignedMessage,
    TransactionMeta,
    TransactionValue,
)
from utb.adapters.venues.solana import books as books_module
from utb.adapters.venues.solana.books import LASTING_SLOTS, Books
from utb.domain.chain import USDC_MINT
from utb.domain.orders import VenueEvent, VenueFlow
from utb.engine.chain import key_text


class NoWait:
    async def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        await asyncio.sleep(0)


def reading(lamports: int = 5_000, *, usdc: int = 70, seed: str | None = None) -> WalletReading:
    accounts = [
        TokenAccount(
            address=key_text(bytes([60] * 32)),
            program="TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
            mint=USDC_MINT,
            amount_raw=usdc,
            rent_lamports=0,
            frozen=False,
            withheld=False,
        )
    ]
    guards: tuple[Guard, ...] = ()
    if seed is not None:
        guards = (Guard(address=guard_address(WALLET, seed), seed=seed, lamports=890_880),)
    return WalletReading(
        endpoint="a",
        slot=SLOT,
        lamports=lamports,
        accounts=tuple(accounts),
        guards=guards,
        signatures=(),
    )


class Book(AnnouncedBook):
    def __init__(self, rent: int = 0) -> None:
        super().__init__()
        self.tokens, self.lamports, self.rent = {USDC_MINT: 70}, 5_000, rent
        self.signatures: frozenset[str] = frozenset()
        self.gone: list[str] = []
        self.settled = frozenset({INTENT})
        self.told = True

    def view_at(self, slot: int) -> BookView | None:
        if not self.told:
            return None
        return BookView(
            slot=slot, tokens=self.tokens, lamports=self.lamports, rent_lamports=self.rent
        )

    def known_signatures(self) -> frozenset[str]:
        return self.signatures

    def guard_seeds(self) -> tuple[str, ...]:
        return (INTENT,)

    def settled_seeds(self) -> frozenset[str]:
        return self.settled

    def guards_gone(self, seeds: Iterable[str], slot: int) -> None:
        assert slot >= SLOT
        self.gone += seeds


class Idle:
    def __init__(self) -> None:
        self.mints: frozenset[str] = frozenset()

    def in_flight_mints(self) -> frozenset[str]:
        return self.mints

    def known_signatures(self) -> frozenset[str]:
        return frozenset()


class Sink:
    def __init__(self, announcements: Announcements) -> None:
        self.flows: list[VenueFlow] = []
        self.announcements = announcements
        self.takes = True

    def on_venue(self, event: VenueEvent) -> bool:
        assert isinstance(event, VenueFlow)
        self.flows.append(event)
        self.announcements.learn(event)
        return self.takes


class Ledger:
    """Tells who signed a transaction: `signer` first of its accounts."""

    def __init__(self) -> None:
        self.signer = WALLET

    async def call(self, *_: Any, **__: Any) -> Good[TransactionValue]:
        keys = (self.signer, WALLET)
        message = MessageValue(account_keys=keys, instructions=())
        meta = TransactionMeta(err=None, fee=5_000, pre_balances=(), post_balances=())
        signed = SignedMessage(signatures=("s",), message=message)
        value = TransactionValue(slot=SLOT, transaction=signed, meta=meta)
        return Good(value=value, endpoint="a", slot=SLOT)


class Sides:
    """Both sides of the comparison and what it told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, found: WalletReading | Bad) -> None:
        self.found: WalletReading | Bad = found
        self.book, self.idle = Book(), Idle()
        self.sink = Sink(self.book.announcements)
        self.ledger = Ledger()
        self.wrong: list[Difference] = []

        async def read_wallet(*_: Any) -> WalletReading | Bad:
            return self.found

        monkeypatch.setattr(books_module, "read_wallet", read_wallet)
        self.books = Books(
            pool=cast("Any", self.ledger),
            timer=cast("Any", NoWait()),
            wallet=WALLET,
            quote_mint=USDC_MINT,
            book=self.book,
            flights=self.idle,
            sink=self.sink,
            now_ns=lambda: 1_000,
            on_discrepancy=self.wrong.extend,
        )

    def compare(self, slots: int = 0, **changes: Any) -> None:
        """Compare by a reading so many slots later, of which this much differs."""
        if isinstance(self.found, WalletReading):
            slot = self.found.slot + slots
            self.found = msgspec.structs.replace(self.found, slot=slot, **changes)
        asyncio.run(self.books.compare())

    def twice(self) -> None:
        """Compare by two readings that are far enough apart."""
        self.compare()
        self.compare(LASTING_SLOTS)
