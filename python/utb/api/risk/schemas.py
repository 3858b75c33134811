"""Answers of risk."""

from typing import Final

import msgspec


class Risk(msgspec.Struct, frozen=True, kw_only=True):
    """Risk in one look; null = unknown."""

    overall_risk_level: str
    """LOW, MEDIUM, HIGH, CRITICAL or UNKNOWN."""
    risk_score: float | None
    """0..100: weighted share of the limits used."""
    portfolio_heat: float | None
    """Positions and pending buys / equity."""
    max_drawdown: float | None
    """Largest fall of equity from a peak so far."""
    risk_factors: tuple[str, ...]
    position_adjustment: float | None
    """Factor that heat and drawdown put on a new entry; 0 = none may be opened."""
    drawdown: float | None
    risk_at_stop: float | None
    volatility_daily: float | None
    operator_state: str
    as_of: str | None
    age_s: float | None


class LimitUse(msgspec.Struct, frozen=True, kw_only=True):
    """One limit and how much of it is used."""

    name: str
    value: float | None
    limit: float
    used: float | None
    """0..1."""
    sentence: str


class BreakerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One active guard."""

    kind: str
    symbol: str | None
    """null: the whole portfolio."""
    since: str | None
    until: str | None
    """null: until its cause ends."""
    value: float | None
    limit: float | None
    cause: str


class Breakers(msgspec.Struct, frozen=True, kw_only=True):
    """Active guards."""

    breakers: tuple[BreakerRow, ...]
    operator_state: str


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """Risk in detail."""

    overall_risk_level: str
    risk_score: float | None
    position_adjustment: float | None
    risk_factors: tuple[str, ...]
    limits: tuple[LimitUse, ...]
    breakers: tuple[BreakerRow, ...]
    operator_state: str
    as_of: str | None
    age_s: float | None


class HeatRow(msgspec.Struct, frozen=True, kw_only=True):
    """One position's part of the heat."""

    id: str
    symbol: str
    value: float | None
    share: float | None
    """Of equity."""
    risk_at_stop: float | None


class Heat(msgspec.Struct, frozen=True, kw_only=True):
    """Portfolio heat."""

    portfolio_heat: float | None
    limit: float
    exposure: float | None
    equity: float | None
    size_factor: float | None
    """On a new entry: 1 below 50% heat, 0.8 from 50%, 0.5 from 70%, 0 above 80%."""
    positions: tuple[HeatRow, ...]
    as_of: str | None
    age_s: float | None


class RiskLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits that apply; of two tables the stricter value."""

    max_position_size: float
    risk_per_trade: float
    portfolio_heat_limit: float
    max_drawdown: float
    max_concurrent_positions: int
    correlation_limit: float
    slippage_tolerance: float
    min_confidence: float
    volatility_threshold: float
    max_entry_share: float
    min_target_costs: float
    fee_reserve_sol: float
    emergency_stop_enabled: bool


RISK_EXAMPLE: Final = Risk(
    overall_risk_level="MEDIUM",
    risk_score=45.2,
    portfolio_heat=0.65,
    max_drawdown=0.08,
    risk_factors=("moderate_heat", "moderate_drawdown"),
    position_adjustment=0.85,
    drawdown=0.05,
    risk_at_stop=0.03,
    volatility_daily=0.021,
    operator_state="RUNNING",
    as_of="2025-10-07T10:30:00.000Z",
    age_s=0.2,
)
LIMITS_EXAMPLE: Final = RiskLimits(
    max_position_size=0.95,
    risk_per_trade=0.02,
    portfolio_heat_limit=0.8,
    max_drawdown=0.15,
    max_concurrent_positions=5,
    correlation_limit=0.7,
    slippage_tolerance=0.01,
    min_confidence=0.6,
    volatility_threshold=0.05,
    max_entry_share=0.2,
    min_target_costs=3.0,
    fee_reserve_sol=0.05,
    emergency_stop_enabled=True,
)
