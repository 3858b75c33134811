"""The venue of paper trading and backtests: one constant-product pool per instrument.

An order lands at decision + latency and is priced at the last price event at or before landing,
but at least one event after its decision: while none has come it waits for the next one. Landing,
latency and fees are functions of (seed, intent id); there is no other chance and no clock.
"""

import msgspec

from utb.adapters.venues import pool as pools
from utb.adapters.venues.models import NANOS_PER_S, FeeModel, FillModel, LatencyModel
from utb.config.schema import Config
from utb.domain.market import Instrument, Mark
from utb.domain.names import OrderStatus, Side
from utb.domain.orders import OrderEnd, OrderIntent, Submission, VenueFailed, VenueFilled
from utb.ports.venue import MarketView

NO_EXECUTABLE_PRICE = frozenset({"dexscreener"})
"""Sources whose price is no offer: their fills are marked indicative."""

VENUE_STATE_VERSION = 1


class _Flight(msgspec.Struct, kw_only=True):
    """One order on its way."""

    submission: Submission
    order: int
    """Number of the submission: breaks ties between equal times."""
    due_ns: int | None
    """When it lands or expires; None while it waits for a price event."""
    lands: bool


class _Impact(msgspec.Struct, frozen=True, array_like=True):
    """What one of our swaps did to a pool's mid; each fades by itself."""

    ts_ns: int
    displacement_ppt: int


class _State(msgspec.Struct, kw_only=True):
    """Everything the venue remembers."""

    version: int = VENUE_STATE_VERSION
    orders: int = 0
    flights: dict[str, _Flight] = {}
    impacts: dict[int, list[_Impact]] = {}


class PoolModel(msgspec.Struct, frozen=True, kw_only=True):
    """Depth and fee of one instrument's pool."""

    depth_quote_raw: int
    fee_bps: int


