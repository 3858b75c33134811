"""Performance figures of a finished run; undefined figures are None, never 0 or infinity.

Definitions stand in `docs/trading.md`: a trade is a closed round trip, breakeven is neither win
nor loss, ratios use daily returns of equity over UTC days, annualised by sqrt(365), risk-free 0.
"""

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from utb.domain.orders import Trade

DAY_NS = 86_400_000_000_000
DAYS_PER_YEAR = 365
RATIO_DAYS_MIN = 30
"""Fewer daily returns give no Sharpe or Sortino ratio: their error would exceed them."""
MARKS_MIN = 2


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """What trading cost, in quote units."""

    pool_fees: float
    network_fees: float
    slippage: float
    """Fill against decision price over all fills; negative = better than the decision price."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one run or one group of its trades."""

    total_trades: int
    wins: int
    losses: int
    win_rate: float | None
    profit_factor: float | None
    expectancy: float | None
    """Mean net profit per trade, quote units."""
    expectancy_r: float | None
    """Mean net profit per trade in units of its initial risk."""
    total_pnl: float
    sharpe_ratio: float | None
    sortino_ratio: float | None
    max_drawdown: float | None
    """Peak to trough of equity, fraction."""
    avg_execution_time: float | None
    """Decision to confirmation, ms."""
    avg_slippage_bps: float | None
    exposure: float | None
    """Time-weighted entry value of open positions / mean equity."""
    turnover: float | None
    """Value bought and sold / mean equity."""
    total_return: float | None
    cagr: float | None
    avg_duration_minutes: float | None
    best_trade: float | None
    worst_trade: float | None
    max_consecutive_losses: int
    costs: Costs


class EquityCurve(msgspec.Struct, frozen=True, kw_only=True):
    """Equity at the marks of a run, oldest first."""

    ts_ns: NDArray[np.int64]
    equity: NDArray[np.float64]
    """Quote units, shape of `ts_ns`, > 0."""


def figures(trades: Sequence[Trade], curve: EquityCurve, *, quote_decimals: int = 6) -> Figures:
    """Return the figures of a run.

    Args:
        trades: Closed round trips, any order.
        curve: Equity marks, the opening value included; may be empty.
        quote_decimals: Decimals of the quote token of every trade.
    """
    unit = 10.0**-quote_decimals
    pnl = np.array([t.pnl_quote_raw * unit for t in trades], dtype=np.float64)
    wins, losses = pnl[pnl > 0], pnl[pnl < 0]
    daily = daily_returns(curve)
    mean_equity = float(curve.equity.mean()) if curve.equity.size else None
    bought_sold = sum(t.entry_quote_raw + t.exit_quote_raw for t in trades) * unit
    return Figures(
        total_trades=len(trades),
        wins=int(wins.size),
        losses=int(losses.size),
        win_rate=_ratio(float(wins.size), float(pnl.size)),
        profit_factor=_ratio(float(wins.sum()), float(-losses.sum())),
        expectancy=float(pnl.mean()) if pnl.size else None,
        expectancy_r=_expectancy_r(trades),
        total_pnl=float(pnl.sum()),
        sharpe_ratio=sharpe(daily),
        sortino_ratio=sortino(daily),
        max_drawdown=max_drawdown(curve.equity),
        avg_execution_time=_mean([t.execution_ms for t in trades]),
        avg_slippage_bps=_mean([t.slippage_bps for t in trades]),
        exposure=_exposure(trades, curve, unit),
        turnover=bought_sold / mean_equity if mean_equity else None,
        total_return=_total_return(curve),
        cagr=_cagr(curve),
        avg_duration_minutes=_mean([(t.closed_ts_ns - t.opened_ts_ns) / 60e9 for t in trades]),
        best_trade=float(pnl.max()) if pnl.size else None,
        worst_trade=float(pnl.min()) if pnl.size else None,
        max_consecutive_losses=_longest_losing_run(trades),
        costs=_costs(trades, unit),
    )


