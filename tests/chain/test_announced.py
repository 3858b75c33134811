"""What the journal says of housekeeping transactions: announced, and closed."""

from utb.adapters.chain.announced import Announced, Announcements
from utb.domain.orders import FlowCause
from utb.domain.records import Flow

FEE, RENT = FlowCause.HOUSEKEEPING_FEE, FlowCause.RENT


def opened(*flows: tuple[FlowCause, int, str]) -> tuple[Announced, ...]:
    known = Announcements()
    for cause, lamports, signature in flows:
        known.learn(
            Flow(ts_ns=1, cause=cause, lamports=lamports, signature=signature, reason="why")
        )
    return known.open


def announced(signature: str, *, rent_booked: bool = False) -> Announced:
    return Announced(signature=signature, reason="why", rent_booked=rent_booked)


def test_fee_without_lamports_announces_and_the_next_one_closes() -> None:
    assert opened((FEE, 0, "a"), (FEE, 0, "b")) == (announced("a"), announced("b"))
    assert opened((FEE, 0, "a"), (FEE, 0, "b"), (FEE, -5_000, "a")) == (announced("b"),)
    assert opened((FEE, 0, "a"), (FEE, 0, "a")) == ()


def test_rent_alone_does_not_close() -> None:
    assert opened((FEE, 0, "a"), (RENT, 9, "a")) == (announced("a", rent_booked=True),)
    assert opened((FEE, 0, "a"), (RENT, 9, "a"), (FEE, -5_000, "a")) == ()


def test_journals_that_have_the_fee_before_the_rent_are_closed() -> None:
    """So they were written first."""
    assert opened((FEE, 0, "a"), (FEE, -5_000, "a"), (RENT, 9, "a")) == ()


def test_flows_without_an_announcement_open_nothing() -> None:
    assert opened((RENT, -9, ""), (FEE, 0, ""), (RENT, 9, "a"), (FEE, -5_000, "b")) == ()
