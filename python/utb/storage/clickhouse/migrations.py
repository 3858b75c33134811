"""Versions of the schema, applied in order and written down as they are.

Every statement can be repeated, so a start that was killed half way through is simply started
again. A store that is newer than this program is refused.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from utb.errors import UsageError
from utb.storage.clickhouse import durable, history
from utb.storage.clickhouse.store import Store
from utb.storage.clickhouse.table import Place, quoted

VERSIONS_TABLE: Final = "schema_versions"


class Migration(msgspec.Struct, frozen=True):
    """One step of the schema."""

    version: int
    name: str
    statements: Callable[[Place], list[str]]


def _tables(place: Place) -> list[str]:
    tables = (history.INSTRUMENTS, *durable.DURABLE, *history.LANE)
    return [place.create(table) for table in tables]


_BARS_1M_STATE: Final = """\
(
    symbol LowCardinality(String),
    ts DateTime('UTC'),
    open AggregateFunction(argMin, Float64, DateTime64(9, 'UTC')),
    high SimpleAggregateFunction(max, Float64),
    low SimpleAggregateFunction(min, Float64),
    close AggregateFunction(argMax, Float64, DateTime64(9, 'UTC')),
    volume SimpleAggregateFunction(sum, Float64),
    ticks SimpleAggregateFunction(sum, UInt64)
)"""
_BARS_1M_VIEW: Final = """\
SELECT symbol, ts, argMinMerge(open) AS open, max(high) AS high, min(low) AS low,
    argMaxMerge(close) AS close, sum(volume) AS volume, sum(ticks) AS ticks
FROM {db}.bars_1m_state GROUP BY symbol, ts"""
_LATENCY_1M_STATE: Final = f"""\
(
    stage {history.STAGE_TYPE},
    ts DateTime('UTC'),
    quantiles AggregateFunction(quantilesTDigest(0.5, 0.99), UInt32),
    max_ns SimpleAggregateFunction(max, UInt32),
    count SimpleAggregateFunction(sum, UInt64)
)"""
_LATENCY_1M_VIEW: Final = """\
SELECT stage, ts, toUInt64(q[1]) AS p50_ns, toUInt64(q[2]) AS p99_ns, longest AS max_ns, n AS count
FROM
(
    SELECT stage, ts, quantilesTDigestMerge(0.5, 0.99)(quantiles) AS q, max(max_ns) AS longest,
        sum(count) AS n
    FROM {db}.latency_1m_state GROUP BY stage, ts
)"""


def _rollups(place: Place) -> list[str]:
    """Return the roll-ups: they outlive the rows they were made from."""

    def state(name: str, columns: str, order_by: str) -> str:
        return (
            f"CREATE TABLE IF NOT EXISTS {place.name(name)}{place.on_cluster}\n{columns}\n"
            f"ENGINE = {place.engine(name, 'AggregatingMergeTree')}\n"
            f"PARTITION BY toYYYYMM(ts)\nORDER BY {order_by}"
        )

    minute = "toStartOfMinute(toDateTime(ts, 'UTC'))"
    ticks = (
        f"SELECT symbol, {minute} AS minute, argMinState(price, ts) AS open, max(price) AS high, "
        "min(price) AS low, argMaxState(price, ts) AS close, sum(ifNull(volume, 0)) AS volume, "
        f"count() AS ticks FROM {place.name('ticks')} WHERE kind = 'price' GROUP BY symbol, minute"
    )
    latencies = (
        f"SELECT stage, {minute} AS minute, quantilesTDigestState(0.5, 0.99)(ns) AS quantiles, "
        f"max(ns) AS max_ns, count() AS count FROM {place.name('latencies')} "
        "GROUP BY stage, minute"
    )
    return [
        state("bars_1m_state", _BARS_1M_STATE, "(symbol, ts)"),
        place.create_rollup(
            "bars_1m_feed",
            "bars_1m_state",
            f"SELECT symbol, minute AS ts, * EXCEPT (symbol, minute) FROM ({ticks})",
        ),
        place.create_view("bars_1m", _BARS_1M_VIEW),
        state("latency_1m_state", _LATENCY_1M_STATE, "(stage, ts)"),
        place.create_rollup(
            "latency_1m_feed",
            "latency_1m_state",
            f"SELECT stage, minute AS ts, * EXCEPT (stage, minute) FROM ({latencies})",
        ),
        place.create_view("latency_1m", _LATENCY_1M_VIEW),
    ]


def _signs(place: Place) -> list[str]:
    """Return what tells rows that take others back; what is there takes nothing back."""
    return [
        f"ALTER TABLE {place.name(table.name)}{place.on_cluster} "
        f"ADD COLUMN IF NOT EXISTS `{durable.SIGN.name}` {durable.SIGN.type} DEFAULT 1"
        for table in (durable.FILLS, durable.TRADES)
    ]


MIGRATIONS: Final = (
    Migration(1, "tables", _tables),
    Migration(2, "roll-ups", _rollups),
    Migration(3, "signs", _signs),
)


def migrate(store: Store, place: Place, *, upto: int | None = None) -> int:
    """Bring the schema up to date and return its version.

    Args:
        store: Where to.
        place: Database and cluster.
        upto: Last version to apply; None: all.

    Raises:
        UsageError: If the store was written by a newer version of this program.
        TransientError: If the store does not answer.
    """
    store.command(place.create_database())
    store.command(
        f"CREATE TABLE IF NOT EXISTS {place.name(VERSIONS_TABLE)}{place.on_cluster} "
        "(version UInt32, name String, applied DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')) "
        f"ENGINE = {place.engine(VERSIONS_TABLE, 'MergeTree')} ORDER BY version"
    )
    present = version(store, place)
    if present > MIGRATIONS[-1].version:
        raise UsageError(
            "the ClickHouse store's schema",
            f"version {present}",
            f"at most {MIGRATIONS[-1].version}: it was written by a newer version of utb",
        )
    for migration in MIGRATIONS:
        if migration.version > present and (upto is None or migration.version <= upto):
            for statement in migration.statements(place):
                store.command(statement)
            store.command(
                f"INSERT INTO {place.name(VERSIONS_TABLE)} (version, name) "
                f"VALUES ({migration.version}, {quoted(migration.name)})"
            )
            present = migration.version
    return present


def version(store: Store, place: Place) -> int:
    """Return the version of the schema, 0 for none."""
    return int(store.rows(f"SELECT max(version) FROM {place.name(VERSIONS_TABLE)}")[0][0])


def keep_history(store: Store, place: Place, days: int) -> None:
    """Set how long the rows of the tables that may lose some are kept."""
    for table in history.LANE:
        if table.history:
            store.command(place.modify_ttl(table, days))
