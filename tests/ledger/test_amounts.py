"""Integer conversions: exact, rounded as named."""

from fractions import Fraction
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utb.domain import amounts

prices = st.floats(min_value=1e-12, max_value=1e9)
decimals = st.integers(min_value=0, max_value=12)
raws = st.integers(min_value=-(2**63), max_value=2**63 - 1)


@pytest.mark.parametrize(
    ("numerator", "denominator", "floor", "ceil"),
    [(7, 2, 3, 4), (-7, 2, -4, -3), (6, 2, 3, 3), (0, 5, 0, 0), (1, 10**30, 0, 1)],
)
def test_division_rounds_as_its_name_says(
    numerator: int, denominator: int, floor: int, ceil: int
) -> None:
    assert amounts.div_floor(numerator, denominator) == floor
    assert amounts.div_ceil(numerator, denominator) == ceil


def test_products_are_exact_beyond_64_bits() -> None:
    assert amounts.mul_div_floor(2**63, 2**63, 2**62) == 2**64
    assert amounts.mul_div_ceil(10**18, 3, 7) == 428_571_428_571_428_572


def test_price_of_a_binary_fraction_is_exact() -> None:
    """150.5 USDC per SOL is 0.1505 micro-USDC per lamport; 1.5 of 6/6 decimals is 1.5."""
    assert amounts.price_q64_floor(1.5, 6, 6) == 3 << 63
    assert amounts.price_q64_ceil(1.5, 6, 6) == 3 << 63
    assert amounts.price_q64_floor(150.5, 9, 6) == (1505 << 64) // 10_000
    assert amounts.price_q64_ceil(150.5, 9, 6) == (1505 << 64) // 10_000 + 1


@given(prices, decimals, decimals)
def test_price_is_within_one_part_of_the_exact_ratio(price: float, base: int, quote: int) -> None:
    exact = Fraction(price) * Fraction(10) ** (quote - base) * 2**64
    low = amounts.price_q64_floor(price, base, quote)
    high = amounts.price_q64_ceil(price, base, quote)
    assert low <= exact <= high <= low + 1


@given(raws, st.integers(min_value=0, max_value=2**80))
def test_value_floor_and_ceil_enclose_the_exact_value(base: int, price: int) -> None:
    exact = Fraction(base * price, 2**64)
    assert amounts.quote_value_floor(base, price) <= exact
    assert exact <= amounts.quote_value_ceil(base, price) <= exact + 1


@pytest.mark.parametrize("fraction", [0.7, 0.02, 0.15, 0.8, 0.005, 0.1, 0.3, 1.0, 0.6667])
def test_ppb_is_the_decimal_that_was_written(fraction: float) -> None:
    assert amounts.ppb(fraction) == int(Fraction(str(fraction)) * 10**9)


def test_configured_amounts_are_the_decimal_measured_ones_round_down() -> None:
    assert amounts.raw_nearest(0.7, 9) == 700_000_000
    assert amounts.raw_nearest(0.05, 9) == 50_000_000
    assert amounts.raw_floor(0.7, 20) < 7 * 10**19
    assert amounts.raw_floor(-0.5, 0) == -1


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_what_is_not_a_number_never_becomes_an_amount(value: float) -> None:
    for convert in (
        lambda v: amounts.price_q64_floor(v, 9, 6),
        lambda v: amounts.price_q64_ceil(v, 9, 6),
        lambda v: amounts.raw_nearest(v, 6),
        lambda v: amounts.raw_floor(v, 6),
        lambda v: amounts.scaled_floor(v, 10),
        amounts.ppb,
    ):
        with pytest.raises((ValueError, OverflowError)):
            convert(value)


def test_fill_price_is_the_quotient_in_units() -> None:
    """1,505 USDC for 10 SOL."""
    assert amounts.price_of(10 * 10**9, 1_505 * 10**6, 9, 6) == 150.5
    assert amounts.units_of(1_500_000, 6) == 1.5
    assert (
        amounts.base_amount_floor(1_505 * 10**6, amounts.price_q64_ceil(150.5, 9, 6))
        == 9_999_999_999
    )
