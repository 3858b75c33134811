"""Price paths: fair values from a market factor and own noise, and spreads around them.

log price = level + spread. The level is a random walk: the market factor's share, own noise with
fat tails and clustered volatility, the drift of regimes and episodes, rare jumps, and a weak pull
to the start price. The spread is an Ornstein-Uhlenbeck process that episodes push about: it is
what a hedge basket and other venues would show as a difference.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from utb.simnet.episodes import Episode, Regime, RegimeSchedule, Schedule
from utb.simnet.grid import CHUNK_BARS, CHUNK_FLOWS, CHUNK_MOODS, CHUNK_S, Grid
from utb.simnet.profiles import PROFILES, Profile

Array = NDArray[np.float64]

SPREAD_HALF_LIFE_BARS: Final = 8.0
"""Half-life of the spread, bars: two hours."""

_TAIL_DF: Final = 5.0
"""Degrees of freedom of the noise; its standard deviation is sqrt(5/3) before scaling."""
_TAIL_SCALE: Final = (_TAIL_DF / (_TAIL_DF - 2)) ** -0.5
_VOLATILITY_STEP: Final = 0.16
_VOLATILITY_MEMORY: Final = 0.96
"""Log volatility per bar: x <- 0.96 x + 0.16 N, standard deviation 0.57."""
_JUMPS_PER_CHUNK: Final = 0.2
_PULL_BARS: Final = 900.0
"""Time constant of the pull to the start price, bars."""
_POOL_BOUNCE: Final = 0.09
"""Back-and-forth of trades in a pool, in standard deviations of a calm bar."""
_TAG_PATH, _TAG_SCHEDULE, _TAG_REGIME, _TAG_CONTEXT = 1, 2, 3, 4


def stream(seed: int, *key: int) -> np.random.Generator:
    """Return the random stream of one purpose: the same key gives the same draws."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, *key))))


@dataclass(frozen=True, slots=True)
class Conditions:
    """What episodes and regimes ask of one chunk, per instrument."""

    drift: Array
    """Log return per slot, shape (instruments, slots)."""
    noise: Array
    volume: Array
    push: Array
    """Of the spread, log price per slot."""
    flow_per_hour: Array
    """Whale transactions, shape (instruments, CHUNK_FLOWS); NaN outside flow legs."""
    flow_buy_share: Array
    mood_overall: Array
    """Shape (instruments, CHUNK_MOODS); NaN outside stories."""
    mood_news: Array
    mood_social: Array
    market_drift: Array
    """Of the market factor, per slot, in its standard deviations of a bar; shape (slots,)."""
    market_noise: Array
    market_volume: Array


@dataclass(frozen=True, slots=True)
class Path:
    """Prices and volumes of one chunk, shape (instruments, slots) each."""

    chunk: int
    price: Array
    """Quote per base, rounded to the tick."""
    fair: Array
    """Price without the spread."""
    spread: Array
    """log(price / fair)."""
    volume_usd: Array
    conditions: Conditions


