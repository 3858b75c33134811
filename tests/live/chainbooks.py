"""What the chain holds beside what the journal's fold says, to the lamport."""

import base64
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ordersystem import LiveStand

from utb.adapters.chain import base58
from utb.domain.chain import Attempt, Program
from utb.domain.market import Instrument
from utb.domain.names import OrderStatus
from utb.domain.records import CashMoved, FillBooked, FillReverted, Flow, OrderState, Record
from utb.ledger.book import Book
from utb.storage.journal import FILE_NAME
from utb.storage.readers import read_instruments, read_records

TOKEN_PROGRAMS: Final = (
    "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
    "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb",
)
WRAPPED: Final = "So11111111111111111111111111111111111111112"
FINAL: Final = {"commitment": "finalized"}
SOL: Final = "SOL"
RENT: Final = "rent"
STATUSES_AT_ONCE: Final = 256

ENDED: Final = frozenset({OrderStatus.EXPIRED, OrderStatus.FAILED_ON_CHAIN, OrderStatus.CANCELLED})


@dataclass
class Told:
    """The journal, folded as it grows."""

    journal: Path
    instruments: tuple[Instrument, ...]
    book: Book
    seq: int = 0
    statuses: dict[str, OrderStatus] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    attempts: dict[str, list[Attempt]] = field(default_factory=dict)
    intents: dict[str, OrderState] = field(default_factory=dict)
    fills: dict[str, FillBooked] = field(default_factory=dict)
    reverted: int = 0
    from_outside: list[CashMoved] = field(default_factory=list)
    """Money that came without an order, the opening left out: there must be none."""
    housekeeping: list[Flow] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    """Orders that were UNKNOWN at some time."""

    @classmethod
    def of(cls, state: Path) -> "Told":
        """Begin with a state directory's journal."""
        journal = state / FILE_NAME
        instruments = read_instruments(journal)
        return cls(journal, instruments, Book(instruments))

    def read(self) -> list[Record]:
        """Take in what is new, and return it."""
        fresh = []
        for seq, _, record in read_records(self.journal, self.seq):
            self.seq = seq
            self.book.apply(record)
            self._take(record)
            fresh.append(record)
        return fresh

    def _take(self, record: Record) -> None:
        match record:
            case OrderState():
                key = record.intent_id
                if record.intent is not None:
                    self.intents[key] = record
                if record.attempt is not None:
                    self.attempts.setdefault(key, []).append(record.attempt)
                if record.status is OrderStatus.UNKNOWN:
                    self.unknown.add(key)
                self.statuses[key] = record.status
                self.reasons[key] = record.reason or self.reasons.get(key, "")
            case FillBooked():
                self.fills[record.fill.intent_id] = record
            case FillReverted():
                self.reverted += 1
            case CashMoved() if record.cause != "opening":
                self.from_outside.append(record)
            case Flow() if record.reason != "opening":
                self.housekeeping.append(record)
            case _:
                pass

    @property
    def settled(self) -> bool:
        """Return whether nothing is on its way."""
        return not self.book.pending and not self.book.provisional

    def ledger(self) -> dict[str, int]:
        """Return SOL, rent and every token by mint."""
        found = Counter({SOL: self.book.sol_lamports, RENT: self.book.rent_lamports})
        found[self.instruments[0].quote_mint] += self.book.cash_quote_raw
        for position in self.book.positions.values():
            found[self.instruments[position.instrument].base_mint] += position.base_raw
        return dict(found)

    def guards(self) -> list[str]:
        """Return the guard accounts that ever may have been made."""
        found = [a.guard for each in self.attempts.values() for a in each if a.guard is not None]
        return list(dict.fromkeys(found))

    def name(self, asset: str) -> str:
        """Return an asset as a person calls it."""
        names = {one.base_mint: one.base for one in self.instruments}
        names[self.instruments[0].quote_mint] = "USDC"
        if asset == WRAPPED:
            return "wSOL"
        return names.get(asset, asset)


async def on_chain(stand: LiveStand, guards: list[str]) -> dict[str, int]:
    """Return the same of the chain, at finalized commitment, asked over plain RPC."""
    found: Counter[str] = Counter()
    found[SOL] = (await stand.call("getBalance", stand.wallet, FINAL))["value"]
    found[RENT] = 0
    wanted = {"encoding": "base64"} | FINAL
    for program in TOKEN_PROGRAMS:
        which = {"programId": program}
        answer = await stand.call("getTokenAccountsByOwner", stand.wallet, which, wanted)
        for one in answer["value"]:
            data = base64.b64decode(one["account"]["data"][0])
            mint, amount = base58.encode(data[:32]), int.from_bytes(data[64:72], "little")
            found[mint] += amount
            found[RENT] += one["account"]["lamports"] - (amount if mint == WRAPPED else 0)
    found[RENT] += await stand.lamports_of(guards)
    return dict(found)


async def landed(stand: LiveStand, signatures: list[str]) -> dict[str, Any]:
    """Return the error, or None, of each transaction that landed."""
    found: dict[str, Any] = {}
    for start in range(0, len(signatures), STATUSES_AT_ONCE):
        part = signatures[start : start + STATUSES_AT_ONCE]
        options = {"searchTransactionHistory": True}
        answer = await stand.call("getSignatureStatuses", part, options)
        for signature, status in zip(part, answer["value"], strict=True):
            if status is not None:
                found[signature] = status["err"]
    return found


def way(attempt: Attempt) -> str:
    """Return by what an attempt went: a venue, `split`, or the aggregator."""
    legs = attempt.route.legs
    if len(legs) > 1:
        return "split"
    program = legs[0].program
    return "jupiter" if program is Program.JUPITER else program.value


def differences(ledger: dict[str, int], chain: dict[str, int]) -> dict[str, tuple[int, int]]:
    """Return (ledger, chain) of every asset that differs."""
    return {
        asset: (ledger.get(asset, 0), chain.get(asset, 0))
        for asset in sorted(ledger.keys() | chain.keys())
        if ledger.get(asset, 0) != chain.get(asset, 0)
    }
