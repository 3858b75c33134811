"""Configuration -> the JSON documents the core reads (`rust/types/src/params.rs`)."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from utb.config.schema import Config
from utb.config.strategy_tables import Thresholds
from utb.domain.market import Instrument
from utb.domain.names import STRATEGIES, Regime
from utb.errors import InvariantError

Rows = Sequence[Sequence[float]]
"""Final weights: one row per `Regime`, each in the order of `STRATEGIES` with sum 1."""

MINUTE_NS: Final = 60_000_000_000
MILLISECOND_NS: Final = 1_000_000

_ONLY_IN_PYTHON: Final = frozenset({"whale_min_transaction_size"})
"""Thresholds that are applied before context enters the core."""


def build_params(config: Config, version: int, weights: Rows) -> bytes:
    """Return the core's parameters.

    Args:
        config: The checked configuration.
        version: Grows by one with each change; every decision carries it.
        weights: Rows of `Rows`.

    Raises:
        InvariantError: If the rows do not have the right shape.
    """
    return params_builder(config)(version, weights)


def params_builder(config: Config) -> Callable[[int, Rows], bytes]:
    """Return `build_params` of one configuration, for who knows only versions and weights.

    Weights change with every closed trade, the rest with the configuration: the rest is encoded
    once, as the document's text before and after the weights.
    """
    before, after = _constant_parts(config)

    def build(version: int, weights: Rows) -> bytes:
        if len(weights) != len(Regime) or any(len(row) != len(STRATEGIES) for row in weights):
            shape = [len(row) for row in weights]
            raise InvariantError(f"weights have rows of {shape}, must be 4 rows of 8")
        rows = msgspec.json.encode([list(map(float, row)) for row in weights])
        return b'{"version":%d,%b,"weights":%b,%b}' % (version, before, rows, after)

    return build


def _constant_parts(config: Config) -> tuple[bytes, bytes]:
    """Return the members before and after `weights`, as JSON without the outer braces."""
    strategies = config.strategies
    before = {
        "timeframe": strategies.timeframe,
        "evaluate": strategies.evaluate.in_order(),
        "stat_window_bars": strategies.statistics.window_bars,
        "reversion_horizon_bars": strategies.statistics.reversion_horizon_bars,
        "thresholds": _thresholds(strategies.thresholds),
        "scales": _table(strategies.scales),
        "exits": _exits(config),
        "ensemble": _ensemble(config),
    }
    after = {
        "feeds": _feeds(config),
        "risk": {
            "correlation_min_samples": config.risk.correlation_min_samples,
            "correlation_shrink": config.risk.correlation_shrink,
        },
    }
    return msgspec.json.encode(before)[1:-1], msgspec.json.encode(after)[1:-1]


def instruments_document(config: Config, instruments: Sequence[Instrument]) -> bytes:
    """Return the core's list of instruments, each with its strategy timeframe.

    An instrument that the configuration does not name has `strategies.timeframe`.
    """
    timeframes = {item.symbol: item.timeframe for item in config.instruments}
    rows = [
        {
            "index": item.index,
            "symbol": item.symbol,
            "base_mint": item.base_mint,
            "quote_mint": item.quote_mint,
            "base_decimals": item.base_decimals,
            "quote_decimals": item.quote_decimals,
            "primary": item.primary,
            "timeframe": timeframes.get(item.symbol) or config.strategies.timeframe,
            "pair_address": None,
        }
        for item in instruments
    ]
    return msgspec.json.encode(rows)


def _table(table: msgspec.Struct) -> dict[str, float]:
    return msgspec.structs.asdict(table)


def _thresholds(table: Thresholds) -> dict[str, float]:
    return {name: value for name, value in _table(table).items() if name not in _ONLY_IN_PYTHON}


def _exits(config: Config) -> dict[str, float]:
    risk = config.risk
    return {
        **_table(config.strategies.exits),
        "trailing_stop_enabled": risk.trailing_stop_enabled,
        "trailing_stop_atr_multiplier": risk.trailing_stop_atr_multiplier,
        "high_volatility_ratio": risk.adjustments.high_volatility_ratio,
        "low_volatility_ratio": risk.adjustments.low_volatility_ratio,
        "flash_crash_fall": risk.flash_crash_fall,
        "flash_crash_window_ns": round(risk.flash_crash_window_minutes * MINUTE_NS),
    }


def _ensemble(config: Config) -> dict[str, float]:
    table, adjustments = config.ensemble, config.risk.adjustments
    return {
        "min_consensus": table.min_consensus,
        "min_confidence": config.trading.min_confidence,
        "min_participation": table.min_participation,
        "vote_horizon_bars": table.vote_horizon_bars,
        "forecast_influence": table.forecast_influence,
        "diversity_window": table.diversity_window,
        "regime_trending_adx": adjustments.strong_trend_adx,
        "regime_ranging_adx": adjustments.weak_trend_adx,
        "regime_turbulent_ratio": adjustments.high_volatility_ratio,
    }


def _feeds(config: Config) -> dict[str, float]:
    feeds, context = config.feeds, config.context
    return {
        "close_grace_ns": round(feeds.close_grace_ms * MILLISECOND_NS),
        "max_gap_ns": feeds.max_gap_ns,
        "outlier_factor": feeds.outlier_factor,
        "cross_check_difference": feeds.cross_check_difference,
        "whale_max_age_ns": round(context.whale_max_age_minutes * MINUTE_NS),
        "sentiment_max_age_ns": round(context.sentiment_max_age_minutes * MINUTE_NS),
        "forecast_max_age_ns": round(context.forecast_max_age_minutes * MINUTE_NS),
        "hedge_max_age_ns": round(context.hedge_max_age_minutes * MINUTE_NS),
        "venue_max_age_ns": round(context.venue_max_age_minutes * MINUTE_NS),
    }
