"""Rent that others paid: it is theirs in the books, whatever comes back."""

import pytest
from fake_core import SECOND_NS
from test_trader_onchain import RENT_LAMPORTS, SOL_LAMPORTS, account, flow, folded, opened

from utb.domain.orders import FlowCause, VenueFlow
from utb.domain.records import CashMoved, Flow


@pytest.mark.parametrize("held", [0, RENT_LAMPORTS], ids=["no_rent", "rent"])
def test_what_others_put_into_closed_accounts_comes_from_outside(held: int) -> None:
    """More comes back than the book has as rent: two accounts of strangers beside ours."""
    driver = opened()
    driver.venue(flow(FlowCause.RENT, -held))
    cash, lamports, _, _ = account(driver)
    moved = len(driver.of(CashMoved))
    units = driver.trader.book.state.nav.units_raw
    for back in (held + 2 * RENT_LAMPORTS, 1):
        driver.venue(flow(FlowCause.RENT, back))
    assert account(driver)[:3] == (cash, lamports + held + 2 * RENT_LAMPORTS + 1, 0)
    assert [one.lamports for one in driver.of(Flow)[-2:]] == [held, 0]
    assert [one.lamports for one in driver.of(CashMoved)[moved:]] == [2 * RENT_LAMPORTS, 1]
    # It is no gain: the account has more units, not dearer ones
    assert driver.trader.book.state.nav.units_raw > units
    assert folded(driver).save() == driver.trader.book.save()


def test_rent_that_others_paid_is_in_the_book_and_the_wallet_has_what_it_had() -> None:
    """Far more than the wallet itself has, in one piece."""
    driver = opened()
    driver.venue(flow(FlowCause.RENT, -RENT_LAMPORTS))
    _, lamports, rent, _ = account(driver)
    given = 9 * SOL_LAMPORTS
    driver.venue(
        VenueFlow(ts_ns=SECOND_NS, cause=FlowCause.EXTERNAL, lamports=0, rent_lamports=given)
    )
    assert account(driver)[1:3] == (lamports, rent + given)
    driver.venue(flow(FlowCause.RENT, given))
    assert account(driver)[1:3] == (lamports + given, rent)
    assert folded(driver).save() == driver.trader.book.save()
