"""Risk from the replica."""

from math import isfinite

from utb.api.risk.schemas import (
    Assessment,
    BreakerRow,
    Breakers,
    Heat,
    HeatRow,
    LimitUse,
    Risk,
    RiskLimits,
)
from utb.api.shown import as_of, when
from utb.api.world import World
from utb.domain.amounts import LAMPORT_DECIMALS, PPB, raw_floor, units_of
from utb.domain.names import OperatorState
from utb.domain.records import Breaker
from utb.risk.heat import heat_factor
from utb.telemetry.portfolio import RiskFigures, shares

MODERATE = 0.5
HIGH = 0.8
"""Shares of a limit from which it is named a risk factor."""


def risk(world: World) -> Risk:
    """Return risk in one look."""
    figures = world.risk()
    return Risk(
        overall_risk_level=figures.level,
        risk_score=figures.score,
        portfolio_heat=figures.heat,
        max_drawdown=world.performance().max_drawdown,
        risk_factors=factors(world, figures),
        position_adjustment=figures.position_adjustment,
        drawdown=figures.drawdown,
        risk_at_stop=figures.risk_at_stop,
        volatility_daily=figures.volatility_daily,
        operator_state=world.replica.operator.value,
        as_of=as_of(world),
        age_s=world.age_s,
    )


def factors(world: World, figures: RiskFigures) -> tuple[str, ...]:
    """Return what makes the risk, in words."""
    used = shares(figures)
    named = {
        "heat": used.heat,
        "risk_at_stop": used.risk_at_stop,
        "drawdown": used.drawdown,
        "volatility": used.volatility,
    }
    found = []
    for name, share in named.items():
        if share is not None and share >= MODERATE:
            found.append(f"{'high' if share >= HIGH else 'moderate'}_{name}")
    found += sorted({kind.lower() for kind, _ in world.replica.breakers})
    if world.replica.operator is not OperatorState.RUNNING:
        found.append(world.replica.operator.lower())
    return tuple(found)


def assessment(world: World) -> Assessment:
    """Return risk in detail."""
    figures = world.risk()
    used = shares(figures)
    rows = (
        ("portfolio_heat", figures.heat, figures.heat_limit, used.heat),
        ("risk_at_stop", figures.risk_at_stop, figures.risk_at_stop_limit, used.risk_at_stop),
        ("drawdown", figures.drawdown, figures.drawdown_limit, used.drawdown),
        (
            "portfolio_volatility",
            figures.volatility_daily,
            figures.volatility_limit,
            used.volatility,
        ),
    )
    return Assessment(
        overall_risk_level=figures.level,
        risk_score=figures.score,
        position_adjustment=figures.position_adjustment,
        risk_factors=factors(world, figures),
        limits=tuple(_use(*row) for row in rows),
        breakers=breakers(world).breakers,
        operator_state=world.replica.operator.value,
        as_of=as_of(world),
        age_s=world.age_s,
    )


def _use(name: str, value: float | None, limit: float, used: float | None) -> LimitUse:
    shown = name.replace("_", " ")
    sentence = f"{shown} is unknown, limit {limit:.1%}"
    if value is not None and used is not None:
        sentence = f"{shown} {value:.1%} of {limit:.1%}: {used:.0%} used"
    return LimitUse(name=name, value=value, limit=limit, used=used, sentence=sentence)


def heat(world: World) -> Heat:
    """Return portfolio heat by position."""
    replica, figures = world.replica, world.risk()
    rows = []
    for view in figures.positions:
        position = replica.book.positions[view.position_id]
        value = None if view.value_raw is None else replica.quote_units(view.value_raw)
        loss = view.risk_at_stop_raw
        known = value is not None and figures.equity is not None and figures.equity > 0
        rows.append(
            HeatRow(
                id=position.intent_id,
                symbol=replica.symbol(position.instrument),
                value=value,
                share=value / figures.equity if known and value and figures.equity else None,
                risk_at_stop=None if loss is None else replica.quote_units(loss),
            )
        )
    return Heat(
        portfolio_heat=figures.heat,
        limit=figures.heat_limit,
        exposure=figures.exposure,
        equity=figures.equity,
        size_factor=_factor(world, figures),
        positions=tuple(rows),
        as_of=as_of(world),
        age_s=world.age_s,
    )


def _factor(world: World, figures: RiskFigures) -> float | None:
    if figures.exposure is None or figures.equity is None or figures.equity <= 0:
        return None
    decimals = world.replica.quote_decimals
    exposure = raw_floor(figures.exposure, decimals)
    limit = world.risk_desk.settings.portfolio_heat_limit_ppb
    return heat_factor(exposure, raw_floor(figures.equity, decimals), limit)


def breakers(world: World) -> Breakers:
    """Return the active guards."""
    active = world.replica.breakers.values()
    return Breakers(
        breakers=tuple(_breaker(world, record) for record in active),
        operator_state=world.replica.operator.value,
    )


def _breaker(world: World, record: Breaker) -> BreakerRow:
    where = record.instrument
    return BreakerRow(
        kind=record.kind.value,
        symbol=None if where is None else world.replica.symbol(where),
        since=when(record.ts_ns),
        until=when(record.until_ts_ns),
        value=record.value if isfinite(record.value) else None,
        limit=record.limit if isfinite(record.limit) else None,
        cause=record.cause,
    )


def limits(world: World) -> RiskLimits:
    """Return the limits that apply."""
    settings, table = world.risk_desk.settings, world.config.risk
    return RiskLimits(
        max_position_size=settings.max_position_size_ppb / PPB,
        risk_per_trade=settings.risk_per_trade_ppb / PPB,
        portfolio_heat_limit=settings.portfolio_heat_limit_ppb / PPB,
        max_drawdown=settings.max_drawdown,
        max_concurrent_positions=settings.max_concurrent_positions,
        correlation_limit=settings.correlation_limit,
        slippage_tolerance=settings.slippage_tolerance_ppb / PPB,
        min_confidence=settings.min_confidence,
        volatility_threshold=table.volatility_threshold,
        max_entry_share=settings.max_entry_share_ppb / PPB,
        min_target_costs=settings.min_target_costs_ppb / PPB,
        fee_reserve_sol=units_of(settings.fee_reserve_lamports, LAMPORT_DECIMALS),
        emergency_stop_enabled=settings.emergency_stop_enabled,
    )
