"""Events the compiled core hands to Python: one tagged union, decoded from MessagePack.

Every type is `array_like`: on the wire a list `[tag, field, ...]` in field order. The core writes
exactly these; `rust/core/src/wire.rs` is the other half.
"""

import msgspec


class VoteView(msgspec.Struct, frozen=True, array_like=True):
    """One strategy's standing vote inside a decision."""

    side: str
    """BUY, SELL or HOLD (nothing standing)."""
    strength: float
    """After decay, 0..1."""
    confidence: float
    weight: float
    conditions: str
    """One letter per BUY condition of the latest evaluation: `T` held, `F` failed, `-` missing."""


class DecisionFeatures(msgspec.Struct, frozen=True, array_like=True):
    """Market features the risk gate sizes with, at the decision's bar."""

    atr: float | None
    adx: float | None
    volatility_ratio: float | None
    trend_4h: int | None
    """Sign of SMA20 - SMA50 on 4h: 1 bull, -1 bear, 0 equal; None before its warm-up."""
    regime: int
    liquidity_quote: float | None


class DecisionMade(msgspec.Struct, frozen=True, array_like=True, tag="D"):
    """The ensemble wants to act."""

    ts_ns: int
    instrument: int
    bar_open_ns: int
    side: str
    """BUY or SELL."""
    lead: int
    """Strategy index."""
    price: float
    """Close of the bar."""
    stop: float | None
    target: float | None
    consensus: float
    confidence: float
    participation: float
    votes: tuple[VoteView, ...]
    features: DecisionFeatures
    params_version: int


class TriggerFired(msgspec.Struct, frozen=True, array_like=True, tag="F"):
    """A resting trigger of a position fired."""

    ts_ns: int
    instrument: int
    position_id: int
    kind: str
    """STOP, TARGET, TRAILING, PARTIAL or EARLY_EXIT."""
    price: float
    """Price of the event that fired it."""
    level: float | None
    """The trigger's level; None for EARLY_EXIT."""
    fraction: float
    """Part of the open quantity to sell, 0..1]."""


class TriggerMoved(msgspec.Struct, frozen=True, array_like=True, tag="M"):
    """A position's stop or target moved (reported at bar closes)."""

    ts_ns: int
    instrument: int
    position_id: int
    stop: float
    target: float | None
    cause: str
    """TRAILING, RATCHET, MOVING_TARGET, TIGHTENED or BREAKEVEN."""


class DayClosed(msgspec.Struct, frozen=True, array_like=True, tag="Y"):
    """The first event of a new UTC day; `equity` is the value at the last mark before it."""

    ts_ns: int
    day: int
    """Days since the epoch of the day that ended."""
    equity: float
    peak: float


class EquityFloorHit(msgspec.Struct, frozen=True, array_like=True, tag="E"):
    """Marked equity fell through the drawdown floor."""

    ts_ns: int
    equity: float
    floor: float
    peak: float


class FlashCrash(msgspec.Struct, frozen=True, array_like=True, tag="C"):
    """One instrument fell too far too fast."""

    ts_ns: int
    instrument: int
    fall: float
    """Fraction below the highest price of the window."""
    limit: float


class WarmUpRestarted(msgspec.Struct, frozen=True, array_like=True, tag="R"):
    """A gap longer than `feeds.max_gap` restarted an instrument's warm-up."""

    ts_ns: int
    instrument: int
    gap_ns: int


EngineEvent = (
    DecisionMade
    | TriggerFired
    | TriggerMoved
    | DayClosed
    | EquityFloorHit
    | FlashCrash
    | WarmUpRestarted
)


class ArmedPosition(msgspec.Struct, frozen=True, kw_only=True):
    """What the core needs to watch a position's exits; sent as JSON with `Pipeline.arm`."""

    position_id: int
    instrument: int
    entry_price: float
    stop: float
    target: float | None
    lead: int | None
    """Strategy index; None for a manual entry."""
    risk_per_unit: float
    """R: entry - initial stop, quote units per base unit, > 0."""
    round_trip_cost: float
    """Quote units per base unit."""
    partial_done: bool
    highest: float
    """Highest price since entry."""
    partial_enabled: bool = True
    trailing_active: bool = False
    """Whether the trailing rule already applies (trend following, or once 1R in profit)."""
