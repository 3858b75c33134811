"""Episodes: what happens in one market, as legs on a time axis of 15-minute bars.

An episode is drawn with its outcome, so each kind of set-up sometimes pays and sometimes fails.
Legs say what drives prices, whale flows and sentiment while they last; everything between them is
the market's own noise. Where a flow leads the price, the flow leg begins before the price leg:
that is the only place where the market "knows" something early, and only with odds.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np


class PriceLeg(NamedTuple):
    """A stretch of price behaviour."""

    begin: float
    """Bars since the market's beginning."""
    end: float
    drift: float
    """Expected log return per bar, in standard deviations of a calm bar."""
    noise: float = 1.0
    """Factor on the noise."""
    volume: float = 1.0
    """Factor on the volume."""
    push: float = 0.0
    """Push of the price away from its fair value over the leg, in spread deviations."""


class FlowLeg(NamedTuple):
    """A stretch of whale activity."""

    begin: float
    end: float
    per_hour: float
    """Large transactions per hour."""
    buy_share: float


class MoodLeg(NamedTuple):
    """A stretch of sentiment."""

    begin: float
    end: float
    overall: float
    """Level that sentiment moves to, 0..1."""
    news_per_hour: float
    """News items per hour, positive if `overall` is above one half."""
    social: float
    """Percentile of mentions, 0..1."""


class Episode(NamedTuple):
    """The legs of one episode, and when it is over."""

    kind: str
    begin: float
    end: float
    price: list[PriceLeg]
    flow: list[FlowLeg]
    mood: list[MoodLeg]


class _Draw:
    """Collects the legs of one episode, one after the other."""

    def __init__(self, rng: np.random.Generator, begin: float) -> None:
        self.rng = rng
        self.at = begin
        self.price: list[PriceLeg] = []
        self.flow: list[FlowLeg] = []
        self.mood: list[MoodLeg] = []

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def leg(
        self, bars: float, drift: float, *, noise: float = 1.0, volume: float = 1.0, push: float = 0
    ) -> None:
        """Append a price leg and move on."""
        self.price.append(PriceLeg(self.at, self.at + bars, drift, noise, volume, push))
        self.at += bars

    def whales(self, offset: float, bars: float, *, buy_share: float) -> None:
        """Add whale activity that begins `offset` bars from the present place."""
        begin = self.at + offset
        self.flow.append(FlowLeg(begin, begin + bars, self.between(9, 16), buy_share))

    def news(self, offset: float, bars: float, *, overall: float) -> None:
        """Add a news story that begins `offset` bars from the present place."""
        begin = self.at + offset
        rate = self.between(3.0, 6.0)
        social = self.between(0.80, 0.98)
        self.mood.append(MoodLeg(begin, begin + bars, overall, rate, social))


def _squeeze_breakout(draw: _Draw) -> None:
    """Quiet for hours, then a burst with volume; it runs on, or falls back."""
    draw.leg(draw.between(28, 44), 0.0, noise=0.42, volume=0.6)
    draw.leg(draw.between(2, 3), draw.between(4.0, 5.2), noise=1.1, volume=5.0)
    if draw.chance(0.52):
        draw.leg(draw.between(10, 18), 0.5, noise=1.1, volume=1.7)
    else:
        draw.leg(draw.between(5, 8), -1.2, noise=1.2, volume=1.5)


def _run_up(draw: _Draw) -> None:
    """A steady rise that accelerates with volume; then more of it, or profit taking."""
    draw.leg(draw.between(34, 48), 0.34, noise=0.75, volume=1.0)
    draw.leg(draw.between(4, 6), 1.35, noise=0.9, volume=2.8)
    if draw.chance(0.55):
        draw.leg(draw.between(8, 14), 0.6, noise=1.0, volume=1.5)
    draw.leg(draw.between(6, 10), -0.9, noise=1.1, volume=1.4)


def _trend(draw: _Draw) -> None:
    """Legs up with pullbacks between them, and an end."""
    for _ in range(int(draw.rng.integers(3, 6))):
        draw.leg(draw.between(13, 20), 0.50, noise=0.7, volume=1.3)
        draw.leg(draw.between(4, 7), -0.50, noise=0.65, volume=0.8)
    draw.leg(draw.between(3, 5), 1.1, noise=0.8, volume=2.2)
    draw.leg(draw.between(14, 24), -0.55 if draw.chance(0.75) else 0.3)


