"""Answers of orders, decisions, refusals and alerts."""

from typing import Any, Final

import msgspec


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """One order."""

    id: str
    symbol: str
    side: str
    status: str
    size: float | None
    """Base units: of a sale, or of the fill; null for a buy that has not filled."""
    amount: float | None
    """Quote units: of a buy, or of the fill; null for a sale that has not filled."""
    reason: str
    """Strategy or exit reason, and why it ended if it did not fill."""
    created_at: str | None
    updated_at: str | None
    attempts: int
    position_id: int | None


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """Orders, newest first."""

    orders: tuple[OrderRow, ...]


class DecisionVote(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy's standing vote inside a decision."""

    strategy: str
    side: str
    strength: float
    confidence: float
    weight: float
    conditions: dict[str, bool | None]
    """BUY conditions of the latest evaluation; null = an input was missing."""


class DecisionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One decision to act."""

    id: str
    """Intent id of its order."""
    timestamp: str | None
    symbol: str
    side: str
    lead: str
    price: float
    stop: float | None
    target: float | None
    consensus: float
    confidence: float
    participation: float
    outcome: str
    """entry, exit, no_position or refused."""
    sentence: str
    votes: tuple[DecisionVote, ...]


class Decisions(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions, newest first."""

    decisions: tuple[DecisionRow, ...]


class RefusalRow(msgspec.Struct, frozen=True, kw_only=True):
    """One order the gate denied."""

    id: str
    timestamp: str | None
    symbol: str
    code: str
    limit: float | None
    value: float | None
    order_value: float | None
    message: str


class Refusals(msgspec.Struct, frozen=True, kw_only=True):
    """Refusals, newest first."""

    refusals: tuple[RefusalRow, ...]


class AlertRow(msgspec.Struct, frozen=True, kw_only=True):
    """One alert."""

    id: str
    severity: str
    category: str
    title: str
    message: str
    timestamp: str | None
    data: dict[str, Any]


class Alerts(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts, newest first."""

    alerts: tuple[AlertRow, ...]


ORDERS_EXAMPLE: Final = Orders(
    orders=(
        OrderRow(
            id="9f86d081884c7d65",
            symbol="SOL-USDC",
            side="BUY",
            status="CONFIRMED",
            size=66.5,
            amount=10_000.0,
            reason="momentum_breakthrough",
            created_at="2025-10-07T10:30:00.000Z",
            updated_at="2025-10-07T10:30:00.912Z",
            attempts=1,
            position_id=None,
        ),
    )
)
REFUSALS_EXAMPLE: Final = Refusals(
    refusals=(
        RefusalRow(
            id="60303ae22b998861",
            timestamp="2025-10-07T10:45:00.000Z",
            symbol="BONK-USDC",
            code="PORTFOLIO_HEAT",
            limit=0.8,
            value=0.76,
            order_value=0.91,
            message="portfolio heat would be 0.91, limit 0.8",
        ),
    )
)
ALERTS_EXAMPLE: Final = Alerts(
    alerts=(
        AlertRow(
            id="alert_1204",
            severity="WARNING",
            category="MARKET",
            title="flash crash",
            message="BONK-USDC: fell 12% within 5 minutes (0.12, limit 0.1)",
            timestamp="2025-10-07T10:46:00.000Z",
            data={"kind": "FLASH_CRASH", "symbol": "BONK-USDC", "value": 0.12, "limit": 0.1},
        ),
    )
)
