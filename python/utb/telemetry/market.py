"""Prices, forming bars and votes of each instrument: the newest view, and the newest bars."""

from collections import defaultdict, deque
from typing import Final

import msgspec
import numpy as np

from utb.engine import BAR_DTYPE

TIMEFRAMES: Final = ("1m", "5m", "15m", "1h", "4h", "1d")
"""Names by the core's number."""
BARS_KEPT: Final = 512
"""Closed bars per instrument and timeframe: those the journal may not hold yet."""
_HOUR: Final = 3
_NS_PER_HOUR: Final = 3_600_000_000_000
_DAY_NS: Final = 24 * _NS_PER_HOUR
_CHANGE_SLACK_NS: Final = 3 * _NS_PER_HOUR
"""A price of a day ago is at most this much older."""


class Bar(msgspec.Struct, frozen=True):
    """One bar of the core's view."""

    open_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float | None = None


class Condition(msgspec.Struct, frozen=True):
    """One condition of the latest evaluation."""

    name: str
    held: bool | None = None
    """None: an input was missing."""
    op: str | None = None
    """How `value` is compared with `limit`; None where it is not about one number."""
    value: float | None = None
    limit: float | None = None


class Vote(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy's vote as the core shows it."""

    strategy: str
    side: str
    strength: float
    confidence: float
    latest: str
    weight: float | None = None
    """In the instrument's present regime."""
    stop: float | None = None
    target: float | None = None
    conditions: tuple[Condition, ...] = ()
    """Of the BUY side, in the order of the strategies table."""


class Evaluation(msgspec.Struct, frozen=True):
    """The ensemble's latest word."""

    ts_ns: int
    bar_open_ns: int
    side: str
    hold: str | None = None
    lead: str | None = None
    leaning: str | None = None
    """Side of the larger mass, acted on or not."""
    consensus: float | None = None
    confidence: float | None = None
    participation: float | None = None
    min_consensus: float | None = None
    min_confidence: float | None = None
    min_participation: float | None = None


class Features(msgspec.Struct, frozen=True):
    """What the risk gate needs of one timeframe's indicators; None: in their warm-up."""

    adx14: float | None = None
    volatility_ratio: float | None = None


class InstrumentView(msgspec.Struct, frozen=True, kw_only=True):
    """What the replica reads of `Pipeline.view`; unknown fields are left."""

    price: float | None = None
    ts_ns: int | None = None
    timeframe: str = ""
    liquidity_quote: float | None = None
    forming: Bar | None = None
    regime: str = "neutral"
    votes: tuple[Vote, ...] = ()
    evaluation: Evaluation | None = None
    features: dict[str, Features] = {}
    """By timeframe."""

    @property
    def warming_up(self) -> bool:
        """Return whether the ensemble or the risk gate still waits for an indicator."""
        if self.evaluation is None or self.evaluation.hold == "WARM_UP":
            return True
        own = self.features.get(self.timeframe)
        return own is None or own.adx14 is None or own.volatility_ratio is None


_VIEW: Final = msgspec.json.Decoder(InstrumentView)


class MarketLog:
    """The newest of every instrument."""

    def __init__(self) -> None:
        self._views: dict[int, InstrumentView] = {}
        self._bars: dict[tuple[int, int], deque[Bar]] = defaultdict(lambda: deque(maxlen=BARS_KEPT))

    def on_view(self, instrument: int, view: bytes) -> InstrumentView:
        """Take the core's view of one instrument.

        Raises:
            msgspec.ValidationError: If it is none.
        """
        read = self._views[instrument] = _VIEW.decode(view)
        return read

    def on_bars(self, rows: bytes) -> list[tuple[int, int, Bar]]:
        """Take closed bars; return those that are new as (instrument, timeframe, bar)."""
        added = []
        for row in np.frombuffer(rows, dtype=BAR_DTYPE).tolist():
            ts_ns, instrument, timeframe, opened, high, low, close, volume, _ = row
            kept = self._bars[instrument, timeframe]
            if kept and kept[-1].open_ns >= ts_ns:
                continue
            known = None if volume != volume else volume  # noqa: PLR0124 - NaN is unknown
            bar = Bar(ts_ns, opened, high, low, close, known)
            kept.append(bar)
            added.append((instrument, timeframe, bar))
        return added

    def view(self, instrument: int) -> InstrumentView | None:
        """Return the newest view."""
        return self._views.get(instrument)

    def bars(self, instrument: int, timeframe: int) -> tuple[Bar, ...]:
        """Return the closed bars kept here, oldest first."""
        return tuple(self._bars.get((instrument, timeframe), ()))

    def mark(self, instrument: int) -> tuple[float, int] | None:
        """Return (price, time) of the last price known: the view's, or the last bar's close."""
        view = self._views.get(instrument)
        if view is not None and view.price is not None and view.ts_ns is not None:
            return view.price, view.ts_ns
        for timeframe in range(len(TIMEFRAMES)):
            kept = self._bars.get((instrument, timeframe))
            if kept:
                return kept[-1].close, kept[-1].open_ns + SPANS_NS[timeframe]
        return None

    def change_24h(self, instrument: int) -> float | None:
        """Return the price's change over 24 hours as a fraction; None while unknown."""
        mark = self.mark(instrument)
        kept = self._bars.get((instrument, _HOUR))
        if mark is None or not kept:
            return None
        price, ts_ns = mark
        for bar in reversed(kept):
            end_ns = bar.open_ns + _NS_PER_HOUR
            if end_ns <= ts_ns - _DAY_NS:
                recent = end_ns > ts_ns - _DAY_NS - _CHANGE_SLACK_NS
                return price / bar.close - 1.0 if recent and bar.close > 0 else None
        return None


_MINUTE_NS: Final = 60_000_000_000
SPANS_NS: Final = tuple(_MINUTE_NS * minutes for minutes in (1, 5, 15, 60, 240, 1_440))
"""Length of each timeframe."""