class SimulatedVenue:
    """A deterministic venue behind the venue port."""

    def __init__(
        self,
        instruments: tuple[Instrument, ...],
        market: MarketView,
        *,
        pool_models: tuple[PoolModel, ...],
        latency: LatencyModel,
        fills: FillModel,
        fees: FeeModel,
    ) -> None:
        self._instruments = instruments
        self._market = market
        self._pools = pool_models
        self._latency = latency
        self._fills = fills
        self._fees = fees
        self._state = _State()

    @classmethod
    def from_config(
        cls, config: Config, instruments: tuple[Instrument, ...], market: MarketView, *, seed: int
    ) -> "SimulatedVenue":
        """Build the venue of `[paper]`."""
        paper = config.paper
        models = []
        for instrument in instruments:
            own = paper.pool(instrument.symbol)
            depth_raw = int(own.depth_quote * 10**instrument.quote_decimals)
            models.append(PoolModel(depth_quote_raw=depth_raw, fee_bps=own.fee_bps))
        return cls(
            instruments,
            market,
            pool_models=tuple(models),
            latency=LatencyModel(
                seed=seed, median_ms=paper.latency_ms_median, sigma=paper.latency_ms_sigma
            ),
            fills=FillModel(
                seed=seed,
                landing_probability=paper.landing_probability,
                expiry_ns=int(paper.expiry_seconds * NANOS_PER_S),
                impact_memory_ns=int(paper.impact_memory_seconds * NANOS_PER_S),
            ),
            fees=FeeModel(
                base_fee_lamports=paper.base_fee_lamports,
                priority_fee_lamports=paper.priority_fee_lamports,
            ),
        )

    def submit(self, submission: Submission, now_ns: int) -> None:
        """Take an order; a known intent is the same order and is ignored."""
        intent = submission.intent
        if intent.intent_id in self._state.flights:
            return
        lands = self._fills.lands(intent.intent_id)
        delay_ns = self._latency.landing_delay_ns(intent.intent_id)
        if not lands or delay_ns >= self._fills.expiry_ns:
            lands, delay_ns = False, self._fills.expiry_ns
        self._state.orders += 1
        self._state.flights[intent.intent_id] = _Flight(
            submission=submission,
            order=self._state.orders,
            due_ns=now_ns + delay_ns,
            lands=lands,
        )

    def next_event_ns(self) -> int | None:
        """Return when the next order lands or expires, or None."""
        flights = self._state.flights
        if not flights:
            return None
        return min([f.due_ns for f in flights.values() if f.due_ns is not None], default=None)

    def waiting_instruments(self) -> tuple[int, ...]:
        """Return the instruments whose next price event a landed order waits for."""
        flights = self._state.flights
        if not flights:
            return ()
        waiting = [f.submission.intent.instrument for f in flights.values() if f.due_ns is None]
        return tuple(sorted(set(waiting))) if waiting else ()

    def observe(self, now_ns: int) -> None:
        """Make orders due whose instrument has had an event since their decision."""
        for flight in self._state.flights.values():
            if flight.due_ns is None and self._has_later_event(flight.submission.intent):
                flight.due_ns = now_ns

    def poll(self, now_ns: int) -> list[OrderEnd]:
        """Return outcomes due at or before `now_ns`, in order of time, then of submission."""
        due = [
            (flight.due_ns, flight.order, flight)
            for flight in self._state.flights.values()
            if flight.due_ns is not None and flight.due_ns <= now_ns
        ]
        events: list[OrderEnd] = []
        for due_ns, _, flight in sorted(due, key=lambda row: (row[0], row[1])):
            event = self._outcome(flight, due_ns)
            if event is not None:
                del self._state.flights[event.intent_id]
                events.append(event)
        return events

    def finish(self, now_ns: int) -> list[OrderEnd]:
        """Expire every order still on its way: no further price will come."""
        flights = sorted(self._state.flights.values(), key=lambda flight: flight.order)
        self._state.flights.clear()
        return [
            VenueFailed(
                intent_id=flight.submission.intent.intent_id,
                ts_ns=now_ns,
                status=OrderStatus.EXPIRED,
                fee_lamports=0,
                reason="end of the recording",
            )
            for flight in flights
        ]

    def close_out(self, submission: Submission, now_ns: int) -> VenueFilled | None:
        """Execute an order at the last price, at once and without chance; None without a price.

        Pool fee, impact and network fee apply as for any order; there is no minimum out.
        """
        mark = self._market.mark(submission.intent.instrument)
        if mark is None:
            return None
        intent = msgspec.structs.replace(submission.intent, min_out_raw=0)
        event = self._execute(
            Submission(intent=intent, fee_lamports_max=submission.fee_lamports_max), mark, now_ns
        )
        return event if isinstance(event, VenueFilled) else None

    def save(self) -> bytes:
        """Return the orders on their way and our remembered impact."""
        return msgspec.msgpack.encode(self._state)

    def load(self, state: bytes) -> None:
        """Replace the state by a saved one."""
        self._state = msgspec.msgpack.decode(state, type=_State)

    def _has_later_event(self, intent: OrderIntent) -> bool:
        mark = self._market.mark(intent.instrument)
        return mark is not None and mark.events > intent.decision_events

    def _outcome(self, flight: _Flight, due_ns: int) -> OrderEnd | None:
        """Return what became of a due order; None if it now waits for a price event."""
        intent = flight.submission.intent
        if not flight.lands:
            return VenueFailed(
                intent_id=intent.intent_id,
                ts_ns=due_ns,
                status=OrderStatus.EXPIRED,
                fee_lamports=0,
                reason="did not land before its blockhash died",
            )
        mark = self._market.mark(intent.instrument)
        if mark is None or mark.events <= intent.decision_events:
            flight.due_ns = None
            return None
        return self._execute(flight.submission, mark, due_ns)

    def _execute(self, submission: Submission, mark: Mark, ts_ns: int) -> OrderEnd:
        intent = submission.intent
        instrument = self._instruments[intent.instrument]
        fee_lamports = self._fees.fee_lamports(intent, submission.fee_lamports_max)
        displacement_ppt = self._displacement_ppt(intent.instrument, ts_ns)
        pool = pools.pool_at(
            price=mark.price,
            displacement_ppt=displacement_ppt,
            quote_raw=self._depth_quote_raw(instrument, mark),
            base_decimals=instrument.base_decimals,
            quote_decimals=instrument.quote_decimals,
            fee_bps=self._pools[intent.instrument].fee_bps,
        )
        done = pools.swap(pool, intent.side, intent.amount_in_raw)
        if done.out_raw < max(intent.min_out_raw, 1):
            return VenueFailed(
                intent_id=intent.intent_id,
                ts_ns=ts_ns,
                status=OrderStatus.FAILED_ON_CHAIN,
                fee_lamports=fee_lamports,
                reason=f"out {done.out_raw} is below the minimum {intent.min_out_raw}",
            )
        own_ppt = pools.displacement_after(pool, done, displacement_ppt) - displacement_ppt
        self._state.impacts.setdefault(intent.instrument, []).append(_Impact(ts_ns, own_ppt))
        bought = intent.side is Side.BUY
        return VenueFilled(
            intent_id=intent.intent_id,
            ts_ns=ts_ns,
            base_raw=done.out_raw if bought else intent.amount_in_raw,
            quote_raw=intent.amount_in_raw if bought else done.out_raw,
            pool_fee_quote_raw=done.fee_quote_raw,
            fee_lamports=fee_lamports,
            mid_price=pools.mid_price(pool, instrument.base_decimals, instrument.quote_decimals),
            indicative=instrument.primary in NO_EXECUTABLE_PRICE,
        )

    def _displacement_ppt(self, instrument: int, ts_ns: int) -> int:
        impacts = self._state.impacts.get(instrument)
        if not impacts:
            return 0
        oldest_ns = ts_ns - self._fills.impact_memory_ns
        kept = [impact for impact in impacts if impact.ts_ns > oldest_ns]
        self._state.impacts[instrument] = kept
        total_ppt = sum(
            self._fills.remembered_ppt(impact.displacement_ppt, ts_ns - impact.ts_ns)
            for impact in kept
        )
        return max(total_ppt, 1 - pools.PPT)

    def _depth_quote_raw(self, instrument: Instrument, mark: Mark) -> int:
        """Return the source's liquidity where it gives one, else the configured depth."""
        if mark.liquidity_quote is not None and mark.liquidity_quote > 0.0:
            return max(1, int(mark.liquidity_quote * 10**instrument.quote_decimals))
        return self._pools[instrument.index].depth_quote_raw
