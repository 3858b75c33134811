"""Answers of the market."""

from typing import Final

import msgspec


class InstrumentRow(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument; null = unknown."""

    symbol: str
    price: float | None
    price_decimals: int
    change_24h: float | None
    """Fraction."""
    age_s: float | None
    """Age of the price in market time; a silent trading process ages it too."""
    stale: bool
    source: str
    liquid: bool
    position: str | None
    """Id of its open position."""
    timeframe: str
    note: str
    """Why the bot does what it does, in a few words."""


class Instruments(msgspec.Struct, frozen=True, kw_only=True):
    """All instruments."""

    instruments: tuple[InstrumentRow, ...]


class BarRow(msgspec.Struct, frozen=True, kw_only=True):
    """One bar."""

    time: int
    """Open, unix seconds."""
    open: float
    high: float
    low: float
    close: float
    volume: float | None
    """Base units; null: not measured."""


class Bars(msgspec.Struct, frozen=True, kw_only=True):
    """Closed bars, oldest first, and the forming one where the bot builds it."""

    symbol: str
    timeframe: str
    bars: tuple[BarRow, ...]
    forming: BarRow | None


class ConditionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One BUY condition of the latest evaluation."""

    name: str
    held: bool | None
    """null: an input was missing."""
    op: str | None
    value: float | None
    limit: float | None


class VoteRow(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy's vote."""

    strategy: str
    side: str
    """What stands, after decay."""
    latest: str
    """Of the latest evaluation."""
    strength: float
    confidence: float
    weight: float | None
    base_weight: float
    stop: float | None
    target: float | None
    conditions: tuple[ConditionRow, ...]
    abstains: str | None
    """Why it cannot vote; null: it can."""


class DecisionNow(msgspec.Struct, frozen=True, kw_only=True):
    """The ensemble's latest word."""

    side: str
    hold: str | None
    lead: str | None
    leaning: str | None
    consensus: float | None
    min_consensus: float
    confidence: float | None
    min_confidence: float
    participation: float | None
    min_participation: float
    sentence: str


class Votes(msgspec.Struct, frozen=True, kw_only=True):
    """The eight votes of one instrument and what came of them."""

    symbol: str
    bar_time: str | None
    """Open of the bar that was evaluated."""
    timeframe: str
    regime: str | None
    votes: tuple[VoteRow, ...]
    decision: DecisionNow


INSTRUMENTS_EXAMPLE: Final = Instruments(
    instruments=(
        InstrumentRow(
            symbol="SOL-USDC",
            price=152.5,
            price_decimals=2,
            change_24h=0.018,
            age_s=0.4,
            stale=False,
            source="birdeye",
            liquid=True,
            position=None,
            timeframe="15m",
            note="hold · turnout 0.14 of 0.20",
        ),
    )
)
BARS_EXAMPLE: Final = Bars(
    symbol="SOL-USDC",
    timeframe="15m",
    bars=(
        BarRow(time=1_759_833_000, open=152.1, high=152.9, low=151.8, close=152.5, volume=18_234.5),
    ),
    forming=None,
)
