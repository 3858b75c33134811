"""The core with types: what goes in is checked, what comes out are domain values."""

from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from utb import _core
from utb.domain.engine import ArmedPosition, DecisionFeatures, EngineEvent
from utb.domain.market import Mark
from utb.domain.seam import StageHistogram
from utb.engine.records import (
    BAR_DTYPE,
    EQUITY_DTYPE,
    EVENT_DTYPE,
    STAGE_DTYPE,
    VOTE_DTYPE,
    as_array,
)
from utb.engine.refusals import usage_error
from utb.errors import InvariantError

_EVENTS: Final = msgspec.msgpack.Decoder(list[EngineEvent])

NO_SOURCE: Final = 255
NO_INSTRUMENT: Final = 65535
"""In the stage log: of no source, of no instrument."""


class RecordedEvents:
    """A block of recorded events inside one engine."""

    def __init__(self, pipeline: _core.Pipeline, records: bytes) -> None:
        try:
            self._replay = _core.Replay(records)
        except ValueError as error:
            raise usage_error(error) from error
        self._pipeline = pipeline
        events = as_array(records, EVENT_DTYPE)
        # Columns of their own: picking a field out of a record array costs more than the look-up
        self._ts_recv_ns = events["ts_recv_ns"]
        self._instruments = events["instrument"]

    def __len__(self) -> int:
        return len(self._replay)

    def advance(
        self, start: int, until_ts_ns: int, stop_instrument: int = -1
    ) -> tuple[int, list[EngineEvent]]:
        """Process events received up to `until_ts_ns`, from index `start`.

        Returns:
            The index of the first event not processed, and what happened: it stops after an event
            that causes something, before an event whose time lets a timer cause something, and
            after one of `stop_instrument`. Otherwise the timers up to `until_ts_ns` run.
        """
        reached, events = self._replay.advance(self._pipeline, start, until_ts_ns, stop_instrument)
        return reached, [] if events is None else _EVENTS.decode(events)

    def ts_recv_ns(self, index: int) -> int:
        """Return when an event was received."""
        return int(self._ts_recv_ns[index])

    def instrument(self, index: int) -> int:
        """Return an event's instrument."""
        return int(self._instruments[index])