def _slide(draw: _Draw) -> None:
    """Legs down with bounces between them, and a floor."""
    for _ in range(int(draw.rng.integers(3, 5))):
        draw.leg(draw.between(13, 20), -0.52, noise=0.8, volume=1.2)
        draw.leg(draw.between(4, 7), 0.45, noise=0.7, volume=0.9)
    draw.leg(draw.between(8, 12), 0.2)


def _breakdown(draw: _Draw) -> None:
    """Quiet for hours, then a break downwards with volume."""
    draw.leg(draw.between(28, 44), 0.0, noise=0.5, volume=0.6)
    draw.leg(draw.between(2, 3), draw.between(-4.6, -3.6), noise=1.1, volume=4.5)
    draw.leg(draw.between(8, 14), -0.5 if draw.chance(0.6) else 0.6, noise=1.1, volume=1.5)


def _flush(draw: _Draw) -> None:
    """A sharp fall with volume, below fair value; it recovers, or falls on."""
    draw.leg(draw.between(2, 3), -2.6, noise=1.5, volume=4.5, push=-2.0)
    draw.leg(2, -0.3, noise=1.2, volume=2.5)
    if draw.chance(0.58):
        draw.leg(draw.between(10, 16), 0.55, noise=1.0, volume=1.3)
    else:
        draw.leg(draw.between(8, 12), -0.7, noise=1.1, volume=1.5)


def _accumulation(draw: _Draw) -> None:
    """Whales buy quietly, news follows, then with odds the price; selling may end it."""
    begin = draw.at
    draw.whales(0, draw.between(8, 12), buy_share=0.86)
    draw.news(draw.between(2, 4), draw.between(8, 12), overall=draw.between(0.80, 0.92))
    draw.leg(4, 0.05, noise=0.9, volume=1.1)
    good = draw.chance(0.62)
    draw.leg(draw.between(12, 18), 0.42 if good else -0.30, volume=1.4)
    if draw.chance(0.55):
        draw.whales(-2, draw.between(8, 12), buy_share=0.13)
        draw.news(-1, draw.between(8, 12), overall=draw.between(0.10, 0.22))
        draw.leg(draw.between(8, 12), -0.40, volume=1.4)
    draw.at = max(draw.at, begin + 20)


def _news(draw: _Draw) -> None:
    """A burst of whale buying that ends, then a story that lifts the mood."""
    draw.whales(0, 4, buy_share=0.86)
    draw.leg(6, 0.1)
    draw.news(0, draw.between(8, 12), overall=draw.between(0.82, 0.94))
    good = draw.chance(0.62)
    draw.leg(draw.between(12, 18), 0.45 if good else -0.35, volume=1.5)


def _dislocation(draw: _Draw) -> None:
    """The price falls below its fair value; it comes back, or fair value follows it."""
    draw.whales(-6, 3, buy_share=0.84)
    draw.leg(draw.between(4, 6), -0.15, noise=0.7, volume=1.3, push=-4.2)
    if draw.chance(0.62):
        draw.leg(draw.between(14, 20), 0.08, noise=0.7)
    else:
        draw.leg(draw.between(7, 10), -0.75, noise=0.9, volume=1.2)


def _retest(draw: _Draw) -> None:
    """A low is tested again after whales bought, and refused within a bar; it holds, or breaks."""
    draw.leg(4, -0.9, noise=0.6)
    draw.leg(5, 0.65, noise=0.6)
    draw.whales(-6, 3, buy_share=0.86)
    draw.leg(3, -0.85, noise=0.5)
    draw.leg(0.45, -3.2, noise=0.6, volume=2.0)
    draw.leg(0.55, 4.0, noise=0.6, volume=2.0)
    draw.leg(draw.between(2, 3), 0.9, noise=0.6, volume=1.6)
    if draw.chance(0.52):
        draw.leg(draw.between(8, 14), 0.45, volume=1.2)
    else:
        draw.leg(draw.between(7, 10), -0.7, volume=1.3)