class PathWalk:
    """Walks the paths chunk by chunk; only prices and volatilities are carried over."""

    def __init__(self, seed: int, grid: Grid) -> None:
        self._seed = seed
        self._grid = grid
        count = len(PROFILES)
        self._schedules = [
            Schedule(stream(seed, _TAG_SCHEDULE, index), first=4.0 + 3.0 * index)
            for index in range(count)
        ]
        self._regimes = RegimeSchedule(stream(seed, _TAG_REGIME))
        self._start = np.log([profile.start_price for profile in PROFILES])
        self._level = self._start.copy()
        self._spread = np.zeros(count)
        self._volatility = np.zeros(count + 1)
        self._chunk = 0

    def step(self) -> Path:
        """Return the path of the next chunk."""
        chunk = self._chunk
        rng = stream(self._seed, _TAG_PATH, chunk)
        conditions = self._conditions(chunk)
        returns, scale = self._returns(rng, conditions)
        level = self._level[:, None] + np.cumsum(returns, axis=1)
        spread = self._spreads(rng, conditions)
        bounce = _per_profile(lambda p: _POOL_BOUNCE * p.sigma_bar if p.wire.is_pool else 0.0)
        bounces = bounce * rng.standard_normal(returns.shape) * np.sqrt(conditions.volume)
        exact = np.exp(level + spread + bounces)
        decimals = [profile.price_decimals for profile in PROFILES]
        price = np.stack(
            [np.round(row, places) for row, places in zip(exact, decimals, strict=True)]
        )
        volume_usd = self._volumes(rng, conditions, returns / scale)
        self._level, self._spread = level[:, -1], spread[:, -1]
        self._chunk = chunk + 1
        return Path(chunk, price, np.exp(level), spread, volume_usd, conditions)

    def _returns(self, rng: np.random.Generator, conditions: Conditions) -> tuple[Array, Array]:
        """Return the level's returns and the calm deviation of each slot."""
        grid = self._grid
        count, slots = len(PROFILES), grid.chunk_slots
        noise = rng.standard_t(_TAIL_DF, (count + 1, slots)) * _TAIL_SCALE
        volatility = np.repeat(np.exp(self._volatilities(rng)), grid.bar_slots, axis=1)
        day = 2 * np.pi * (np.arange(slots) * grid.slot_s + self._chunk * CHUNK_S) / 86400.0
        intraday = 1.0 + 0.25 * np.cos(day - 2 * np.pi * 15 / 24)
        root = grid.bar_slots**-0.5
        market = noise[0] * volatility[0] * conditions.market_noise * intraday * root
        market += conditions.market_drift / grid.bar_slots
        share = _per_profile(lambda p: p.market_share)
        sigma = _per_profile(lambda p: p.sigma_bar)
        own = noise[1:] * volatility[1:] * conditions.noise * intraday * root
        # A quiet or excited market is one in all its noise, the factor's share included.
        factor = share * market * np.sqrt(conditions.noise)
        returns = sigma * (factor + np.sqrt(1 - share**2) * own)
        returns += conditions.drift + self._jumps(rng, sigma)
        returns -= ((self._level - self._start) / (_PULL_BARS * grid.bar_slots))[:, None]
        return returns, sigma * root * intraday

    def _volatilities(self, rng: np.random.Generator) -> Array:
        """Return the log volatility of each bar, the market factor's first."""
        steps = rng.standard_normal((CHUNK_BARS, len(self._volatility))) * _VOLATILITY_STEP
        rows = np.empty_like(steps)
        for bar in range(CHUNK_BARS):
            self._volatility = self._volatility * _VOLATILITY_MEMORY + steps[bar]
            rows[bar] = self._volatility
        # Less half the variance of the logarithm, so that the mean factor stays near one.
        return rows.T - 0.16

    def _jumps(self, rng: np.random.Generator, sigma: Array) -> Array:
        count, slots = len(PROFILES), self._grid.chunk_slots
        jumps = np.zeros((count, slots))
        numbers = rng.poisson(_JUMPS_PER_CHUNK, count)
        for index, number in enumerate(numbers.tolist()):
            places = rng.integers(0, slots, number)
            jumps[index, places] = rng.normal(0.0, 2.5, number) * sigma[index, 0]
        return jumps

    def _spreads(self, rng: np.random.Generator, conditions: Conditions) -> Array:
        """Return the Ornstein-Uhlenbeck spread of each slot, episodes' pushes included."""
        grid = self._grid
        slots = grid.chunk_slots
        keep = 0.5 ** (1.0 / (SPREAD_HALF_LIFE_BARS * grid.bar_slots))
        std = _per_profile(lambda p: 0.7 * p.spread_std)
        shocks = rng.standard_normal((len(PROFILES), slots)) * std * np.sqrt(1 - keep**2)
        # x[n] = keep^n (x[0] + sum of shocks / keep^k): over one chunk keep^n stays above 1/8.
        powers = keep ** np.arange(1, slots + 1)
        walked = np.cumsum((shocks + conditions.push) / powers, axis=1)
        spread: Array = powers * (self._spread[:, None] + walked)
        return spread

    def _volumes(self, rng: np.random.Generator, conditions: Conditions, moves: Array) -> Array:
        """Return the traded value per slot: it follows activity, time of day and the regime."""
        grid = self._grid
        count, slots = moves.shape
        day = 2 * np.pi * (np.arange(slots) * grid.slot_s + self._chunk * CHUNK_S) / 86400.0
        intraday = 1.0 + 0.4 * np.cos(day - 2 * np.pi * 15 / 24)
        bar_noise = np.repeat(rng.normal(0, 0.30, (count, CHUNK_BARS)), grid.bar_slots, axis=1)
        slot_noise = rng.normal(0, 0.45, (count, slots))
        activity = 0.55 + 0.45 * np.minimum(np.abs(moves), 6.0)
        daily = _per_profile(lambda p: p.volume_usd_daily) * grid.slot_s / 86400.0
        noise = np.exp(bar_noise + slot_noise - 0.15)
        asked = conditions.volume * conditions.market_volume
        volumes: Array = daily * intraday * activity * noise * asked
        return volumes

    def _conditions(self, chunk: int) -> Conditions:
        begin, end = float(chunk * CHUNK_BARS), float((chunk + 1) * CHUNK_BARS)
        episodes = [schedule.overlapping(begin, end) for schedule in self._schedules]
        return conditions_of(episodes, self._regimes.overlapping(begin, end), begin, self._grid)


