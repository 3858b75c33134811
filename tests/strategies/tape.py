"""Tapes of constructed prices, and what the compiled pipeline votes at their last bar.

A tape is drawn in 15m bars, the strategy timeframe of the template, each starting where the one
before closed. It enters as 5m bars (the momentum strategy looks at 5m, 15m and 1h), four events
each, as recorded bars do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np

from utb.config.instruments import instruments
from utb.config.load import defaults, parse_text
from utb.domain.engine import EngineEvent
from utb.domain.names import CONDITIONS, STRATEGIES, Regime
from utb.engine import Bars, Engine, build_params, explode, instruments_document

START_NS = 1_704_067_200_000_000_000
"""2024-01-01T00:00Z: the bars of all timeframes start here."""
MINUTE_NS = 60_000_000_000
BAR_NS = 15 * MINUTE_NS
PIECE_NS = 5 * MINUTE_NS
GRACE_NS = 500_000_000

START = 100.0
VOLUME = 900.0
"""Of a bar without a volume of its own: 300 in each 5m piece, so that sums are exact."""
WICK = 0.1
"""How far a bar goes beyond its body on both sides."""

SIDES = ("HOLD", "BUY", "SELL")
STATES = (None, False, True)
"""A condition by its code: missing, failed, held."""


@dataclass(frozen=True)
class Candle:
    """A 15m bar."""

    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True)
class Tape:
    """Bars from `START` on, and the slow inputs known when the last one closes."""

    bars: tuple[Candle, ...] = ()
    contexts: tuple[tuple[bytes, int], ...] = ()
    """JSON of a context, and its age at the last close in nanoseconds."""

    @property
    def close(self) -> float:
        """The last close."""
        return self.bars[-1].close if self.bars else START

    @property
    def end_ns(self) -> int:
        """The end of the last bar."""
        return START_NS + len(self.bars) * BAR_NS

    def bar(
        self, move: float, *, volume: float = VOLUME, upper: float = WICK, lower: float = WICK
    ) -> "Tape":
        """Add a bar that closes `move` from its open, with wicks beyond its body."""
        opened, close = self.close, self.close + move
        high, low = max(opened, close) + upper, min(opened, close) - lower
        return replace(self, bars=(*self.bars, Candle(opened, high, low, close, volume)))

    def bars_of(self, *moves: float, times: int = 1, wick: float = WICK) -> "Tape":
        """Add bars with these moves, the whole row `times` times."""
        tape = self
        for move in moves * times:
            tape = tape.bar(move, upper=wick, lower=wick)
        return tape

    def knowing(self, kind: str, *, age_ns: int = 0, **fields: float) -> "Tape":
        """Add a slow input, made `age_ns` before the last close."""
        document = msgspec.json.encode({"kind": kind, **fields})
        return replace(self, contexts=(*self.contexts, (document, age_ns)))

    def mirrored(self) -> "Tape":
        """Turn prices upside down around the start; volumes and slow inputs stay."""

        def turned(price: float) -> float:
            return 2 * START - price

        bars = tuple(
            Candle(turned(b.open), turned(b.low), turned(b.high), turned(b.close), b.volume)
            for b in self.bars
        )
        return replace(self, bars=bars)

    def records(self) -> bytes:
        """Return the event records: each bar as three 5m ones on a line from open to close.

        The wicks belong to the one in the middle.
        """
        rows = [row for bar in self.bars for row in _pieces(bar)]
        columns = np.array(rows, dtype=np.float64).reshape(-1, 5).T
        times = START_NS + PIECE_NS * np.arange(len(rows), dtype=np.int64)
        opened, high, low, close, volume = columns
        bars = Bars(ts_ns=times, open=opened, high=high, low=low, close=close, volume=volume)
        return explode(bars, span_ns=PIECE_NS, instrument=0)


@dataclass(frozen=True)
class Ballot:
    """One strategy's vote at the last closed bar."""

    side: str
    buy: Mapping[str, bool | None]
    """BUY conditions by name: True held, False failed, None missing an input."""
    sell: Mapping[str, bool | None]
    close: float
    stop: float
    target: float
    strength: float
    confidence: float


