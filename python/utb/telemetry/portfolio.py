"""The account's risk figures at the last prices, computed as the gate computes them."""

import msgspec

from utb.config.schema import Config
from utb.domain.amounts import PPB, raw_floor
from utb.domain.names import BreakerKind, OperatorState, Side
from utb.risk.heat import heat_factor
from utb.risk.settings import RiskSettings, risk_settings
from utb.risk.view import PositionView, position_view
from utb.telemetry.replica import Replica

_BLOCKING = frozenset(BreakerKind) - {BreakerKind.DRAWDOWN_WARNING}


class RiskFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Portfolio risk; None = unknown."""

    equity: float | None
    exposure: float | None
    """Positions and pending entries, quote units."""
    heat: float | None
    """Exposure / equity."""
    heat_limit: float
    risk_at_stop: float | None
    """Loss if every stop is hit / equity."""
    risk_at_stop_limit: float
    drawdown: float | None
    drawdown_limit: float
    volatility_daily: float | None
    volatility_limit: float
    positions: tuple[PositionView, ...]
    position_adjustment: float | None
    """Factor that heat and drawdown put on a new entry's size; 0 = none may be opened."""
    score: float | None
    """0..100."""
    level: str
    """LOW, MEDIUM, HIGH, CRITICAL or UNKNOWN."""


class Shares(msgspec.Struct, frozen=True):
    """How much of each limit is used, 0..1; None = unknown."""

    heat: float | None
    risk_at_stop: float | None
    drawdown: float | None
    volatility: float | None


SCORE_WEIGHTS = {"heat": 0.35, "risk_at_stop": 0.2, "drawdown": 0.3, "volatility": 0.15}
"""Part of the score by limit; they sum to 1."""
LEVELS = ((35.0, "LOW"), (70.0, "MEDIUM"), (90.0, "HIGH"))
"""(score below which, level); above the last it is CRITICAL."""
BLOCKED_SCORE = 90.0
"""Least score while a guard refuses entries."""


class RiskDesk:
    """Computes `RiskFigures` from a replica."""

    def __init__(self, config: Config) -> None:
        self.settings: RiskSettings = risk_settings(config)
        self._volatility_limit = config.risk.volatility_threshold

    def figures(self, replica: Replica) -> RiskFigures:
        """Return the figures of now."""
        settings = self.settings
        views = self._positions(replica)
        equity = replica.present_equity
        exposure_raw = _total([view.value_raw for view in views])
        risk_raw = _total([view.risk_at_stop_raw for view in views])
        for order in replica.book.pending.values():
            if order.intent.side is Side.BUY:
                exposure_raw = _plus(exposure_raw, order.reserved_quote_raw)
                risk_raw = _plus(risk_raw, order.risk_at_stop_raw)
        risk_limit = settings.max_concurrent_positions * settings.risk_per_trade_ppb / PPB
        figures = RiskFigures(
            equity=equity,
            exposure=None if exposure_raw is None else replica.quote_units(exposure_raw),
            heat=_part(exposure_raw, replica, equity),
            heat_limit=settings.portfolio_heat_limit_ppb / PPB,
            risk_at_stop=_part(risk_raw, replica, equity),
            risk_at_stop_limit=risk_limit,
            drawdown=replica.present_drawdown,
            drawdown_limit=settings.max_drawdown,
            volatility_daily=None if replica.mark is None else replica.mark.volatility_daily,
            volatility_limit=self._volatility_limit,
            positions=views,
            position_adjustment=self._adjustment(replica, exposure_raw, equity),
            score=None,
            level="UNKNOWN",
        )
        score = _score(shares(figures), replica)
        level = "UNKNOWN" if score is None else _level(score)
        return msgspec.structs.replace(figures, score=score, level=level)

    def _positions(self, replica: Replica) -> tuple[PositionView, ...]:
        found = []
        for position in replica.book.positions.values():
            mark = replica.market.mark(position.instrument)
            instrument = replica.instruments[position.instrument]
            price = None if mark is None else mark[0]
            gap = self.settings.gap_allowance_ppb
            found.append(position_view(position, instrument, price, gap))
        return tuple(found)

    def _adjustment(
        self, replica: Replica, exposure_raw: int | None, equity: float | None
    ) -> float | None:
        drawdown = replica.present_drawdown
        if blocks_entries(replica):
            return 0.0
        if exposure_raw is None or equity is None or equity <= 0 or drawdown is None:
            return None
        settings = self.settings
        equity_raw = raw_floor(equity, replica.quote_decimals)
        heat = heat_factor(exposure_raw, equity_raw, settings.portfolio_heat_limit_ppb)
        budget = max(1.0 - drawdown / settings.max_drawdown, settings.risk_budget_floor)
        return heat * budget


def blocks_entries(replica: Replica) -> bool:
    """Return whether no instrument may be entered: an operator's state or a portfolio guard."""
    return replica.operator is not OperatorState.RUNNING or any(
        kind in _BLOCKING and instrument is None for kind, instrument in replica.breakers
    )


def shares(figures: RiskFigures) -> Shares:
    """Return how much of each limit is used."""
    return Shares(
        heat=_used(figures.heat, figures.heat_limit),
        risk_at_stop=_used(figures.risk_at_stop, figures.risk_at_stop_limit),
        drawdown=_used(figures.drawdown, figures.drawdown_limit),
        volatility=_used(figures.volatility_daily, figures.volatility_limit),
    )


def _used(value: float | None, limit: float) -> float | None:
    if value is None or limit <= 0:
        return None
    return min(max(value / limit, 0.0), 1.0)


def _score(used: Shares, replica: Replica) -> float | None:
    """Return 100 x the weighted share of the limits used.

    Volatility is unknown for the first two days and then takes no part; any other unknown makes
    the score unknown.
    """
    if used.heat is None or used.risk_at_stop is None or used.drawdown is None:
        return None
    parts = {"heat": used.heat, "risk_at_stop": used.risk_at_stop, "drawdown": used.drawdown}
    if used.volatility is not None:
        parts["volatility"] = used.volatility
    weight = sum(SCORE_WEIGHTS[name] for name in parts)
    score = 100.0 * sum(SCORE_WEIGHTS[name] * share for name, share in parts.items()) / weight
    if replica.operator is OperatorState.EMERGENCY_STOP:
        return 100.0
    if any(kind in _BLOCKING and where is None for kind, where in replica.breakers):
        return max(score, BLOCKED_SCORE)
    return score


def _level(score: float) -> str:
    return next((name for bound, name in LEVELS if score < bound), "CRITICAL")


def _total(values: list[int | None]) -> int | None:
    total = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _plus(total: int | None, more: int) -> int | None:
    return None if total is None else total + more


def _part(raw: int | None, replica: Replica, equity: float | None) -> float | None:
    if raw is None or equity is None or equity <= 0:
        return None
    return replica.quote_units(raw) / equity
