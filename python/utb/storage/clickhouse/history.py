"""Tables of the second lane: the market and our own speed, complete as far as it was received."""

from typing import Final

from utb.storage.clickhouse.columns import PRICE_CODEC, labels, numbers, stored, time, which
from utb.storage.clickhouse.table import LABEL, TIME, Column, Table

_OPTIONAL: Final = "Nullable(Float64)"

STAGES: Final = (
    "ingest",
    "decide",
    "journal",
    "submit",
    "fill",
    "snapshot",
    "decode",
    "indicators",
    "votes",
    "risk",
    "build",
    "sign",
)
"""Stages by the number they have in the store; new ones go to the end."""

STAGE_TYPE: Final = (
    "Enum8('other' = -1, "
    + ", ".join(f"'{name}' = {number}" for number, name in enumerate(STAGES))
    + ")"
)
"""A byte per row: grouping ten million rows by it is a third faster than by repeated texts."""

TICKS: Final = Table(
    name="ticks",
    columns=(
        *time(comment="at the source"),
        *time("ts_recv", "when it was received"),
        *which(),
        *labels("kind", "source"),
        Column("price", "Float64", PRICE_CODEC),
        Column("volume", _OPTIONAL, PRICE_CODEC, comment="base since the one before"),
        Column("liquidity", _OPTIONAL, PRICE_CODEC, comment="quote side, quote units"),
        Column("slot", "UInt64", "Delta, ZSTD(1)"),
        Column("index", "UInt64", "ZSTD(1)"),
        stored(),
    ),
    order_by="(symbol, ts)",
    history=True,
)

BARS: Final = Table(
    name="bars",
    columns=(
        *time(comment="open of the bar"),
        *which(),
        *labels("timeframe"),
        *numbers("open", "high", "low", "close", codec=PRICE_CODEC),
        *numbers("volume", type_=_OPTIONAL, codec=PRICE_CODEC),
    ),
    order_by="(symbol, timeframe, ts)",
    engine="ReplacingMergeTree",
)
"""A bar that comes again after a restart replaces itself; read with FINAL where that matters."""

VOTES: Final = Table(
    name="votes",
    columns=(
        *time(comment="open of the bar"),
        *which(),
        *labels("strategy", "side"),
        *numbers("close", "strength", "confidence", codec=PRICE_CODEC),
        *numbers("stop", "target", type_=_OPTIONAL),
        Column("buy", LABEL, comment="T held, F failed, -"),
        Column("sell", LABEL),
        Column("exit_long", "Bool"),
        Column("exit_short", "Bool"),
    ),
    order_by="(symbol, strategy, ts)",
    engine="ReplacingMergeTree",
)

EQUITY_CURVE: Final = Table(
    name="equity_curve",
    columns=(*time(), *numbers("equity", codec=PRICE_CODEC)),
    order_by="ts",
    engine="ReplacingMergeTree",
)
"""Equity in quote units at the end of every strategy bar."""

LATENCIES: Final = Table(
    name="latencies",
    columns=(
        *time(codec="Delta, LZ4"),
        Column("minute", "UInt32", comment="of ts, since the epoch: what percentiles go by"),
        Column("stage", STAGE_TYPE),
        Column("instrument", "UInt16"),
        Column("ns", "UInt32", comment="duration; 4.29 s stands for longer"),
        stored(),
    ),
    order_by="ts",
    history=True,
)

STAGE_TOTALS: Final = Table(
    name="stage_totals",
    columns=(
        *time(comment="wall time"),
        *labels("session", "stage"),
        *numbers("count", "sum_ns", "max_ns", "p50_ns", "p99_ns", type_="UInt64", codec="T64, LZ4"),
        Column("buckets", "Array(UInt64)"),
        stored(),
    ),
    order_by="(session, stage, ts)",
    history=True,
)
"""What a trading process says of its stages now and then, counted since it started."""

LANE_DROPS: Final = Table(
    name="lane_drops",
    columns=(
        *time(comment="wall time"),
        *labels("kind", "cause"),
        Column("rows", "UInt64"),
    ),
    order_by="ts",
)
"""Rows of the second lane that are missing; cause `trade`: not sent, `analytics`: no room."""

INSTRUMENTS: Final = Table(
    name="instruments",
    columns=(
        Column("instrument", "UInt32"),
        *labels("symbol", "base_mint", "quote_mint", "primary"),
        Column("base_decimals", "UInt8"),
        Column("quote_decimals", "UInt8"),
        Column("liquid", "Bool"),
        Column("min_order_quote_raw", "Int64"),
        Column("updated", TIME),
    ),
    order_by="instrument",
    engine="ReplacingMergeTree(updated)",
    partition="",
)

LANE: Final = (TICKS, BARS, VOTES, EQUITY_CURVE, LATENCIES, STAGE_TOTALS, LANE_DROPS)
