"""Recorded prices: loading and its errors, and the two forms of the same events."""

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from utb.adapters.feeds.barfiles import COLUMNS, load_all, load_bars
from utb.adapters.feeds.bars import RecordedBars
from utb.adapters.feeds.context_file import load_context
from utb.adapters.feeds.recorded import (
    Market,
    RecordedFrames,
    RecordedRecords,
    assign,
    price_frames,
    records_of,
)
from utb.domain.market import Instrument
from utb.engine.records import EVENT_DTYPE, Bars, explode, merge
from utb.errors import UsageError
from utb.ports.feed import ContextUpdate, FeedItem, Frame, Records

NOON, FIVE = 1_704_110_400_000, 300_000  # 2024-01-01T12:00:00Z and five minutes, in ms
ROWS = [
    (NOON, 10.0, 12.0, 9.0, 11.0, 100.0),
    (NOON + FIVE, 11.0, 11.5, 10.0, 10.5, 50.0),
    (NOON + 2 * FIVE, 10.5, 10.5, 10.5, 10.5, 0.0),
]


def instrument(index: int, symbol: str) -> Instrument:
    return Instrument(
        index=index,
        symbol=symbol,
        base_mint=f"mint{index}",
        quote_mint="usdc",
        base_decimals=9,
        quote_decimals=6,
        primary="birdeye",
        liquid=True,
        min_order_quote_raw=1,
    )


def write_csv(
    path: Path, rows: Sequence[Sequence[object]], header: Sequence[str] = COLUMNS
) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def load(path: Path | str, timeframe: str = "15m") -> RecordedBars:
    return load_bars(str(path), strategy_timeframe=timeframe)


@pytest.fixture
def sol(tmp_path: Path) -> RecordedBars:
    return load(write_csv(tmp_path / "binance_SOLUSDT_5m.csv", ROWS))


def test_bars_from_csv_have_symbol_size_and_values(sol: RecordedBars) -> None:
    assert (sol.symbol, sol.timeframe, sol.gaps) == ("SOL-USDC", "5m", 0)
    assert sol.ts_ns.tolist() == [NOON * 10**6, (NOON + FIVE) * 10**6, (NOON + 2 * FIVE) * 10**6]
    assert sol.high.tolist() == [12.0, 11.5, 10.5]


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("binance_SOLUSDT_5m_2024H1.csv", "SOL-USDC"),
        ("BTC-USDC.csv", "BTC-USDC"),
        ("okx-WIF_USDT-1m.csv", "WIF-USDC"),
        ("1000BONKUSDT.csv", "1000BONK-USDC"),
    ],
)
def test_bars_symbol_comes_from_the_file_name(tmp_path: Path, name: str, symbol: str) -> None:
    assert load(write_csv(tmp_path / name, ROWS)).symbol == symbol


def test_bars_symbol_may_be_given(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "prices.csv", ROWS)
    assert load(f"JUP-USDC={path}").symbol == "JUP-USDC"


@pytest.mark.parametrize("factor", [1, 10**3, 10**6])
def test_bars_integer_times_are_told_apart_by_magnitude(tmp_path: Path, factor: int) -> None:
    rows = [(ts * factor, *rest) for ts, *rest in ROWS]
    bars = load(write_csv(tmp_path / "SOLUSDT.csv", rows))
    assert bars.ts_ns[0] == NOON * 10**6


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_bars_parquet_timestamps_of_any_unit(tmp_path: Path, unit: str) -> None:
    times = [datetime.fromtimestamp(row[0] / 1000, UTC) for row in ROWS]
    columns = {
        name: [row[place] for row in ROWS]
        for place, name in enumerate(("open", "high", "low", "close", "volume"), start=1)
    }
    table = pa.table({"ts": pa.array(times, pa.timestamp(unit, tz="UTC")), **columns})
    path = tmp_path / "SOLUSDT.parquet"
    pq.write_table(table, path)
    bars = load(path)
    assert bars.ts_ns[0] == NOON * 10**6
    assert bars.close.tolist() == [11.0, 10.5, 10.5]


def test_bars_csv_iso_times_are_utc(tmp_path: Path) -> None:
    rows = [
        (datetime.fromtimestamp(ts / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), *rest)
        for ts, *rest in ROWS
    ]
    assert load(write_csv(tmp_path / "SOLUSDT.csv", rows)).ts_ns[0] == NOON * 10**6


