"""Every strategy on constructed tapes through the whole compiled pipeline.

One tape on which it votes, one per condition on which only that condition fails, the mirror, and
tapes that lack an input. The tapes and why they do what they do stand in `<strategy>_tapes.py`.
"""

import math

import mean_reversion_tapes
import momentum_breakthrough_tapes
import pattern_recognition_tapes
import pytest
import sentiment_momentum_tapes
import statistical_arbitrage_tapes
import trend_following_tapes
import volatility_breakout_tapes
import whale_tracking_tapes
from tape import Builder, Case, ballot, engine_of, last_ballot, play

from utb.domain.names import CONDITIONS, STRATEGIES

CASES = (
    momentum_breakthrough_tapes.CASE,
    mean_reversion_tapes.CASE,
    trend_following_tapes.CASE,
    volatility_breakout_tapes.CASE,
    whale_tracking_tapes.CASE,
    sentiment_momentum_tapes.CASE,
    pattern_recognition_tapes.CASE,
    statistical_arbitrage_tapes.CASE,
)
ALL_CASES = (*CASES, statistical_arbitrage_tapes.OWN_CASE)
"""The last strategy twice: with a hedge basket, and on its own log price."""

by_strategy = pytest.mark.parametrize("case", ALL_CASES, ids=lambda case: case.strategy)
by_condition = pytest.mark.parametrize(
    ("case", "condition"),
    [(case, condition) for case in ALL_CASES for condition in case.fails],
    ids=lambda value: value if isinstance(value, str) else value.strategy,
)
by_missing = pytest.mark.parametrize(
    ("case", "builder", "missing"),
    [(case, builder, missing) for case in ALL_CASES for builder, missing in case.missing],
    ids=lambda value: getattr(value, "strategy", None) or getattr(value, "__name__", "conditions"),
)


def test_cases_name_all_strategies_and_their_27_conditions() -> None:
    assert tuple(case.strategy for case in CASES) == STRATEGIES
    assert tuple(tuple(case.fails) for case in CASES) == CONDITIONS
    assert sum(len(case.fails) for case in CASES) == 27


@by_strategy
def test_strategy_with_all_conditions_held_votes_buy(case: Case) -> None:
    tape, engine = case.buy(), engine_of()
    play(engine, tape)
    vote = last_ballot(engine, case.strategy, tape)
    assert vote.side == "BUY"
    assert vote.buy == dict.fromkeys(case.conditions, True)
    assert False in vote.sell.values()
    assert vote.close == tape.close
    assert vote.stop < vote.close < vote.target
    assert 0.5 < vote.strength <= 1.0
    assert 0.6 <= vote.confidence <= 1.0

    features = engine.features(0)
    assert features is not None
    assert features.atr is not None
    assert (vote.stop, vote.target) == pytest.approx(
        case.exits(vote.close, features.atr), rel=1e-12
    )


@by_condition
def test_strategy_with_one_condition_failed_holds(case: Case, condition: str) -> None:
    vote = ballot(case.strategy, case.fails[condition]())
    failed = case.together.get(condition, frozenset({condition}))
    assert vote.buy == {name: name not in failed for name in case.conditions}
    assert vote.side == "HOLD"
    assert (vote.strength, vote.confidence) == (0.0, 0.0)
    assert math.isnan(vote.stop)
    assert math.isnan(vote.target)


@by_strategy
def test_strategy_on_the_mirrored_tape_votes_sell(case: Case) -> None:
    vote = ballot(case.strategy, case.sell())
    assert vote.side == "SELL"
    assert vote.sell == dict.fromkeys(case.conditions, True)
    assert False in vote.buy.values()
    assert vote.target < vote.close < vote.stop


@by_missing
def test_strategy_without_an_input_abstains(
    case: Case, builder: Builder, missing: frozenset[str]
) -> None:
    vote = ballot(case.strategy, builder())
    assert vote.side == "HOLD"
    assert {name for name, state in vote.buy.items() if state is None} == missing
    assert {name for name, state in vote.sell.items() if state is None} == missing
