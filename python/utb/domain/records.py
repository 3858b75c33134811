"""Durable records: the journal is their sequence, and every replica is a fold over them.

A record's identity for `journal_hash` is every field here; sequence and wall time live in the
journal's own columns and are left out.
"""

from typing import Final

import msgspec

from utb.domain.chain import Attempt
from utb.domain.engine import DecisionMade
from utb.domain.names import BreakerKind, ExitReason, OrderStatus, RefusalCode
from utb.domain.names import OperatorState as OperatorStateName
from utb.domain.orders import Fill, FlowCause, OrderIntent, RiskFactor


class Decision(msgspec.Struct, frozen=True, kw_only=True, tag="decision"):
    """A decision of the ensemble to act, with its votes."""

    ts_ns: int
    intent_id: str
    decision: DecisionMade
    outcome: str
    """`entry`, `exit`, `no_position` (a SELL with nothing to sell) or `refused`."""


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag="refused"):
    """The gate denied an order."""

    ts_ns: int
    intent_id: str
    instrument: int
    code: RefusalCode
    limit: float
    value: float
    order_value: float
    message: str


class OrderState(msgspec.Struct, frozen=True, kw_only=True, tag="order"):
    """An order changed state; the first one carries the intent."""

    ts_ns: int
    intent_id: str
    status: OrderStatus
    intent: OrderIntent | None = None
    factors: tuple[RiskFactor, ...] = ()
    gate_inputs: bytes = b""
    """With APPROVED of an entry: what the gate saw, MessagePack of `risk.view.GateInputs`."""
    shares: tuple[float, ...] = ()
    reserved_quote_raw: int = 0
    risk_at_stop_raw: int = 0
    round_trip_cost_raw: int = 0
    fee_lamports: int = 0
    """Network fee of an order that ends without a fill; a filled order's is in its `Fill`."""
    fee_quote_raw: int = 0
    """That fee valued in quote raw."""
    reason: str = ""
    attempt: Attempt | None = None
    """With SIGNED: the transaction as it may be sent from now on."""
    signature: str = ""
    """Transaction the state is about; empty at a venue without a chain."""
    slot: int = 0


class FillBooked(msgspec.Struct, frozen=True, kw_only=True, tag="fill"):
    """A fill entered the ledger."""

    ts_ns: int
    fill: Fill
    fee_quote_raw: int
    """Its network fee valued in quote raw."""


class FillReverted(msgspec.Struct, frozen=True, kw_only=True, tag="fill_reverted"):
    """A provisional fill vanished from the chain and is undone, exactly."""

    ts_ns: int
    intent_id: str
    signature: str
    status: OrderStatus
    """Of the order from here on: SENT or UNKNOWN."""
    reason: str


class Flow(msgspec.Struct, frozen=True, kw_only=True, tag="flow"):
    """Lamports moved between the wallet and our own accounts, or paid for housekeeping."""

    ts_ns: int
    cause: FlowCause
    """RENT or HOUSEKEEPING_FEE; an EXTERNAL flow is a `CashMoved`."""
    lamports: int
    """Signed, into the wallet."""
    fee_quote_raw: int = 0
    """A fee valued in quote raw."""
    signature: str = ""
    reason: str = ""


class TriggerArmed(msgspec.Struct, frozen=True, kw_only=True, tag="trigger_armed"):
    """Exits of a position were armed."""

    ts_ns: int
    position_id: int
    instrument: int
    stop: float
    target: float | None
    lead: str
    partial_done: bool


class TriggerMovedRecord(msgspec.Struct, frozen=True, kw_only=True, tag="trigger_moved"):
    """A stop or target moved."""

    ts_ns: int
    position_id: int
    stop: float
    target: float | None
    cause: str


class TriggerFiredRecord(msgspec.Struct, frozen=True, kw_only=True, tag="trigger_fired"):
    """A trigger fired."""

    ts_ns: int
    position_id: int
    instrument: int
    kind: str
    price: float
    level: float | None


