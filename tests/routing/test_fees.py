"""What a transaction pays: within its most, rising, with its own bits."""

from hypothesis import given
from hypothesis import strategies as st

from utb.domain.chain import UNIQUE_BITS, Program
from utb.routing.fees import (
    Fee,
    FeeRequest,
    FeeRules,
    Shape,
    choose_fee,
    fee_lamports,
    percentile,
    units_assumed,
    with_bits,
    with_margin,
)

RULES = FeeRules(price_default=100_000, price_min=10_000, step_percent=50)


def ask(**changes: object) -> FeeRequest:
    fields: dict[str, object] = {
        "compute_unit_limit": 100_000,
        "price_recent": 200_000,
        "tip_lamports": 0,
        "fee_step": 0,
        "fee_lamports_max": 2_000_000,
        "sequence": 5,
    }
    return FeeRequest(**(fields | changes))  # type: ignore[arg-type]


def test_fee_of_known_figures() -> None:
    """5,000 + ceil(200,709 x 100,000 / 1e6); 200,709 = 196 x 1,024 + 5, the next above 200,000."""
    fee = choose_fee(ask(), RULES)
    assert fee == Fee(
        compute_unit_limit=100_000,
        compute_unit_price=200_709,
        tip_lamports=0,
        total_lamports=25_071,
    )


@given(
    limit=st.integers(1_000, 1_400_000),
    price=st.none() | st.integers(0, 10**9),
    tip=st.integers(0, 2_000_000),
    step=st.integers(0, 3),
    most=st.integers(0, 10_000_000),
    sequence=st.integers(0, 2**63 - 1),
)
def test_fee_is_within_its_most_and_carries_its_bits(
    limit: int, price: int | None, tip: int, step: int, most: int, sequence: int
) -> None:
    fee = choose_fee(
        ask(
            compute_unit_limit=limit,
            price_recent=price,
            tip_lamports=tip,
            fee_step=step,
            fee_lamports_max=most,
            sequence=sequence,
        ),
        RULES,
    )
    if isinstance(fee, str):
        # Refused only where base fee, tip and a price of the own bits alone are too much.
        assert fee_lamports(limit, sequence % UNIQUE_BITS, tip) > most or step > 0
        return
    assert fee.total_lamports <= most
    assert fee.total_lamports == fee_lamports(limit, fee.compute_unit_price, fee.tip_lamports)
    assert fee.compute_unit_price % UNIQUE_BITS == sequence % UNIQUE_BITS
    assert fee.tip_lamports >= tip


def test_fee_rises_with_each_attempt() -> None:
    fees = [choose_fee(ask(fee_step=step, tip_lamports=1_000), RULES) for step in range(4)]
    totals = [fee.total_lamports for fee in fees if isinstance(fee, Fee)]
    assert len(totals) == 4
    assert totals == sorted(set(totals))


def test_fee_of_an_unknown_market_is_the_configured_one() -> None:
    fee = choose_fee(ask(price_recent=None), RULES)
    quiet = choose_fee(ask(price_recent=0), RULES)
    assert isinstance(fee, Fee)
    assert isinstance(quiet, Fee)
    assert (fee.compute_unit_price // UNIQUE_BITS, quiet.compute_unit_price // UNIQUE_BITS) == (
        98,
        10,
    )


def test_units_count_every_part_and_prefer_what_was_measured() -> None:
    bare = Shape(programs=(Program.WHIRLPOOL,))
    full = Shape(programs=(Program.WHIRLPOOL,), token_accounts=1, memo=True, guard=True)
    assert units_assumed(bare, {}) == 113_000
    assert units_assumed(full, {}) == 173_000
    assert units_assumed(bare, {Program.WHIRLPOOL: 50_000}) == 53_000
    many = Shape(programs=(Program.JUPITER,) * 4)
    assert units_assumed(many, {}) == 1_400_000


def test_margin_rounds_up_and_ends_at_the_most() -> None:
    assert with_margin(33_333, 20) == 40_000
    assert with_margin(1_390_000, 20) == 1_400_000


def test_percentile_is_the_nearest_rank() -> None:
    """Of 15, 20, 35, 40, 50: p30 is the second, p40 the second, p50 the third."""
    values = (50, 15, 40, 20, 35)
    assert [percentile(values, p) for p in (30, 40, 50, 100)] == [20, 20, 35, 50]
    assert percentile((), 50) is None


@given(price=st.integers(0, 10**9), unique=st.integers(0, UNIQUE_BITS - 1))
def test_bits_make_a_price_dearer_by_less_than_their_range(price: int, unique: int) -> None:
    found = with_bits(price, unique)
    assert found % UNIQUE_BITS == unique
    assert price <= found < price + UNIQUE_BITS
