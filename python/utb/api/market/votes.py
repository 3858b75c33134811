"""The eight votes of an instrument, what came of them and why, in words."""

from utb.api.market.schemas import ConditionRow, DecisionNow, VoteRow, Votes
from utb.api.shown import timeframe_of, when
from utb.api.world import World
from utb.domain.market import Instrument
from utb.domain.names import CONDITIONS, STRATEGIES, HoldReason
from utb.telemetry.market import Evaluation, InstrumentView, Vote


def votes(world: World, instrument: Instrument) -> Votes:
    """Return the votes of now."""
    view = world.replica.market.view(instrument.index)
    evaluation = None if view is None else view.evaluation
    return Votes(
        symbol=instrument.symbol,
        bar_time=None if evaluation is None else when(evaluation.bar_open_ns),
        timeframe=timeframe_of(world.replica, world, instrument.index),
        regime=None if view is None else view.regime,
        votes=rows(world, view),
        decision=decision(world, instrument, evaluation),
    )


def rows(world: World, view: InstrumentView | None) -> tuple[VoteRow, ...]:
    """Return the votes in the order of the strategies."""
    base = world.config.strategies.weights
    if view is None or not view.votes:
        return tuple(_unknown(index, weight) for index, weight in enumerate(base))
    voted = zip(view.votes, base, strict=False)
    return tuple(_row(vote, weight) for vote, weight in voted)


def _row(vote: Vote, base_weight: float) -> VoteRow:
    found = tuple(
        ConditionRow(name=c.name, held=c.held, op=c.op, value=c.value, limit=c.limit)
        for c in vote.conditions
    )
    missing = [c.name for c in found if c.held is None]
    return VoteRow(
        strategy=vote.strategy,
        side=vote.side,
        latest=vote.latest,
        strength=vote.strength,
        confidence=vote.confidence,
        weight=vote.weight,
        base_weight=base_weight,
        stop=vote.stop,
        target=vote.target,
        conditions=found,
        abstains=f"no input for {', '.join(missing)}" if missing else None,
    )


def _unknown(index: int, weight: float) -> VoteRow:
    names = CONDITIONS[index]
    return VoteRow(
        strategy=STRATEGIES[index],
        side="HOLD",
        latest="HOLD",
        strength=0.0,
        confidence=0.0,
        weight=None,
        base_weight=weight,
        stop=None,
        target=None,
        conditions=tuple(
            ConditionRow(name=name, held=None, op=None, value=None, limit=None) for name in names
        ),
        abstains="no evaluation yet",
    )


def decision(world: World, instrument: Instrument, last: Evaluation | None) -> DecisionNow:
    """Return the ensemble's latest word with its limits."""
    ensemble = world.config.ensemble
    last = last if last is not None else Evaluation(0, 0, "HOLD", HoldReason.WARM_UP)
    return DecisionNow(
        side=last.side,
        hold=last.hold,
        lead=last.lead,
        leaning=last.leaning,
        consensus=last.consensus,
        min_consensus=_or(last.min_consensus, ensemble.min_consensus),
        confidence=last.confidence,
        min_confidence=_or(last.min_confidence, world.config.trading.min_confidence),
        participation=last.participation,
        min_participation=_or(last.min_participation, ensemble.min_participation),
        sentence=f"{instrument.symbol}: {why(world, last)}",
    )


def note(world: World, instrument: Instrument) -> str:
    """Return a few words on what the bot does with an instrument."""
    view = world.replica.market.view(instrument.index)
    if view is None or view.evaluation is None:
        return "no evaluation yet"
    return why(world, view.evaluation)


def why(world: World, last: Evaluation) -> str:
    """Return why the ensemble did what it did, with the number against its limit."""
    if last.hold is None:
        lead = f" · led by {last.lead}" if last.lead is not None else ""
        return f"{last.side.lower()}{lead}"
    ensemble, trading = world.config.ensemble, world.config.trading
    compared = {
        HoldReason.LOW_CONSENSUS: (
            "consensus",
            last.consensus,
            _or(last.min_consensus, ensemble.min_consensus),
        ),
        HoldReason.LOW_CONFIDENCE: (
            "confidence",
            last.confidence,
            _or(last.min_confidence, trading.min_confidence),
        ),
        HoldReason.LOW_PARTICIPATION: (
            "turnout",
            last.participation,
            _or(last.min_participation, ensemble.min_participation),
        ),
    }
    if last.hold in compared:
        name, value, limit = compared[HoldReason(last.hold)]
        known = "too low," if value is None else f"{value:.2f} of"
        return f"hold · {name} {known} {limit:.2f} needed"
    words = {HoldReason.WARM_UP: "warming up", HoldReason.NO_VOTES: "no votes stand"}
    return f"hold · {words.get(HoldReason(last.hold), last.hold)}"


def _or(value: float | None, other: float) -> float:
    return other if value is None else value
