"""Tables under `[strategies]`, and `[ensemble]`."""

from typing import Annotated, Literal

from msgspec import Meta

from utb.config.ranges import (
    Bars,
    Count,
    LowerHalf,
    Multiple,
    NotNegative,
    Oscillator,
    Positive,
    Ratio,
    RegimeFactor,
    Share,
    ShareBelowOne,
    ShareOrNone,
    StopFactor,
    Timeframe,
    Trades,
)
from utb.config.table import Table
from utb.domain.names import STRATEGIES

Evaluate = Literal["close", "tick"]
RegimeRow = Annotated[
    tuple[RegimeFactor, ...], Meta(min_length=len(STRATEGIES), max_length=len(STRATEGIES))
]


class Thresholds(Table, frozen=True):
    """Entry and early-exit thresholds of the strategies."""

    min_momentum_strength: ShareOrNone
    momentum_volume_ratio: Ratio
    min_mean_reversion_deviation: ShareOrNone
    mean_reversion_rsi: LowerHalf
    mean_reversion_volume_ratio: Ratio
    trend_confirmation_periods: Count
    trend_adx: Oscillator
    volatility_ratio: Ratio
    volatility_breakout_multiplier: Ratio
    volatility_exit_ratio: Ratio
    whale_min_transaction_size: NotNegative
    whale_buy_sell_ratio: Ratio
    whale_accumulation: ShareOrNone
    whale_exit_accumulation: ShareOrNone
    whale_wallets_full: Count
    sentiment_threshold: ShareOrNone
    sentiment_momentum: ShareOrNone
    sentiment_social_volume: ShareOrNone
    sentiment_exit: ShareOrNone
    pattern_strength: ShareOrNone
    pattern_support_atr: Multiple
    stat_z: Multiple
    stat_reversion_probability: ShareOrNone
    stat_price_difference: ShareOrNone
    stat_exit_z: NotNegative


class Scales(Table, frozen=True):
    """What counts as a large excess over each threshold."""

    rsi_momentum: Positive
    rsi: Positive
    atr: Positive
    roc: Positive
    deviation: Positive
    sma_stack: Positive
    adx: Positive
    macd: Positive
    volatility_ratio: Positive
    whale_ratio: Positive
    whale_accumulation: Positive
    whale_outflow_usd: Positive
    sentiment: Positive
    sentiment_momentum: Positive
    social_volume: Positive
    news: Positive
    pattern: Positive
    stat_z: Positive
    stat_probability: Positive
    stat_price_difference: Positive


class Exits(Table, frozen=True):
    """Stops, targets and partial exits."""

    momentum_stop_atr: Multiple
    momentum_target_atr: Multiple
    mean_reversion_stop: Share
    trend_stop_atr: Multiple
    trend_target_atr: Multiple
    volatility_stop_atr: Multiple
    volatility_target_atr: Multiple
    whale_stop_atr: Multiple
    whale_target_atr: Multiple
    sentiment_stop_atr: Multiple
    sentiment_target_atr: Multiple
    pattern_stop: Share
    stat_stop_atr: Multiple
    high_volatility_stop_factor: StopFactor
    low_volatility_stop_factor: StopFactor
    partial_fraction: Share
    safe_mode_stop_atr: Multiple


class EvaluateTable(Table, frozen=True):
    """When each strategy looks."""

    momentum_breakthrough: Evaluate
    mean_reversion: Evaluate
    trend_following: Evaluate
    volatility_breakout: Evaluate
    whale_tracking: Evaluate
    sentiment_momentum: Evaluate
    pattern_recognition: Evaluate
    statistical_arbitrage: Evaluate

    def in_order(self) -> tuple[Evaluate, ...]:
        """Return the eight values in the order of `STRATEGIES`."""
        return tuple(getattr(self, name) for name in STRATEGIES)


class Statistics(Table, frozen=True):
    """Windows of the statistical figures."""

    window_bars: Bars
    reversion_horizon_bars: Bars


class Regimes(Table, frozen=True):
    """Weight factors per regime, each row in the order of `STRATEGIES`."""

    trending: RegimeRow
    ranging: RegimeRow
    turbulent: RegimeRow


class Strategies(Table, frozen=True):
    """Weights by strategy name, and the strategies' own tables."""

    timeframe: Timeframe
    momentum_breakthrough: ShareOrNone
    mean_reversion: ShareOrNone
    trend_following: ShareOrNone
    volatility_breakout: ShareOrNone
    whale_tracking: ShareOrNone
    sentiment_momentum: ShareOrNone
    pattern_recognition: ShareOrNone
    statistical_arbitrage: ShareOrNone
    thresholds: Thresholds
    scales: Scales
    exits: Exits
    evaluate: EvaluateTable
    statistics: Statistics
    regimes: Regimes

    @property
    def weights(self) -> tuple[float, ...]:
        """Return the eight weights in the order of `STRATEGIES`; they sum to 1."""
        return tuple(getattr(self, name) for name in STRATEGIES)


class Ensemble(Table, frozen=True):
    """Rules of the vote."""

    min_consensus: ShareOrNone
    min_participation: ShareOrNone
    vote_horizon_bars: Bars
    forecast_influence: ShareBelowOne
    performance_trades: Trades
    performance_shrink: NotNegative
    diversity_window: Bars
