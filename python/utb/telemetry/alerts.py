"""Alerts: what a person should hear of, derived from records, so that every reader has the same."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec

from utb.domain.amounts import price_of, units_of
from utb.domain.market import Instrument
from utb.domain.names import BreakerKind, OrderStatus, Side
from utb.domain.names import OperatorState as OperatorStateName
from utb.domain.orders import Trade
from utb.domain.records import (
    HISTORY,
    Breaker,
    FeedState,
    FillBooked,
    OperatorState,
    OrderState,
    Record,
    WarmUp,
)


class Severity(StrEnum):
    """How much an alert matters."""

    INFO = "INFO"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


class Category(StrEnum):
    """The five kinds of the user guide."""

    TRADE = "TRADE"
    PERFORMANCE = "PERFORMANCE"
    RISK = "RISK"
    SYSTEM = "SYSTEM"
    MARKET = "MARKET"


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert."""

    id: str
    seq: int
    ts_ns: int
    severity: Severity
    category: Category
    title: str
    message: str
    data: dict[str, Any] = {}


_Said = tuple[Severity, Category, str, str, dict[str, Any]]
_FAILED = frozenset({OrderStatus.EXPIRED, OrderStatus.FAILED_ON_CHAIN, OrderStatus.UNKNOWN})
_MARKET = frozenset({BreakerKind.FLASH_CRASH, BreakerKind.WHALE_MANIPULATION})


def alert_of(
    seq: int, record: Record, trade: Trade | None, instruments: Sequence[Instrument]
) -> Alert | None:
    """Return the alert a record calls for, if it calls for one.

    Args:
        seq: Sequence of the record, which names the alert.
        record: The record.
        trade: The trade it closed.
        instruments: By index.
    """
    said: _Said | None = None
    match record:
        case FillBooked():
            said = _fill(record, trade, instruments)
        case Breaker():
            said = _breaker(record, instruments)
        case OperatorState():
            said = _operator(record)
        case FeedState():
            said = _feed(record)
        case WarmUp():
            symbol = _symbol(record.instrument, instruments)
            text = f"no price for {record.gap_ns / 60e9:.0f} minutes: its indicators start again"
            said = Severity.INFO, Category.MARKET, f"{symbol} warms up", text, {"symbol": symbol}
        case OrderState() if record.status in _FAILED:
            said = (
                Severity.WARNING,
                Category.TRADE,
                f"order {record.status.lower().replace('_', ' ')}",
                f"order {record.intent_id}: {record.reason or 'no reason given'}",
                {"order_id": record.intent_id, "status": record.status},
            )
        case _:
            said = None
    if said is None:
        return None
    severity, category, title, message, data = said
    return Alert(
        id=f"alert_{seq}",
        seq=seq,
        ts_ns=record.ts_ns,
        severity=severity,
        category=category,
        title=title,
        message=message,
        data=data,
    )


def _symbol(index: int | None, instruments: Sequence[Instrument]) -> str:
    if index is None or not 0 <= index < len(instruments):
        return "the portfolio"
    return instruments[index].symbol


def _fill(record: FillBooked, trade: Trade | None, instruments: Sequence[Instrument]) -> _Said:
    fill = record.fill
    instrument = instruments[fill.instrument]
    decimals = instrument.base_decimals, instrument.quote_decimals
    size = units_of(fill.base_raw, instrument.base_decimals)
    price = price_of(fill.base_raw, fill.quote_raw, *decimals)
    verb = "bought" if fill.side is Side.BUY else "sold"
    why = fill.lead if fill.exit_reason is None else str(fill.exit_reason)
    data: dict[str, Any] = {
        "symbol": instrument.symbol,
        "side": fill.side,
        "size": size,
        "price": price,
        "reason": why,
        "order_id": fill.intent_id,
    }
    text = f"{verb} {size:g} {instrument.base} at {price:g} ({why})"
    if trade is not None:
        data["pnl"] = units_of(trade.pnl_quote_raw, instrument.quote_decimals)
        text += f", {data['pnl']:+,.2f} {instrument.quote} after costs"
    return Severity.INFO, Category.TRADE, f"{verb} {instrument.symbol}", text, data


def _breaker(record: Breaker, instruments: Sequence[Instrument]) -> _Said:
    symbol = _symbol(record.instrument, instruments)
    category = Category.MARKET if record.kind in _MARKET else Category.RISK
    if record.kind is BreakerKind.UNHEALTHY:
        category = Category.SYSTEM
    name = record.kind.lower().replace("_", " ")
    data: dict[str, Any] = {
        "kind": record.kind,
        "symbol": symbol if record.instrument is not None else None,
        "active": record.active,
        "value": record.value,
        "limit": record.limit,
    }
    if not record.active:
        return Severity.INFO, category, f"{name} cleared", f"{symbol}: {record.cause}", data
    severity = Severity.CRITICAL if record.kind is BreakerKind.DRAWDOWN else Severity.WARNING
    text = f"{symbol}: {record.cause} ({record.value:.4g}, limit {record.limit:.4g})"
    return severity, category, name, text, data


def _operator(record: OperatorState) -> _Said:
    name = record.state.lower().replace("_", " ")
    stopped = record.state is OperatorStateName.EMERGENCY_STOP
    severity = Severity.CRITICAL if stopped else Severity.INFO
    text = f"by {record.issued_by}: {record.cause}"
    data = {"state": record.state, "previous": record.previous, "issued_by": record.issued_by}
    return severity, Category.SYSTEM, name, text, data


def _feed(record: FeedState) -> _Said:
    good = record.state in {"FRESH", "CONNECTED", "STARTING", "OFF", HISTORY}
    severity = Severity.INFO if good else Severity.WARNING
    title = f"feed {record.source} {record.state.lower().replace('_', ' ')}"
    data = {"source": record.source, "state": record.state}
    return severity, Category.SYSTEM, title, record.reason or title, data