def test_bars_gaps_are_allowed_and_counted(tmp_path: Path) -> None:
    rows = [*ROWS, (NOON + 5 * FIVE, 10.0, 10.0, 10.0, 10.0, 1.0)]
    assert load(write_csv(tmp_path / "SOLUSDT.csv", rows)).gaps == 1


def changed(row: int, place: int, value: object) -> list[list[object]]:
    rows: list[list[object]] = [list(one) for one in ROWS]
    rows[row][place] = value
    return rows


@pytest.mark.parametrize(
    ("rows", "field", "value", "expected"),
    [
        (changed(1, 0, NOON), "row 2: ts", str(NOON * 10**6), "above the row before"),
        (changed(2, 0, NOON + FIVE - 1), "row 3: ts", "1704110699999000000", "above the row"),
        (changed(1, 1, "nan"), "row 2: open", "missing", "a number"),
        (changed(2, 4, 0.0), "row 3: close", "0.0", "a finite price above 0"),
        (changed(0, 5, -1.0), "row 1: volume", "-1.0", "a finite volume, 0 or more"),
        (changed(0, 2, 8.0), "row 1: high", "8.0", "at least the low"),
        (changed(0, 2, 10.5), "row 1: high", "10.5", "at least open and close"),
        (changed(0, 3, 10.5), "row 1: low", "10.5", "at most open and close"),
        (changed(1, 1, "inf"), "row 2: open", "inf", "a finite price above 0"),
        (changed(0, 0, 5), "row 1: ts", "5", "ms, us or ns"),
    ],
)
def test_bars_bad_value_names_row_field_value_and_expectation(
    tmp_path: Path, rows: list[list[object]], field: str, value: str, expected: str
) -> None:
    path = write_csv(tmp_path / "SOLUSDT.csv", rows)
    with pytest.raises(UsageError) as caught:
        load(path)
    assert caught.value.field == f"{path}: {field}"
    assert caught.value.value == value
    assert expected in caught.value.expected


def test_bars_uneven_steps_are_an_error(tmp_path: Path) -> None:
    rows = [*ROWS, (NOON + 3 * FIVE, *ROWS[0][1:]), (NOON + 4 * FIVE + 60_000, *ROWS[0][1:])]
    with pytest.raises(UsageError, match=r"row 5: ts .* a whole number of bars"):
        load(write_csv(tmp_path / "SOLUSDT.csv", rows))


def test_bars_off_the_utc_grid_are_an_error(tmp_path: Path) -> None:
    rows = [(ts + 60_000, *rest) for ts, *rest in ROWS]
    with pytest.raises(UsageError, match="bars are on UTC"):
        load(write_csv(tmp_path / "SOLUSDT.csv", rows))


def test_bars_coarser_than_the_strategy_timeframe_are_an_error_that_says_so(tmp_path: Path) -> None:
    hour = 3_600_000
    rows = [(NOON + place * hour, *ROWS[0][1:]) for place in range(3)]
    path = write_csv(tmp_path / "SOLUSDT.csv", rows)
    with pytest.raises(UsageError, match="1h, expected 15m or finer: the strategy timeframe"):
        load(path)
    assert load(path, "1h").timeframe == "1h"


@pytest.mark.parametrize(
    ("name", "header", "expected"),
    [
        ("SOLUSDT.csv", ("ts", "open", "high", "low", "close", "vol"), "missing: volume"),
        ("prices.csv", None, "SYMBOL=PATH"),
        ("SOLUSDT.txt", None, "ends in .parquet or .csv"),
    ],
)
def test_bars_file_that_cannot_be_used_is_an_error(
    tmp_path: Path, name: str, header: tuple[str, ...] | None, expected: str
) -> None:
    columns = header or ("ts", "open", "high", "low", "close", "volume")
    path = write_csv(tmp_path / name, ROWS, columns)
    with pytest.raises(UsageError, match=expected):
        load(path)


def test_bars_missing_or_broken_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a file that exists"):
        load(tmp_path / "SOLUSDT.csv")
    broken = tmp_path / "SOLUSDT.parquet"
    broken.write_bytes(b"PAR1 but not really")
    with pytest.raises(UsageError, match="a readable file"):
        load(broken)


def test_bars_one_row_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 2"):
        load(write_csv(tmp_path / "SOLUSDT.csv", ROWS[:1]))


def test_bars_same_instrument_twice_is_an_error(tmp_path: Path) -> None:
    paths = [write_csv(tmp_path / name, ROWS) for name in ("SOLUSDT.csv", "okx_SOLUSDC.csv")]
    with pytest.raises(UsageError, match="SOL-USDC twice"):
        load_all([str(path) for path in paths], strategy_timeframe="15m")


