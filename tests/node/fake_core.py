"""A core small enough to read: ticks that carry their own decisions, stops, targets, partials.

It keeps the order of the real one: votes on the closed bar, then the price, then triggers.
"""

import math

import msgspec

from utb.domain.engine import (
    ArmedPosition,
    DayClosed,
    DecisionFeatures,
    DecisionMade,
    EngineEvent,
    EquityFloorHit,
    FlashCrash,
    TriggerFired,
    TriggerMoved,
    VoteView,
)
from utb.domain.market import Mark

SECOND_NS = 1_000_000_000
BAR_NS = 900 * SECOND_NS
DAY_NS = 86_400 * SECOND_NS
FEATURES = DecisionFeatures(
    atr=1.0, adx=30.0, volatility_ratio=1.0, trend_4h=1, regime=1, liquidity_quote=None
)


class Tick(msgspec.Struct, frozen=True, array_like=True):
    """One price, and what the ensemble decides on the bar it closes."""

    instrument: int
    price: float
    decide: str = ""
    lead: int = 0
    stop: float | None = None
    target: float | None = None
    crash: bool = False


class CoreState(msgspec.Struct, kw_only=True):
    marks: dict[int, Mark] = {}
    armed: dict[int, ArmedPosition] = {}
    flying: dict[int, str] = {}
    day: int | None = None
    cash: float = 0.0
    holdings: tuple[tuple[int, float], ...] = ()
    peak: float = 0.0
    max_drawdown: float | None = None
    fell: bool = False


class FakeReplay:
    def __init__(self, core: "FakeCore", rows: list[tuple[int, Tick]]) -> None:
        self._core = core
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def advance(
        self, start: int, until_ts_ns: int, stop_instrument: int = -1
    ) -> tuple[int, list[EngineEvent]]:
        at = start
        while at < len(self._rows) and self._rows[at][0] <= until_ts_ns:
            ts_ns, tick = self._rows[at]
            at += 1
            events = self._core.apply(tick, ts_ns)
            if events or tick.instrument == stop_instrument:
                return at, events
        return at, self._core.advance_to(until_ts_ns)

    def ts_recv_ns(self, index: int) -> int:
        return self._rows[index][0]

    def instrument(self, index: int) -> int:
        return self._rows[index][1].instrument


