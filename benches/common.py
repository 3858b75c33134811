"""What the Python benchmarks share: markets made here, timing, rows."""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("UTB_DATA", ROOT.parent / "shared" / "data"))
Row = dict[str, Any]


def options(description: str | None) -> argparse.Namespace:
    """Parse the options that `benches/run.py` passes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--peer-python")
    return parser.parse_args()


def write(rows: list[Row]) -> None:
    """Print the rows for `benches/run.py`, on a line of their own behind what else was printed."""
    sys.stdout.write(f"\n{json.dumps(rows)}\n")


def interleaved(candidates: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Time candidates in turn, so that a drifting machine hits all alike; seconds per call."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, call in candidates.items():
            began = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - began)
    return times


def median(values: list[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def price_frames(count: int) -> tuple[list[bytes], NDArray[np.int64]]:
    """Return distinct Birdeye PRICE_DATA bodies one second apart, and their times."""
    draw = np.random.default_rng(7)
    price = 100 * np.exp(np.cumsum(draw.normal(0, 1e-4, count)))
    start = 1_735_689_600
    seconds = start + np.arange(count)
    volume = np.round(draw.exponential(5, count), 6)
    mint = "So11111111111111111111111111111111111111112"
    frames = []
    total = 0.0
    for second, value, traded in zip(
        seconds.tolist(), price.tolist(), volume.tolist(), strict=True
    ):
        minute = second - second % 60
        total = traded if second == minute else total + traded
        frames.append(
            f'{{"type":"PRICE_DATA","data":{{"o":{value!r},"h":{value!r},"l":{value!r},"c":{value!r},'
            f'"eventType":"ohlcv","type":"1m","unixTime":{minute},"v":{total!r},"symbol":"SOL",'
            f'"address":"{mint}"}}}}'.encode()
        )
    return frames, seconds.astype(np.int64) * 1_000_000_000
