"""What the books know of guard accounts: all that may be there, and none that is gone."""

from typing import Any, cast

import msgspec
import pytest

from utb.bootstrap.bookside import BookSide, Standstill
from utb.domain.chain import Attempt, Leg, Program, Route
from utb.domain.names import OrderStatus
from utb.domain.orders import VenueEvent, VenueFailed, VenueProgress
from utb.domain.records import OrderState
from utb.ledger.book import Book
from utb.simnet import profiles

LEG = Leg(
    program=Program.WHIRLPOOL,
    pool="pool",
    input_mint="in",
    output_mint="out",
    amount_in_raw=2,
    quoted_out_raw=2,
    min_out_raw=1,
    pool_fee_raw=0,
)
ATTEMPT = Attempt(
    number=0,
    signature="first",
    transaction=b"",
    blockhash="hash",
    last_valid_block_height=1,
    height_seen=1,
    senders=("rpc",),
    guard="guard",
    sequence=1,
    compute_unit_limit=1,
    compute_unit_price=1,
    tip_lamports=0,
    route=Route(
        legs=(LEG,),
        slot=1,
        mid_price=1.0,
        quoted_out_raw=2,
        min_out_raw=1,
        net_out_raw=2,
        protected=False,
    ),
)


class Moving:
    """A book of which only what is on its way is asked."""

    def __init__(self) -> None:
        self.pending: dict[str, object] = {}
        self.provisional: dict[str, object] = {}


class Sink:
    def on_venue(self, event: VenueEvent) -> bool:
        return event is not None


def signed(number: int, guard: str | None = "guard") -> OrderState:
    attempt = msgspec.structs.replace(ATTEMPT, signature=f"s{number}", guard=guard)
    return OrderState(
        ts_ns=1, intent_id=f"{number:016x}", status=OrderStatus.SIGNED, attempt=attempt
    )


def side(book: Any) -> BookSide:
    instruments = tuple(profiles.instruments())
    return BookSide(lambda: cast("Book", book), instruments, Sink(), Standstill(), lambda: None)


def test_every_guard_is_looked_for_until_it_is_gone() -> None:
    books = side(Moving())
    for number in range(2_000):
        books.learn(signed(number))
    books.learn(signed(2_000, guard=None))
    seeds = books.guard_seeds()
    assert seeds == tuple(f"{number:016x}" for number in range(2_000))
    books.guards_gone(seeds[:1_999], 5)
    assert books.guard_seeds() == seeds[1_999:]


def test_a_guard_that_may_still_be_made_is_looked_for_again() -> None:
    book = Moving()
    books = side(book)
    for number in range(3):
        books.learn(signed(number))
    first, second, third = books.guard_seeds()
    book.pending[first] = object()
    book.provisional[second] = object()
    assert books.settled_seeds() == {third}
    book.pending.clear()
    assert books.settled_seeds() == {first, third}


def fee_of_a_failed_order(slot: int) -> OrderState:
    return OrderState(
        ts_ns=1, intent_id="a", status=OrderStatus.FAILED_ON_CHAIN, slot=slot, fee_lamports=5_000
    )


def failed(slot: int) -> VenueFailed:
    return VenueFailed(
        intent_id="a",
        ts_ns=1,
        status=OrderStatus.FAILED_ON_CHAIN,
        fee_lamports=5_000,
        reason="Custom(6001)",
        slot=slot,
    )


def settled(slot: int) -> VenueProgress:
    return VenueProgress(
        intent_id="a", ts_ns=1, status=OrderStatus.SETTLED, slot=slot, fee_lamports=5_000
    )


@pytest.mark.parametrize("event", [fee_of_a_failed_order(7), failed(7), settled(7)])
def test_no_reading_of_before_a_fee_is_compared_with_it(
    event: OrderState | VenueFailed | VenueProgress,
) -> None:
    books = side(Book(profiles.instruments()))
    if isinstance(event, OrderState):
        books.learn(event)
    else:
        books.on_venue(event)
    assert books.view_at(6) is None
    assert books.view_at(7) is not None


def test_no_guard_is_forgotten_by_a_slot_the_book_is_past() -> None:
    """Another order is provisional: the book is told as of any slot."""
    books = side(Moving())
    books.learn(signed(0))
    books.reached(6)
    books.guards_gone(books.guard_seeds(), 5)
    assert books.guard_seeds() == ("0" * 16,)
    books.guards_gone(books.guard_seeds(), 6)
    assert books.guard_seeds() == ()