def daily_returns(curve: EquityCurve) -> NDArray[np.float64]:
    """Return simple returns of the last equity of each UTC day, the opening value included.

    Days without a mark repeat the value before, so that the annualisation holds.
    """
    if curve.equity.size < MARKS_MIN:
        return np.empty(0)
    days = curve.ts_ns // DAY_NS
    last_of_day = np.flatnonzero(np.append(days[1:] != days[:-1], True))
    span = np.arange(days[0], days[-1] + 1)
    filled = np.searchsorted(days[last_of_day], span, side="right") - 1
    closes = np.concatenate(([curve.equity[0]], curve.equity[last_of_day[filled]]))
    return closes[1:] / closes[:-1] - 1.0


def sharpe(daily: NDArray[np.float64]) -> float | None:
    """Return sqrt(365) x mean / sample standard deviation; None under 30 days or without risk."""
    if daily.size < RATIO_DAYS_MIN:
        return None
    deviation = float(daily.std(ddof=1))
    return None if deviation == 0 else math.sqrt(DAYS_PER_YEAR) * float(daily.mean()) / deviation


def sortino(daily: NDArray[np.float64]) -> float | None:
    """Return sqrt(365) x mean / downside deviation over all days; None as for `sharpe`."""
    if daily.size < RATIO_DAYS_MIN:
        return None
    downside = math.sqrt(float(np.mean(np.minimum(daily, 0.0) ** 2)))
    return None if downside == 0 else math.sqrt(DAYS_PER_YEAR) * float(daily.mean()) / downside


def max_drawdown(equity: NDArray[np.float64]) -> float | None:
    """Return the largest fall from a peak as a fraction of that peak; None without marks."""
    if not equity.size:
        return None
    return float(np.max(1.0 - equity / np.maximum.accumulate(equity)))


def _ratio(numerator: float, denominator: float) -> float | None:
    return None if denominator == 0 else numerator / denominator


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _expectancy_r(trades: Sequence[Trade]) -> float | None:
    return _mean(
        [t.pnl_quote_raw / t.initial_risk_quote_raw for t in trades if t.initial_risk_quote_raw > 0]
    )


def _total_return(curve: EquityCurve) -> float | None:
    if curve.equity.size < MARKS_MIN:
        return None
    return float(curve.equity[-1] / curve.equity[0] - 1.0)


def _cagr(curve: EquityCurve) -> float | None:
    if curve.equity.size < MARKS_MIN or curve.ts_ns[-1] - curve.ts_ns[0] < RATIO_DAYS_MIN * DAY_NS:
        return None
    years = float(curve.ts_ns[-1] - curve.ts_ns[0]) / (DAYS_PER_YEAR * DAY_NS)
    growth = float(curve.equity[-1] / curve.equity[0])
    return None if growth <= 0 else growth ** (1.0 / years) - 1.0


def _exposure(trades: Sequence[Trade], curve: EquityCurve, unit: float) -> float | None:
    if curve.equity.size < MARKS_MIN:
        return None
    held = sum((t.closed_ts_ns - t.opened_ts_ns) * t.entry_quote_raw * unit for t in trades)
    span = float(curve.ts_ns[-1] - curve.ts_ns[0])
    return _ratio(held, span * float(curve.equity.mean()))


def _longest_losing_run(trades: Sequence[Trade]) -> int:
    longest = run = 0
    for trade in sorted(trades, key=lambda t: (t.closed_ts_ns, t.position_id)):
        run = run + 1 if trade.pnl_quote_raw < 0 else 0
        longest = max(longest, run)
    return longest


def _costs(trades: Sequence[Trade], unit: float) -> Costs:
    slipped = (t.slippage_bps / 1e4 * (t.entry_quote_raw + t.exit_quote_raw) * unit for t in trades)
    return Costs(
        pool_fees=sum(t.pool_fee_quote_raw for t in trades) * unit,
        network_fees=sum(t.fee_quote_raw for t in trades) * unit,
        slippage=math.fsum(slipped),
    )
