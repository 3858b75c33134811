"""Performance figures against hand-worked values and NumPy."""

import math

import numpy as np
import pytest

from utb.domain.names import ExitReason
from utb.domain.orders import Trade
from utb.telemetry.figures import (
    DAY_NS,
    EquityCurve,
    daily_returns,
    figures,
    max_drawdown,
    sharpe,
    sortino,
)

NOTHING = EquityCurve(ts_ns=np.empty(0, np.int64), equity=np.empty(0))


def trade(pnl_usdc: int, *, closed: int = 1, slippage_bps: float = 0.0) -> Trade:
    """Return a closed trade of 1,000 USDC with 50 USDC at risk."""
    return Trade(
        position_id=closed,
        intent_id=f"{closed:016x}",
        instrument=0,
        lead="manual",
        opened_ts_ns=0,
        closed_ts_ns=closed * 60_000_000_000,
        base_raw=10**9,
        entry_quote_raw=1_000_000_000,
        exit_quote_raw=1_000_000_000 + pnl_usdc * 1_000_000,
        fee_lamports=10_000,
        fee_quote_raw=0,
        pool_fee_quote_raw=800_000,
        pnl_quote_raw=pnl_usdc * 1_000_000,
        initial_risk_quote_raw=50_000_000,
        exit_reason=ExitReason.STOP,
        shares=(0.0,) * 8,
        slippage_bps=slippage_bps,
        execution_ms=900.0,
    )


def test_figures_without_trades_are_absent_not_zero() -> None:
    found = figures([], NOTHING)
    assert (found.win_rate, found.profit_factor, found.sharpe_ratio) == (None, None, None)
    assert (found.max_drawdown, found.expectancy, found.avg_execution_time) == (None, None, None)
    assert found.total_trades == 0


def test_breakeven_trade_is_neither_win_nor_loss() -> None:
    """Wins 1 of 3; profit factor 100/50; expectancy (100 - 50 + 0)/3; in R (2 - 1 + 0)/3."""
    found = figures([trade(100), trade(-50, closed=2), trade(0, closed=3)], NOTHING)
    assert (found.wins, found.losses, found.total_trades) == (1, 1, 3)
    assert found.win_rate == pytest.approx(1 / 3)
    assert found.profit_factor == pytest.approx(2.0)
    assert found.expectancy == pytest.approx(50 / 3)
    assert found.expectancy_r == pytest.approx(1 / 3)


def test_profit_factor_without_losses_is_absent() -> None:
    assert figures([trade(100)], NOTHING).profit_factor is None


def test_longest_losing_run_follows_closing_time() -> None:
    trades = [trade(-1, closed=3), trade(5, closed=1), trade(-1, closed=2), trade(4, closed=4)]
    assert figures(trades, NOTHING).max_consecutive_losses == 2


def test_max_drawdown_is_peak_to_trough() -> None:
    """From the peak 120 to 90: 25 %; the later fall from 130 to 104 is 20 %."""
    assert max_drawdown(np.array([100.0, 120, 90, 130, 104])) == pytest.approx(0.25)


def test_daily_returns_take_the_last_mark_of_each_utc_day_and_fill_gaps() -> None:
    """Opening 100; day 0 ends at 110, day 1 has no mark, day 2 ends at 99."""
    hours = np.array([1, 20, 60]) * 3_600_000_000_000
    curve = EquityCurve(ts_ns=hours, equity=np.array([100.0, 110, 99]))
    np.testing.assert_allclose(daily_returns(curve), [0.10, 0.0, -0.10])


def test_ratios_equal_their_formulas() -> None:
    daily = np.random.default_rng(1).normal(0.001, 0.02, 90)
    assert sharpe(daily) == pytest.approx(
        math.sqrt(365) * daily.mean() / daily.std(ddof=1), rel=1e-12
    )
    downside = math.sqrt(sum(min(r, 0) ** 2 for r in daily) / 90)
    assert sortino(daily) == pytest.approx(math.sqrt(365) * daily.mean() / downside, rel=1e-12)


def test_ratios_under_thirty_days_are_absent() -> None:
    daily = np.linspace(-0.01, 0.02, 29)
    assert sharpe(daily) is None
    assert sortino(daily) is None


def test_constant_equity_has_no_ratio() -> None:
    curve = EquityCurve(ts_ns=np.arange(60) * DAY_NS, equity=np.full(60, 100.0))
    found = figures([], curve)
    assert found.sharpe_ratio is None
    assert found.max_drawdown == 0.0
    assert found.total_return == 0.0
