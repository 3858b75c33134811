"""What a viewer sees of a running session; looking changes nothing."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from utb.domain.amounts import units_of
from utb.domain.names import OperatorState
from utb.domain.records import Decision, Refused
from utb.node.runner import Runner

NS_PER_S: Final = 1_000_000_000


class PositionStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One open position."""

    position_id: int
    symbol: str
    lead: str
    base: float
    """Quantity in units of the asset."""
    price: float | None
    """Last price, quote per base."""
    stop: float
    target: float | None
    unrealised_quote: float | None
    """Value at the mark minus cost; None without a mark."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A session at one moment."""

    ts_ns: int
    """Simulated time."""
    items: int
    state: OperatorState
    equity_quote: float | None
    peak_quote: float
    cash_quote: float
    positions: tuple[PositionStatus, ...]
    orders: int
    """Orders on their way."""
    trades_closed: int
    breakers: tuple[str, ...]
    last_decision: Decision | None
    last_refusal: Refused | None
    holds: dict[str, str | None]
    """Symbol -> why its last evaluation did nothing; None if it decided."""
    verifying: bool
    """Whether an earlier run's records are being met again."""


class StatusObserver:
    """Hands a status to `show`, at most so many a second of the machine's time."""

    def __init__(self, show: Callable[[Status], None], *, per_second_max: float = 4.0) -> None:
        self._show = show
        self._interval_ns = int(NS_PER_S / per_second_max)
        self._next_ns = 0

    def on_progress(self, runner: Runner) -> None:
        """Show the runner's status if the last one is old enough."""
        now_ns = runner.wiring.stopwatch_ns()
        if now_ns >= self._next_ns:
            self._next_ns = now_ns + self._interval_ns
            self._show(status_of(runner))


def status_of(runner: Runner) -> Status:
    """Return the present status of a session."""
    trader, core = runner.wiring.trader, runner.wiring.core
    desk, book = trader.desk, trader.book
    equity = core.equity()
    counters: dict[str, Any] = core.counters()
    return Status(
        ts_ns=runner.now_ns,
        items=runner.session.items,
        state=desk.state.operator,
        equity_quote=None if equity is None else equity[0],
        peak_quote=desk.state.peak if equity is None else max(desk.state.peak, equity[1]),
        cash_quote=units_of(book.cash_quote_raw, desk.quote_decimals),
        positions=tuple(_position(runner, key) for key in book.positions),
        orders=len(book.pending),
        trades_closed=book.state.trades_closed,
        breakers=tuple(str(breaker.kind) for breaker in desk.breakers.active),
        last_decision=runner.last_decision,
        last_refusal=runner.last_refusal,
        holds=counters.get("holds", {}),
        verifying=runner.wiring.journal.verifying(),
    )


def _position(runner: Runner, position_id: int) -> PositionStatus:
    desk = runner.wiring.trader.desk
    position = desk.book.positions[position_id]
    own = desk.instruments[position.instrument]
    mark = runner.wiring.core.mark(position.instrument)
    base = units_of(position.base_raw, own.base_decimals)
    cost = units_of(position.cost_quote_raw, own.quote_decimals)
    return PositionStatus(
        position_id=position_id,
        symbol=own.symbol,
        lead=position.lead,
        base=base,
        price=None if mark is None else mark.price,
        stop=position.stop,
        target=position.target,
        unrealised_quote=None if mark is None else base * mark.price - cost,
    )
