"""Context of the generated market: form, and that it describes the past."""

import json
import math
from typing import Any

import numpy as np
import pytest

from utb.ports.feed import ContextUpdate
from utb.simnet.contexts import ContextWalk, payloads, reversion_probability
from utb.simnet.grid import Grid
from utb.simnet.market import SimulatedMarket
from utb.simnet.paths import PathWalk
from utb.simnet.profiles import PROFILES

Said = list[tuple[ContextUpdate, dict[str, Any]]]

FIELDS = {
    "whale": {"buys_usd", "sells_usd", "wallets", "outflow_usd"},
    "sentiment": {"overall", "momentum", "social_volume", "news_positive", "news_negative"},
    "forecast": {"p_up", "skill"},
    "hedge": {"fair_price", "residual_std", "reversion_probability"},
    "venue": {"price"},
}


@pytest.fixture(scope="module")
def two_days() -> Said:
    return [
        (update, json.loads(update.payload))
        for chunk in SimulatedMarket(seed=7, hours=48).chunks()
        for update in chunk.items()
        if isinstance(update, ContextUpdate)
    ]


def of_kind(rows: Said, kind: str) -> list[dict[str, Any]]:
    return [body for _, body in rows if body["kind"] == kind]


def test_context_fields_are_those_the_core_reads(two_days: Said) -> None:
    for _, body in two_days:
        fields = set(body) - {"kind"}
        assert fields == FIELDS[body["kind"]]


def test_context_values_are_in_their_ranges(two_days: Said) -> None:
    for body in of_kind(two_days, "sentiment"):
        assert 0 <= body["overall"] <= 1
        assert -1 <= body["momentum"] <= 1
        assert 0 <= body["social_volume"] <= 1
    for body in of_kind(two_days, "whale"):
        assert body["buys_usd"] >= 0 <= body["sells_usd"]
    for body in of_kind(two_days, "forecast"):
        assert 0 < body["p_up"] < 1
        assert -1 <= body["skill"] <= 1
    for body in of_kind(two_days, "hedge"):
        assert body["fair_price"] > 0 < body["residual_std"]
        assert 0 <= body["reversion_probability"] <= 1


def test_hedge_comes_before_each_bar_ends_and_only_with_history(two_days: Said) -> None:
    times = [u.ts_ns for u, b in two_days if b["kind"] == "hedge" and u.instrument == 0]
    bar_ns = 900 * 10**9
    start = SimulatedMarket(hours=1).start_ns
    assert times[0] == start + 49 * bar_ns - 6 * 10**9
    assert {time % bar_ns for time in times} == {bar_ns - 6 * 10**9}


def test_whale_sums_are_of_the_trailing_hour() -> None:
    """A sum never holds more than what its twelve steps of five minutes brought."""
    walk, told = PathWalk(7, Grid(20)), ContextWalk(7, Grid(20))
    rows = [told.step(walk.step())[0] for _ in range(4)]
    assert all(row.kind == "whale" for row in rows)
    times = np.concatenate([row.ts_ns[row.instrument == 0] for row in rows])
    buys = np.concatenate([row.columns[0][row.instrument == 0] for row in rows])
    quiet = np.diff(times) > 3_600 * 10**9
    assert not quiet.any()
    assert (buys == 0).any()
    assert (buys > 0).any()


def test_context_of_a_path_does_not_depend_on_what_comes_later() -> None:
    """The prices of the last three hours of a chunk are changed: what was said before stays."""
    grid = Grid(20)
    walk = PathWalk(7, grid)
    paths = [walk.step() for _ in range(9)]
    told, again = ContextWalk(7, grid), ContextWalk(7, grid)
    for path in paths[:8]:
        told.step(path)
        again.step(path)
    plain = told.step(paths[8])
    late = paths[8]
    for column in (late.price, late.fair):
        column[:, 540:] *= 2.0
    late.spread[:, 540:] += 0.5
    changed = again.step(late)
    limit = SimulatedMarket(hours=1).start_ns + (8 * 6 + 3) * 3600 * 10**9
    for before, after in zip(plain, changed, strict=True):
        said = [
            [
                (t, i, p)
                for t, i, p in zip(rows.ts_ns, rows.instrument, payloads(rows), strict=True)
                if t < limit
            ]
            for rows in (before, after)
        ]
        assert said[0] == said[1]
        assert said[0]


def test_reversion_probability_golden() -> None:
    """Half-life 8 bars: a = 0.5^(24/8) = 0.125, width sqrt(1 - a^2) = 0.992157.

    z = 2: Phi((1 - 0.25)/0.992157) - Phi((-1 - 0.25)/0.992157) = Phi(0.755929) - Phi(-1.259882)
    = 0.775154 - 0.103856 = 0.671298. z = 0: nothing is closer than zero.
    """
    found = reversion_probability(np.array([2.0, -2.0, 0.0, 3.0]))
    assert found[0] == pytest.approx(0.671298, abs=2e-6)
    assert found[1] == found[0]
    assert found[2] == 0.0
    assert found[3] > found[0]


def test_reversion_probability_agrees_with_simulated_spreads() -> None:
    """Oracle: 200,000 draws of the process 24 bars on; error below 4 standard errors."""
    rng = np.random.default_rng(1)
    keep = 0.125
    end = 2.5 * keep + math.sqrt(1 - keep**2) * rng.standard_normal(200_000)
    share = (np.abs(end) < 1.25).mean()
    assert reversion_probability(np.array([2.5]))[0] == pytest.approx(share, abs=0.004)


def test_forecast_skill_is_zero_until_enough_is_settled(two_days: Said) -> None:
    by_time = [body["skill"] for u, body in two_days if body["kind"] == "forecast"]
    count = len(PROFILES)
    assert set(by_time[: 23 * count]) == {0.0}
    assert any(skill != 0 for skill in by_time[24 * count :])
