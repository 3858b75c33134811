"""Context of the generated market: whales, sentiment, forecast, hedge basket, other venue.

Each update describes what has happened up to its time: flows are sums over the trailing hour,
sentiment and its momentum follow their own past, the forecaster's skill is measured on its own
settled forecasts, and prices are those of the last finished slot.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from utb.simnet.grid import (
    BAR_S,
    CHUNK_BARS,
    CHUNK_FLOWS,
    CHUNK_MOODS,
    CHUNK_S,
    FLOW_S,
    MOOD_S,
    SECOND_NS,
    START_NS,
    Grid,
)
from utb.simnet.paths import SPREAD_HALF_LIFE_BARS, Array, Path, stream
from utb.simnet.profiles import PROFILES

VENUE_S: Final = 150
"""Seconds between two prices of the other venue."""
FORECAST_S: Final = 3600

_TAG_CONTEXT: Final = 4
_HOUR_FLOWS: Final = 3600 // FLOW_S
_HOUR_MOODS: Final = 3600 // MOOD_S
_MOMENTUM_MOODS: Final = 6 * _HOUR_MOODS
_QUIET_WHALES_PER_HOUR: Final = 0.35
_WHALE_USD: Final = 190_000.0
_WHALE_USD_MIN: Final = 100_000.0
_HEARTBEAT_FLOWS: Final = 6
"""An idle instrument's flows are repeated every half hour."""
_HEDGE_FROM_BAR: Final = 48
"""The basket needs half a day of bars before it says anything."""
_HEDGE_NOISE: Final = 0.0004
_VENUE_NOISE: Final = 0.0006
_VENUE_SHARE: Final = 0.25
"""Part of the spread that other venues share."""
_FORECAST_HOURS: Final = 3
_FORECAST_SETTLED_MIN: Final = 24


class Rows(NamedTuple):
    """Updates of one kind: one entry per update, all arrays of one length."""

    ts_ns: NDArray[np.int64]
    instrument: NDArray[np.int64]
    kind: str
    columns: tuple[NDArray[np.float64] | NDArray[np.int64], ...]


def payloads(rows: Rows) -> list[bytes]:
    """Return the JSON of each update, as `utb_types::Context` reads it."""
    form = _FORMS[rows.kind]
    return [form % values for values in zip(*(c.tolist() for c in rows.columns), strict=True)]


_FORMS: Final = {
    "whale": b'{"kind":"whale","buys_usd":%.2f,"sells_usd":%.2f,"wallets":%d,"outflow_usd":%.2f}',
    "sentiment": b'{"kind":"sentiment","overall":%.4f,"momentum":%.4f,"social_volume":%.4f,'
    b'"news_positive":%d,"news_negative":%d}',
    "forecast": b'{"kind":"forecast","p_up":%.4f,"skill":%.4f}',
    "hedge": b'{"kind":"hedge","fair_price":%.9g,"residual_std":%.6g,"reversion_probability":%.4f}',
    "venue": b'{"kind":"venue","price":%.9g}',
}


class ContextWalk:
    """Derives each chunk's context from its path; carries what has a memory."""

    def __init__(self, seed: int, grid: Grid) -> None:
        self._seed = seed
        self._grid = grid
        self._whales = _Whales()
        self._moods = _Moods()
        self._forecasts = _Forecasts()

    def step(self, path: Path) -> list[Rows]:
        """Return the updates of the chunk that `path` describes; chunks come in order."""
        rng = stream(self._seed, _TAG_CONTEXT, path.chunk)
        return [
            self._whales.step(rng, path),
            self._moods.step(rng, path),
            self._forecasts.step(path, self._grid),
            _hedge(rng, path, self._grid),
            _venue(rng, path, self._grid),
        ]


def reversion_probability(z: Array) -> Array:
    """Return the probability that in 24 bars the spread is less than half as far from zero.

    Under the spread's own Ornstein-Uhlenbeck process: x in 24 bars is normal around a x with
    deviation s sqrt(1 - a^2), a = 0.5 ^ (24 / half-life). Read from a table of |z| up to 8.
    """
    return np.interp(np.abs(z), _TABLE_Z, _TABLE_PROBABILITY)


def _table() -> tuple[Array, Array]:
    keep = 0.5 ** (24 / SPREAD_HALF_LIFE_BARS)
    width = math.sqrt(1 - keep * keep)
    z = np.linspace(0.0, 8.0, 401)

    def phi(x: float) -> float:
        return 0.5 * (1 + math.erf(x / math.sqrt(2)))

    probability = [phi((0.5 - keep) * x / width) - phi((-0.5 - keep) * x / width) for x in z]
    return z, np.array(probability)