def conditions_of(
    episodes: list[list[Episode]], regimes: list[Regime], begin: float, grid: Grid
) -> Conditions:
    """Lay the legs of a chunk that begins at bar `begin` onto its grid."""
    count, slots = len(episodes), grid.chunk_slots
    conditions = Conditions(
        drift=np.zeros((count, slots)),
        noise=np.ones((count, slots)),
        volume=np.ones((count, slots)),
        push=np.zeros((count, slots)),
        flow_per_hour=np.full((count, CHUNK_FLOWS), np.nan),
        flow_buy_share=np.full((count, CHUNK_FLOWS), np.nan),
        mood_overall=np.full((count, CHUNK_MOODS), np.nan),
        mood_news=np.full((count, CHUNK_MOODS), np.nan),
        mood_social=np.full((count, CHUNK_MOODS), np.nan),
        market_drift=np.zeros(slots),
        market_noise=np.ones(slots),
        market_volume=np.ones(slots),
    )
    for regime in regimes:
        part = _part(regime.begin, regime.end, begin, slots)
        conditions.market_drift[part] = regime.drift
        conditions.market_noise[part] = regime.noise
        conditions.market_volume[part] = regime.volume
    for index, row in enumerate(episodes):
        for episode in row:
            _lay_prices(conditions, index, episode, begin, grid)
            _lay_context(conditions, index, episode, begin)
    return conditions


def _lay_prices(
    conditions: Conditions, index: int, episode: Episode, begin: float, grid: Grid
) -> None:
    profile = PROFILES[index]
    slots = grid.chunk_slots
    for leg in episode.price:
        part = _part(leg.begin, leg.end, begin, slots)
        conditions.drift[index, part] = leg.drift * profile.sigma_bar / grid.bar_slots
        conditions.noise[index, part] = leg.noise
        conditions.volume[index, part] = leg.volume
        per_slot = profile.spread_std / ((leg.end - leg.begin) * grid.bar_slots)
        conditions.push[index, part] = leg.push * per_slot


def _lay_context(conditions: Conditions, index: int, episode: Episode, begin: float) -> None:
    for flow in episode.flow:
        part = _part(flow.begin, flow.end, begin, CHUNK_FLOWS)
        conditions.flow_per_hour[index, part] = flow.per_hour
        conditions.flow_buy_share[index, part] = flow.buy_share
    for mood in episode.mood:
        part = _part(mood.begin, mood.end, begin, CHUNK_MOODS)
        conditions.mood_overall[index, part] = mood.overall
        conditions.mood_news[index, part] = mood.news_per_hour
        conditions.mood_social[index, part] = mood.social


def _part(leg_begin: float, leg_end: float, begin: float, steps: int) -> slice:
    """Return the steps of a chunk that a leg covers; legs that touch share no step."""
    per_bar = steps / CHUNK_BARS
    low = round((leg_begin - begin) * per_bar)
    high = round((leg_end - begin) * per_bar)
    return slice(min(max(low, 0), steps), min(max(high, 0), steps))


def _per_profile(value: Callable[[Profile], float]) -> Array:
    return np.array([value(profile) for profile in PROFILES])[:, None]
