"""The live status of a run on a terminal; it looks a few times a second and changes nothing."""

from typing import Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from utb.adapters.clocks import SystemClock
from utb.bootstrap import Session
from utb.domain.market import Instrument
from utb.domain.names import STRATEGIES
from utb.domain.records import Decision, Record, Refused
from utb.node.runner import Runner
from utb.research.summary import iso

LOOK_EVERY_NS: Final = 250_000_000
ITEMS_BETWEEN_LOOKS: Final = 512
"""Items between two readings of the clock, so that watching costs nothing."""


class Display:
    """An observer that keeps a status panel up to date."""

    def __init__(self, console: Console, session: Session) -> None:
        self._session = session
        self._stopwatch_ns = SystemClock().elapsed_ns
        self._next_ns = 0
        self._countdown = 0
        self._seen = 0
        self._last = "no decision yet"
        self._progress = Progress(
            TextColumn("[bold]simulated[/] {task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            console=console,
        )
        self._task = self._progress.add_task("starting", total=1.0)
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def on_progress(self, runner: Runner) -> None:
        """Draw if it is time to."""
        self._countdown -= 1
        if self._countdown > 0:
            return
        self._countdown = ITEMS_BETWEEN_LOOKS
        now_ns = self._stopwatch_ns()
        if now_ns >= self._next_ns:
            self._next_ns = now_ns + LOOK_EVERY_NS
            self._live.update(self._panel(runner), refresh=True)

    def _panel(self, runner: Runner) -> RenderableType:
        self._advance(runner.now_ns)
        trader = runner.wiring.trader
        desk = trader.desk
        instruments = desk.instruments
        unit = 10.0**-6
        equity = desk.equity_raw(runner.wiring.core)
        known = "unknown" if equity is None else f"{equity * unit:,.2f} USDC"
        peak = desk.peak(runner.wiring.core)
        fall = "" if equity is None or peak <= 0 else f"drawdown {1 - equity * unit / peak:.1%}"
        line = Text.assemble(
            (f"PAPER {desk.state.operator.value}  ", "bold"),
            f"equity {known}  {fall}  trades {len(trader.book.trades)}",
        )
        return Group(
            self._progress,
            line,
            self._positions(runner, instruments),
            Text(f"last: {last_step(runner)}", style="dim"),
            Text(f"holds: {self._holds()}", style="dim"),
        )

    def _advance(self, now_ns: int) -> None:
        if now_ns:
            start, end = self._session.span_ns
            done = (now_ns - start) / max(end - start, 1)
            self._progress.update(self._task, completed=max(0.0, min(1.0, done)))
        self._progress.update(self._task, description=clock(now_ns))

    def _holds(self) -> str:
        """Return why each instrument does nothing now."""
        reasons = self._session.engine.counters()["holds"]
        return ", ".join(
            f"{symbol.partition('-')[0]} {reason.lower().replace('_', ' ') if reason else 'acted'}"
            for symbol, reason in reasons.items()
        )

    def _positions(self, runner: Runner, instruments: tuple[Instrument, ...]) -> RenderableType:
        book = runner.wiring.trader.book
        if not book.positions:
            return Text("no open positions", style="dim")
        table = Table(box=None, pad_edge=False, header_style="dim")
        for name in ("position", "lead", "entry", "price", "stop", "target", "result"):
            table.add_column(name, justify="left" if name in {"position", "lead"} else "right")
        for position in book.positions.values():
            instrument = instruments[position.instrument]
            scale = 10.0 ** (instrument.base_decimals - instrument.quote_decimals)
            entry = position.cost_quote_raw / position.base_raw * scale
            mark = runner.wiring.core.mark(position.instrument)
            price = None if mark is None else mark.price
            table.add_row(
                instrument.symbol,
                position.lead,
                f"{entry:.6g}",
                "unknown" if price is None else f"{price:.6g}",
                f"{position.stop:.6g}",
                "none" if position.target is None else f"{position.target:.6g}",
                "unknown" if price is None else f"{price / entry - 1:+.2%}",
            )
        return table


def last_step(runner: Runner) -> str:
    """Return the last decision or refusal as a sentence."""
    record = runner.last_decision
    if record is None:
        return "no decision yet"
    return describe(record, runner.wiring.trader.desk.instruments)


def describe(record: Record, instruments: tuple[Instrument, ...]) -> str:
    """Return a decision or refusal as a sentence with its numbers."""
    match record:
        case Refused():
            return f"refused {instruments[record.instrument].symbol}: {record.message}"
        case Decision(decision=made):
            return (
                f"{made.side} {instruments[made.instrument].symbol} at {made.price:.6g} led by "
                f"{STRATEGIES[made.lead]}: consensus {made.consensus:.2f}, confidence "
                f"{made.confidence:.2f}, turnout {made.participation:.2f} ({record.outcome})"
            )
        case _:
            return type(record).__name__


def clock(ts_ns: int) -> str:
    """Return a simulated time for people."""
    return iso(ts_ns)[:16].replace("T", " ") if ts_ns else "starting"