def test_assign_unknown_instrument_is_an_error(sol: RecordedBars) -> None:
    with pytest.raises(UsageError, match="one of BTC-USDC"):
        assign([sol], [instrument(0, "BTC-USDC")])


def test_records_of_a_rising_and_a_falling_bar(sol: RecordedBars) -> None:
    """At 0, 1/3, 2/3 of the span and its last nanosecond; high first if it closed down."""
    events = records_of(3, sol, slice(0, 2))
    start = NOON * 10**6
    second = 10**9
    offsets = [0, 100 * second, 200 * second, 300 * second - 1]
    assert events["ts_ns"].tolist() == [
        start + place * 300 * second + offset for place in range(2) for offset in offsets
    ]
    assert events["price"].tolist() == [10.0, 9.0, 12.0, 11.0, 11.0, 11.5, 10.0, 10.5]
    assert events["volume"].tolist() == [0, 0, 0, 100.0, 0, 0, 0, 50.0]
    assert set(events["instrument"].tolist()) == {3}
    assert np.isnan(events["liquidity"]).all()
    assert EVENT_DTYPE.itemsize == 64


def test_records_equal_those_the_core_makes(two_markets: list[Market]) -> None:
    exploded = [
        explode(
            Bars(
                ts_ns=bars.ts_ns,
                open=bars.open,
                high=bars.high,
                low=bars.low,
                close=bars.close,
                volume=bars.volume,
            ),
            span_ns=bars.span_ns,
            instrument=market.index,
        )
        for market, bars in two_markets
    ]
    items = RecordedRecords(two_markets).items(0)
    ours = b"".join(item.payload for item in items if isinstance(item, Records))
    assert ours == merge(exploded)


