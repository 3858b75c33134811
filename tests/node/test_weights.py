"""Adaptive weights: goldens by hand, bounds, one good strategy among noise, snapshots."""

from math import fsum, nan
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utb.config.load import defaults
from utb.domain.names import STRATEGIES, ExitReason, Regime
from utb.domain.orders import Trade
from utb.errors import InvariantError
from utb.node import weights
from utb.node.weights import Sample, performance_factor, weight_settings

SETTINGS = weight_settings(defaults())
NO_CORRELATION = (0.0,) * 8


def trade(r: float, shares: tuple[float, ...]) -> Trade:
    return Trade(
        position_id=1,
        intent_id="aa",
        instrument=0,
        lead="mean_reversion",
        opened_ts_ns=0,
        closed_ts_ns=1,
        base_raw=1,
        entry_quote_raw=1,
        exit_quote_raw=1,
        fee_lamports=0,
        fee_quote_raw=0,
        pool_fee_quote_raw=0,
        pnl_quote_raw=round(r * 1_000_000),
        initial_risk_quote_raw=1_000_000,
        exit_reason=ExitReason.STOP,
        shares=shares,
        slippage_bps=0.0,
        execution_ms=0.0,
    )


def alone(index: int, share: float = 1.0) -> tuple[float, ...]:
    return tuple(share if n == index else 0.0 for n in range(8))


def test_weights_before_any_trade_are_base_and_regime_table() -> None:
    """Trending: base x factor = .195 .084 .196 .143 .16 .11 .09 .063, sum 1.041."""
    state = weights.initial(SETTINGS)
    assert state.rows[Regime.NEUTRAL] == pytest.approx(defaults().strategies.weights)
    expected = [v / 1.041 for v in (0.195, 0.084, 0.196, 0.143, 0.16, 0.11, 0.09, 0.063)]
    assert state.rows[Regime.TRENDING] == pytest.approx(expected, rel=1e-12)
    assert state.version == 1


def test_performance_golden() -> None:
    """Ten trades: six of +2R, four of -1R.

    Expectancy (12 - 4)/10 = 0.8; payoff 2, so a third must win; edge 0.6 - 1/3 = 0.2667;
    shrunk by 10/20: 2^(0.5 x 1.066667) = 2^0.533333 = 1.447269...
    """
    samples = [Sample(2.0, 1.0)] * 6 + [Sample(-1.0, 1.0)] * 4
    assert performance_factor(samples, 10.0) == pytest.approx(1.4472692374403782, rel=1e-12)


def test_performance_counts_shares_as_parts_of_a_trade() -> None:
    """Two halves of +1R weigh as one trade: n = 1, expectancy 1, edge 1 - 1/2 (1R for no loss)."""
    halves = [Sample(1.0, 0.5)] * 2
    assert performance_factor(halves, 10.0) == pytest.approx(2 ** (1.5 / 11), rel=1e-12)
    assert performance_factor(halves, 10.0) == performance_factor([Sample(1.0, 1.0)], 10.0)


def test_performance_breakeven_is_neither_win_nor_loss() -> None:
    assert performance_factor([Sample(0.0, 1.0)] * 20, 10.0) == 1.0
    assert performance_factor([], 10.0) == 1.0


def test_performance_at_its_bounds_is_half_and_double() -> None:
    assert performance_factor([Sample(5.0, 1.0)] * 20, 10.0) == 2.0
    assert performance_factor([Sample(-5.0, 1.0)] * 20, 10.0) == 0.5


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 1)), max_size=20))
def test_performance_is_symmetric_and_bounded(pairs: list[tuple[float, float]]) -> None:
    up = performance_factor([Sample(r, s) for r, s in pairs], 10.0)
    down = performance_factor([Sample(-r, s) for r, s in pairs], 10.0)
    assert 0.5 <= up <= 2.0
    assert up * down == pytest.approx(1.0, rel=1e-9)


def test_diversity_golden() -> None:
    assert weights.diversity_factor(0.0) == 1.0
    assert weights.diversity_factor(0.25) == 0.8
    assert weights.diversity_factor(1.0) == 0.5
    assert weights.diversity_factor(nan) == 0.5
    assert weights.diversity_factor(-0.1) == 0.5


