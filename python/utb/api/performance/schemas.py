"""Answers of performance."""

from typing import Final

import msgspec

from utb.api.trades.schemas import TradeRow


class CostSums(msgspec.Struct, frozen=True, kw_only=True):
    """What trading cost, quote units."""

    pool_fees: float
    network_fees: float
    slippage: float


class PerformanceAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Performance figures; null = undefined."""

    total_trades: int
    win_rate: float | None
    total_pnl: float
    sharpe_ratio: float | None
    max_drawdown: float | None
    avg_execution_time: float | None
    """Decision to confirmation, ms."""
    wins: int
    losses: int
    profit_factor: float | None
    expectancy: float | None
    expectancy_r: float | None
    sortino_ratio: float | None
    avg_slippage_bps: float | None
    exposure: float | None
    turnover: float | None
    total_return: float | None
    cagr: float | None
    avg_duration_minutes: float | None
    best_trade: float | None
    worst_trade: float | None
    max_consecutive_losses: int
    costs: CostSums
    as_of: str | None
    age_s: float | None


class EquityPoint(msgspec.Struct, frozen=True, kw_only=True):
    """Equity at one time."""

    time: str
    equity: float
    drawdown: float


class StrategyFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Results of the trades one strategy led; null = undefined."""

    total_trades: int
    wins: int
    losses: int
    win_rate: float | None
    profit_factor: float | None
    expectancy: float | None
    expectancy_r: float | None
    total_pnl: float


class StrategyWeight(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy's weight and where it comes from."""

    configured: float
    adaptive: float | None
    """In the neutral regime; null before the first."""
    by_regime: dict[str, float]
    performance: float | None
    """Factor 0.5..2."""
    diversity: float | None


class StrategyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy."""

    name: str
    weight: StrategyWeight
    results: StrategyFigures


class StrategyList(msgspec.Struct, frozen=True, kw_only=True):
    """The eight strategies, and `manual` once a person traded."""

    strategies: tuple[StrategyRow, ...]


class StrategyVote(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy's vote on one instrument."""

    symbol: str
    side: str
    latest: str
    strength: float
    confidence: float
    weight: float | None
    conditions: tuple[dict[str, bool | float | str | None], ...]
    abstains: str | None


class StrategyDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy in detail."""

    name: str
    weight: StrategyWeight
    results: StrategyFigures
    votes: tuple[StrategyVote, ...]
    last_trades: tuple[TradeRow, ...]


EXAMPLE: Final = PerformanceAnswer(
    total_trades=150,
    win_rate=0.65,
    total_pnl=1_250.5,
    sharpe_ratio=1.85,
    max_drawdown=0.08,
    avg_execution_time=85.2,
    wins=97,
    losses=53,
    profit_factor=1.42,
    expectancy=8.34,
    expectancy_r=0.21,
    sortino_ratio=2.6,
    avg_slippage_bps=1.9,
    exposure=0.18,
    turnover=12.4,
    total_return=0.0125,
    cagr=0.16,
    avg_duration_minutes=214.0,
    best_trade=310.2,
    worst_trade=-190.7,
    max_consecutive_losses=4,
    costs=CostSums(pool_fees=410.0, network_fees=12.5, slippage=96.0),
    as_of="2025-10-07T10:30:00.000Z",
    age_s=0.2,
)
