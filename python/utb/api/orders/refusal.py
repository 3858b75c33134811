"""A refusal's numbers and words as people read them: whole units, symbols."""

import re
from math import isfinite
from typing import Final

import msgspec

from utb.domain.amounts import LAMPORT_DECIMALS
from utb.domain.names import RefusalCode
from utb.domain.records import Refused
from utb.telemetry.replica import Replica

_QUOTE: Final = frozenset({RefusalCode.INSUFFICIENT_CASH, RefusalCode.BELOW_MINIMUM})
"""Codes whose numbers are quote base units."""
_INSTRUMENT: Final = re.compile(r"instrument (\d+)")


class Told(msgspec.Struct, frozen=True):
    """What the gate said; numbers in the unit of the limit: shares, prices, or whole amounts.

    None: the refusal is not about numbers, or they are not known.
    """

    limit: float | None
    value: float | None
    order_value: float | None
    message: str


def told(replica: Replica, record: Refused) -> Told:
    """Return a refusal in whole units, its instruments by symbol."""
    unit = 1.0
    if record.code in _QUOTE:
        unit = 10.0**-replica.quote_decimals
    elif record.code is RefusalCode.FEE_RESERVE:
        unit = 10.0**-LAMPORT_DECIMALS

    # The gate's zeros where there is nothing to count, as in a warm-up or a pause
    counts = (record.limit, record.value, record.order_value) != (0.0, 0.0, 0.0)

    def number(value: float) -> float | None:
        return value * unit if counts and isfinite(value) else None

    def symbol(found: re.Match[str]) -> str:
        index = int(found.group(1))
        return replica.symbol(index) if index < len(replica.instruments) else found.group(0)

    return Told(
        limit=number(record.limit),
        value=number(record.value),
        order_value=number(record.order_value),
        message=_INSTRUMENT.sub(symbol, record.message),
    )
