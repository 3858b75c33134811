"""Recordings to cut: recorded bars where they are, and constructed ones anywhere."""

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from utb.adapters.feeds.barfiles import load_bars
from utb.adapters.feeds.bars import RecordedBars
from utb.simnet.grid import CHUNK_S, SECOND_NS, START_NS, Grid
from utb.simnet.paths import PathWalk
from utb.simnet.profiles import PROFILES

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("UTB_DATA", ROOT.parent / "shared" / "data")) / "ohlcv"
LONG = os.environ.get("UTB_LONG") == "1"
"""The full form (`just causality`); the default run is a short one."""

SPAN_NS = 300 * SECOND_NS
COLUMNS = ("open", "high", "low", "close", "volume")

needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"recorded prices are not at {DATA}: set UTB_DATA"
)


@cache
def recorded(*names: str, days: int) -> tuple[RecordedBars, ...]:
    """Return the first days of recorded 5m markets, such as "SOL", that all of them have."""
    paths = [DATA / f"binance_{name}USDT_5m_2024H1.parquet" for name in names]
    bars = [load_bars(str(path), strategy_timeframe="15m") for path in paths]
    from_ns = int(max(one.ts_ns[0] for one in bars))
    return cut(bars, from_ns + days * 86_400 * SECOND_NS, from_ns=from_ns)


@cache
def constructed(*symbols: str, days: int, seed: int = 7) -> tuple[RecordedBars, ...]:
    """Return 5m bars over the simulator's price paths: every fifteenth slot ends a bar."""
    walk, slots = PathWalk(seed, Grid(20)), SPAN_NS // SECOND_NS // 20
    paths = [walk.step() for _ in range(days * 86_400 // CHUNK_S)]
    price = np.concatenate([path.price for path in paths], axis=1)
    volume = np.concatenate([path.volume_usd for path in paths], axis=1) / price
    indices = [[profile.symbol for profile in PROFILES].index(symbol) for symbol in symbols]
    ts_ns = START_NS + np.arange(price.shape[1] // slots, dtype=np.int64) * SPAN_NS
    bars = []
    for index in indices:
        rows = price[index].reshape(-1, slots)
        bars.append(
            RecordedBars(
                symbol=PROFILES[index].symbol,
                path=Path("constructed"),
                span_ns=SPAN_NS,
                ts_ns=ts_ns,
                open=np.ascontiguousarray(rows[:, 0]),
                high=rows.max(axis=1),
                low=rows.min(axis=1),
                close=np.ascontiguousarray(rows[:, -1]),
                volume=volume[index].reshape(-1, slots).sum(axis=1),
                gaps=0,
            )
        )
    return tuple(bars)


def cut(
    bars: Sequence[RecordedBars], until_ns: int, *, from_ns: int = 0
) -> tuple[RecordedBars, ...]:
    """Return the bars that open before a time, as if the files had ended there."""
    shorter = []
    for one in bars:
        part = slice(*np.searchsorted(one.ts_ns, (from_ns, until_ns)).tolist())
        fields = {name: getattr(one, name)[part] for name in ("ts_ns", *COLUMNS)}
        shorter.append(replace(one, **fields))
    return tuple(shorter)


def places(bars: Sequence[RecordedBars], count: int, rng: np.random.Generator) -> list[int]:
    """Return random times to cut at, behind the warm-up: each leaves every market some bars."""
    first = max(int(one.ts_ns[0]) for one in bars)
    last = max(int(one.ts_ns[-1]) for one in bars)
    begin = first + (last - first) // 5
    return sorted(int(rng.integers(begin, last)) for _ in range(count))
