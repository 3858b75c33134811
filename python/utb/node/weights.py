"""Adaptive weights: base x performance x regime x diversity, each factor within [0.5, 2].

Recomputed when a trade closes; a change of regime chooses among the four rows. A trade counts
for each strategy by its share of the BUY mass.

Performance of a strategy, from its last `ensemble.performance_trades` trades with shares s:

    n          = sum of s
    expectancy = weighted mean of R, R = net profit / initial risk, each within -5..5
    payoff     = mean R of the winners / mean loss of the losers, 1R where there is none
    edge       = share of wins - 1 / (1 + payoff), the win rate that payoff needs to break even
    factor     = 2 ^ (n / (n + performance_shrink) x (expectancy + edge))

It is 1 without trades, symmetric (as far up for +x as down for -x) and reaches its bounds at
+-1 after shrinking. A breakeven trade counts for the expectancy and neither as win nor as loss.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import fsum
from typing import Final

import msgspec

from utb.config.schema import Config
from utb.domain.amounts import ratio
from utb.domain.names import STRATEGIES, Regime
from utb.domain.orders import Trade
from utb.domain.records import Weights
from utb.errors import InvariantError

FACTOR_MIN: Final = 0.5
FACTOR_MAX: Final = 2.0
R_MAX: Final = 5.0
"""One trade counts with at most this many R: a stop a hair away would make any number."""
_FORMAT_VERSION: Final = 1
_NEUTRAL_ROW: Final = (1.0,) * len(STRATEGIES)


class WeightSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the configuration says about weights; rows in the order of `STRATEGIES`."""

    base: tuple[float, ...]
    regimes: tuple[tuple[float, ...], ...]
    """One row of factors per regime, by `Regime`."""
    trades: int
    shrink: float


def weight_settings(config: Config) -> WeightSettings:
    """Return the settings of a configuration; in the neutral regime every factor is 1."""
    table = config.strategies.regimes
    rows = {
        Regime.NEUTRAL: _NEUTRAL_ROW,
        Regime.TRENDING: table.trending,
        Regime.RANGING: table.ranging,
        Regime.TURBULENT: table.turbulent,
    }
    return WeightSettings(
        base=config.strategies.weights,
        regimes=tuple(tuple(rows[regime]) for regime in Regime),
        trades=config.ensemble.performance_trades,
        shrink=config.ensemble.performance_shrink,
    )


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """One closed trade as one strategy's result."""

    r: float
    """Net profit / initial risk."""
    share: float
    """The strategy's share of the BUY mass, 0..1]."""


class WeightState(msgspec.Struct, frozen=True, kw_only=True):
    """Adaptive weights and what they were made of; rows in the order of `STRATEGIES`."""

    format: int = _FORMAT_VERSION
    version: int
    """Grows by one with every change."""
    samples: tuple[tuple[Sample, ...], ...]
    """Last trades of each strategy, oldest first."""
    correlations: tuple[float, ...]
    """Mean positive correlation of each strategy's votes with the others'."""
    performance: tuple[float, ...]
    diversity: tuple[float, ...]
    rows: tuple[tuple[float, ...], ...]
    """Weights by regime; each row sums to 1."""


def initial(settings: WeightSettings) -> WeightState:
    """Return the weights before any trade."""
    zeros = (0.0,) * len(STRATEGIES)
    ones = (1.0,) * len(STRATEGIES)
    return _computed(settings, 1, ((),) * len(STRATEGIES), ones, zeros)


def with_trade(
    state: WeightState, trade: Trade, correlations: Sequence[float], settings: WeightSettings
) -> WeightState:
    """Return the weights after a closed trade.

    Args:
        state: Before.
        trade: Closed round trip; one without shares (manual) changes no performance.
        correlations: Mean positive vote correlation of each strategy, from the core.
        settings: Base weights and tables.
    """
    risk = max(trade.initial_risk_quote_raw, 1)
    r = min(max(ratio(trade.pnl_quote_raw, risk), -R_MAX), R_MAX)
    samples, performance = list(state.samples), list(state.performance)
    for i, (kept, share) in enumerate(zip(state.samples, trade.shares, strict=True)):
        # Who had no part in the trade keeps its results, and so its performance
        if share > 0.0:
            samples[i] = (*kept, Sample(r, share))[-settings.trades :]
            performance[i] = performance_factor(samples[i], settings.shrink)
    factors = tuple(performance)
    return _computed(settings, state.version + 1, tuple(samples), factors, tuple(correlations))