Builder = Callable[[], Tape]


@dataclass(frozen=True)
class Case:
    """The tapes of one strategy."""

    strategy: str
    buy: Builder
    """It votes BUY with all conditions held."""
    sell: Builder
    """It votes SELL with all mirrored conditions held."""
    fails: Mapping[str, Builder]
    """By condition: only that one fails."""
    missing: tuple[tuple[Builder, frozenset[str]], ...]
    """Tapes that lack an input, and the conditions that are unknown for it."""
    exits: Callable[[float, float], tuple[float, float]]
    """Stop and target of the BUY tape, from its close and its ATR."""
    together: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Conditions that cannot fail alone, and what fails with them on the nearest tape."""

    @property
    def conditions(self) -> tuple[str, ...]:
        """Names of the strategy's conditions."""
        return CONDITIONS[STRATEGIES.index(self.strategy)]


def _pieces(bar: Candle) -> list[tuple[float, float, float, float, float]]:
    third = (bar.close - bar.open) / 3
    stops = (bar.open, bar.open + third, bar.open + 2 * third, bar.close)
    rows = []
    for number, (start, end) in enumerate(pairwise(stops)):
        high, low = max(start, end), min(start, end)
        if number == 1:
            high = bar.high if bar.high > max(bar.open, bar.close) else high
            low = bar.low if bar.low < min(bar.open, bar.close) else low
        rows.append((start, high, low, end, bar.volume / 3))
    return rows


@cache
def _documents(config_text: str, weights: tuple[float, ...] | None) -> tuple[bytes, bytes]:
    config = parse_text(config_text) if config_text else defaults()
    row = weights or tuple(getattr(config.strategies, name) for name in STRATEGIES)
    return (
        build_params(config, 1, [row] * len(Regime)),
        instruments_document(config, instruments(config)[:1]),
    )


def engine_of(config_text: str = "", weights: tuple[float, ...] | None = None) -> Engine:
    """Return an engine of one instrument with the template's parameters, logging votes.

    Args:
        config_text: TOML that replaces values of the template.
        weights: Of the strategies, in every regime; None = the configured ones.
    """
    engine = Engine(*_documents(config_text, weights), finest="5m")
    engine.log(votes=True)
    return engine


def play(engine: Engine, tape: Tape, *, contexts_first: bool = False) -> list[EngineEvent]:
    """Run a tape to the close of its last bar, and return what the engine told.

    The slow inputs arrive just before that close, or before the first price.
    """
    if contexts_first:
        _tell_contexts(engine, tape)
    replay = engine.replay(tape.records())
    told: list[EngineEvent] = []
    done = 0
    while done < len(replay):
        done, events = replay.advance(done, tape.end_ns - 1)
        told.extend(events)
    if not contexts_first:
        _tell_contexts(engine, tape)
    return told + engine.advance_to(tape.end_ns + GRACE_NS)


def _tell_contexts(engine: Engine, tape: Tape) -> None:
    for document, age_ns in tape.contexts:
        engine.set_context(0, document, tape.end_ns - age_ns)


def ballot(strategy: str, tape: Tape) -> Ballot:
    """Return a strategy's vote at the close of the last bar of a tape."""
    engine = engine_of()
    play(engine, tape)
    return last_ballot(engine, strategy, tape)


def last_ballot(engine: Engine, strategy: str, tape: Tape) -> Ballot:
    """Return a strategy's newest vote, which must be of the last bar of the tape."""
    number = STRATEGIES.index(strategy)
    votes = engine.drain_votes()
    vote: Any = votes[votes["strategy"] == number][-1]
    assert vote["ts_ns"] == tape.end_ns - BAR_NS
    names = CONDITIONS[number]
    return Ballot(
        side=SIDES[vote["side"]],
        buy={name: STATES[code] for name, code in zip(names, vote["buy"], strict=False)},
        sell={name: STATES[code] for name, code in zip(names, vote["sell"], strict=False)},
        close=float(vote["close"]),
        stop=float(vote["stop"]),
        target=float(vote["target"]),
        strength=float(vote["strength"]),
        confidence=float(vote["confidence"]),
    )
