"""Answers of status and summary."""

from typing import Final

import msgspec


class StatusAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The bot in one look."""

    status: str
    """STARTING, RUNNING, PAUSED, SAFE_MODE, EMERGENCY_STOP or DEGRADED."""
    version: str
    uptime: int
    """Wall seconds."""
    active_strategies: int
    """Strategies with a weight."""
    current_positions: int
    mode: str
    simulated_time: bool | None
    """Null: the trading process has not told since this server started."""
    timeframe: str
    as_of: str | None
    """Market time of what is known."""
    age_s: float | None
    """Wall seconds since the trading process spoke; null: never."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The top bar in one answer; money in quote units, null = unknown."""

    status: str
    mode: str
    simulated_time: bool | None
    equity: float | None
    equity_start_of_day: float | None
    today: float | None
    """Change since the UTC day began, deposits apart."""
    today_pct: float | None
    drawdown: float | None
    max_drawdown_limit: float
    heat: float | None
    heat_limit: float
    risk_at_stop: float | None
    risk_at_stop_limit: float
    cash: float
    positions: int
    open_orders: int
    finished: bool
    healthy: bool
    reasons: tuple[str, ...]
    version: str
    timeframe: str
    as_of: str | None
    age_s: float | None


STATUS_EXAMPLE: Final = StatusAnswer(
    status="RUNNING",
    version="ULTIMATE-1.0.0",
    uptime=86_400,
    active_strategies=8,
    current_positions=3,
    mode="paper",
    simulated_time=False,
    timeframe="15m",
    as_of="2025-10-07T10:30:00.000Z",
    age_s=0.2,
)

SUMMARY_EXAMPLE: Final = Summary(
    status="RUNNING",
    mode="paper",
    simulated_time=False,
    equity=100_412.8,
    equity_start_of_day=100_100.0,
    today=312.8,
    today_pct=0.003125,
    drawdown=0.004,
    max_drawdown_limit=0.15,
    heat=0.38,
    heat_limit=0.8,
    risk_at_stop=0.021,
    risk_at_stop_limit=0.1,
    cash=62_100.0,
    positions=2,
    open_orders=0,
    finished=False,
    healthy=True,
    reasons=(),
    version="ULTIMATE-1.0.0",
    timeframe="15m",
    as_of="2025-10-07T10:30:00.000Z",
    age_s=0.2,
)
