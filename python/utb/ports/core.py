"""The compiled core as the runner drives it; `utb.engine` implements this."""

from typing import Protocol

from utb.domain.engine import ArmedPosition, EngineEvent
from utb.ports.market import Market


class EventReplay(Protocol):
    """A block of recorded events inside the core."""

    def __len__(self) -> int: ...

    def advance(
        self, start: int, until_ts_ns: int, stop_instrument: int = -1
    ) -> tuple[int, list[EngineEvent]]:
        """Process events received up to `until_ts_ns`, from index `start`.

        Returns:
            The index of the first event not processed, and what the last one processed caused:
            it stops after an event that causes something, and after one of `stop_instrument`.
            When no event is left before `until_ts_ns` the timers up to it run.
        """
        ...

    def ts_recv_ns(self, index: int) -> int:
        """Return when an event was received."""
        ...

    def instrument(self, index: int) -> int:
        """Return an event's instrument."""
        ...


class Core(Market, Protocol):
    """Everything that changes with each market event."""

    def bind(self, source: int, key: str, instrument: int, role: str) -> None:
        """Say what a subscription delivers: `base_vault`, `quote_vault` or `pool`."""
        ...

    def ingest(
        self, source: int, payload: bytes | memoryview, ts_recv_ns: int
    ) -> list[EngineEvent]:
        """Process one frame."""
        ...

    def replay(self, records: bytes) -> EventReplay:
        """Take a block of recorded events."""
        ...

    def advance_to(self, ts_ns: int) -> list[EngineEvent]:
        """Run the timers up to a time."""
        ...

    def ingest_at(
        self, source: int, payload: bytes | memoryview, ts_recv_ns: int
    ) -> tuple[bool, list[EngineEvent]] | None:
        """Run the timers up to a frame's time, then process it; None if nothing happened.

        (False, events): the timers told something and the frame was not taken yet.
        """
        ...

    def next_timer_ns(self) -> int:
        """Return a time before which `advance_to` does nothing."""
        ...

    def set_context(self, instrument: int, context: bytes, ts_ns: int) -> None:
        """Set a slow input of one instrument."""
        ...

    def set_params(self, params: bytes) -> None:
        """Swap the parameters."""
        ...

    def arm(self, position: ArmedPosition) -> None:
        """Watch a position's exits; replaces one with the same id."""
        ...

    def disarm(self, position_id: int) -> None:
        """Forget a position."""
        ...

    def release(self, position_id: int) -> None:
        """Make a position's triggers live again."""
        ...

    def tighten(self, instrument: int | None, atr_multiple: float) -> list[EngineEvent]:
        """Raise stops to at most so many ATR below the last price."""
        ...

    def set_portfolio(
        self,
        *,
        cash: float,
        holdings: tuple[tuple[int, float], ...],
        peak: float,
        max_drawdown: float | None,
    ) -> None:
        """Set what equity is marked from."""
        ...

    def save(self) -> bytes:
        """Return the whole state."""
        ...

    def load(self, state: bytes) -> None:
        """Replace the state by a saved one."""
        ...