def test_frames_form_the_bar(sol: RecordedBars) -> None:
    """The second bar closed down: 11, 11.5, 10, 10.5 with v = 0, 0, 0, 50."""
    bodies = [
        json.loads(body)["data"]
        for body in price_frames(instrument(0, "SOL-USDC"), sol, slice(1, 2))
    ]
    assert [body["c"] for body in bodies] == [11.0, 11.5, 10.0, 10.5]
    assert [body["v"] for body in bodies] == [0, 0, 0, 50.0]
    assert [body["h"] for body in bodies] == [11.0, 11.5, 11.5, 11.5]
    assert [body["l"] for body in bodies] == [11.0, 11.0, 10.0, 10.0]
    assert {body["unixTime"] for body in bodies} == {NOON // 1000 + 300}
    assert {body["type"] for body in bodies} == {"5m"}
    assert {body["address"] for body in bodies} == {"mint0"}


@pytest.fixture
def two_markets(tmp_path: Path, sol: RecordedBars) -> list[Market]:
    later = [(NOON + 86_400_000 + place * 60_000, 1.0, 1.5, 0.5, 1.0, 7.0) for place in range(4)]
    rows = [(NOON + FIVE, 2.0, 2.5, 1.5, 2.0, 3.0), (NOON + FIVE + 60_000, 2.0, 2.0, 1.0, 1.5, 4.0)]
    bars = load(write_csv(tmp_path / "BTCUSDT.csv", [*rows, *later]))
    return assign([bars, sol], [instrument(0, "SOL-USDC"), instrument(1, "BTC-USDC")])


def events_of_frames(items: Iterable[FeedItem]) -> list[tuple[int, str, float]]:
    return [
        (
            item.ts_recv_ns,
            json.loads(item.payload)["data"]["address"][-1],
            json.loads(item.payload)["data"]["c"],
        )
        for item in items
        if isinstance(item, Frame)
    ]


def events_of_records(items: Iterable[FeedItem]) -> list[tuple[int, str, float]]:
    blocks = [np.frombuffer(i.payload, dtype=EVENT_DTYPE) for i in items if isinstance(i, Records)]
    events = np.concatenate(blocks)
    return [(int(e["ts_ns"]), str(e["instrument"]), float(e["price"])) for e in events]


def test_both_forms_merge_markets_of_different_spans_in_time_and_instrument_order(
    two_markets: list[Market],
) -> None:
    frames = events_of_frames(RecordedFrames(two_markets).items(0))
    records = events_of_records(RecordedRecords(two_markets, block_days=1).items(0))
    assert frames == records
    assert len(frames) == 4 * (3 + 6)
    keys = [(ts, index) for ts, index, _ in frames]
    assert keys == sorted(keys)


CONTEXT_TS = NOON * 10**6 + 300 * 10**9


def test_context_comes_before_events_of_its_time(two_markets: list[Market]) -> None:
    context = ContextUpdate(0, b'{"kind":"venue","price":1.0}', CONTEXT_TS)
    for feed in (RecordedFrames(two_markets, [context]), RecordedRecords(two_markets, [context])):
        items = list(feed.items(0))
        place = items.index(context)
        before = items[:place]
        after = items[place + 1]
        if isinstance(after, Frame):
            assert after.ts_recv_ns == CONTEXT_TS
            last = before[-1]
            assert isinstance(last, Frame)
            assert last.ts_recv_ns < CONTEXT_TS
        else:
            last = before[-1]
            assert isinstance(after, Records)
            assert isinstance(last, Records)
            assert np.frombuffer(after.payload, dtype=EVENT_DTYPE)[0]["ts_ns"] == CONTEXT_TS
            assert np.frombuffer(last.payload, dtype=EVENT_DTYPE)[-1]["ts_ns"] < CONTEXT_TS


@pytest.mark.parametrize("kind", [RecordedFrames, RecordedRecords])
def test_feed_resumed_at_every_position_continues_the_same(
    two_markets: list[Market], kind: type[RecordedFrames | RecordedRecords]
) -> None:
    contexts = [
        ContextUpdate(1, b'{"kind":"venue","price":1.0}', CONTEXT_TS + place * 86_400 * 10**9)
        for place in (-2, 0, 1, 3)
    ]
    feed = kind(two_markets, contexts)
    everything = list(feed.items(0))
    assert sum(isinstance(item, ContextUpdate) for item in everything) == 4
    for start in range(len(everything) + 1):
        assert list(islice(feed.items(start), 5)) == everything[start : start + 5]


@pytest.mark.parametrize("kind", [RecordedFrames, RecordedRecords])
def test_feed_of_a_market_without_bars_leaves_it_out(
    two_markets: list[Market], kind: type[RecordedFrames | RecordedRecords]
) -> None:
    """A recording that begins after the wanted hours has nothing to say."""
    (sol_usdc, bars), (btc_usdc, others) = two_markets
    names = ("ts_ns", "open", "high", "low", "close", "volume")
    empty = replace(others, **{name: getattr(others, name)[:0] for name in names})
    alone = list(kind([(sol_usdc, bars)]).items(0))
    assert list(kind([(sol_usdc, bars), (btc_usdc, empty)]).items(0)) == alone
    assert list(kind([(btc_usdc, empty)]).items(0)) == []


def test_context_file_is_sorted_and_stripped(tmp_path: Path) -> None:
    path = tmp_path / "context.jsonl"
    path.write_text(
        '{"ts": 20, "instrument": "SOL-USDC", "kind": "venue", "price": 150.5}\n'
        "\n"
        '{"ts": 10, "instrument": "SOL-USDC", "kind": "whale", "buys_usd": 1.0, "sells_usd": 2.0,'
        ' "wallets": 3, "outflow_usd": -4.0}\n'
        '{"ts": 15, "instrument": "XYZ-USDC", "kind": "forecast", "p_up": 0.5, "skill": 0.0}\n'
    )
    updates = load_context(path, {"SOL-USDC": 4})
    assert [(update.ts_ns, update.instrument) for update in updates] == [(10, 4), (20, 4)]
    assert json.loads(updates[0].payload) == {
        "kind": "whale",
        "buys_usd": 1.0,
        "sells_usd": 2.0,
        "wallets": 3,
        "outflow_usd": -4.0,
    }


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"ts": 1, "instrument": "SOL-USDC", "kind": "venue"}', "price"),
        ('{"ts": 1, "instrument": "SOL-USDC", "kind": "moon", "price": 1}', "moon"),
        ('{"ts": 1.5, "instrument": "SOL-USDC", "kind": "venue", "price": 1}', "int"),
        ('{"ts": 1, "instrument": "SOL-USDC", "kind": "venue", "price": 1, "x": 2}', "x"),
        ("not json", "malformed"),
    ],
)
def test_context_file_error_names_the_line(tmp_path: Path, line: str, expected: str) -> None:
    path = tmp_path / "context.jsonl"
    path.write_text(f"\n{line}\n")
    with pytest.raises(UsageError, match=expected) as caught:
        load_context(path, {"SOL-USDC": 0})
    assert caught.value.field == f"{path}:2"