class Weights(msgspec.Struct, frozen=True, kw_only=True, tag="weights"):
    """Adaptive weights changed: one row per regime, each summing to 1."""

    ts_ns: int
    version: int
    rows: tuple[tuple[float, ...], ...]
    performance: tuple[float, ...]
    diversity: tuple[float, ...]


class Breaker(msgspec.Struct, frozen=True, kw_only=True, tag="breaker"):
    """A guard tripped or cleared."""

    ts_ns: int
    kind: BreakerKind
    instrument: int | None
    active: bool
    until_ts_ns: int | None
    """End of a cooling-off time; None = until its cause ends."""
    value: float
    limit: float
    cause: str


class OperatorState(msgspec.Struct, frozen=True, kw_only=True, tag="operator"):
    """The operator state changed."""

    ts_ns: int
    state: OperatorStateName
    previous: OperatorStateName | None
    """None at the start of a session."""
    issued_by: str
    cause: str
    lifecycle: bool = False
    """True for the records of start and stop, which `journal_hash` leaves out."""


class EquityMarked(msgspec.Struct, frozen=True, kw_only=True, tag="equity"):
    """Equity at the end of a UTC day, or at the start and end of a run."""

    ts_ns: int
    equity_quote_raw: int
    cash_quote_raw: int
    sol_lamports: int
    units_raw: int
    """Units of the account (deposits and withdrawals change units, not their value)."""
    peak_nav: float
    """Highest equity per unit so far."""
    volatility_daily: float | None
    """EWMA volatility of daily values (lambda 0.94); None before two days."""
    day: int | None = None
    """Days since the epoch of the UTC day this mark closes; None for other marks."""
    peak_reset: bool = False
    """The peak restarts at this value: an operator's reset after an emergency stop."""


class ContextSet(msgspec.Struct, frozen=True, kw_only=True, tag="context"):
    """A slow input changed; `payload` is the JSON the core received."""

    ts_ns: int
    instrument: int
    payload: str


HISTORY: Final = "HISTORY"
"""State of a feed on record: an instrument's past was read, all that was asked for."""
HISTORY_SHORT: Final = "HISTORY_SHORT"
"""The same, with less than was asked for."""


class FeedState(msgspec.Struct, frozen=True, kw_only=True, tag="feed"):
    """A feed connected, went stale or stopped (not part of `journal_hash`)."""

    ts_ns: int
    source: str
    state: str
    reason: str


class WarmUp(msgspec.Struct, frozen=True, kw_only=True, tag="warm_up"):
    """A gap restarted an instrument's warm-up."""

    ts_ns: int
    instrument: int
    gap_ns: int


class ParamsSet(msgspec.Struct, frozen=True, kw_only=True, tag="params"):
    """Parameters changed; `digest` is the SHA-256 of the JSON the core received."""

    ts_ns: int
    version: int
    digest: str


class CashMoved(msgspec.Struct, frozen=True, kw_only=True, tag="cash"):
    """Money entered or left the account from outside, or the account was opened."""

    ts_ns: int
    quote_raw: int
    lamports: int
    cause: str
    value_quote_raw: int | None = None
    """Value of the movement in quote raw, signed, SOL at its mark; None: `quote_raw` alone."""
    equity_before_quote_raw: int | None = None
    """Marked equity just before, which prices the units; None: the book at cost."""


Record = (
    Decision
    | Refused
    | OrderState
    | FillBooked
    | FillReverted
    | Flow
    | TriggerArmed
    | TriggerMovedRecord
    | TriggerFiredRecord
    | Weights
    | Breaker
    | OperatorState
    | EquityMarked
    | ContextSet
    | FeedState
    | WarmUp
    | ParamsSet
    | CashMoved
)

EXIT_BY_TRIGGER = {
    "STOP": ExitReason.STOP,
    "TARGET": ExitReason.TARGET,
    "TRAILING": ExitReason.TRAILING,
    "PARTIAL": ExitReason.PARTIAL,
    "EARLY_EXIT": ExitReason.EARLY_EXIT,
}
"""Exit reason of each trigger kind of a position."""