def with_settings(state: WeightState, settings: WeightSettings) -> WeightState:
    """Return the weights under a changed configuration, results kept."""
    samples = tuple(kept[-settings.trades :] for kept in state.samples)
    factors = tuple(performance_factor(kept, settings.shrink) for kept in samples)
    return _computed(settings, state.version + 1, samples, factors, state.correlations)


def record(state: WeightState, ts_ns: int) -> Weights:
    """Return the durable record of the present weights."""
    return Weights(
        ts_ns=ts_ns,
        version=state.version,
        rows=state.rows,
        performance=state.performance,
        diversity=state.diversity,
    )


def save(state: WeightState) -> bytes:
    """Return the state as bytes."""
    return msgspec.msgpack.encode(state)


def load(data: bytes) -> WeightState:
    """Return the state `save` wrote.

    Raises:
        InvariantError: If the bytes are not a state of this format.
    """
    try:
        state = msgspec.msgpack.decode(data, type=WeightState)
    except msgspec.DecodeError as error:
        raise InvariantError(f"the saved weights cannot be read: {error}") from error
    if state.format != _FORMAT_VERSION:
        raise InvariantError(f"the saved weights have format {state.format}")
    return state


def performance_factor(samples: Sequence[Sample], shrink: float) -> float:
    """Return a strategy's performance factor, by the formula at the top of this file."""
    rows = [(s.r, s.share, s.share * s.r) for s in samples]
    mass = fsum([share for _, share, _ in rows])
    if mass <= 0.0:
        return 1.0
    expectancy = fsum([result for _, _, result in rows]) / mass
    won = fsum([share for r, share, _ in rows if r > 0.0])
    lost = fsum([share for r, share, _ in rows if r < 0.0])
    edge = 0.0
    if won + lost > 0.0:
        gain = fsum([result for r, _, result in rows if r > 0.0]) / won if won else 1.0
        loss = -fsum([result for r, _, result in rows if r < 0.0]) / lost if lost else 1.0
        edge = won / (won + lost) - loss / (gain + loss)
    exponent = mass / (mass + shrink) * (expectancy + edge)
    return float(2.0 ** min(max(exponent, -1.0), 1.0))


def diversity_factor(correlation: float) -> float:
    """Return 1 / (1 + mean positive correlation); what is not a number in 0..1 counts as 1."""
    usable = correlation if 0.0 <= correlation <= 1.0 else 1.0
    return 1.0 / (1.0 + usable)


def _computed(
    settings: WeightSettings,
    version: int,
    samples: tuple[tuple[Sample, ...], ...],
    performance: tuple[float, ...],
    correlations: tuple[float, ...],
) -> WeightState:
    diversity = tuple([diversity_factor(value) for value in correlations])
    # Both are within their bounds by their formulas, so the configured factor alone is clamped
    factors = list(zip(performance, diversity, strict=True))
    scaled = _base_by_regime(settings.base, settings.regimes)
    return WeightState(
        version=version,
        samples=samples,
        correlations=correlations,
        performance=performance,
        diversity=diversity,
        rows=tuple([_row(settings.base, row, factors) for row in scaled]),
    )


@lru_cache(maxsize=4)
def _base_by_regime(
    base: tuple[float, ...], regimes: tuple[tuple[float, ...], ...]
) -> tuple[tuple[float, ...], ...]:
    """Return base x regime, the part of every row that only the configuration changes."""
    return tuple(
        tuple(b * _clamped(r) for b, r in zip(base, regime, strict=True)) for regime in regimes
    )


def _row(
    base: tuple[float, ...], scaled: tuple[float, ...], factors: list[tuple[float, float]]
) -> tuple[float, ...]:
    raw = [b * p * d for b, (p, d) in zip(scaled, factors, strict=True)]
    total = fsum(raw)
    return tuple([value / total for value in raw]) if total > 0.0 else base


def _clamped(factor: float) -> float:
    return min(max(factor, FACTOR_MIN), FACTOR_MAX)
