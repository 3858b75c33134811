"""The votes of every strategy at every closed bar, as a table."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from utb.domain.market import Instrument
from utb.domain.names import CONDITIONS, STRATEGIES
from utb.engine import Engine
from utb.errors import UsageError
from utb.ports.feed import ContextUpdate, Feed, Frame, Records

NEVER_NS: Final = (1 << 63) - 1
ROWS_PER_TABLE: Final = 200_000
SIDES: Final = ("HOLD", "BUY", "SELL")
SCHEMA: Final = pa.schema(
    [
        ("ts", pa.int64()),
        ("instrument", pa.string()),
        ("strategy", pa.string()),
        ("side", pa.string()),
        ("strength", pa.float64()),
        ("confidence", pa.float64()),
        ("stop", pa.float64()),
        ("target", pa.float64()),
        ("conditions", pa.list_(pa.bool_())),
    ]
)
"""One row per closed bar of the strategy timeframe, instrument and strategy."""


def votes(
    engine: Engine, feed: Feed, instruments: tuple[Instrument, ...], *, grace_ns: int
) -> Iterator[pa.Table]:
    """Run a feed through the core and yield its votes in order of time, as tables of `SCHEMA`.

    Args:
        engine: Fresh; its vote log is switched on here.
        feed: Recorded market.
        instruments: By dense index.
        grace_ns: `feeds.close_grace_ms` in nanoseconds: the last bar closes by timer.
    """
    engine.log(votes=True)
    waiting: list[NDArray[np.void]] = []
    size = 0
    for _ in _progress(engine, feed, grace_ns):
        drained = engine.drain_votes()
        waiting.append(drained)
        size += drained.size
        if size >= ROWS_PER_TABLE:
            yield _table(np.concatenate(waiting), instruments)
            waiting, size = [], 0
    if size:
        yield _table(np.concatenate(waiting), instruments)


def write_votes(tables: Iterator[pa.Table], out: Path) -> int:
    """Write tables as parquet or JSON lines, by the file's ending; return the number of rows.

    Raises:
        UsageError: If the ending is neither `.parquet` nor `.jsonl`.
    """
    if out.suffix == ".parquet":
        with pq.ParquetWriter(out, SCHEMA, compression="zstd") as writer:
            return sum(_written(writer, table) for table in tables)
    if out.suffix in {".jsonl", ".ndjson", ".json"}:
        return _write_lines(tables, out)
    raise UsageError("--out", str(out), "a name that ends in .parquet or .jsonl")


def _progress(engine: Engine, feed: Feed, grace_ns: int) -> Iterator[None]:
    """Feed everything in, pausing after every item."""
    last_ns = 0
    for item in feed.items(0):
        match item:
            case Records(payload=payload):
                replay = engine.replay(payload)
                at = 0
                while at < len(replay):
                    at, _ = replay.advance(at, replay.ts_recv_ns(len(replay) - 1))
                last_ns = replay.ts_recv_ns(len(replay) - 1)
            case Frame():
                engine.ingest(item.source, item.payload, item.ts_recv_ns)
                last_ns = item.ts_recv_ns
            case ContextUpdate():
                engine.set_context(item.instrument, item.payload, item.ts_ns)
        yield
    # The last bar ends one nanosecond after its last event, or later where the data stops inside.
    engine.advance_to(last_ns + 1 + grace_ns)
    yield


def _table(rows: NDArray[np.void], instruments: tuple[Instrument, ...]) -> pa.Table:
    symbols = pa.array([i.symbol for i in instruments])
    hold = rows["side"] == 0
    columns: list[Any] = [
        pa.array(rows["ts_ns"]),
        pa.DictionaryArray.from_arrays(pa.array(rows["instrument"].astype(np.int32)), symbols),
        pa.DictionaryArray.from_arrays(
            pa.array(rows["strategy"].astype(np.int32)), pa.array(STRATEGIES)
        ),
        pa.DictionaryArray.from_arrays(pa.array(rows["side"].astype(np.int32)), pa.array(SIDES)),
        pa.array(rows["strength"]),
        pa.array(rows["confidence"]),
        pa.array(rows["stop"], mask=hold | np.isnan(rows["stop"])),
        pa.array(rows["target"], mask=hold | np.isnan(rows["target"])),
        _conditions(rows),
    ]
    plain = [c.dictionary_decode() if isinstance(c, pa.DictionaryArray) else c for c in columns]
    return pa.Table.from_arrays(plain, schema=SCHEMA)


def _conditions(rows: NDArray[np.void]) -> pa.ListArray:
    """Return true, false or null per BUY condition, only as many as the strategy has."""
    counts = np.array([len(names) for names in CONDITIONS])[rows["strategy"]]
    used = np.arange(rows["buy"].shape[1]) < counts[:, None]
    states = rows["buy"][used]
    values = pa.array(states == 2, mask=states == 0)  # noqa: PLR2004 - the core's encoding
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def _written(writer: pq.ParquetWriter, table: pa.Table) -> int:
    writer.write_table(table)
    return int(table.num_rows)


def _write_lines(tables: Iterator[pa.Table], out: Path) -> int:
    encoder = msgspec.json.Encoder()
    count = 0
    with out.open("wb") as file:
        for table in tables:
            rows = table.to_pylist()
            file.write(encoder.encode_lines(rows))
            count += len(rows)
    return count
