"""What the trader remembers beside the book: a plain value, saved with each snapshot."""

from typing import Final

import msgspec

from utb.domain.commands import Answer
from utb.domain.names import ExitReason, OperatorState, OrderStatus
from utb.domain.orders import Fill

STATE_VERSION: Final = 2
ANSWERS_KEPT: Final = 1024
"""Commands whose answers are remembered; an older repeat would be taken as new."""

DECISIONS_KEPT: Final = 4096
"""Decisions remembered, so that a replayed one does nothing."""


class ExitState(msgspec.Struct, kw_only=True):
    """How far a position's exit has come."""

    epoch: int = 0
    """Exits of this position that came to an end."""
    attempt: int = 0
    """Attempts of the present epoch that failed."""
    intent_id: str | None = None
    """The attempt on its way."""
    reason: ExitReason | None = None
    fraction: float = 1.0
    size_base_raw: int | None = None
    """Exact amount of a partial exit, so that every attempt sells the same."""
    queued: ExitReason | None = None
    """A full exit that waits until the partial one on its way has ended."""
    tried_events: int = -1
    """Price events at the last refused attempt: the next one waits for another."""


class Watch(msgspec.Struct, kw_only=True):
    """What the core was told of a position's exits."""

    partial_done: bool = False
    partial_enabled: bool = True
    highest: float
    round_trip_cost: float
    """Quote units per base unit."""
    entry_price: float
    risk_per_unit: float


class Undo(msgspec.Struct, frozen=True, kw_only=True):
    """What was watched of a position before a fill that may still vanish from the chain."""

    watch: Watch | None
    exit: ExitState | None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the chain told of a fill and the book cannot take yet."""

    fill: Fill
    status: OrderStatus
    """CONFIRMED, FINAL or SETTLED."""
    fee_lamports: int = 0
    """With SETTLED: of attempts that failed on chain beside it."""


class TraderState(msgspec.Struct, kw_only=True):
    """Everything that decides and is not in the book."""

    version: int = STATE_VERSION
    is_open: bool = False
    """The account's opening is on record."""
    operator: OperatorState = OperatorState.RUNNING
    ended: bool = False
    exits: dict[int, ExitState] = {}
    watches: dict[int, Watch] = {}
    decisions: dict[str, bool] = {}
    answers: dict[str, Answer] = {}
    undo: dict[str, Undo] = {}
    """By intent, of the book's provisional fills."""
    told: dict[str, Told] = {}
    """By intent: sales that wait for what they sold, and fills that are settled before an older
    one of their position is."""
    opening: tuple[int, int, int] | None = None
    """Cash (quote raw), lamports, and how many of them rent holds in accounts of ours, as a
    wallet on the chain had them at the start; None: not read yet."""
    params_version: int = 0
    peak: float = 0.0
    """Highest marked equity the core has told, quote units."""


def remember(kept: dict[str, bool], key: str, limit: int) -> None:
    """Add a key and drop the oldest beyond the limit."""
    kept[key] = True
    while len(kept) > limit:
        del kept[next(iter(kept))]
