"""Chain against book: what differs, and what it means."""

from hypothesis import given
from hypothesis import strategies as st
from transactions import TOKEN, USDC, WSOL, key

from utb.adapters.chain.reconcile import RENT, SOL, BookView, Difference, DifferenceKind, compare
from utb.adapters.chain.wallet import (
    TokenAccount,
    WalletReading,
)
from utb.adapters.rpc.answers import SignatureEntry

MINT = key(40)


def reading(
    tokens: dict[str, int], lamports: int = 5_000, *signatures: str, rent: int = 2_039_280
) -> WalletReading:
    accounts = tuple(
        TokenAccount(
            address=key(70 + number),
            program=TOKEN,
            mint=mint,
            amount_raw=raw,
            rent_lamports=rent,
            frozen=False,
            withheld=False,
        )
        for number, (mint, raw) in enumerate(tokens.items())
    )
    return WalletReading(
        endpoint="a",
        slot=968,
        lamports=lamports,
        accounts=accounts,
        guards=(),
        signatures=tuple(SignatureEntry(signature=name, slot=960) for name in signatures),
    )


def book(tokens: dict[str, int], lamports: int = 5_000, rent: int = 4_078_560) -> BookView:
    return BookView(slot=968, tokens=tokens, lamports=lamports, rent_lamports=rent)


HOLDINGS = {USDC: 9_000, MINT: 77}


def test_equal_is_equal() -> None:
    assert compare(reading(HOLDINGS), book(HOLDINGS), frozenset(), frozenset()) == ()
    known = compare(reading(HOLDINGS, 5_000, "s"), book(HOLDINGS), frozenset(), {"s"})
    assert known == ()


def test_shortfall_inflow_and_unknown_signature_are_told_apart() -> None:
    found = compare(
        reading({USDC: 9_500, MINT: 70}, 4_999, "mine", "theirs"),
        book(HOLDINGS),
        frozenset(),
        {"mine"},
    )
    kinds = [(d.kind, d.asset, d.chain_raw, d.book_raw) for d in found]
    assert kinds == [
        (DifferenceKind.SHORTFALL, MINT, 70, 77),
        (DifferenceKind.SHORTFALL, SOL, 4_999, 5_000),
        (DifferenceKind.INFLOW, USDC, 9_500, 9_000),
        (DifferenceKind.UNKNOWN_SIGNATURE, "theirs", 960, 0),
    ]
    assert found[0].words == f"{MINT}: the chain has 70 raw, 7 less than the book"
    assert found[1].words == "SOL: the chain has 4999 lamports, 1 less than the book"


def test_mint_missing_on_the_chain_is_a_shortfall_and_a_new_one_an_inflow() -> None:
    found = compare(reading({USDC: 9_000, key(44): 5}), book(HOLDINGS), frozenset(), frozenset())
    assert [(d.kind, d.asset) for d in found] == [
        (DifferenceKind.SHORTFALL, MINT),
        (DifferenceKind.INFLOW, key(44)),
    ]


def test_lost_rent_is_a_shortfall() -> None:
    found = compare(reading(HOLDINGS, rent=2_039_279), book(HOLDINGS), frozenset(), frozenset())
    assert [(d.kind, d.asset, d.book_raw - d.chain_raw) for d in found] == [
        (DifferenceKind.SHORTFALL, RENT, 2)
    ]


def test_housekeeping_that_is_not_booked_moves_rent_and_costs_fees_at_most() -> None:
    """The rent of two accounts, 8 lamports, came back, less two fees of 10,000 each."""

    def found(lamports: int, rent: int, unbooked: int = 2) -> list[DifferenceKind]:
        differences = compare(
            reading(HOLDINGS, lamports, rent=rent),
            book(HOLDINGS, 50_000, rent=10),
            frozenset(),
            frozenset(),
            unbooked=unbooked,
        )
        return [one.kind for one in differences]

    assert found(50_008 - 20_000, 1) == []
    assert found(50_008 - 20_001, 1) == [DifferenceKind.SHORTFALL]
    assert found(50_008 - 20_000, 1, unbooked=1) == [DifferenceKind.SHORTFALL]
    # What came in meanwhile is told when the books are exact again
    assert found(60_000, 1) == []
    missing = compare(
        reading({USDC: 8_999, MINT: 77}), book(HOLDINGS), frozenset(), frozenset(), unbooked=1
    )
    assert [one.asset for one in missing] == [USDC]


def test_mints_in_flight_are_skipped_and_lamports_with_them() -> None:
    found = compare(
        reading({USDC: 1, MINT: 1, WSOL: 3}, 1, rent=1),
        book({**HOLDINGS, WSOL: 4}),
        {USDC, MINT},
        frozenset(),
    )
    assert [(d.kind, d.asset) for d in found] == [(DifferenceKind.SHORTFALL, WSOL)]


def test_unknown_signature_counts_while_orders_are_in_flight() -> None:
    found = compare(reading(HOLDINGS, 1, "theirs"), book(HOLDINGS), {USDC, MINT}, frozenset())
    assert [d.kind for d in found] == [DifferenceKind.UNKNOWN_SIGNATURE]


@given(st.dictionaries(st.sampled_from([USDC, MINT, WSOL]), st.integers(0, 2**64 - 1)))
def test_difference_of_any_holdings_accounts_for_all_of_it(held: dict[str, int]) -> None:
    """What the differences add to the book is the chain, to the unit."""
    rent = 2_039_280 * len(held)
    found: tuple[Difference, ...] = compare(
        reading(held), book(HOLDINGS, rent=rent), frozenset(), frozenset()
    )
    mended = dict(HOLDINGS)
    for difference in found:
        mended[difference.asset] = (
            mended.get(difference.asset, 0) + difference.chain_raw - difference.book_raw
        )
    assert {m: raw for m, raw in mended.items() if raw} == {m: r for m, r in held.items() if r}
