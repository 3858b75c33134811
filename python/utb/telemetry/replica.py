"""The replica: what a reader knows of a trading process, folded from its records and messages.

Durable records make the book, orders, alerts, guards and weights; the newest messages of the
second lane make prices, votes and health. Everything is bounded: the newest are kept here, older
history is in the journal's file.
"""

from collections import Counter, deque
from collections.abc import Sequence
from typing import Final

import msgspec

from utb.domain.amounts import PPB, units_of
from utb.domain.market import Instrument
from utb.domain.names import BreakerKind, OperatorState, TradingMode
from utb.domain.orders import Trade
from utb.domain.records import (
    HISTORY,
    HISTORY_SHORT,
    Breaker,
    CashMoved,
    Decision,
    EquityMarked,
    FeedState,
    FillBooked,
    FillReverted,
    OrderState,
    Record,
    Refused,
    Weights,
)
from utb.domain.records import OperatorState as OperatorStateRecord
from utb.domain.seam import Hello, Pulse
from utb.errors import InvariantError
from utb.ledger.book import Book
from utb.telemetry.alerts import Alert, alert_of
from utb.telemetry.equity import EquityLog
from utb.telemetry.market import MarketLog
from utb.telemetry.orders import OrderLog

DECISIONS_KEPT: Final = 500
REFUSALS_KEPT: Final = 500
ALERTS_KEPT: Final = 500
FILLS_KEPT: Final = 5_000
LANE_GAP_S: Final = 0.4
"""Wall seconds between two messages of the second lane about the same thing, at most."""
STORIES_KEPT: Final = 10_000
"""As many as the book keeps trades."""


class Story(msgspec.Struct):
    """Where a position's records stand in the journal."""

    first_seq: int
    last_seq: int
    intents: list[str]


class Change(msgspec.Struct, frozen=True):
    """What one record changed, for those who watch."""

    seq: int
    record: Record
    trade: Trade | None
    alert: Alert | None

    @property
    def is_news(self) -> bool:
        """Return whether somebody should hear of it: a fill, a closed trade, an alert."""
        told = self.trade is not None or self.alert is not None
        return told or isinstance(self.record, FillBooked)


