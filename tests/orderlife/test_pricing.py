"""Fees of an attempt: unique bits, ladder and caps."""

from hypothesis import given
from hypothesis import strategies as st

from utb.orderlife.pricing import (
    attempt_fees,
    min_out_raw,
    network_fee_lamports,
    price_at_step,
    slippage_bps_at_step,
    with_unique_bits,
)

PRICES = st.integers(0, 10**9)
SEQUENCES = st.integers(0, 2**63)


def test_unique_bits_replace_the_low_ten_bits() -> None:
    """50,000 = 48 x 1,024 + 848; sequence 1,030 leaves 6."""
    assert with_unique_bits(50_000, 1_030) == 48 * 1_024 + 6


def test_network_fee_rounds_the_priority_fee_up() -> None:
    """49,158 x 200,001 / 1e6 = 9,831.649..., one signature costs 5,000."""
    assert network_fee_lamports(49_158, 200_001) == 5_000 + 9_832


def test_network_fee_counts_no_units_above_the_transactions_maximum() -> None:
    assert network_fee_lamports(1_000_000, 9_000_000) == 5_000 + 1_400_000


def test_price_ladder_rises_half_again_each_step() -> None:
    assert [price_at_step(20_000, n, step_bps=5_000) for n in range(4)] == [
        20_000,
        30_000,
        45_000,
        67_500,
    ]


def test_slippage_ladder_stops_at_its_maximum() -> None:
    steps = [slippage_bps_at_step(100, n, step_bps=50, max_bps=220) for n in range(4)]
    assert steps == [100, 150, 200, 220]


def test_min_out_rounds_against_us() -> None:
    """1,001 x 0.995 = 995.995."""
    assert min_out_raw(1_001, 50) == 996


def test_fees_are_lowered_to_the_cap() -> None:
    """10,000 - 5,000 leaves 5,000 lamports: 25,000 per unit of 200,000; 24 x 1,024 + 7 fits."""
    fees = attempt_fees(
        90_000,
        sequence=7,
        compute_unit_limit=200_000,
        tip_lamports=0,
        max_fee_lamports=10_000,
    )
    assert fees is not None
    assert fees.compute_unit_price == 24 * 1_024 + 7
    assert fees.total_lamports == 5_000 + 4_917


def test_fees_are_none_where_base_fee_and_tip_are_above_the_cap() -> None:
    assert (
        attempt_fees(
            0, sequence=0, compute_unit_limit=1, tip_lamports=5_001, max_fee_lamports=10_000
        )
        is None
    )


@given(PRICES, SEQUENCES)
def test_unique_bits_keep_the_price_within_one_step(price: int, sequence: int) -> None:
    marked = with_unique_bits(price, sequence)
    assert marked % 1_024 == sequence % 1_024
    assert marked // 1_024 == price // 1_024


@given(PRICES, SEQUENCES, st.integers(1, 1_023))
def test_two_orders_within_1024_sequences_never_share_a_price(
    price: int, sequence: int, apart: int
) -> None:
    assert with_unique_bits(price, sequence) != with_unique_bits(price, sequence + apart)


@given(st.integers(1, 10**9), st.integers(0, 3), st.integers(1, 20_000))
def test_each_step_pays_more(price: int, step: int, step_bps: int) -> None:
    rises = price_at_step(price, step + 1, step_bps=step_bps)
    assert rises > price_at_step(price, step, step_bps=step_bps)


@given(st.integers(1, 10_000), st.integers(0, 4), st.integers(0, 500), st.integers(1, 5_000))
def test_tolerance_never_falls_and_never_passes_its_maximum(
    slippage_bps: int, step: int, step_bps: int, max_bps: int
) -> None:
    here, after = (
        slippage_bps_at_step(slippage_bps, n, step_bps=step_bps, max_bps=max_bps)
        for n in (step, step + 1)
    )
    assert here <= after <= max_bps


@given(
    PRICES,
    SEQUENCES,
    st.integers(1, 2_000_000),
    st.integers(0, 5_000_000),
    st.integers(0, 10_000_000),
)
def test_fees_keep_the_cap_and_the_bits(
    price: int, sequence: int, units: int, tip: int, cap: int
) -> None:
    fees = attempt_fees(
        price,
        sequence=sequence,
        compute_unit_limit=units,
        tip_lamports=tip,
        max_fee_lamports=cap,
    )
    bits = sequence % 1_024
    least = network_fee_lamports(bits, units) + tip
    if fees is None:
        assert least > cap
        return
    assert fees.total_lamports <= cap
    assert fees.compute_unit_price % 1_024 == bits
    assert fees.compute_unit_price <= with_unique_bits(price, sequence)
    if fees.compute_unit_price < with_unique_bits(price, sequence):
        dearer = network_fee_lamports(fees.compute_unit_price + 1_024, units) + tip
        assert dearer > cap


@given(st.integers(0, 2**64 - 1), st.integers(0, 10_000))
def test_min_out_is_the_least_integer_at_or_above_the_tolerance(
    quoted: int, slippage_bps: int
) -> None:
    out = min_out_raw(quoted, slippage_bps)
    assert out * 10_000 >= quoted * (10_000 - slippage_bps) > (out - 1) * 10_000
