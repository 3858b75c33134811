"""Performance from the replica."""

from collections.abc import Sequence

import msgspec
import numpy as np

from utb.api.market.votes import rows as vote_rows
from utb.api.performance.schemas import (
    CostSums,
    EquityPoint,
    PerformanceAnswer,
    StrategyDetail,
    StrategyFigures,
    StrategyList,
    StrategyRow,
    StrategyVote,
    StrategyWeight,
)
from utb.api.shown import as_of
from utb.api.trades.views import row as trade_row
from utb.api.world import World
from utb.domain.names import MANUAL, STRATEGIES, Regime
from utb.domain.orders import Trade
from utb.domain.times import iso
from utb.telemetry.figures import EquityCurve, figures

LAST_TRADES = 20
_NO_CURVE = EquityCurve(ts_ns=np.empty(0, dtype=np.int64), equity=np.empty(0))


def performance(world: World) -> PerformanceAnswer:
    """Return the figures of the whole run."""
    found = msgspec.structs.asdict(world.performance())
    costs = found.pop("costs")
    return PerformanceAnswer(
        **found,
        costs=CostSums(
            pool_fees=costs.pool_fees, network_fees=costs.network_fees, slippage=costs.slippage
        ),
        as_of=as_of(world),
        age_s=world.age_s,
    )


def equity(world: World, limit: int) -> list[EquityPoint]:
    """Return equity over time, oldest first."""
    return [
        EquityPoint(time=iso(ts_ns), equity=value, drawdown=fall)
        for ts_ns, value, fall in world.replica.equity.newest(limit)
    ]


def strategies(world: World) -> StrategyList:
    """Return every strategy with its weight and results."""
    led: dict[str, list[Trade]] = {name: [] for name in STRATEGIES}
    for trade in world.replica.book.trades:
        led.setdefault(trade.lead, []).append(trade)
    return StrategyList(
        strategies=tuple(
            StrategyRow(name=name, weight=weight(world, name), results=results(world, trades))
            for name, trades in led.items()
        )
    )


def strategy(world: World, name: str) -> StrategyDetail | None:
    """Return one strategy in detail, or None if there is none of that name."""
    if name not in {*STRATEGIES, MANUAL}:
        return None
    replica = world.replica
    led = [trade for trade in replica.book.trades if trade.lead == name]
    newest = led[-LAST_TRADES:][::-1]
    return StrategyDetail(
        name=name,
        weight=weight(world, name),
        results=results(world, led),
        votes=_votes(world, name),
        last_trades=tuple(trade_row(t, replica.instruments[t.instrument]) for t in newest),
    )


def results(world: World, trades: Sequence[Trade]) -> StrategyFigures:
    """Return the figures of some trades that need no equity."""
    found = figures(trades, _NO_CURVE, quote_decimals=world.replica.quote_decimals)
    return StrategyFigures(
        **{name: getattr(found, name) for name in StrategyFigures.__struct_fields__}
    )


def weight(world: World, name: str) -> StrategyWeight:
    """Return a strategy's weight; a person's trades have none."""
    if name not in STRATEGIES:
        return StrategyWeight(
            configured=0.0, adaptive=None, by_regime={}, performance=None, diversity=None
        )
    index = STRATEGIES.index(name)
    present = world.replica.weights
    rows = present.rows if present is not None else ()
    return StrategyWeight(
        configured=world.config.strategies.weights[index],
        adaptive=rows[Regime.NEUTRAL][index] if rows else None,
        by_regime={regime.name.lower(): rows[regime][index] for regime in Regime if rows},
        performance=present.performance[index] if present is not None else None,
        diversity=present.diversity[index] if present is not None else None,
    )


def _votes(world: World, name: str) -> tuple[StrategyVote, ...]:
    if name not in STRATEGIES:
        return ()
    index = STRATEGIES.index(name)
    found = []
    for instrument in world.replica.instruments:
        vote = vote_rows(world, world.replica.market.view(instrument.index))[index]
        found.append(
            StrategyVote(
                symbol=instrument.symbol,
                side=vote.side,
                latest=vote.latest,
                strength=vote.strength,
                confidence=vote.confidence,
                weight=vote.weight,
                conditions=tuple(msgspec.structs.asdict(c) for c in vote.conditions),
                abstains=vote.abstains,
            )
        )
    return tuple(found)
