"""Orders, approvals, fills and positions."""

from enum import StrEnum

import msgspec

from utb.domain.chain import Attempt
from utb.domain.names import ExitReason, OrderStatus, RefusalCode, Side

Shares = tuple[float, ...]
"""Attribution to the eight strategies: share of the BUY mass; all 0 for manual."""


class OrderIntent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What we want to do, before risk has said anything.

    An entry spends an exact quote amount, an exit sells an exact base amount, as swaps do.
    """

    intent_id: str
    """16 hex digits, a function of the decision or command, so a replay is the same intent."""
    instrument: int
    side: Side
    lead: str
    """Strategy name or `manual`."""
    ts_ns: int
    """Time of the decision."""
    decision_price: float
    """Mid price the decision was taken at, for slippage."""
    decision_events: int
    """Price events of the instrument at the decision: the fill needs a later one."""
    amount_in_raw: int
    """Exact input: quote raw for BUY, base raw for SELL."""
    min_out_raw: int
    """Least output: base raw for BUY, quote raw for SELL."""
    stop: float | None = None
    target: float | None = None
    position_id: int | None = None
    """Position an exit reduces."""
    exit_reason: ExitReason | None = None
    exit_epoch: int = 0
    attempt: int = 0
    slippage_bps_max: int


class RiskFactor(msgspec.Struct, frozen=True, array_like=True):
    """One factor of the size formula, kept so that a decision can be explained."""

    name: str
    value: float


class RiskApproved(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order that passed the gate; only `risk/gate.py` makes one."""

    intent: OrderIntent
    factors: tuple[RiskFactor, ...]
    risk_at_stop_raw: int
    """Loss if the stop is hit, quote raw, costs included."""
    expected_cost_raw: int
    """Expected round-trip cost, quote raw."""


