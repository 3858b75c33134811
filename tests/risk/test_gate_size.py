"""The size of an entry: a golden worked by hand, heat tiers, five positions, monotone, scale."""

from decimal import Decimal, getcontext
from math import ceil

import pytest
from gate_inputs import ENTRY, FACTS, INSTRUMENT, USDC, VIEW, holding, other, settings
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from utb.domain.orders import RiskApproved
from utb.risk.gate import approve_entry
from utb.risk.heat import heat_factor
from utb.risk.view import EntryRequest, MarketFacts, PortfolioView

getcontext().prec = 60


def size(
    request: EntryRequest = ENTRY, view: PortfolioView = VIEW, facts: MarketFacts = FACTS
) -> int:
    verdict = approve_entry(request, view, facts, settings())
    return verdict.intent.amount_in_raw if isinstance(verdict, RiskApproved) else 0


def test_size_wide_stop_is_the_risk_budget_over_the_loss() -> None:
    """Stop 30 % below: q solves 2 q^2/D + q (0.3 + 0.001 + 0.0008) + n = 2,000 USDC.

    n = 2 x 55,000 lamports at 150 = 0.0165 USDC. Solved here in decimals of 60 digits; base 1 x
    ADX 22 neutral x confidence 1 x no drawdown x no heat = the root, rounded down. 105/150 is not
    a binary fraction: the distance is rounded up to the next part per billion, n to the next unit.
    """
    depth, slope = Decimal(50_000_000), Decimal("0.301800001")
    budget = Decimal(2_000) - Decimal("0.016501") - Decimal("0.000002")
    root = (-slope + (slope**2 + 8 * budget / depth).sqrt()) * depth / 4
    assert size(replace(ENTRY, stop=105.0, target=300.0)) == int(root * USDC)


def test_size_near_stop_is_the_entry_share() -> None:
    """A stop 2 % away would risk 2 % with 90,000; the share of 0.20 makes it 20,000."""
    assert size() == 20_000 * USDC


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (replace(FACTS, volatility_ratio=1.51), 14_000),
        (replace(FACTS, volatility_ratio=1.5), 20_000),
        (replace(FACTS, volatility_ratio=0.69), 24_000),
        (replace(FACTS, volatility_ratio=0.7), 20_000),
        (replace(FACTS, adx=25.1, trend_4h=1), 24_200),
        (replace(FACTS, adx=25.1, trend_4h=0), 20_000),
        (replace(FACTS, adx=25.1, trend_4h=-1), 18_000),
        (replace(FACTS, adx=19.9), 18_000),
        (replace(FACTS, adx=20.0), 20_000),
        (replace(FACTS, trend_4h=None), 20_000),
        (replace(FACTS, trend_4h=1), 22_000),
    ],
)
def test_size_market_factor_scales_the_base(facts: MarketFacts, expected: int) -> None:
    assert size(facts=facts) == pytest.approx(expected * USDC, abs=100)


@pytest.mark.parametrize(
    ("confidence", "expected"), [(0.6, 10_000), (0.8, 15_000), (0.9, 17_500), (1.0, 20_000)]
)
def test_size_confidence_scales_the_base(confidence: float, expected: int) -> None:
    assert size(replace(ENTRY, confidence=confidence)) == pytest.approx(expected * USDC, abs=100)


@pytest.mark.parametrize(
    ("drawdown", "expected"), [(0.0, 20_000), (0.075, 10_000), (0.1125, 5_000), (0.15, 5_000)]
)
def test_size_drawdown_shrinks_the_base_to_a_floor(drawdown: float, expected: int) -> None:
    view = replace(VIEW, drawdown=drawdown)
    assert size(view=view) == pytest.approx(expected * USDC, abs=100)


@pytest.mark.parametrize(
    ("exposure", "factor"),
    [
        (0, 1.0),
        (49_990, 1.0),
        (50_000, 0.8),
        (69_999, 0.8),
        (70_000, 0.5),
        (80_000, 0.5),
        (80_001, 0.0),
    ],
)
def test_heat_tier_boundary_belongs_to_the_tier_above(exposure: int, factor: float) -> None:
    assert heat_factor(exposure, 100_000, 800_000_000) == factor


def test_heat_lower_limit_stops_earlier() -> None:
    assert heat_factor(60_001, 100_000, 600_000_000) == 0.0
    assert heat_factor(60_000, 100_000, 600_000_000) == 0.8


@pytest.mark.parametrize(
    ("held", "expected"),
    [(49_990, 20_000), (50_000, 16_000), (65_000, 15_000), (70_000, 10_000), (75_000, 5_000)],
)
def test_size_heat_shrinks_and_caps(held: int, expected: int) -> None:
    """0.5: x 0.8; 0.65: 16,000 capped by the 15,000 left below 0.8; 0.7: x 0.5; 0.75: capped."""
    assert size(view=holding(other(1, held))) == pytest.approx(expected * USDC, abs=100)


