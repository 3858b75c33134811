"""The live status panel of a terminal, drawn from plain values."""

import datetime as dt
from typing import Final, Self

import msgspec
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from utb.adapters.clocks import SystemClock
from utb.domain.market import Instrument
from utb.domain.names import STRATEGIES
from utb.domain.orders import Position
from utb.domain.records import Decision, Record, Refused

DRAW_EVERY_NS: Final = 250_000_000


class PositionLine(msgspec.Struct, frozen=True, kw_only=True):
    """One open position."""

    symbol: str
    lead: str
    entry: float
    price: float | None
    stop: float
    target: float | None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What the panel shows; None = unknown."""

    now_ns: int
    """Market time; 0 before the first item."""
    span_ns: tuple[int, int] | None
    """Start and end of a simulated run."""
    operator: str
    equity: float | None
    peak: float | None
    trades: int
    positions: tuple[PositionLine, ...]
    last: str
    """The last decision or refusal."""
    holds: dict[str, str | None]
    """Symbol -> why nothing is done now, None = it acted."""
    footer: str = ""

    @property
    def done(self) -> float:
        """Return the share of the run that is over, in [0, 1]."""
        if self.span_ns is None or not self.now_ns:
            return 0.0
        start, end = self.span_ns
        return max(0.0, min(1.0, (self.now_ns - start) / max(end - start, 1)))


class Panel:
    """A status that is drawn again a few times a second, below everything else that is said."""

    def __init__(self, console: Console) -> None:
        self._elapsed_ns = SystemClock().elapsed_ns
        self._next_ns = 0
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

    def is_due(self) -> bool:
        """Return whether it is time to draw again."""
        return self._elapsed_ns() >= self._next_ns

    def draw(self, status: Status) -> None:
        """Draw a status."""
        self._next_ns = self._elapsed_ns() + DRAW_EVERY_NS
        self._progress.update(self._task, completed=status.done, description=clock(status.now_ns))
        self._live.update(self._rendered(status), refresh=True)

    def _rendered(self, status: Status) -> RenderableType:
        lines: list[RenderableType] = [
            self._progress,
            Text.assemble((f"PAPER {status.operator}  ", "bold"), money(status)),
            positions_table(status.positions),
            Text(f"last: {status.last}", style="dim"),
            Text(f"holds: {holds_line(status.holds)}", style="dim"),
        ]
        if status.footer:
            lines.append(Text(status.footer, style="cyan"))
        return Group(*lines)


def money(status: Status) -> str:
    """Return equity, drawdown and trades as a line."""
    equity, peak = status.equity, status.peak
    known = "unknown" if equity is None else f"{equity:,.2f} USDC"
    fall = "" if equity is None or not peak or peak <= 0 else f"drawdown {1 - equity / peak:.1%}"
    return f"equity {known}  {fall}  trades {status.trades}"


def holds_line(holds: dict[str, str | None]) -> str:
    """Return why each instrument does nothing now."""
    return ", ".join(
        f"{symbol.partition('-')[0]} {reason.lower().replace('_', ' ') if reason else 'acted'}"
        for symbol, reason in holds.items()
    )


def positions_table(positions: tuple[PositionLine, ...]) -> RenderableType:
    """Return the open positions as a table."""
    if not positions:
        return Text("no open positions", style="dim")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("position", "lead", "entry", "price", "stop", "target", "result"):
        table.add_column(name, justify="left" if name in {"position", "lead"} else "right")
    for one in positions:
        price = one.price
        table.add_row(
            one.symbol,
            one.lead,
            f"{one.entry:.6g}",
            "unknown" if price is None else f"{price:.6g}",
            f"{one.stop:.6g}",
            "none" if one.target is None else f"{one.target:.6g}",
            "unknown" if price is None else f"{price / one.entry - 1:+.2%}",
        )
    return table


def position_line(position: Position, instrument: Instrument, price: float | None) -> PositionLine:
    """Return an open position as the panel shows it; `price` in quote per base."""
    scale = 10.0 ** (instrument.base_decimals - instrument.quote_decimals)
    return PositionLine(
        symbol=instrument.symbol,
        lead=position.lead,
        entry=position.cost_quote_raw / position.base_raw * scale,
        price=price,
        stop=position.stop,
        target=position.target,
    )


def describe(record: Record | None, instruments: tuple[Instrument, ...]) -> str:
    """Return a decision or refusal as a sentence with its numbers."""
    match record:
        case None:
            return "no decision yet"
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
    """Return a market time for people."""
    if not ts_ns:
        return "starting"
    return dt.datetime.fromtimestamp(ts_ns // 1_000_000_000, dt.UTC).strftime("%Y-%m-%d %H:%M")