class FakeCore:
    def __init__(self) -> None:
        self.state = CoreState()
        self.params = b"[0]"
        self.calls: list[str] = []

    def ingest(
        self, source: int, payload: bytes | memoryview, ts_recv_ns: int
    ) -> list[EngineEvent]:
        assert source == 3
        return self.apply(msgspec.msgpack.decode(payload, type=Tick), ts_recv_ns)

    def ingest_at(
        self, source: int, payload: bytes | memoryview, ts_recv_ns: int
    ) -> tuple[bool, list[EngineEvent]] | None:
        timers = self.advance_to(ts_recv_ns)
        if timers:
            return False, timers
        events = self.ingest(source, payload, ts_recv_ns)
        return (True, events) if events else None

    def bind(self, source: int, key: str, instrument: int, role: str) -> None:
        raise NotImplementedError

    def next_timer_ns(self) -> int:
        """The only timer is the end of the UTC day."""
        day = self.state.day
        return (1 << 62) if day is None else (day + 1) * DAY_NS

    def replay(self, records: bytes) -> FakeReplay:
        return FakeReplay(self, msgspec.msgpack.decode(records, type=list[tuple[int, Tick]]))

    def apply(self, tick: Tick, ts_ns: int) -> list[EngineEvent]:
        events: list[EngineEvent] = []
        day = ts_ns // DAY_NS
        present = self.equity()
        if self.state.day is not None and day > self.state.day and present is not None:
            events.append(DayClosed(ts_ns, self.state.day, *present))
        self.state.day = day
        if tick.decide:
            events.append(self._decision(tick, ts_ns))
        last = self.state.marks.get(tick.instrument)
        count = 1 if last is None else last.events + 1
        self.state.marks[tick.instrument] = Mark(tick.price, ts_ns, count, None, 1.0)
        events += self._triggers(tick, ts_ns)
        events += self._floor(ts_ns)
        if tick.crash:
            events.append(FlashCrash(ts_ns, tick.instrument, 0.2, 0.1))
        return events

    def _decision(self, tick: Tick, ts_ns: int) -> DecisionMade:
        last = self.state.marks.get(tick.instrument)
        votes = tuple(
            VoteView("BUY" if i == tick.lead else "HOLD", 0.8, 0.8, 0.125, "TTT") for i in range(8)
        )
        return DecisionMade(
            ts_ns=ts_ns,
            instrument=tick.instrument,
            bar_open_ns=ts_ns - BAR_NS,
            side=tick.decide,
            lead=tick.lead,
            price=tick.price if last is None else last.price,
            stop=tick.stop,
            target=tick.target,
            consensus=0.9,
            confidence=0.8,
            participation=0.5,
            votes=votes,
            features=FEATURES,
            params_version=msgspec.json.decode(self.params)[0],
        )

    def _triggers(self, tick: Tick, ts_ns: int) -> list[EngineEvent]:
        fired: list[EngineEvent] = []
        for armed in list(self.state.armed.values()):
            flying = self.state.flying.get(armed.position_id)
            if armed.instrument != tick.instrument or flying == "FULL":
                continue
            kind, level, fraction = "", armed.stop, 1.0
            half = armed.entry_price + armed.risk_per_unit
            if tick.price <= armed.stop:
                kind = "STOP"
            elif armed.target is not None and tick.price >= armed.target:
                kind, level = "TARGET", armed.target
            elif (
                flying is None
                and armed.partial_enabled
                and not armed.partial_done
                and tick.price >= half
            ):
                kind, level, fraction = "PARTIAL", half, 0.5
            if kind:
                self.state.flying[armed.position_id] = "FULL" if fraction == 1.0 else "PART"
                fired.append(
                    TriggerFired(
                        ts_ns, tick.instrument, armed.position_id, kind, tick.price, level, fraction
                    )
                )
        return fired

    def _floor(self, ts_ns: int) -> list[EngineEvent]:
        present = self.equity()
        if present is None:
            return []
        self.state.peak = max(self.state.peak, present[0])
        if self.state.max_drawdown is None or self.state.fell:
            return []
        floor = self.state.peak * (1.0 - self.state.max_drawdown)
        if present[0] >= floor:
            return []
        self.state.fell = True
        return [EquityFloorHit(ts_ns, present[0], floor, self.state.peak)]

    def advance_to(self, _ts_ns: int) -> list[EngineEvent]:
        return []

    def mark(self, instrument: int) -> Mark | None:
        return self.state.marks.get(instrument)

    def features(self, instrument: int) -> DecisionFeatures | None:
        return FEATURES if instrument in self.state.marks else None

    def equity(self) -> tuple[float, float] | None:
        if any(i not in self.state.marks for i, _ in self.state.holdings):
            return None
        value = math.fsum(q * self.state.marks[i].price for i, q in self.state.holdings)
        equity = self.state.cash + value
        return equity, max(self.state.peak, equity)

    def correlation(self, _a: int, _b: int) -> float | None:
        return 0.1

    def diversity(self) -> list[float]:
        return [0.0] * 8

    def set_context(self, _instrument: int, _context: bytes, _ts_ns: int) -> None:
        self.calls.append("context")

    def set_params(self, params: bytes) -> None:
        self.params = params

    def arm(self, position: ArmedPosition) -> None:
        self.calls.append(f"arm {position.position_id}")
        self.state.armed[position.position_id] = position
        self.state.flying.pop(position.position_id, None)

    def disarm(self, position_id: int) -> None:
        self.state.armed.pop(position_id, None)
        self.state.flying.pop(position_id, None)

    def release(self, position_id: int) -> None:
        self.calls.append(f"release {position_id}")
        self.state.flying.pop(position_id, None)

    def tighten(self, instrument: int | None, atr_multiple: float) -> list[EngineEvent]:
        moved: list[EngineEvent] = []
        for key, armed in list(self.state.armed.items()):
            mark = self.state.marks[armed.instrument]
            stop = mark.price - atr_multiple
            if instrument in {None, armed.instrument} and stop > armed.stop:
                self.state.armed[key] = msgspec.structs.replace(armed, stop=stop)
                moved.append(
                    TriggerMoved(mark.ts_ns, armed.instrument, key, stop, armed.target, "TIGHTENED")
                )
        return moved

    def set_portfolio(
        self,
        *,
        cash: float,
        holdings: tuple[tuple[int, float], ...],
        peak: float,
        max_drawdown: float | None,
    ) -> None:
        self.state.cash = cash
        self.state.holdings = holdings
        self.state.peak = peak
        self.state.max_drawdown = max_drawdown
        self.state.fell = False

    def save(self) -> bytes:
        return msgspec.msgpack.encode(self.state)

    def load(self, state: bytes) -> None:
        self.state = msgspec.msgpack.decode(state, type=CoreState)