class Replica:
    """State of one trading process as far as it has told."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        """Start before the first record."""
        self.instruments = tuple(instruments)
        self.by_symbol = {i.symbol: i for i in self.instruments}
        self.seq = 0
        self.ts_ns = 0
        """Time of the last record, or of the last pulse."""
        self.version = 0
        """Grows with every record."""
        self.book = Book(self.instruments)
        self.orders = OrderLog()
        self.equity = EquityLog()
        self.market = MarketLog()
        self.decisions: deque[tuple[int, Decision]] = deque(maxlen=DECISIONS_KEPT)
        self.refusals: deque[tuple[int, Refused]] = deque(maxlen=REFUSALS_KEPT)
        self.alerts: deque[Alert] = deque(maxlen=ALERTS_KEPT)
        self.fills: deque[tuple[int, FillBooked]] = deque(maxlen=FILLS_KEPT)
        self.breakers: dict[tuple[BreakerKind, int | None], Breaker] = {}
        self.feeds: dict[str, FeedState] = {}
        """Last words on record, for a reader who hears no pulse."""
        self.weights: Weights | None = None
        self.operator = OperatorState.RUNNING
        self.hello: Hello | None = None
        self.pulse: Pulse | None = None
        self.speed = 1.0
        """Market seconds per wall second, between the last two pulses."""
        self.mark: EquityMarked | None = None
        self.day_mark: EquityMarked | None = None
        """The mark that the present day started with."""
        self.flows_today_raw = 0
        """Deposits less withdrawals since `day_mark`, quote raw."""
        self.refusals_by_code: Counter[str] = Counter()
        self.fills_by_side: Counter[str] = Counter()
        self.shown: dict[int, msgspec.Raw] = {}
        """How a reader shows closed trades, by position: it goes when the replica goes."""
        self._stories: dict[int, Story] = {}
        self._decided: dict[str, int] = {}
        """Sequence of the decision of an intent, until its position is known."""

    @property
    def quote_decimals(self) -> int:
        """Return the decimals of the account's quote asset."""
        return self.instruments[0].quote_decimals if self.instruments else 6

    @property
    def mode(self) -> TradingMode:
        """Return what stands behind the venue."""
        return self.hello.mode if self.hello is not None else TradingMode.PAPER

    @property
    def now_ns(self) -> int:
        """Return the market's time as last heard."""
        return self.ts_ns

    def age_s(self, ts_ns: int) -> float:
        """Return how old a message of the second lane was when the last pulse came.

        The lane is thinned to a few messages a second; what simulated time passes between two of
        them is no age.
        """
        now_ns = self.ts_ns if self.pulse is None else self.pulse.ts_ns
        skew_s = self.speed * LANE_GAP_S if self.speed > 1.0 else 0.0
        return round(max((now_ns - ts_ns) / 1e9 - skew_s, 0.0), 3)

    def quote_units(self, raw: int) -> float:
        """Return a quote amount in whole units."""
        return units_of(raw, self.quote_decimals)

    def symbol(self, instrument: int) -> str:
        """Return an instrument's symbol."""
        return self.instruments[instrument].symbol

    # Records

    def apply(self, seq: int, record: Record) -> Change:
        """Fold the next record.

        Raises:
            InvariantError: If it is not the next one, or contradicts the book.
        """
        if seq != self.seq + 1:
            raise InvariantError(f"record {seq} came after record {self.seq}")
        trade = self.book.apply(record)
        self.seq = seq
        self.version += 1
        self.ts_ns = max(self.ts_ns, record.ts_ns)
        self._keep(seq, record)
        alert = alert_of(seq, record, trade, self.instruments)
        if alert is not None:
            self.alerts.append(alert)
        return Change(seq, record, trade, alert)

    def _keep(self, seq: int, record: Record) -> None:
        match record:
            case OrderState():
                self.orders.on_state(seq, record)
            case FillBooked():
                self.orders.on_fill(record)
                self.fills.append((seq, record))
                self.fills_by_side[record.fill.side] += 1
                self._tell(seq, record)
            case FillReverted():
                self.orders.on_reverted(seq, record)
                self._forget(record)
            case Decision():
                self.decisions.append((seq, record))
                self._decided[record.intent_id] = seq
                while len(self._decided) > DECISIONS_KEPT:
                    del self._decided[next(iter(self._decided))]
            case Refused():
                self.refusals.append((seq, record))
                self.refusals_by_code[record.code] += 1
            case _:
                self._keep_state(record)

    def _forget(self, record: FillReverted) -> None:
        """Show a fill that vanished no more; what counts fills has counted it."""
        for entry in reversed(self.fills):
            if entry[1].fill.intent_id == record.intent_id:
                self.fills.remove(entry)
                return

    def _keep_state(self, record: Record) -> None:
        match record:
            case Breaker():
                self.breakers.pop((record.kind, record.instrument), None)
                if record.active:
                    self.breakers[record.kind, record.instrument] = record
            case FeedState():
                # How a warm-up went is of an instrument, and no state of the feed
                if record.state not in {HISTORY, HISTORY_SHORT}:
                    self.feeds[record.source] = record
            case Weights():
                self.weights = record
            case OperatorStateRecord():
                self.operator = record.state
            case EquityMarked():
                self._on_mark(record)
            case CashMoved():
                value = record.value_quote_raw
                self.flows_today_raw += record.quote_raw if value is None else value
            case _:
                return

    def _on_mark(self, record: EquityMarked) -> None:
        self.mark = record
        self.equity.add(record.ts_ns, self.quote_units(record.equity_quote_raw))
        if record.day is not None or self.day_mark is None:
            self.day_mark = record
            self.flows_today_raw = 0

    def _tell(self, seq: int, booked: FillBooked) -> None:
        fill = booked.fill
        story = self._stories.get(fill.position_id)
        order = self.orders.get(fill.intent_id)
        first = order.first_seq if order is not None else seq
        if story is None:
            first = min(first, self._decided.pop(fill.intent_id, first))
            story = self._stories[fill.position_id] = Story(first, seq, [])
            while len(self._stories) > STORIES_KEPT:
                del self._stories[next(iter(self._stories))]
        story.last_seq = seq
        story.intents.append(fill.intent_id)

    def story(self, position_id: int) -> Story | None:
        """Return where a position's records stand, if it is still known."""
        return self._stories.get(position_id)

    # Messages

    def greet(self, hello: Hello) -> None:
        """Take what the trading process says of itself."""
        self.hello = hello

    def on_pulse(self, pulse: Pulse) -> None:
        """Take how the trading process is."""
        before = self.pulse
        if before is not None and pulse.wall_ns > before.wall_ns:
            self.speed = max((pulse.ts_ns - before.ts_ns) / (pulse.wall_ns - before.wall_ns), 0.0)
        self.pulse = pulse
        self.operator = pulse.operator
        self.ts_ns = max(self.ts_ns, pulse.ts_ns)

    # Figures of the present

    @property
    def present_equity(self) -> float | None:
        """Return equity in quote units as last heard; None while unknown."""
        if self.pulse is not None:
            return self.pulse.equity
        return None if self.mark is None else self.quote_units(self.mark.equity_quote_raw)

    @property
    def present_drawdown(self) -> float | None:
        """Return the fall of equity from its peak, 0..1; None while unknown."""
        pulse = self.pulse
        if pulse is not None:
            if pulse.equity is None or not pulse.peak:
                return None
            return min(max(1.0 - pulse.equity / pulse.peak, 0.0), 1.0)
        if self.mark is None:
            return None
        return self.book.drawdown_ppb(self.mark.equity_quote_raw) / PPB

    @property
    def equity_start_of_day(self) -> float | None:
        """Return equity at the start of the UTC day, later deposits and withdrawals included."""
        if self.day_mark is None:
            return None
        return self.quote_units(self.day_mark.equity_quote_raw + self.flows_today_raw)
