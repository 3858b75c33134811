"""Statistics of the generated market: what a trader would check before believing a tape."""

from itertools import pairwise

import numpy as np
import pytest

from utb.simnet.episodes import RegimeSchedule, Schedule
from utb.simnet.grid import Grid
from utb.simnet.paths import Array, PathWalk, stream
from utb.simnet.profiles import PROFILES

DAYS = 12


@pytest.fixture(scope="module")
def tape() -> dict[str, Array]:
    walk = PathWalk(7, Grid(20))
    paths = [walk.step() for _ in range(4 * DAYS)]
    columns = ("price", "fair", "spread", "volume_usd")
    return {name: np.concatenate([getattr(p, name) for p in paths], axis=1) for name in columns}


def bar_returns(tape: dict[str, Array], slots: int) -> Array:
    closes = np.log(tape["price"][:, slots - 1 :: slots])
    return np.diff(closes, axis=1)


def test_prices_stay_positive_and_in_a_believable_range(tape: dict[str, Array]) -> None:
    start = np.array([[profile.start_price] for profile in PROFILES])
    ratio = tape["price"] / start
    assert ratio.min() > 0.3
    assert ratio.max() < 3.0


def test_volume_is_always_positive(tape: dict[str, Array]) -> None:
    assert tape["volume_usd"].min() > 0


def test_hourly_returns_are_correlated_but_not_alike(tape: dict[str, Array]) -> None:
    matrix = np.asarray(np.corrcoef(bar_returns(tape, 180)))
    pairs = matrix[np.triu_indices(len(PROFILES), 1)]
    assert 0.15 < pairs.mean() < 0.65
    assert pairs.max() < 0.9


def test_returns_have_fat_tails(tape: dict[str, Array]) -> None:
    returns = bar_returns(tape, 45)
    scaled = returns / returns.std(axis=1, keepdims=True)
    kurtosis = (scaled**4).mean(axis=1)
    assert (kurtosis > 3.5).all()


def test_volatility_comes_in_clusters(tape: dict[str, Array]) -> None:
    size = np.abs(bar_returns(tape, 45))
    near = [np.corrcoef(row[1:], row[:-1])[0, 1] for row in size]
    assert np.mean(near) > 0.1


def test_volatility_of_a_bar_has_the_size_of_its_profile(tape: dict[str, Array]) -> None:
    found = np.median(np.abs(bar_returns(tape, 45)), axis=1)
    asked = np.array([profile.sigma_bar for profile in PROFILES])
    assert (found > 0.3 * asked).all()
    assert (found < 1.5 * asked).all()


def test_volume_follows_moves(tape: dict[str, Array]) -> None:
    slots = 45
    moves = np.abs(bar_returns(tape, slots))
    volume = tape["volume_usd"].reshape(len(PROFILES), -1, slots).sum(axis=2)[:, 1:]
    ranks = [
        np.corrcoef(m.argsort().argsort(), v.argsort().argsort())[0, 1]
        for m, v in zip(moves, volume, strict=True)
    ]
    assert min(ranks) > 0.15


def test_spread_reverts_to_zero(tape: dict[str, Array]) -> None:
    """Eight bars keep half of a spread: the correlation over that time is near one half."""
    lag = 8 * 45
    found = [np.corrcoef(row[lag:], row[:-lag])[0, 1] for row in tape["spread"]]
    assert 0.25 < np.mean(found) < 0.7
    std = np.array([profile.spread_std for profile in PROFILES])
    assert (np.abs(tape["spread"].mean(axis=1)) < std).all()


def test_episodes_of_every_kind_occur_and_do_not_overlap() -> None:
    kinds = set()
    for index in range(8):
        schedule = Schedule(stream(7, 2, index), first=4.0)
        drawn = schedule.overlapping(0, 24 * 96)
        kinds |= {episode.kind for episode in drawn}
        starts = [min(leg.begin for leg in episode.price) for episode in drawn]
        ends = [max(leg.end for leg in episode.price) for episode in drawn]
        assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))
    assert kinds == {
        "squeeze_breakout",
        "run_up",
        "trend",
        "flush",
        "accumulation",
        "news",
        "dislocation",
        "slide",
        "breakdown",
        "retest",
        "distribution",
        "flash_dip",
    }


def test_regimes_of_every_kind_occur_and_cover_all_time() -> None:
    regimes = RegimeSchedule(stream(7, 3)).overlapping(0, 60 * 96)
    assert {regime.name for regime in regimes} == {"trend up", "trend down", "range", "turbulent"}
    assert regimes[0].begin == 0
    assert all(a.end == b.begin for a, b in pairwise(regimes))
