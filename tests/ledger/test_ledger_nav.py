"""Unitised value: deposits are neutral, the peak only rises, drawdown is measured from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journal_parts import INSTRUMENTS, USDC

from utb.domain.records import CashMoved
from utb.ledger.book import Book


def moved(usdc: int, before: int | None = None) -> CashMoved:
    equity = None if before is None else before * USDC
    return CashMoved(
        ts_ns=0,
        quote_raw=usdc * USDC,
        lamports=0,
        cause="transfer",
        equity_before_quote_raw=equity,
    )


def marked(book: Book, usdc: int, *, peak: int = 0, reset: bool = False) -> None:
    book.apply(book.equity_mark(0, usdc * USDC, peak * USDC, peak_reset=reset))


def test_drawdown_from_the_highest_mark() -> None:
    """100 -> 125 -> 100 is a fall of 20 %."""
    book = Book(INSTRUMENTS)
    book.apply(moved(100))
    marked(book, 125)
    assert book.drawdown_ppb(100 * USDC) == 200_000_000
    assert book.drawdown_ppb(130 * USDC) == 0


def test_deposit_and_withdrawal_leave_the_drawdown_as_it_is() -> None:
    """At 80 of a peak of 100, 80 more: 160 is still a fall of 20 %; 40 less as well."""
    book = Book(INSTRUMENTS)
    book.apply(moved(100))
    book.apply(moved(80, before=80))
    assert book.drawdown_ppb(160 * USDC) == 200_000_000
    book.apply(moved(-40, before=160))
    assert book.drawdown_ppb(120 * USDC) == 200_000_000
    assert book.state.nav.units_raw == 150 * USDC


def test_peak_within_the_day_reaches_the_record() -> None:
    book = Book(INSTRUMENTS)
    book.apply(moved(100))
    marked(book, 100, peak=150)
    assert book.drawdown_ppb(75 * USDC) == 500_000_000


def test_peak_survives_a_restart() -> None:
    book = Book(INSTRUMENTS)
    book.apply(moved(100))
    marked(book, 200)
    marked(book, 150)
    loaded = Book.load(book.save(), INSTRUMENTS)
    assert loaded.drawdown_ppb(150 * USDC) == 250_000_000


def test_peak_restarts_on_an_operators_reset() -> None:
    book = Book(INSTRUMENTS)
    book.apply(moved(100))
    marked(book, 80, reset=True)
    assert book.drawdown_ppb(80 * USDC) == 0
    assert book.drawdown_ppb(60 * USDC) == 250_000_000


def test_mark_names_units_and_peak() -> None:
    book = Book(INSTRUMENTS)
    book.apply(moved(100))
    record = book.equity_mark(5, 110 * USDC, 0)
    assert record.units_raw == 100 * USDC
    assert record.peak_nav == 1.1
    assert record.cash_quote_raw == 100 * USDC


def test_nothing_deposited_has_no_drawdown() -> None:
    assert Book(INSTRUMENTS).drawdown_ppb(0) == 0


@given(
    st.integers(min_value=10, max_value=10**9),
    st.lists(
        st.tuples(
            st.integers(min_value=-90, max_value=400), st.integers(min_value=50, max_value=150)
        ),
        max_size=12,
    ),
)
def test_flows_never_change_the_value_of_a_unit(start: int, flows: list[tuple[int, int]]) -> None:
    """Value moves by percent between flows; a flow of some percent of it is then neutral."""
    book = Book(INSTRUMENTS)
    book.apply(moved(start))
    equity, value = start * USDC, 1.0
    for percent, change in flows:
        equity = equity * change // 100
        value *= change / 100
        flow = equity * percent // 100
        book.apply(
            CashMoved(
                ts_ns=0,
                quote_raw=max(flow, -book.cash_quote_raw),
                lamports=0,
                cause="transfer",
                value_quote_raw=flow,
                equity_before_quote_raw=equity,
            )
        )
        equity += flow
        if equity < USDC:
            return
        assert equity / book.state.nav.units_raw == pytest.approx(value, rel=1e-4)
