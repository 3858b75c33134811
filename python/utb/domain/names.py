"""Closed sets of names, the same in TOML, Rust, Python, JSON and ClickHouse."""

from enum import IntEnum, StrEnum
from typing import Final

STRATEGIES: Final = (
    "momentum_breakthrough",
    "mean_reversion",
    "trend_following",
    "volatility_breakout",
    "whale_tracking",
    "sentiment_momentum",
    "pattern_recognition",
    "statistical_arbitrage",
)
"""The eight strategies in the order used everywhere; the index is the strategy id in the core."""

CONDITIONS: Final = (
    ("rsi_momentum", "volume", "breakout", "roc"),
    ("band_or_rsi", "deviation", "volume"),
    ("sma_stack", "adx", "macd_cross", "above_sma20"),
    ("volatility_ratio", "volume", "band_break"),
    ("buy_sell_ratio", "accumulation", "outflow"),
    ("overall", "momentum", "social_volume", "news"),
    ("pattern", "near_support", "confirmed"),
    ("z", "reversion_probability", "price_difference"),
)
"""Entry conditions of each strategy, in the order of the strategies table."""

MANUAL: Final = "manual"
"""Name of the lead of an entry that no strategy made."""


class Side(StrEnum):
    """Direction of a decision or order."""

    BUY = "BUY"
    SELL = "SELL"


class TradingMode(StrEnum):
    """What stands behind the venue port."""

    BACKTEST = "backtest"
    PAPER = "paper"
    LIVE = "live"


class Regime(IntEnum):
    """Market regime of one instrument; the index into the weight tables."""

    NEUTRAL = 0
    TRENDING = 1
    RANGING = 2
    TURBULENT = 3


class Stage(IntEnum):
    """Stages that are timed, in the order an order passes them; numbers as in the core."""

    DECODE = 0
    """A frame's arrival to its first decoded item."""
    DECIDE = 1
    """A frame's arrival to the end of its handling in the core."""
    APPROVE = 2
    """The trader on one event: risk, size, order."""
    JOURNAL = 3
    """Append, and sync where orders follow."""
    SUBMIT = 4
    """Hand-over of an input's orders to the venue."""
    FILL = 5
    """The trader on what became of an order."""
    SNAPSHOT = 6
    """The state of everything stored."""


class ExitReason(StrEnum):
    """Why a position, or part of it, was sold."""

    STOP = "STOP"
    TARGET = "TARGET"
    TRAILING = "TRAILING"
    PARTIAL = "PARTIAL"
    EARLY_EXIT = "EARLY_EXIT"
    SELL = "SELL"
    MANUAL = "MANUAL"
    EMERGENCY = "EMERGENCY"
    END = "END"


class HoldReason(StrEnum):
    """Why the ensemble did nothing at a bar; order as in the core."""

    WARM_UP = "WARM_UP"
    NO_VOTES = "NO_VOTES"
    LOW_CONSENSUS = "LOW_CONSENSUS"
    LOW_CONFIDENCE = "LOW_CONFIDENCE"
    LOW_PARTICIPATION = "LOW_PARTICIPATION"


class OperatorState(StrEnum):
    """What the operator, or the emergency stop, allows."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    SAFE_MODE = "SAFE_MODE"
    EMERGENCY_STOP = "EMERGENCY_STOP"


class OrderStatus(StrEnum):
    """Order life; the simulated venue uses the same names as the chain."""

    INTENT = "INTENT"
    APPROVED = "APPROVED"
    RESERVED = "RESERVED"
    SIGNED = "SIGNED"
    SENT = "SENT"
    SEEN = "SEEN"
    CONFIRMED = "CONFIRMED"
    FINAL = "FINAL"
    SETTLED = "SETTLED"
    UNKNOWN = "UNKNOWN"
    DENIED = "DENIED"
    EXPIRED = "EXPIRED"
    FAILED_ON_CHAIN = "FAILED_ON_CHAIN"
    CANCELLED = "CANCELLED"


class BreakerKind(StrEnum):
    """Guards that stop entries until they clear."""

    DRAWDOWN = "DRAWDOWN"
    DRAWDOWN_WARNING = "DRAWDOWN_WARNING"
    PORTFOLIO_VOLATILITY = "PORTFOLIO_VOLATILITY"
    FLASH_CRASH = "FLASH_CRASH"
    WHALE_MANIPULATION = "WHALE_MANIPULATION"
    UNHEALTHY = "UNHEALTHY"
    RECONCILIATION = "RECONCILIATION"


class RefusalCode(StrEnum):
    """Why the gate denied an order: one set for records, documentation, API, texts and metrics."""

    OPERATOR_PAUSED = "OPERATOR_PAUSED"
    OPERATOR_SAFE_MODE = "OPERATOR_SAFE_MODE"
    EMERGENCY_STOP = "EMERGENCY_STOP"
    PORTFOLIO_VOLATILITY = "PORTFOLIO_VOLATILITY"
    FLASH_CRASH = "FLASH_CRASH"
    WHALE_MANIPULATION = "WHALE_MANIPULATION"
    UNHEALTHY = "UNHEALTHY"
    RECONCILIATION = "RECONCILIATION"
    INVALID_INPUT = "INVALID_INPUT"
    WARM_UP = "WARM_UP"
    ATR_ABSENT = "ATR_ABSENT"
    STOP_NOT_BELOW_ENTRY = "STOP_NOT_BELOW_ENTRY"
    POSITION_EXISTS = "POSITION_EXISTS"
    ORDER_IN_FLIGHT = "ORDER_IN_FLIGHT"
    MAX_CONCURRENT_POSITIONS = "MAX_CONCURRENT_POSITIONS"
    PORTFOLIO_HEAT = "PORTFOLIO_HEAT"
    RISK_AT_STOP = "RISK_AT_STOP"
    RISK_PER_TRADE = "RISK_PER_TRADE"
    MAX_POSITION_SIZE = "MAX_POSITION_SIZE"
    CORRELATION = "CORRELATION"
    INSUFFICIENT_CASH = "INSUFFICIENT_CASH"
    FEE_RESERVE = "FEE_RESERVE"
    SLIPPAGE = "SLIPPAGE"
    COST_GATE = "COST_GATE"
    MIN_CONFIDENCE = "MIN_CONFIDENCE"
    BELOW_MINIMUM = "BELOW_MINIMUM"
    NO_POSITION = "NO_POSITION"
    MARK_ABSENT = "MARK_ABSENT"
    LIQUIDITY_UNKNOWN = "LIQUIDITY_UNKNOWN"