_TABLE_Z, _TABLE_PROBABILITY = _table()


class _Whales:
    """Large transactions in steps of five minutes; sums over the trailing hour."""

    def __init__(self) -> None:
        self._past = np.zeros((4, len(PROFILES), _HOUR_FLOWS - 1))

    def step(self, rng: np.random.Generator, path: Path) -> Rows:
        asked = path.conditions
        rate = np.nan_to_num(asked.flow_per_hour, nan=_QUIET_WHALES_PER_HOUR)
        share = np.nan_to_num(asked.flow_buy_share, nan=0.5)
        number = rng.poisson(rate * FLOW_S / 3600.0)
        bought = rng.binomial(number, share)
        sold = number - bought
        sizes = np.exp(rng.normal(0.0, 0.5, (2, *number.shape))) * _WHALE_USD
        sizes = np.maximum(sizes, _WHALE_USD_MIN)
        buys, sells = bought * sizes[0], sold * sizes[1]
        moved = rng.uniform(0.3, 0.7, number.shape)
        outflow = (buys - sells) * moved + rng.normal(0.0, 30_000.0, number.shape) * (number > 0)
        steps = np.stack([buys, sells, np.ceil(0.8 * number), outflow])
        known = np.concatenate([self._past, steps], axis=2)
        self._past = known[:, :, -(_HOUR_FLOWS - 1) :]
        hours = np.lib.stride_tricks.sliding_window_view(known, _HOUR_FLOWS, axis=2).sum(axis=3)
        left = known[2, :, :CHUNK_FLOWS] > 0
        heartbeat = np.arange(CHUNK_FLOWS) % _HEARTBEAT_FLOWS == _HEARTBEAT_FLOWS - 1
        instrument, flow = np.nonzero((number > 0) | left | heartbeat)
        columns = [hours[row, instrument, flow] for row in range(4)]
        ts_ns = _times(path.chunk, instrument, (flow + 1) * FLOW_S - 10)
        wallets = np.minimum(columns[2], 60).astype(np.int64)
        return Rows(ts_ns, instrument, "whale", (columns[0], columns[1], wallets, columns[3]))


class _Moods:
    """Sentiment in steps of twenty minutes."""

    def __init__(self) -> None:
        count = len(PROFILES)
        self._overall = np.full(count, 0.5)
        self._past_overall = np.full((count, _MOMENTUM_MOODS), 0.5)
        self._past_news = np.zeros((2, count, _HOUR_MOODS - 1), dtype=np.int64)

    def step(self, rng: np.random.Generator, path: Path) -> Rows:
        asked = path.conditions
        shape = asked.mood_overall.shape
        story = ~np.isnan(asked.mood_overall)
        goal = np.nan_to_num(asked.mood_overall, nan=0.5)
        pace = np.where(story, 0.5, 0.10)
        steps = rng.normal(0.0, 0.02, shape)
        overall = np.empty(shape)
        for place in range(CHUNK_MOODS):
            gone = pace[:, place] * (goal[:, place] - self._overall)
            self._overall = np.clip(self._overall + gone + steps[:, place], 0.02, 0.98)
            overall[:, place] = self._overall
        known = np.concatenate([self._past_overall, overall], axis=1)
        self._past_overall = known[:, -_MOMENTUM_MOODS:]
        # +0.3 is a rise of 0.15 over six hours.
        momentum = np.clip(2.0 * (overall - known[:, :CHUNK_MOODS]), -1.0, 1.0)
        usual = np.clip(0.42 + rng.normal(0.0, 0.16, shape), 0.02, 0.97)
        loud = np.clip(np.nan_to_num(asked.mood_social) + rng.normal(0, 0.03, shape), 0.05, 0.995)
        social = np.where(story, loud, usual)
        news = self._news(rng, asked.mood_news, goal)
        instrument, place_of = (part.ravel() for part in np.indices(shape))
        ts_ns = _times(path.chunk, instrument, (place_of + 1) * MOOD_S - 12)
        columns = (overall, momentum, social, news[0], news[1])
        return Rows(ts_ns, instrument, "sentiment", tuple(c.ravel() for c in columns))

    def _news(self, rng: np.random.Generator, rate: Array, goal: Array) -> NDArray[np.int64]:
        """Return the (positive, negative) items of the trailing hour."""
        story = np.nan_to_num(rate)
        per_hour = np.stack([story * (goal > 0.5), story * (goal < 0.5)]) + 0.08  # noqa: PLR2004
        items = rng.poisson(per_hour / _HOUR_MOODS)
        known = np.concatenate([self._past_news, items], axis=2)
        self._past_news = known[:, :, -(_HOUR_MOODS - 1) :]
        windows = np.lib.stride_tricks.sliding_window_view(known, _HOUR_MOODS, axis=2)
        total: NDArray[np.int64] = windows.sum(axis=3)
        return total


