"""The books against the wallet: what lasts counts, what is in flight waits."""

import asyncio

import msgspec
import pytest
from venue_books import Sides, reading
from venue_doubles import INTENT, SLOT

from utb.adapters.chain.reconcile import SOL, DifferenceKind
from utb.adapters.rpc.answers import Bad, SignatureEntry
from utb.adapters.venues.solana import books as books_module
from utb.adapters.venues.solana.books import LASTING_SLOTS
from utb.domain.chain import USDC_MINT
from utb.domain.orders import FlowCause


def test_equal_books_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    side = Sides(monkeypatch, reading())
    side.twice()
    assert (side.wrong, side.sink.flows, side.books.trouble) == ([], [], "")


def test_shortfall_counts_when_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    side = Sides(monkeypatch, reading(usdc=69))
    side.compare()
    side.compare(LASTING_SLOTS - 1)
    assert side.wrong == []
    side.compare(1)
    assert [item.kind for item in side.wrong] == [DifferenceKind.SHORTFALL]
    # An endpoint that is behind does not take it back
    side.wrong.clear()
    side.compare(-LASTING_SLOTS)
    assert [item.kind for item in side.wrong] == [DifferenceKind.SHORTFALL]


def test_difference_that_was_away_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    side = Sides(monkeypatch, reading(4_999))
    side.compare()
    side.compare(1, lamports=5_000)
    side.compare(LASTING_SLOTS, lamports=4_999)
    assert side.wrong == []
    side.compare(LASTING_SLOTS)
    assert [item.kind for item in side.wrong] == [DifferenceKind.SHORTFALL]


def test_a_lamport_at_a_time_hides_no_shortfall(monkeypatch: pytest.MonkeyPatch) -> None:
    side = Sides(monkeypatch, reading(4_000))
    side.compare()
    side.compare(LASTING_SLOTS, lamports=4_001)
    assert [(one.asset, one.chain_raw) for one in side.wrong] == [(SOL, 4_001)]


def test_what_came_in_and_stayed_is_booked_while_more_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    side = Sides(monkeypatch, reading(5_100))
    side.compare()
    side.compare(LASTING_SLOTS, lamports=5_101)
    assert [flow.lamports for flow in side.sink.flows] == [100]
    assert side.book.reached_slot == SLOT + LASTING_SLOTS
    side.book.lamports = 5_100
    side.compare(LASTING_SLOTS - 1)
    assert len(side.sink.flows) == 1
    side.compare(1, lamports=5_102)
    assert [flow.lamports for flow in side.sink.flows] == [100, 1]


def test_cash_that_came_in_is_booked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    side = Sides(monkeypatch, reading(6_000, usdc=75))
    side.twice()
    told = [(flow.cause, flow.lamports, flow.quote_raw) for flow in side.sink.flows]
    assert sorted(told) == [(FlowCause.EXTERNAL, 0, 5), (FlowCause.EXTERNAL, 1_000, 0)]
    side.book.tokens, side.book.lamports = {USDC_MINT: 75}, 6_000
    side.twice()
    assert len(side.sink.flows) == 2
    assert side.wrong == []


def test_rent_that_others_paid_is_booked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    side = Sides(monkeypatch, reading(seed=INTENT))
    side.book.rent = 890_000
    side.twice()
    [flow] = side.sink.flows
    assert (flow.cause, flow.lamports, flow.quote_raw) == (FlowCause.EXTERNAL, 0, 0)
    assert flow.rent_lamports == 880
    side.book.rent = 890_880
    side.twice()
    assert (len(side.sink.flows), side.wrong) == (1, [])


def test_signature_of_nobody_stops_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    entry_of = SignatureEntry(signature="stranger", slot=SLOT)
    found = msgspec.structs.replace(reading(), signatures=(entry_of,))
    side = Sides(monkeypatch, found)
    side.twice()
    assert [item.asset for item in side.wrong] == ["stranger"]
    side.book.signatures = frozenset({"stranger"})
    side.wrong.clear()
    side.twice()
    assert side.wrong == []


def test_who_only_mentions_us_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    entry_of = SignatureEntry(signature="gift", slot=SLOT)
    found = msgspec.structs.replace(reading(), signatures=(entry_of,))
    side = Sides(monkeypatch, found)
    side.ledger.signer = USDC_MINT
    side.twice()
    assert side.wrong == []


def test_what_is_in_flight_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    side = Sides(monkeypatch, reading(1, usdc=1))
    side.idle.mints = frozenset({USDC_MINT})
    side.twice()
    assert side.wrong == []


def test_guard_that_is_not_there_is_forgotten_with_a_book_of_that_slot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    side = Sides(monkeypatch, reading())
    side.book.told = False
    asyncio.run(side.books.compare())
    assert side.book.gone == []
    side.book.told = True
    asyncio.run(side.books.compare())
    assert side.book.gone == [INTENT]


def test_guard_of_an_order_that_settles_during_the_reading_is_not_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The reading's slot may be one before the guard was made."""
    side = Sides(monkeypatch, reading())
    side.book.settled = frozenset()
    found = side.found

    async def settles(*_: object) -> object:
        side.book.settled = frozenset({INTENT})
        return found

    monkeypatch.setattr(books_module, "read_wallet", settles)
    asyncio.run(side.books.compare())
    assert side.book.gone == []
    asyncio.run(side.books.compare())
    assert side.book.gone == [INTENT]


def test_wallet_that_cannot_be_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = Bad(endpoint="a", reason="down", sentence="a is down", transient=True)
    side = Sides(monkeypatch, bad)
    side.twice()
    assert (side.books.trouble, side.wrong) == ("a is down", [])
