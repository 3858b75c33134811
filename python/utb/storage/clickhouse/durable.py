"""Tables of what is durable: one row per journal record of a kind, never deleted."""

from typing import Final

from utb.storage.clickhouse.columns import (
    decimals,
    labels,
    numbers,
    sequence,
    texts,
    time,
    which,
    whole,
)
from utb.storage.clickhouse.table import Column, Table

_OPTIONAL: Final = "Nullable(Float64)"
_RAW: Final = "Int64"


def _durable(name: str, *columns: Column) -> Table:
    return Table(name=name, columns=(*sequence(), *columns), order_by="seq", durable=True)


EVENTS: Final = _durable(
    "events",
    *time("wall", "when it became durable"),
    *labels("kind"),
    Column("instrument", "Nullable(UInt32)"),
    *labels("symbol"),
    *texts("intent_id"),
    Column("position_id", "Nullable(Int64)"),
    Column("payload", "String", "ZSTD(3)", comment="the whole record as JSON"),
)
"""Every record; a batch writes it last, so its end is what all other tables hold at least."""

DECISIONS: Final = _durable(
    "decisions",
    *texts("intent_id"),
    *which(),
    *time("bar_open"),
    *labels("side", "lead", "outcome"),
    *numbers("price"),
    *numbers("stop", "target", type_=_OPTIONAL),
    *numbers("consensus", "confidence", "participation"),
    *numbers("atr", "adx", "volatility_ratio", type_=_OPTIONAL),
    Column("trend_4h", "Nullable(Int8)"),
    *labels("regime"),
    *numbers("liquidity_quote", type_=_OPTIONAL),
    Column("params_version", "UInt32"),
    Column("votes.strategy", "Array(String)"),
    Column("votes.side", "Array(String)"),
    Column("votes.strength", "Array(Float64)"),
    Column("votes.confidence", "Array(Float64)"),
    Column("votes.weight", "Array(Float64)"),
    Column("votes.conditions", "Array(String)"),
)

REFUSALS: Final = _durable(
    "refusals",
    *texts("intent_id"),
    *which(),
    *labels("code"),
    *numbers("limit", "value", "order_value"),
    *texts("message"),
)

ORDERS: Final = _durable(
    "orders",
    *texts("intent_id"),
    *labels("status"),
    Column("instrument", "Nullable(UInt32)"),
    *labels("symbol", "side", "lead", "exit_reason"),
    *numbers("decision_price", "stop", "target", type_=_OPTIONAL),
    *numbers("amount_in_raw", "min_out_raw", "position_id", type_="Nullable(Int64)"),
    Column("attempt", "UInt16"),
    Column("slippage_bps_max", "Nullable(UInt32)"),
    *numbers(
        "reserved_quote_raw",
        "risk_at_stop_raw",
        "round_trip_cost_raw",
        "fee_lamports",
        "fee_quote_raw",
        type_=_RAW,
    ),
    Column("shares", "Array(Float64)"),
    Column("factors.name", "Array(String)"),
    Column("factors.value", "Array(Float64)"),
    *texts("reason"),
)
"""Every state of every order; the first one carries the intent's own fields."""

SIGN: Final = Column("sign", "Int8", comment="-1 takes an earlier row back")
"""A row that takes one back has its raw amounts negated, so sums need not look at it; counts and
means do."""

FILLS: Final = _durable(
    "fills",
    *texts("intent_id"),
    Column("position_id", _RAW),
    *which(),
    *labels("side", "lead", "exit_reason"),
    *time("decision_ts"),
    *numbers("decision_price"),
    *numbers(
        "base_raw",
        "quote_raw",
        "pool_fee_quote_raw",
        "fee_lamports",
        "fee_quote_raw",
        type_=_RAW,
    ),
    Column("indicative", "Bool"),
    SIGN,
    *decimals(),
    whole("base", "base"),
    whole("quote", "quote"),
    Column("price", "Float64", alias="quote / base", comment="quote per base, fees inside"),
)

TRADES: Final = _durable(
    "trades",
    *texts("intent_id"),
    Column("position_id", _RAW),
    *which(),
    *labels("lead", "exit_reason"),
    *time("opened_ts"),
    *numbers(
        "base_raw",
        "entry_quote_raw",
        "exit_quote_raw",
        "fee_lamports",
        "fee_quote_raw",
        "pool_fee_quote_raw",
        "pnl_quote_raw",
        "initial_risk_quote_raw",
        type_=_RAW,
    ),
    Column("shares", "Array(Float64)"),
    *numbers("slippage_bps", "execution_ms"),
    SIGN,
    *decimals(),
    Column("closed_ts", "DateTime64(9, 'UTC')", alias="ts"),
    Column("closed_ts_ns", "Int64", alias="ts_ns"),
    whole("base", "base"),
    whole("pnl_quote", "quote"),
)
"""Closed round trips as the ledger folds them; `seq` is that of the fill that closed one."""

EQUITY: Final = _durable(
    "equity",
    *numbers("equity_quote_raw", "cash_quote_raw", "sol_lamports", "units_raw", type_=_RAW),
    *numbers("peak_nav"),
    *numbers("volatility_daily", type_=_OPTIONAL),
    Column("day", "Nullable(Int32)"),
    Column("peak_reset", "Bool"),
    Column("quote_decimals", "UInt8"),
    whole("equity_quote", "quote"),
    whole("cash_quote", "quote"),
)

DETAILS: Final = (DECISIONS, REFUSALS, ORDERS, FILLS, TRADES, EQUITY)
"""Tables of one kind of record each; what has none of them is in `events` only."""

DURABLE: Final = (*DETAILS, EVENTS)
"""In the order a batch is written."""
