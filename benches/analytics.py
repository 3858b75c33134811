"""The embedded ClickHouse store: rows written per second, and p99 per stage per minute read back.

The table is `latencies` as the schema makes it; once with its roll-up by the minute, as it runs,
and once without, which is what other stores were measured with.
"""

import tempfile
import time
from pathlib import Path

import numpy as np

from common import Row, options, write
from utb.storage.clickhouse.embedded import Embedded, EmbeddedStore
from utb.storage.clickhouse.history import LATENCIES, STAGES
from utb.storage.clickhouse.lane import KINDS, STAGE_DTYPE
from utb.storage.clickhouse.migrations import migrate
from utb.storage.clickhouse.queries import QUERIES
from utb.storage.clickhouse.table import Place
from utb.storage.clickhouse.writer import Writer

PLACE = Place(database="utb")
BATCH = 10_000
START_NS = 1_735_689_600 * 10**9
WRITE_BAR = 3e6
READ_BAR_MS = 100.0
FILL_BATCH = 1_000_000


def records(count: int, at: int, span_ns: int) -> bytes:
    """Return durations of six stages, `span_ns` apart."""
    draw = np.random.default_rng(at)
    rows = np.zeros(count, STAGE_DTYPE)
    rows["ts_ns"] = START_NS + (at + np.arange(count)) * span_ns
    rows["ns"] = draw.lognormal(10, 1, count)
    rows["stage"] = draw.integers(0, 6, count)
    return rows.tobytes()


def tenth(values: list[float]) -> float:
    """Return the tenth percentile."""
    return sorted(values)[len(values) // 10]


def written(writer: Writer, batches: list[bytes]) -> float:
    """Return the rows per second of batches, from flat records to the stored part."""
    kind = KINDS["stages"]
    times = []
    for data in batches:
        began = time.perf_counter()
        columns, _ = kind.columns(data, ())
        writer.write_lane(kind.table, columns)
        times.append(time.perf_counter() - began)
    return BATCH / tenth(times)


def read_ms(store: EmbeddedStore, rounds: int) -> tuple[float, float]:
    """Return the milliseconds of the exact p99 of each stage in each minute: wall, processor."""
    times, processor = [], []
    for _ in range(rounds):
        began, used = time.perf_counter(), time.process_time()
        found = store.rows(QUERIES["latency_p99"].sql)
        times.append((time.perf_counter() - began) * 1e3)
        processor.append((time.process_time() - used) * 1e3)
    assert len(found) >= len(STAGES[:6])  # noqa: S101 - a wrong answer is no speed
    return tenth(times), tenth(processor)


def main() -> None:
    """Write, fill, read."""
    smoke = options(__doc__).smoke
    batches = [records(BATCH, at * BATCH, 1_000) for at in range(40 if smoke else 200)]
    total = 2_000_000 if smoke else 10_000_000
    with tempfile.TemporaryDirectory() as name:
        store = Embedded(Path(name), memory_mib_max=4096).writer()
        migrate(store, PLACE)
        store.command("USE utb")
        writer = Writer(store, PLACE, wall_ns=time.time_ns)
        with_rollup = written(writer, batches)
        store.command("DROP TABLE utb.latency_1m_feed")
        store.command("TRUNCATE TABLE utb.latencies")
        bare = written(writer, batches)
        store.command("TRUNCATE TABLE utb.latencies")
        for at in range(0, total, FILL_BATCH):
            columns, _ = KINDS["stages"].columns(records(FILL_BATCH, at, 360_000), ())
            writer.write_lane(LATENCIES, columns)
        p99_ms, processor_ms = read_ms(store, 5 if smoke else 15)
    rows: list[Row] = [
        {
            "name": f"ClickHouse writer, batches of 10,000, {what}",
            "value": value / 1e6,
            "unit": "M rows/s",
            "bar": f">= {WRITE_BAR / 1e6:.0f} M rows/s" if judged else None,
            "pass": value >= WRITE_BAR if judged else None,
        }
        for what, value, judged in (
            ("table alone", bare, True),
            ("with its roll-up", with_rollup, False),
        )
    ]
    rows.append(
        {
            "name": f"p99 per stage per minute over {total // 1_000_000} million rows",
            "value": p99_ms,
            "unit": "ms",
            "processor_ms": processor_ms,
            "bar": f"<= {READ_BAR_MS:.0f} ms",
            "pass": p99_ms <= READ_BAR_MS,
        }
    )
    write(rows)


if __name__ == "__main__":
    main()
