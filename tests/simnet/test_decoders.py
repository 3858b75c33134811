"""Generated and recorded frames through the compiled core."""

from pathlib import Path

import numpy as np
import pytest

from utb.adapters.feeds.barfiles import load_bars
from utb.adapters.feeds.generated import GeneratedFeed
from utb.adapters.feeds.recorded import RecordedFrames, RecordedRecords, assign
from utb.config.load import defaults
from utb.domain.names import STRATEGIES, Regime
from utb.engine import Engine, build_params, instruments_document
from utb.ports.feed import ContextUpdate, Feed, Frame, Records
from utb.simnet.market import SimulatedMarket
from utb.simnet.profiles import PROFILES, Wire, bindings, instruments


def engine(finest: str = "1m") -> Engine:
    config = defaults()
    row = [0.125] * len(STRATEGIES)
    params = build_params(config, 1, [row] * len(Regime))
    made = Engine(params, instruments_document(config, instruments()), finest)
    for one in bindings():
        made.bind(2, one.key, one.instrument, one.role)
    made.log(bars=True, votes=True)
    return made


def run(feed: Feed, made: Engine) -> list[object]:
    events: list[object] = []
    for item in feed.items(0):
        if isinstance(item, Frame):
            events += made.ingest(item.source, item.payload, item.ts_recv_ns)
        elif isinstance(item, ContextUpdate):
            made.set_context(item.instrument, item.payload, item.ts_ns)
        else:
            assert isinstance(item, Records)
            events += replay(made, item)
    return events


def replay(made: Engine, block: Records) -> list[object]:
    events: list[object] = []
    records = made.replay(block.payload)
    reached = 0
    last = records.ts_recv_ns(len(records) - 1)
    while reached < len(records):
        reached, happened = records.advance(reached, last)
        events += happened
    return events


@pytest.fixture(scope="module")
def generated() -> Engine:
    made = engine()
    run(GeneratedFeed(SimulatedMarket(seed=7, hours=18)), made)
    return made


def test_generated_frames_are_all_accepted(generated: Engine) -> None:
    counters = generated.counters()
    for source, counted in counters["items"].items():
        assert counted["rejected"] == {}, source
        assert counted["late"] == counted["duplicate"] == counted["diverged"] == 0, source
    slots = 18 * 180
    assert counters["items"]["birdeye"]["accepted"] == 5 * slots
    assert counters["items"]["helius"]["accepted"] == 2 * (2 * slots + 18)
    assert counters["items"]["dexscreener"]["accepted"] >= slots
    assert counters["items"]["dexscreener"]["checked"] == 7 * slots // 6
    assert counters["restarts"] == 0


def test_generated_bars_have_the_prices_of_the_paths(generated: Engine) -> None:
    """A bar's close is the last price of its slots: exactly, or through a pool's raw reserves."""
    bars = generated.drain_bars()
    chunks = list(SimulatedMarket(seed=7, hours=18).chunks())
    price = np.concatenate([chunk.path.price for chunk in chunks], axis=1)
    for index, profile in enumerate(PROFILES):
        mine = bars[(bars["instrument"] == index) & (bars["timeframe"] == 2)]
        slots = price[index].reshape(-1, 45)[: len(mine)]
        assert len(mine) >= 71
        tolerance = 1e-9 if profile.wire.is_pool else 1e-15
        assert mine["close"] == pytest.approx(slots[:, -1], rel=tolerance)
        assert mine["high"] == pytest.approx(slots.max(axis=1), rel=tolerance)
        assert mine["low"] == pytest.approx(slots.min(axis=1), rel=tolerance)


def test_generated_bars_have_volume_where_the_source_gives_it(generated: Engine) -> None:
    view = [generated.view(index) for index in range(len(PROFILES))]
    chunks = list(SimulatedMarket(seed=7, hours=18).chunks())
    volumes = np.concatenate([c.path.volume_usd / c.path.price for c in chunks], axis=1)
    assert len(view) == len(volumes)
    made = engine()
    run(GeneratedFeed(SimulatedMarket(seed=7, hours=3)), made)
    bars = made.drain_bars()
    for index, profile in enumerate(PROFILES):
        if profile.wire in {Wire.BIRDEYE_PRICE, Wire.BIRDEYE_TRADES}:
            mine = bars[(bars["instrument"] == index) & (bars["timeframe"] == 2)]
            sums = volumes[index, : 45 * len(mine)].reshape(-1, 45).sum(axis=1)
            assert mine["volume"] == pytest.approx(sums, rel=1e-3)


def recording(path: Path, factor: float) -> Path:
    rng = np.random.default_rng(5)
    closes = 100 * factor * np.exp(np.cumsum(rng.normal(0, 0.004, 2000)))
    opens = np.concatenate([closes[:1], closes[:-1]])
    spread = np.exp(np.abs(rng.normal(0, 0.002, (2, 2000))))
    high = np.maximum(opens, closes) * spread[0]
    low = np.minimum(opens, closes) / spread[1]
    volume = rng.lognormal(3, 1, 2000)
    rows = zip(opens, high, low, closes, volume, strict=True)
    begin = 1_704_067_200_000
    lines = [
        f"{begin + 300_000 * place}," + ",".join(repr(float(value)) for value in row)
        for place, row in enumerate(rows)
    ]
    path.write_text("ts,open,high,low,close,volume\n" + "\n".join(lines) + "\n")
    return path


def test_recorded_frames_and_records_give_the_same_bars_votes_and_decisions(
    tmp_path: Path,
) -> None:
    files = [recording(tmp_path / "SOLUSDT.csv", 1.0), recording(tmp_path / "BTCUSDT.csv", 7.0)]
    loaded = [load_bars(str(path), strategy_timeframe="15m") for path in files]
    markets = assign(loaded, instruments())
    context = ContextUpdate(
        0,
        b'{"kind":"whale","buys_usd":9e5,"sells_usd":1e5,"wallets":5,"outflow_usd":5e5}',
        markets[0][1].ts_ns[1000].item() + 7,
    )
    one, other = engine("5m"), engine("5m")
    events = run(RecordedFrames(markets, [context]), one)
    assert run(RecordedRecords(markets, [context], block_days=2), other) == events
    assert events
    assert one.drain_bars().tobytes() == other.drain_bars().tobytes()
    assert one.drain_votes().tobytes() == other.drain_votes().tobytes()
