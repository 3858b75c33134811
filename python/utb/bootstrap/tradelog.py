"""The trading process's own log: what changed, a line each; never on the way of an order."""

from collections import deque
from typing import Final

import structlog

from utb.domain.amounts import price_of, units_of
from utb.domain.market import Instrument
from utb.domain.records import (
    Breaker,
    FeedState,
    FillBooked,
    FillReverted,
    OperatorState,
    Record,
)
from utb.domain.times import iso
from utb.storage.encoding import decode_record

KINDS: Final = frozenset({"breaker", "feed", "fill", "fill_reverted", "operator"})
"""Kinds of records that are told; trades and performance are told by `utb serve`, which works them
out."""
WAITING_MAX: Final = 10_000

_log = structlog.get_logger("trade")


class TradeLog:
    """Takes records as they become durable, and writes them down later."""

    def __init__(self, instruments: tuple[Instrument, ...]) -> None:
        self._instruments = instruments
        self._waiting: deque[bytes] = deque(maxlen=WAITING_MAX)

    def take(self, kind: str, payload: bytes) -> None:
        """Keep a record for the next `write`."""
        if kind in KINDS:
            self._waiting.append(payload)

    def write(self) -> None:
        """Write what waits."""
        while self._waiting:
            self._tell(decode_record(self._waiting.popleft()))

    def _tell(self, record: Record) -> None:
        match record:
            case FillBooked():
                self._executed(record)
            case FillReverted():
                _log.warning(
                    "fill_reverted",
                    id=record.intent_id,
                    signature=record.signature,
                    reason=record.reason,
                )
            case FeedState():
                _log.info("feed", source=record.source, state=record.state, reason=record.reason)
            case OperatorState():
                _log.info(
                    "operator", state=record.state, issued_by=record.issued_by, cause=record.cause
                )
            case Breaker():
                index = record.instrument
                symbol = None if index is None else self._instruments[index].symbol
                _log.warning(
                    "breaker",
                    kind=record.kind,
                    instrument=symbol,
                    active=record.active,
                    cause=record.cause,
                    value=record.value,
                    limit=record.limit,
                )
            case _:
                return

    def _executed(self, record: FillBooked) -> None:
        """Tell a fill in whole units, as `/ws` and the trades' pages do."""
        fill = record.fill
        instrument = self._instruments[fill.instrument]
        base, quote = instrument.base_decimals, instrument.quote_decimals
        _log.info(
            "EXECUTED",
            id=fill.intent_id,
            position=fill.position_id,
            symbol=instrument.symbol,
            side=fill.side.value,
            size=units_of(fill.base_raw, base),
            price=price_of(fill.base_raw, fill.quote_raw, base, quote),
            fees=units_of(fill.pool_fee_quote_raw + record.fee_quote_raw, quote),
            strategy=fill.lead,
            reason=fill.lead if fill.exit_reason is None else fill.exit_reason.value,
            signature=fill.signature,
            market_time=iso(fill.ts_ns),
        )