def test_five_positions_are_reached_with_defaults_and_the_sixth_is_refused() -> None:
    """At confidence 0.9: 17,500 three times (heat 0.525), 14,000 (0.665), 13,500 (to 0.8)."""
    sizes, view = [], VIEW
    for index in range(1, 7):
        request = replace(ENTRY, confidence=0.9, instrument=replace(INSTRUMENT, index=index))
        verdict = approve_entry(request, view, FACTS, settings())
        if not isinstance(verdict, RiskApproved):
            assert verdict.code == "MAX_CONCURRENT_POSITIONS"
            break
        taken = verdict.intent.amount_in_raw
        sizes.append(round(taken / USDC))
        position = replace(
            other(index, 0), value_raw=taken, risk_at_stop_raw=verdict.risk_at_stop_raw
        )
        view = holding(*view.positions, position)
    assert sizes == [17_500, 17_500, 17_500, 14_000, 13_500]


def test_size_slippage_shrinks_to_what_the_pool_bears() -> None:
    """Depth 1e6, fee 25 bps, tolerance 50: q = 1e6 x 0.0025 / (0.995 x 0.9975) = 2,518.86."""
    facts = replace(FACTS, depth_quote_raw=1_000_000 * USDC, fee_bps=25)
    found = size(replace(ENTRY, target=170.0), facts=facts)
    assert found == pytest.approx(2_518.86 * USDC, rel=1e-5)


def test_size_cost_gate_shrinks_to_what_the_target_pays() -> None:
    """Target 0.6 %: 3 (2 q^2/D + 0.0008 q + 0.0165) <= 0.006 q, D = 1e7.

    q = (0.0036 + sqrt(0.0036^2 - 4 x 6e-7 x 0.0495)) / 1.2e-6 = 5,986.216.
    """
    found = size(
        replace(ENTRY, target=150.9), facts=replace(FACTS, depth_quote_raw=10_000_000 * USDC)
    )
    assert found == pytest.approx(5_986.216 * USDC, rel=1e-6)
    gain = found * 0.006
    trips = 3 * (ceil(2 * found * found / (10_000_000 * USDC)) + 0.0008 * found + 16_500)
    assert gain >= trips * (1 - 1e-9)


def test_entry_min_out_is_the_quote_less_tolerance_rounded_up() -> None:
    """20,000 USDC at 150, fee 4 bps, depth 50e6: the exact output in rationals, x 0.995."""
    verdict = approve_entry(ENTRY, VIEW, FACTS, settings())
    assert isinstance(verdict, RiskApproved)
    paid = Decimal(20_000) * Decimal("0.9996")
    out = int(Decimal(50_000_000) / 150 * paid / (Decimal(50_000_000) + paid) * 10**9)
    assert verdict.intent.min_out_raw == ceil(Decimal(out) * Decimal("0.995"))


stops = st.floats(min_value=1.0, max_value=149.9)
confidences = st.floats(min_value=0.6, max_value=1.0)
drawdowns = st.floats(min_value=0.0, max_value=0.15)
exposures = st.integers(min_value=0, max_value=80_000)


@given(stops, stops)
def test_size_never_grows_with_the_stop_distance(first: float, second: float) -> None:
    near, far = max(first, second), min(first, second)
    assert size(replace(ENTRY, stop=far, target=900.0)) <= size(
        replace(ENTRY, stop=near, target=900.0)
    )


@given(st.floats(min_value=0.01, max_value=90.0), st.floats(min_value=0.01, max_value=90.0))
def test_size_of_a_manual_stop_never_grows_with_atr(first: float, second: float) -> None:
    request = replace(ENTRY, lead="manual", stop=None, target=2_000.0, confidence=None)
    small, large = min(first, second), max(first, second)
    assert size(request, facts=replace(FACTS, atr=large)) <= size(
        request, facts=replace(FACTS, atr=small)
    )


@given(exposures, exposures)
def test_size_never_grows_with_heat(first: int, second: int) -> None:
    cool, hot = min(first, second), max(first, second)
    assert size(view=holding(other(1, hot))) <= size(view=holding(other(1, cool)))


@given(drawdowns, drawdowns)
def test_size_never_grows_with_drawdown(first: float, second: float) -> None:
    low, high = min(first, second), max(first, second)
    assert size(view=replace(VIEW, drawdown=high)) <= size(view=replace(VIEW, drawdown=low))


@given(confidences, confidences)
def test_size_never_falls_with_confidence(first: float, second: float) -> None:
    low, high = min(first, second), max(first, second)
    assert size(replace(ENTRY, confidence=low)) <= size(replace(ENTRY, confidence=high))


@given(stops, confidences, st.integers(min_value=1, max_value=5))
def test_size_scales_with_the_base_units(stop: float, confidence: float, places: int) -> None:
    """Ten times the base units per USDC: ten times the size, to the last unit lost in rounding."""
    scale = 10**places
    instrument = replace(
        INSTRUMENT, quote_decimals=6 + places, min_order_quote_raw=10 * USDC * scale
    )
    view = replace(VIEW, equity_raw=100_000 * USDC * scale, cash_raw=100_000 * USDC * scale)
    facts = replace(FACTS, depth_quote_raw=50_000_000 * USDC * scale)
    request = replace(ENTRY, stop=stop, target=900.0, confidence=confidence)
    scaled = size(replace(request, instrument=instrument), view, facts)
    plain = size(request)
    # Two roundings of 2 and 3 base units over a slope of at least 0.001 of the distance
    assert abs(scaled - plain * scale) <= 40 * scale
