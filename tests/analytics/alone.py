"""What a test does with the engine in a process of its own: one directory, one process.

Usage: python alone.py migration|catch_up|sequences|readonly STATE [NUMBER]; prints JSON.
"""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from story import INSTRUMENTS, START_NS

from utb.adapters.clocks import SystemClock
from utb.analytics.archive import Archive
from utb.analytics.readers import Limits
from utb.engine.records import EVENT_DTYPE
from utb.errors import UsageError
from utb.storage.clickhouse import durable
from utb.storage.clickhouse.embedded import Embedded
from utb.storage.clickhouse.lane import KINDS
from utb.storage.clickhouse.migrations import MIGRATIONS, migrate, version
from utb.storage.clickhouse.store import Store
from utb.storage.clickhouse.table import Place
from utb.storage.clickhouse.writer import Writer
from utb.storage.journal import FILE_NAME
from utb.storage.readers import read_records

PLACE = Place(database="utb")
now = SystemClock().now_ns
BATCH = 40


class Mortal:
    """A store whose process dies right before or right after one of its inserts."""

    def __init__(self, store: Store, inserts: int) -> None:
        self._store = store
        self._left = inserts
        self.command = store.command
        self.rows = store.rows
        self.close = store.close

    def insert(self, table: str, names: Sequence[str], block: bytes) -> None:
        self._left -= 1
        if self._left == 0 and len(block) % 2:
            os.kill(os.getpid(), signal.SIGKILL)
        self._store.insert(table, names, block)
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def catch_up(state_dir: Path, inserts: int) -> Any:
    """Write a journal in small batches; die at an insert, never with 0."""
    writer = Writer(
        Mortal(Embedded(state_dir, memory_mib_max=1024).writer(), inserts), PLACE, wall_ns=now
    )
    writer.open(90)
    archive = Archive(writer, read_records)
    archive.recall()
    archive.meet(INSTRUMENTS, START_NS)
    entries = list(read_records(state_dir / FILE_NAME, archive.seq))
    for at in range(0, len(entries), BATCH):
        archive.add(entries[at : at + BATCH])
    return writer.held


def sequences(state_dir: Path, _: int) -> Any:
    """Return the sequences each table holds, repeats included."""
    store = Embedded(state_dir, memory_mib_max=1024).writer()
    return {
        table.name: [
            int(row[0]) for row in store.rows(f"SELECT seq FROM utb.{table.name} ORDER BY seq")
        ]
        for table in durable.DURABLE
    }


def migration(state_dir: Path, _: int) -> Any:
    """Go from the first version to the last with rows in between, half a step done before."""
    store = Embedded(state_dir, memory_mib_max=1024).writer()
    writer = Writer(store, PLACE, wall_ns=now)
    ticks = np.zeros(2, EVENT_DTYPE)
    ticks["ts_ns"] = START_NS + np.array([0, 10**9])
    ticks["price"] = [2.0, 1.0]
    columns, _unknown = KINDS["ticks"].columns(ticks.tobytes(), ["SOL-USDC"])
    first = migrate(store, PLACE, upto=1)
    writer.write_lane(KINDS["ticks"].table, columns)
    store.command(MIGRATIONS[1].statements(PLACE)[0])
    last = migrate(store, PLACE)
    again = migrate(store, PLACE)
    writer.write_lane(KINDS["ticks"].table, columns)
    bars = store.rows("SELECT open, high, low, close, ticks FROM utb.bars_1m")
    kept = store.rows("SELECT count() FROM utb.ticks")
    names = store.rows("SELECT version, name FROM utb.schema_versions ORDER BY version")
    store.command("INSERT INTO utb.schema_versions (version, name) VALUES (99, 'later')")
    try:
        writer.open(90)
        refused = ""
    except UsageError as error:
        refused = str(error)
    return [first, last, again, version(store, PLACE), bars, kept, names, refused]


def readonly(state_dir: Path, _: int) -> Any:
    """Ask a reader's connection directly, without the guard in front of it."""
    engine = Embedded(state_dir, memory_mib_max=1024)
    engine.writer().command("CREATE TABLE default.t (a Int8) ENGINE = MergeTree ORDER BY a")
    connection = engine.connect()
    limits = Limits(seconds_max=0.5, memory_mib_max=64, result_rows_max=10, result_mib_max=16)
    for statement in limits.settings():
        connection.query(statement, "Null")
    found = {}
    for query in (
        "INSERT INTO default.t VALUES (1)",
        "DROP TABLE default.t",
        "CREATE TABLE default.x (a Int8) ENGINE = Memory",
        "SELECT * FROM file('/etc/hostname', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1:9/', 'LineAsString')",
        "SET readonly = 0",
        "SET max_execution_time = 0",
        "SELECT 1 SETTINGS max_execution_time = 100",
        "SELECT count() FROM numbers(1000000000000)",
    ):
        try:
            connection.query(query, "TSV")
            found[query] = ""
        except RuntimeError as error:
            found[query] = str(error)[:10]
    return found


if __name__ == "__main__":
    _, what, state, *rest = sys.argv
    calls = (catch_up, sequences, migration, readonly)
    call = {call.__name__: call for call in calls}[what]
    answer = call(Path(state), int(rest[0]) if rest else 0)
    sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
