"""Chain against book: what differs, and what that means. Pure."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Final

import msgspec

from utb.adapters.chain.announced import FEE_LAMPORTS_MAX
from utb.adapters.chain.wallet import WalletReading

SOL: Final = "SOL"
RENT: Final = "rent"


class DifferenceKind(StrEnum):
    """What follows from a difference."""

    SHORTFALL = "shortfall"
    """The chain has less than the book: trading halts."""
    INFLOW = "inflow"
    """It has more: booked as EXTERNAL, never sold by itself."""
    UNKNOWN_SIGNATURE = "unknown_signature"
    """Somebody else signed with our key: entries stop."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One difference."""

    kind: DifferenceKind
    asset: str
    """A mint, `SOL`, `rent`, or a signature."""
    chain_raw: int
    book_raw: int
    words: str


class BookView(msgspec.Struct, frozen=True, kw_only=True):
    """What the book holds, folded to the same finalized slot."""

    slot: int
    tokens: Mapping[str, int]
    """Raw by mint: cash and positions."""
    lamports: int
    """Of the wallet itself."""
    rent_lamports: int
    """Locked in accounts of ours."""


def compare(
    reading: WalletReading,
    book: BookView,
    in_flight: AbstractSet[str],
    known_signatures: AbstractSet[str],
    *,
    unbooked: int = 0,
) -> tuple[Difference, ...]:
    """Return every difference, shortfalls first.

    Args:
        reading: The chain at a finalized slot.
        book: The book at the same slot.
        in_flight: Mints of orders on their way, their quotes too: not compared. While there are
            any, lamports and rent are not compared either, since fees and deposits move.
        known_signatures: All that the journal has.
        unbooked: Transactions of housekeeping that are announced and not booked. Each may have
            moved rent into the wallet and paid a fee: with any, lamports and rent are compared in
            sum, and only what no fee explains is missing.

    Raises:
        ValueError: If the two are of different slots.
    """
    if reading.slot != book.slot:
        raise ValueError(f"book.slot is {book.slot}, expected {reading.slot}, the chain's")
    found = []
    chain = reading.tokens()
    for mint in sorted(chain.keys() | book.tokens.keys()):
        if mint not in in_flight:
            found += _amount(mint, chain.get(mint, 0), book.tokens.get(mint, 0))
    if not in_flight and unbooked:
        found += _in_sum(reading, book, unbooked * FEE_LAMPORTS_MAX)
    elif not in_flight:
        found += _amount(SOL, reading.lamports, book.lamports)
        found += _amount(RENT, reading.rent_lamports(), book.rent_lamports)
    for entry in reading.signatures:
        if entry.signature not in known_signatures:
            words = f"transaction {entry.signature} in slot {entry.slot} is not in the journal"
            found.append(
                Difference(
                    kind=DifferenceKind.UNKNOWN_SIGNATURE,
                    asset=entry.signature,
                    chain_raw=entry.slot,
                    book_raw=0,
                    words=words,
                )
            )
    order = tuple(DifferenceKind)
    return tuple(sorted(found, key=lambda difference: order.index(difference.kind)))


def _in_sum(reading: WalletReading, book: BookView, fees: int) -> list[Difference]:
    """Return what the wallet and its accounts lack together; what came in is told later."""
    chain = reading.lamports + reading.rent_lamports()
    expected = book.lamports + book.rent_lamports
    if chain >= expected - fees:
        return []
    words = (
        f"{SOL} with {RENT}: the chain has {chain} lamports, {expected - chain} less than the "
        f"book, and fees that are not booked are {fees} at most"
    )
    kind = DifferenceKind.SHORTFALL
    return [Difference(kind=kind, asset=SOL, chain_raw=chain, book_raw=expected, words=words)]


def _amount(asset: str, chain: int, book: int) -> list[Difference]:
    if chain == book:
        return []
    kind = DifferenceKind.SHORTFALL if chain < book else DifferenceKind.INFLOW
    sign = "less" if chain < book else "more"
    unit = "lamports" if asset in {SOL, RENT} else "raw"
    words = f"{asset}: the chain has {chain} {unit}, {abs(chain - book)} {sign} than the book"
    return [Difference(kind=kind, asset=asset, chain_raw=chain, book_raw=book, words=words)]