def test_trade_counts_for_each_strategy_by_its_share() -> None:
    state = weights.initial(SETTINGS)
    shares = (0.75, 0.25, *(0.0,) * 6)
    state = weights.with_trade(state, trade(1.5, shares), NO_CORRELATION, SETTINGS)
    assert state.version == 2
    assert state.samples[:3] == ((Sample(1.5, 0.75),), (Sample(1.5, 0.25),), ())
    assert state.performance[0] > state.performance[1] > state.performance[2] == 1.0


def test_manual_trade_changes_no_performance() -> None:
    state = weights.initial(SETTINGS)
    after = weights.with_trade(state, trade(5.0, (0.0,) * 8), NO_CORRELATION, SETTINGS)
    assert after.rows == state.rows


def test_only_the_last_twenty_trades_count_and_one_at_most_five_r() -> None:
    state = weights.initial(SETTINGS)
    for number in range(25):
        state = weights.with_trade(state, trade(number, alone(0)), NO_CORRELATION, SETTINGS)
    assert len(state.samples[0]) == 20
    assert {s.r for s in state.samples[0]} == {5.0}


def test_one_good_strategy_rises_and_noise_stays_near_its_base() -> None:
    """Strategy 2 wins 60 % at 2R; the others 50 % at 1R, which is nothing, over 200 trades each."""
    random = Random(11)  # noqa: S311
    state = weights.initial(SETTINGS)
    sums, rounds = [0.0] * 8, 0
    for step in range(200):
        for index in range(8):
            won = random.random() < (0.6 if index == 2 else 0.5)
            r = (2.0 if index == 2 else 1.0) if won else -1.0
            state = weights.with_trade(state, trade(r, alone(index)), NO_CORRELATION, SETTINGS)
        if step >= 20:
            sums = [a + b for a, b in zip(sums, state.rows[Regime.NEUTRAL], strict=True)]
            rounds += 1
    base = SETTINGS.base
    ratios = [s / rounds / b for s, b in zip(sums, base, strict=True)]
    assert ratios[2] > 1.3
    assert all(0.8 < ratio < 1.1 for index, ratio in enumerate(ratios) if index != 2)


@given(
    st.lists(st.tuples(st.floats(-20, 20), st.integers(min_value=0, max_value=7)), max_size=30),
    st.lists(st.floats(0, 1), min_size=8, max_size=8),
)
def test_rows_sum_to_one_and_factors_stay_within_bounds(
    results: list[tuple[float, int]], correlations: list[float]
) -> None:
    state = weights.initial(SETTINGS)
    for r, index in results:
        state = weights.with_trade(state, trade(r, alone(index)), correlations, SETTINGS)
    for row in state.rows:
        assert fsum(row) == pytest.approx(1.0, abs=1e-12)
        assert all(w > 0.0 for w in row)
    for factor in (*state.performance, *state.diversity):
        assert 0.5 <= factor <= 2.0


def test_saved_weights_are_the_same_and_their_record_names_all() -> None:
    state = weights.with_trade(
        weights.initial(SETTINGS), trade(2.0, alone(4)), (0.3,) * 8, SETTINGS
    )
    assert weights.load(weights.save(state)) == state
    record = weights.record(state, 9)
    assert (record.ts_ns, record.version, record.rows) == (9, 2, state.rows)
    assert len(record.performance) == len(record.diversity) == len(STRATEGIES)
    with pytest.raises(InvariantError):
        weights.load(b"x")


def test_changed_configuration_keeps_results() -> None:
    state = weights.with_trade(
        weights.initial(SETTINGS), trade(2.0, alone(4)), NO_CORRELATION, SETTINGS
    )
    after = weights.with_settings(state, SETTINGS)
    assert after.rows == state.rows
    assert after.version == state.version + 1


@given(
    st.lists(st.tuples(st.floats(-9.0, 9.0), st.integers(0, 7), st.floats(0.0, 1.0)), max_size=40)
)
def test_weights_after_trades_equal_those_computed_anew_from_the_results(
    trades: list[tuple[float, int, float]],
) -> None:
    state = weights.initial(SETTINGS)
    for r, index, share in trades:
        shares = tuple(share if i == index else 1.0 - share for i in range(8))
        state = weights.with_trade(state, trade(r, shares), NO_CORRELATION, SETTINGS)
    anew = weights.with_settings(state, SETTINGS)
    assert anew.rows == state.rows
    assert anew.performance == state.performance