class Engine:
    """One compiled pipeline: single-threaded, deterministic.

    It implements `ports.core.Core`.
    """

    def __init__(self, params: bytes, instruments: bytes, finest: str = "1m") -> None:
        """Start with nothing seen.

        Args:
            params: JSON of `engine.params.build_params`.
            instruments: JSON of `engine.params.instruments_document`.
            finest: Bar size of the input; no finer timeframe is built.

        Raises:
            UsageError: If a document does not fit, for example a strategy timeframe finer than
                the input's bars.
        """
        try:
            self._pipeline = _core.Pipeline(params, instruments, finest)
        except ValueError as error:
            raise usage_error(error) from error

    def __len__(self) -> int:
        return len(self._pipeline)

    # Events

    def ingest(
        self, source: int, payload: bytes | memoryview, ts_recv_ns: int
    ) -> list[EngineEvent]:
        """Process one frame; a bad item in it is counted, not raised."""
        events = self._pipeline.ingest(source, payload, ts_recv_ns)
        return [] if events is None else _EVENTS.decode(events)

    def ingest_at(
        self, source: int, payload: bytes | memoryview, ts_recv_ns: int
    ) -> tuple[bool, list[EngineEvent]] | None:
        """Run the timers up to a frame's time, then process the frame, in one call.

        The same as `advance_to` until it has nothing to tell, and then `ingest`, for a caller that
        has handled every venue event due before `ts_recv_ns`.

        Returns:
            None if nothing happened: the usual case. Else whether the frame was taken, and the
            events. A frame that was not taken waits for the caller to handle what the timers told
            (and the venue events that this makes due), and to call again.
        """
        found = self._pipeline.ingest_at(source, payload, ts_recv_ns)
        if found is None:
            return None
        taken, events = found
        return taken, [] if events is None else _EVENTS.decode(events)

    def replay(self, records: bytes) -> RecordedEvents:
        """Take a block of recorded events.

        Raises:
            UsageError: If a record is broken or out of order.
        """
        return RecordedEvents(self._pipeline, records)

    def advance_to(self, ts_ns: int) -> list[EngineEvent]:
        """Run the timers up to a time."""
        events = self._pipeline.advance_to(ts_ns)
        return [] if events is None else _EVENTS.decode(events)

    def next_timer_ns(self) -> int:
        """Return a time before which `advance_to` does nothing."""
        return self._pipeline.next_timer_ns()

    # Inputs

    def set_params(self, params: bytes) -> None:
        """Swap the parameters; they act from the next event on."""
        try:
            self._pipeline.set_params(params)
        except ValueError as error:
            raise InvariantError(str(error)) from error

    def set_context(self, instrument: int, context: bytes, ts_ns: int) -> None:
        """Set a slow input of one instrument, made at `ts_ns`.

        Raises:
            UsageError: If the document is not one of `rust/types` Context.
        """
        try:
            self._pipeline.set_context(instrument, context, ts_ns)
        except ValueError as error:
            raise usage_error(error) from error

    def bind(self, source: int, key: str, instrument: int, role: str) -> None:
        """Say what a subscription delivers: `base_vault`, `quote_vault` or `pool`."""
        try:
            self._pipeline.bind(source, key, instrument, role)
        except ValueError as error:
            raise usage_error(error) from error

    def arm(self, position: ArmedPosition) -> None:
        """Watch a position's exits; replaces one with the same id."""
        try:
            self._pipeline.arm(msgspec.json.encode(position))
        except ValueError as error:
            raise InvariantError(str(error)) from error

    def disarm(self, position_id: int) -> None:
        """Forget a position."""
        self._pipeline.disarm(position_id)

    def release(self, position_id: int) -> None:
        """Make a position's triggers live again: its exit order failed."""
        self._pipeline.release(position_id)

    def tighten(self, instrument: int | None, atr_multiple: float) -> list[EngineEvent]:
        """Raise stops to at most so many ATR below the last price; None: of all instruments."""
        events = self._pipeline.tighten(instrument, atr_multiple)
        return [] if events is None else _EVENTS.decode(events)

    def set_portfolio(
        self,
        *,
        cash: float,
        holdings: tuple[tuple[int, float], ...],
        peak: float,
        max_drawdown: float | None,
    ) -> None:
        """Set what equity is marked from: cash, (instrument, quantity) pairs, peak and limit."""
        document = msgspec.json.encode(
            {"cash": cash, "holdings": holdings, "peak": peak, "max_drawdown": max_drawdown}
        )
        try:
            self._pipeline.set_portfolio(document)
        except ValueError as error:
            raise InvariantError(str(error)) from error

    # Views

    def mark(self, instrument: int) -> Mark | None:
        """Return the last known price of an instrument, or None before its first."""
        mark = self._pipeline.mark(instrument)
        return None if mark is None else Mark(*mark)

    def features(self, instrument: int) -> DecisionFeatures | None:
        """Return the features of the last closed strategy bar, or None before the first."""
        features = self._pipeline.features(instrument)
        return None if features is None else DecisionFeatures(*features)

    def equity(self) -> tuple[float, float] | None:
        """Return (equity, peak) at the last marks; None while a mark is missing."""
        return self._pipeline.equity()

    def correlation(self, a: int, b: int) -> float | None:
        """Return the shrunk correlation of two instruments' 1h log returns, or None."""
        return self._pipeline.correlation(a, b)

    def diversity(self) -> list[float]:
        """Return each strategy's mean positive vote correlation with the others."""
        return self._pipeline.diversity()

    def counters(self) -> dict[str, Any]:
        """Return what was counted: evaluations, holds by reason, items by source."""
        counters: dict[str, Any] = msgspec.json.decode(self._pipeline.counters())
        return counters

    def view_json(self, instrument: int) -> bytes:
        """Return one instrument's state as JSON."""
        return self._pipeline.view(instrument)

    def view(self, instrument: int) -> dict[str, Any]:
        """Return one instrument's state for display."""
        view: dict[str, Any] = msgspec.json.decode(self._pipeline.view(instrument))
        return view

    # Logs and state

    def log(
        self,
        *,
        bars: bool = False,
        equity: bool = False,
        votes: bool = False,
        ticks: bool = False,
        stages: bool = False,
    ) -> None:
        """Switch the logs of closed bars, equity, votes, prices and durations on or off."""
        self._pipeline.log(bars=bars, equity=equity, votes=votes, ticks=ticks, stages=stages)

    def drain_bars(self) -> NDArray[np.void]:
        """Return the bars closed since the last call, as `BAR_DTYPE`."""
        return as_array(self._pipeline.drain_bars(), BAR_DTYPE)

    def drain_equity(self) -> NDArray[np.void]:
        """Return the equity rows since the last call, as `EQUITY_DTYPE`."""
        return as_array(self._pipeline.drain_equity(), EQUITY_DTYPE)

    def drain_votes(self) -> NDArray[np.void]:
        """Return the votes since the last call, as `VOTE_DTYPE`."""
        return as_array(self._pipeline.drain_votes(), VOTE_DTYPE)

    def drain_ticks(self) -> NDArray[np.void]:
        """Return the prices applied since the last call, as `EVENT_DTYPE`."""
        return as_array(self._pipeline.drain_ticks(), EVENT_DTYPE)

    def drain_stages(self) -> NDArray[np.void]:
        """Return the durations since the last call, as `STAGE_DTYPE`; the newest of a ring."""
        return as_array(self._pipeline.drain_stages(), STAGE_DTYPE)

    def log_dropped(self) -> dict[str, int]:
        """Return how many records of `bars`, `equity`, `votes`, `ticks` and `stages` were lost.

        Counted since the start: what was lost between two drains is the difference of two calls.
        """
        return self._pipeline.log_dropped()

    def record_stage(
        self,
        stage: int,
        ts_ns: int,
        duration_ns: int,
        *,
        source: int = NO_SOURCE,
        instrument: int = NO_INSTRUMENT,
    ) -> None:
        """Add a duration to the stage log; does nothing while that is off.

        Args:
            stage: Value of a `Stage`; `DECODE` and `DECIDE` are timed by the core itself. A plain
                int passes faster than the enum's member.
            ts_ns: When, by the time of the frames, so that the rolling minute is one.
            duration_ns: How long; clamped to 0..2^32-1.
            source: Number of the source.
            instrument: Dense index.
        """
        self._pipeline.record_stage(stage, source, instrument, ts_ns, duration_ns)

    def note_stage(self, stage: int, ts_ns: int, duration_ns: int) -> None:
        """Add a duration of no particular source or instrument, as `record_stage` does."""
        self._pipeline.record_stage(stage, NO_SOURCE, NO_INSTRUMENT, ts_ns, duration_ns)

    def stages(self) -> tuple[StageHistogram, ...]:
        """Return the durations of every stage since the stage log was switched on."""
        return tuple(
            StageHistogram(
                stage=stage,
                count=count,
                sum_ns=sum_ns,
                max_ns=max_ns,
                p50_ns=p50_ns,
                p99_ns=p99_ns,
                buckets=tuple(buckets),
            )
            for stage, count, sum_ns, max_ns, p50_ns, p99_ns, buckets in self._pipeline.stages()
        )

    def save(self) -> bytes:
        """Return the whole state; bindings and logs are not part of it."""
        return self._pipeline.save()

    def load(self, state: bytes) -> None:
        """Replace the state by a saved one.

        Raises:
            UsageError: If it is of another version, other instruments or timeframes, or broken.
        """
        try:
            self._pipeline.load(state)
        except ValueError as error:
            raise usage_error(error) from error
