"""Tables `[trading]`, `[risk]` and `[risk.adjustments]`."""

from typing import Annotated

from msgspec import Meta

from utb.config.ranges import (
    Correlation,
    Count,
    Factor,
    Minutes,
    Multiple,
    NotNegative,
    OpenShare,
    Oscillator,
    Positive,
    Ratio,
    RiskShare,
    Share,
    ShareBelowOne,
    ShareOrNone,
    Tolerance,
)
from utb.config.table import Table


class Trading(Table, frozen=True):
    """The limits a user sets first; those that `[risk]` repeats hold the stricter value."""

    max_position_size: Share
    risk_per_trade: RiskShare
    max_drawdown: OpenShare
    min_confidence: ShareBelowOne
    slippage_tolerance: Tolerance


class Adjustments(Table, frozen=True):
    """Factors on a position's size, and where each begins."""

    high_volatility_factor: Factor
    low_volatility_factor: Factor
    strong_trend_factor: Factor
    weak_trend_factor: Factor
    bull_market_factor: Factor
    bear_market_factor: Factor
    sideways_factor: Factor
    high_volatility_ratio: Ratio
    low_volatility_ratio: Ratio
    strong_trend_adx: Oscillator
    weak_trend_adx: Oscillator


class Risk(Table, frozen=True):
    """Limits of the risk gate; those that `[trading]` repeats hold the stricter value."""

    max_position_size: Share
    risk_per_trade: RiskShare
    max_drawdown: OpenShare
    portfolio_heat_limit: Share
    correlation_limit: Correlation
    volatility_threshold: Share
    max_concurrent_positions: Annotated[int, Meta(ge=1, le=100)]
    stop_loss_atr_multiplier: Multiple
    take_profit_atr_multiplier: Multiple
    trailing_stop_enabled: bool
    trailing_stop_atr_multiplier: Multiple
    emergency_stop_enabled: bool
    max_entry_share: Share
    gap_allowance: ShareOrNone
    min_target_costs: NotNegative
    risk_budget_floor: Share
    drawdown_warning: Share
    fee_reserve_sol: NotNegative
    flash_crash_fall: OpenShare
    flash_crash_window_minutes: Minutes
    cooling_off_minutes: Minutes
    manipulation_wallet_share: Share
    manipulation_sale_share: Share
    correlation_min_samples: Count
    correlation_shrink: NotNegative
    adjustments: Adjustments


class Pool(Table, frozen=True):
    """One simulated pool."""

    depth_quote: Positive
    fee_bps: Annotated[int, Meta(ge=0, le=1_000)]
