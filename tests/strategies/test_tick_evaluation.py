"""`evaluate = "tick"` acts inside the bar, `"close"` at its end.

Statistical arbitrage alone decides here (its weight is 1): the fair price is 100 from the last
bar's open on, a residual deviation is 1 %, so a price below 100 x exp(-0.02) = 98.02 is z < -2.
The basket ages by half its 30 minutes until the bar closes, and its probability of 0.8 as a
confidence with it: 0.39 at the close, so the least confidence is lowered to 0.3.
"""

from tape import BAR_NS, GRACE_NS, PIECE_NS, Tape, engine_of, play

from utb.domain.engine import DecisionMade
from utb.domain.names import STRATEGIES
from utb.engine import Engine

STRATEGY = "statistical_arbitrage"
NUMBER = STRATEGIES.index(STRATEGY)
ALONE = tuple(float(name == STRATEGY) for name in STRATEGIES)
CLOSE = "[trading]\nmin_confidence = 0.3\n"
TICK = f'{CLOSE}[strategies.evaluate]\n{STRATEGY} = "tick"\n'
THIRD_NS = PIECE_NS // 3


def _told_at_open(market: Tape) -> Tape:
    return market.knowing(
        "hedge", age_ns=BAR_NS, fair_price=100.0, residual_std=0.01, reversion_probability=0.8
    )


def _dip() -> Tape:
    """Touch 97 in the middle 5m of the last bar, and close where it opened: at 100."""
    return _told_at_open(Tape().bars_of(0.5, -0.5, times=20).bar(0.0, lower=3.0))


def _fall() -> Tape:
    """Fall in a straight line to 97 and stay there."""
    return _told_at_open(Tape().bars_of(0.5, -0.5, times=20).bar(-3.0, upper=0.0, lower=0.0))


def _decisions(engine: Engine, tape: Tape) -> list[DecisionMade]:
    told = play(engine, tape, contexts_first=True)
    return [event for event in told if isinstance(event, DecisionMade)]


def test_tick_strategy_at_a_dip_inside_the_bar_decides_there() -> None:
    tape = _dip()
    engine = engine_of(TICK, ALONE)
    [decision] = _decisions(engine, tape)
    # The middle 5m piece opens and closes at 100: its low comes at a third of it.
    assert decision.ts_ns == tape.end_ns - BAR_NS + PIECE_NS + THIRD_NS
    assert decision.bar_open_ns == tape.end_ns - BAR_NS
    assert (decision.side, decision.lead, decision.price) == ("BUY", NUMBER, 97.0)
    assert decision.target == 100.0
    assert decision.votes[NUMBER].conditions == "TTT"
    assert engine.counters()["tick_evaluations"] > 0


def test_close_strategy_at_a_dip_inside_the_bar_never_decides() -> None:
    engine = engine_of(CLOSE, ALONE)
    assert _decisions(engine, _dip()) == []
    assert engine.counters()["tick_evaluations"] == 0


def test_tick_strategy_at_the_close_after_the_dip_holds_as_the_other() -> None:
    for engine in (engine_of(TICK, ALONE), engine_of(CLOSE, ALONE)):
        play(engine, _dip(), contexts_first=True)
        votes = engine.drain_votes()
        last = votes[votes["strategy"] == NUMBER][-1]
        assert last["close"] == 100.0
        assert (last["side"], last["buy"].tolist()) == (0, [1, 2, 1, 0])


def test_tick_strategy_in_a_fall_decides_at_the_first_price_beyond_two_deviations() -> None:
    tape = _fall()
    inside, at_close = _decisions(engine_of(TICK, ALONE), tape)
    # The line passes 99 and 98 after 5 and 10 minutes; 98 is the low of the second piece, which
    # fell, so it comes at two thirds of it. Lower prices of the bar add none: that decision used
    # the vote up. The close brings a new one.
    assert inside.ts_ns == tape.end_ns - BAR_NS + PIECE_NS + 2 * THIRD_NS
    assert (inside.side, inside.price) == ("BUY", 98.0)
    assert (at_close.ts_ns, at_close.price) == (tape.end_ns + GRACE_NS, 97.0)


def test_close_strategy_in_a_fall_decides_when_the_bar_closes() -> None:
    tape = _fall()
    [decision] = _decisions(engine_of(CLOSE, ALONE), tape)
    assert decision.ts_ns == tape.end_ns + GRACE_NS
    assert (decision.side, decision.price) == ("BUY", 97.0)
