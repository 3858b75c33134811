"""Engines, recorded bars and frames for the tests of the compiled core."""

import os
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from utb.config import load
from utb.config.instruments import instruments
from utb.config.schema import Config
from utb.domain.engine import EngineEvent
from utb.engine import EVENT_DTYPE, Bars, Engine, build_params, explode, instruments_document

SECOND_NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND_NS
START_NS: Final = 1_704_067_200 * SECOND_NS
"""2024-01-01T00:00:00Z."""
SOL: Final = 0
BIRDEYE: Final = 1
DATA: Final = Path(os.environ.get("UTB_DATA", "../shared/data"))


def config() -> Config:
    """Return the template's configuration."""
    return load.defaults()


def params(settings: Config, version: int = 1) -> bytes:
    """Return parameters with the configured weights in every regime."""
    return build_params(settings, version, [settings.strategies.weights] * 4)


def engine(finest: str = "5m", settings: Config | None = None) -> Engine:
    """Return an engine of the template's instruments."""
    settings = settings or config()
    document = instruments_document(settings, instruments(settings))
    return Engine(params(settings), document, finest)


def walk(count: int, seed: int = 7, start: float = 100.0) -> Bars:
    """Return 5m bars of a random walk whose drift and volatility change every 40 bars."""
    draw = np.random.default_rng(seed)
    blocks = count // 40 + 1
    drift = np.repeat(draw.normal(0.0, 0.0012, blocks), 40)[:count]
    scale = np.repeat(draw.uniform(0.001, 0.006, blocks), 40)[:count]
    close = start * np.exp(np.cumsum(drift + scale * draw.standard_normal(count)))
    opened = np.concatenate(([start], close[:-1]))
    high = np.maximum(opened, close) * (1.0 + scale * draw.random(count))
    low = np.minimum(opened, close) * (1.0 - scale * draw.random(count))
    return Bars(
        ts_ns=START_NS + 5 * MINUTE_NS * np.arange(count, dtype=np.int64),
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=10.0 + 500.0 * draw.random(count) ** 3,
    )


def records(count: int, seed: int = 7, instrument: int = SOL) -> bytes:
    """Return the event records of `walk`."""
    return explode(walk(count, seed), span_ns=5 * MINUTE_NS, instrument=instrument)


def frames(block: bytes) -> list[tuple[bytes, int]]:
    """Return recorded events of SOL as Birdeye frames of 5m bars, with their times."""
    mint = instruments(config())[SOL].base_mint
    found = []
    for event in np.frombuffer(block, dtype=EVENT_DTYPE):
        ts_ns, price = int(event["ts_ns"]), float(event["price"])
        data = {
            "o": price,
            "h": price,
            "l": price,
            "c": price,
            "eventType": "ohlcv",
            "type": "5m",
            "unixTime": (ts_ns - ts_ns % (5 * MINUTE_NS)) // SECOND_NS,
            "v": float(event["volume"]),
            "symbol": "SOL",
            "address": mint,
        }
        found.append((msgspec.json.encode({"type": "PRICE_DATA", "data": data}), ts_ns))
    return found


def run(core: Engine, block: bytes, until_ns: int = START_NS + 10**18) -> list[EngineEvent]:
    """Replay a block to its end (or a time) and return everything that happened."""
    replay, at, found = core.replay(block), 0, []
    last_ns = min(replay.ts_recv_ns(len(replay) - 1), until_ns)
    while at < len(replay) and replay.ts_recv_ns(at) <= last_ns:
        at, events = replay.advance(at, last_ns)
        found += events
    return found