class _Forecasts:
    """A plain momentum forecaster whose skill is measured on its settled forecasts."""

    def __init__(self) -> None:
        count = len(PROFILES)
        prices = np.log([profile.start_price for profile in PROFILES])
        self._prices = [prices] * _FORECAST_HOURS
        self._said = [np.full(count, 0.5)] * _FORECAST_HOURS
        self._settled = 0
        self._ups = np.zeros(count)
        self._error = np.zeros(count)
        self._error_base = np.zeros(count)

    def step(self, path: Path, grid: Grid) -> Rows:
        count, hours = len(PROFILES), CHUNK_S // FORECAST_S
        sigma = np.array([profile.sigma_bar for profile in PROFILES])
        said, skill = np.empty((hours, count)), np.empty((hours, count))
        for hour in range(hours):
            slot = _last_slot(np.array([(hour + 1) * FORECAST_S - 14]), grid)[0]
            price = np.log(path.price[:, slot])
            move = price - self._prices[0]
            self._settle(move > 0)
            said[hour] = 1 / (1 + np.exp(-0.25 * move / (sigma * math.sqrt(12))))
            skill[hour] = self._skill()
            self._prices = [*self._prices[1:], price]
            self._said = [*self._said[1:], said[hour]]
        place, instrument = (part.ravel() for part in np.indices((hours, count)))
        ts_ns = _times(path.chunk, instrument, (place + 1) * FORECAST_S - 14)
        return Rows(ts_ns, instrument, "forecast", (said.ravel(), skill.ravel()))

    def _settle(self, up: NDArray[np.bool_]) -> None:
        base = (self._ups + 1) / (self._settled + 2)
        self._error += (self._said[0] - up) ** 2
        self._error_base += (base - up) ** 2
        self._ups += up
        self._settled += 1

    def _skill(self) -> Array:
        if self._settled < _FORECAST_SETTLED_MIN:
            return np.zeros(len(PROFILES))
        return np.clip(1 - self._error / self._error_base, -1.0, 1.0)


def _hedge(rng: np.random.Generator, path: Path, grid: Grid) -> Rows:
    """Fair value as the basket shows it, shortly before each bar of 15 minutes ends."""
    seconds = (np.arange(CHUNK_BARS) + 1) * BAR_S - 6
    slots = _last_slot(seconds, grid)
    noise = rng.normal(0.0, _HEDGE_NOISE, (len(PROFILES), CHUNK_BARS))
    fair = path.fair[:, slots] * np.exp(noise)
    std = np.array([[profile.spread_std] for profile in PROFILES])
    z = np.log(path.price[:, slots] / fair) / std
    shown = path.chunk * CHUNK_BARS + np.arange(CHUNK_BARS) >= _HEDGE_FROM_BAR
    instrument, bar = np.nonzero(np.broadcast_to(shown, z.shape))
    ts_ns = _times(path.chunk, instrument, seconds[bar])
    columns = (fair, np.broadcast_to(std, z.shape), reversion_probability(z))
    return Rows(ts_ns, instrument, "hedge", tuple(c[instrument, bar] for c in columns))


def _venue(rng: np.random.Generator, path: Path, grid: Grid) -> Rows:
    """Price on another venue, which follows this one's spread only in part."""
    seconds = (np.arange(CHUNK_S // VENUE_S) + 1) * VENUE_S - 8
    slots = _last_slot(seconds, grid)
    noise = rng.normal(0.0, _VENUE_NOISE, (len(PROFILES), len(seconds)))
    price = path.fair[:, slots] * np.exp(_VENUE_SHARE * path.spread[:, slots] + noise)
    instrument, place = (part.ravel() for part in np.indices(price.shape))
    ts_ns = _times(path.chunk, instrument, seconds[place])
    return Rows(ts_ns, instrument, "venue", (price.ravel(),))


def _last_slot(seconds: NDArray[np.int64], grid: Grid) -> NDArray[np.int64]:
    """Return the last slot of the chunk that is over at `seconds` after its beginning."""
    return seconds // grid.slot_s - 1


def _times(
    chunk: int, instrument: NDArray[np.int64], seconds: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return times in the chunk; instruments follow each other by a fifth of a second."""
    begin = START_NS + chunk * CHUNK_S * SECOND_NS
    return begin + seconds * SECOND_NS + instrument * (SECOND_NS // 5)