class RiskRefused(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order that the gate denied, with the numbers."""

    intent_id: str
    instrument: int
    ts_ns: int
    code: RefusalCode
    limit: float
    """The limit's configured number."""
    value: float
    """The portfolio's or market's present value of that figure."""
    order_value: float
    """What the order would have made of it, or the order's own value."""
    message: str


class Submission(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An approved order handed to the venue after it is durable in the journal."""

    intent: OrderIntent
    fee_lamports_max: int


class VenueFilled(msgspec.Struct, frozen=True, kw_only=True, tag="filled"):
    """The venue executed an order."""

    intent_id: str
    ts_ns: int
    base_raw: int
    """Base amount that changed hands, > 0."""
    quote_raw: int
    """Quote amount that changed hands, > 0, pool fee included."""
    pool_fee_quote_raw: int
    """Part of it that is the pool's fee, in quote raw (for the cost report)."""
    fee_lamports: int
    """Base + priority fee paid in SOL."""
    mid_price: float
    """Pool mid before the swap, quote per base."""
    indicative: bool
    """Whether the price came from a source that gives no executable price."""
    signature: str = ""
    """Transaction on the chain; empty at a venue without one."""
    slot: int = 0
    tip_lamports: int = 0
    """Part of `fee_lamports` that went to a relay."""
    rent_lamports: int = 0
    """Locked in accounts the transaction opened, beside the fee; signed."""
    provisional: bool = False
    """Confirmed and not yet final: it may vanish again (`VenueReverted`)."""


class VenueProgress(msgspec.Struct, frozen=True, kw_only=True, tag="progress"):
    """An order moved on without a fill or an end: signed, sent, seen, final, settled, unknown."""

    intent_id: str
    ts_ns: int
    status: OrderStatus
    signature: str = ""
    attempt: Attempt | None = None
    """With SIGNED: what must be durable before `release`."""
    slot: int = 0
    """With SETTLED: of the last one of its transactions."""
    reason: str = ""
    fee_lamports: int = 0
    """With SETTLED: network fees of attempts that failed on chain beside the one that filled."""


class VenueReverted(msgspec.Struct, frozen=True, kw_only=True, tag="reverted"):
    """A provisional fill vanished from the chain: it is undone, the order is on its way again."""

    intent_id: str
    ts_ns: int
    signature: str
    status: OrderStatus
    """SENT or UNKNOWN."""
    reason: str


class FlowCause(StrEnum):
    """Why lamports or cash moved beside the orders."""

    EXTERNAL = "EXTERNAL"
    """From or to others: never ours."""
    RENT = "RENT"
    """Between the wallet and accounts of ours: locked (negative) or got back."""
    HOUSEKEEPING_FEE = "HOUSEKEEPING_FEE"
    """Network fee of a transaction that is no trade."""


class VenueFlow(msgspec.Struct, frozen=True, kw_only=True, tag="flow"):
    """Lamports or cash moved beside the orders; the ledger follows the chain."""

    ts_ns: int
    cause: FlowCause
    lamports: int
    """Signed, into the wallet."""
    quote_raw: int = 0
    """Signed, into the wallet."""
    rent_lamports: int = 0
    """With EXTERNAL: what others put into accounts of ours, beside `lamports`."""
    signature: str = ""
    reason: str = ""


class VenueFailed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """The order landed and failed on chain, fees paid; or expired without landing."""

    intent_id: str
    ts_ns: int
    status: OrderStatus
    """FAILED_ON_CHAIN, EXPIRED, or CANCELLED (it was never sent)."""
    fee_lamports: int
    reason: str
    attempts: int = 1
    """Transactions that were signed for it."""
    slot: int = 0
    """Of the last of them that landed and failed; 0: none did."""


class VenueDiscrepancy(msgspec.Struct, frozen=True, kw_only=True, tag="discrepancy"):
    """The chain and the book differ, or a signature of our wallet is not ours; or no longer."""

    ts_ns: int
    words: str
    """What differs, with its figures; empty: everything agrees again."""


VenueEvent = (
    VenueFilled | VenueFailed | VenueProgress | VenueReverted | VenueFlow | VenueDiscrepancy
)
OrderEnd = VenueFilled | VenueFailed
"""What a venue without a chain tells: an order's whole life in one event."""


class Fill(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One execution in the ledger: two integer amounts, the price is derived."""

    intent_id: str
    position_id: int
    instrument: int
    side: Side
    ts_ns: int
    decision_ts_ns: int
    decision_price: float
    base_raw: int
    quote_raw: int
    pool_fee_quote_raw: int
    fee_lamports: int
    lead: str
    exit_reason: ExitReason | None
    indicative: bool
    signature: str = ""
    slot: int = 0
    tip_lamports: int = 0
    rent_lamports: int = 0
    """Locked in accounts the transaction opened, beside the fee; signed."""
    provisional: bool = False
    """Not settled yet: on the chain SETTLED follows, with what failed attempts have cost."""


class Position(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An open LONG position as the ledger folds it."""

    position_id: int
    intent_id: str
    """Intent of the entry: the id outside sees."""
    instrument: int
    lead: str
    opened_ts_ns: int
    base_raw: int
    """Open quantity."""
    cost_quote_raw: int
    """Cost of the open quantity, FIFO lots, pool fees included, network fees apart."""
    entry_base_raw: int
    """Quantity bought in all."""
    entry_quote_raw: int
    """Quote paid in all."""
    initial_stop: float
    stop: float
    target: float | None
    shares: tuple[float, ...]
    """Attribution to the eight strategies: share of the BUY mass; all 0 for manual."""


class Trade(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A closed round trip."""

    position_id: int
    intent_id: str
    instrument: int
    lead: str
    opened_ts_ns: int
    closed_ts_ns: int
    base_raw: int
    entry_quote_raw: int
    exit_quote_raw: int
    fee_lamports: int
    fee_quote_raw: int
    """Network fees valued in quote raw at the time they were paid."""
    pool_fee_quote_raw: int
    pnl_quote_raw: int
    """exit - entry - fee_quote_raw; pool fees are inside entry and exit."""
    initial_risk_quote_raw: int
    """Loss at the initial stop for the entry quantity: R in money."""
    exit_reason: ExitReason
    """Reason of the last exit."""
    shares: tuple[float, ...]
    slippage_bps: float
    """Volume-weighted fill against decision price over entry and exits, positive = worse."""
    execution_ms: float
    """Mean decision-to-confirmation time over its fills."""
