"""What the trader wants done: values, carried out by the runner in order."""

import msgspec

from utb.domain.commands import Answer
from utb.domain.engine import ArmedPosition
from utb.domain.orders import Submission
from utb.domain.records import Record


class Arm(msgspec.Struct, frozen=True):
    """Watch a position's exits, or watch them anew."""

    position: ArmedPosition


class Disarm(msgspec.Struct, frozen=True):
    """Forget a position."""

    position_id: int


class Release(msgspec.Struct, frozen=True):
    """Make a position's triggers live again after a failed exit."""

    position_id: int


class Tighten(msgspec.Struct, frozen=True):
    """Bring stops to at most `atr_multiple` ATR below the last price."""

    instrument: int | None
    """None: of every position."""
    atr_multiple: float


class SetParams(msgspec.Struct, frozen=True):
    """Swap the core's parameters."""

    params: bytes


class SetPortfolio(msgspec.Struct, frozen=True, kw_only=True):
    """Tell the core what to mark equity with, and where the drawdown floor stands."""

    cash: float
    """Everything that is not a position, quote units."""
    holdings: tuple[tuple[int, float], ...]
    """(instrument, quantity in base units of the asset, not raw)."""
    peak: float
    max_drawdown: float | None
    """None: no floor."""


class SetContext(msgspec.Struct, frozen=True, kw_only=True):
    """Hand a slow input to the core."""

    instrument: int
    payload: bytes
    ts_ns: int


EngineCall = Arm | Disarm | Release | Tighten | SetParams | SetPortfolio | SetContext


class Effects(msgspec.Struct):
    """Everything one input caused.

    The runner appends the records, makes them durable if there are submissions, submits, and then
    makes the calls.
    """

    records: list[Record] = []
    submissions: list[Submission] = []
    releases: list[str] = []
    """Signatures whose transactions may leave once the records are durable."""
    calls: list[EngineCall] = []
    answer: Answer | None = None
