"""The configured limits in the form the gate computes with: exact integers where money meets."""

import msgspec

from utb.config.schema import Config
from utb.domain.amounts import BPS, LAMPORT_DECIMALS, PPB, ppb, raw_nearest


class RiskSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits and factors of `[trading]`, `[risk]` and `[risk.adjustments]`.

    `_ppb` figures are fractions in parts per billion. Made once per configuration.
    """

    max_position_size_ppb: int
    risk_per_trade_ppb: int
    max_drawdown: float
    min_confidence: float
    emergency_stop_enabled: bool
    slippage_tolerance_ppb: int
    slippage_bps_max: int
    exit_slippage_step_bps: int
    portfolio_heat_limit_ppb: int
    correlation_limit: float
    max_concurrent_positions: int
    max_entry_share_ppb: int
    gap_allowance_ppb: int
    min_target_costs_ppb: int
    risk_budget_floor: float
    fee_reserve_lamports: int
    max_fee_lamports: int
    network_fee_lamports: int
    """Expected network fee of one swap."""
    stop_loss_atr_multiplier: float
    take_profit_atr_multiplier: float
    high_volatility_factor: float
    low_volatility_factor: float
    strong_trend_factor: float
    weak_trend_factor: float
    bull_market_factor: float
    bear_market_factor: float
    sideways_factor: float
    high_volatility_ratio: float
    low_volatility_ratio: float
    strong_trend_adx: float
    weak_trend_adx: float


def risk_settings(config: Config) -> RiskSettings:
    """Return the limits of a configuration.

    One that stands in two tables applies at its stricter value.
    """
    trading, risk, execution = config.trading, config.risk, config.execution
    adjustments = risk.adjustments
    tolerance = trading.slippage_tolerance
    return RiskSettings(
        max_position_size_ppb=ppb(min(trading.max_position_size, risk.max_position_size)),
        risk_per_trade_ppb=ppb(min(trading.risk_per_trade, risk.risk_per_trade)),
        max_drawdown=min(trading.max_drawdown, risk.max_drawdown),
        min_confidence=trading.min_confidence,
        emergency_stop_enabled=risk.emergency_stop_enabled,
        slippage_tolerance_ppb=ppb(tolerance),
        # Down: the tolerance in the order is never wider than the configured one
        slippage_bps_max=ppb(tolerance) * BPS // PPB,
        exit_slippage_step_bps=execution.exit_slippage_step_bps,
        portfolio_heat_limit_ppb=ppb(risk.portfolio_heat_limit),
        correlation_limit=risk.correlation_limit,
        max_concurrent_positions=risk.max_concurrent_positions,
        max_entry_share_ppb=ppb(risk.max_entry_share),
        gap_allowance_ppb=ppb(risk.gap_allowance),
        min_target_costs_ppb=ppb(risk.min_target_costs),
        risk_budget_floor=risk.risk_budget_floor,
        fee_reserve_lamports=raw_nearest(risk.fee_reserve_sol, LAMPORT_DECIMALS),
        max_fee_lamports=execution.max_fee_lamports,
        network_fee_lamports=config.paper.base_fee_lamports + config.paper.priority_fee_lamports,
        stop_loss_atr_multiplier=risk.stop_loss_atr_multiplier,
        take_profit_atr_multiplier=risk.take_profit_atr_multiplier,
        **msgspec.structs.asdict(adjustments),
    )