def _distribution(draw: _Draw) -> None:
    """Whales sell into bad news."""
    draw.whales(0, draw.between(8, 12), buy_share=0.13)
    draw.news(2, draw.between(8, 12), overall=draw.between(0.08, 0.20))
    draw.leg(4, 0.0)
    draw.leg(draw.between(10, 16), -0.42 if draw.chance(0.65) else 0.2, volume=1.4)


def _flash_dip(draw: _Draw) -> None:
    """A hole in the book: a fall within minutes, most of it taken back within the hour."""
    draw.leg(0.3, draw.between(-60, -48), noise=1.5, volume=9.0)
    draw.leg(1.2, draw.between(8, 11), noise=1.5, volume=6.0)
    draw.leg(draw.between(8, 12), 0.1, noise=1.3, volume=1.5)


_KINDS: Final[tuple[tuple[float, Callable[[_Draw], None]], ...]] = (
    (0.14, _squeeze_breakout),
    (0.11, _run_up),
    (0.08, _trend),
    (0.11, _slide),
    (0.07, _breakdown),
    (0.10, _flush),
    (0.11, _accumulation),
    (0.11, _news),
    (0.10, _dislocation),
    (0.09, _retest),
    (0.06, _distribution),
    (0.02, _flash_dip),
)
_CUMULATIVE: Final = np.cumsum([weight for weight, _ in _KINDS])


class Schedule:
    """The episodes of one market, drawn one after the other as far as they are asked for."""

    def __init__(self, rng: np.random.Generator, *, first: float) -> None:
        """Draw from `rng`; the first episode begins after bar `first`."""
        self._rng = rng
        self._free_from = first
        self._episodes: list[Episode] = []

    def overlapping(self, begin: float, end: float) -> list[Episode]:
        """Return the episodes that touch bars [begin, end); times may only move forward."""
        while self._free_from < end:
            self._draw()
        self._episodes = [episode for episode in self._episodes if episode.end > begin]
        return [episode for episode in self._episodes if episode.begin < end]

    def _draw(self) -> None:
        begin = self._free_from + float(self._rng.uniform(8, 28))
        draw = _Draw(self._rng, begin)
        place = self._rng.random() * _CUMULATIVE[-1]
        episode_of = _KINDS[int(np.searchsorted(_CUMULATIVE, place))][1]
        episode_of(draw)
        legs: list[PriceLeg | FlowLeg | MoodLeg] = [*draw.price, *draw.flow, *draw.mood]
        first = min(leg.begin for leg in legs)
        last = max(leg.end for leg in legs)
        name = episode_of.__name__.lstrip("_")
        self._episodes.append(Episode(name, first, last, draw.price, draw.flow, draw.mood))
        self._free_from = draw.at


class Regime(NamedTuple):
    """State of the whole market for some hours."""

    name: str
    begin: float
    end: float
    drift: float
    """Of the market factor, per bar, in its standard deviations."""
    noise: float
    volume: float


_REGIMES: Final = (
    (0.28, "trend up", 0.09, 0.9, 1.1),
    (0.22, "trend down", -0.10, 1.0, 1.0),
    (0.34, "range", 0.0, 0.75, 0.8),
    (0.16, "turbulent", -0.02, 1.7, 1.6),
)
_REGIME_CUMULATIVE: Final = np.cumsum([row[0] for row in _REGIMES])


class RegimeSchedule:
    """Regimes of the whole market, one after the other."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._regimes: list[Regime] = []
        self._until = 0.0

    def overlapping(self, begin: float, end: float) -> list[Regime]:
        """Return the regimes that touch bars [begin, end); times may only move forward."""
        while self._until < end:
            place = self._rng.random() * _REGIME_CUMULATIVE[-1]
            _, name, drift, noise, volume = _REGIMES[
                int(np.searchsorted(_REGIME_CUMULATIVE, place))
            ]
            until = self._until + float(self._rng.uniform(28, 110))
            self._regimes.append(Regime(name, self._until, until, drift, noise, volume))
            self._until = until
        self._regimes = [regime for regime in self._regimes if regime.end > begin]
        return [regime for regime in self._regimes if regime.begin < end]
