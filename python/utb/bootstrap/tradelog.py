"""The trading process's own log: what changed, a line each; never on the way of an order."""

from collections import deque
from typing import Final

import structlog

from utb.domain.market import Instrument
from utb.domain.records import Breaker, FeedState, OperatorState, Record
from utb.storage.encoding import decode_record

KINDS: Final = frozenset({"feed", "operator", "breaker"})
"""Kinds of records that are told; fills and trades are told by `utb serve`, which folds them."""
WAITING_MAX: Final = 10_000

_log = structlog.get_logger("trade")


class TradeLog:
    """Takes records as they become durable, and writes them down later."""

    def __init__(self, instruments: tuple[Instrument, ...]) -> None:
        self._symbols = [instrument.symbol for instrument in instruments]
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
            case FeedState():
                _log.info("feed", source=record.source, state=record.state, reason=record.reason)
            case OperatorState():
                _log.info(
                    "operator", state=record.state, issued_by=record.issued_by, cause=record.cause
                )
            case Breaker():
                symbol = None if record.instrument is None else self._symbols[record.instrument]
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
