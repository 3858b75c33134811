"""The live status of a run in this process; it looks a few times a second and changes nothing."""

from typing import Final, Self

from rich.console import Console

from utb.bootstrap import Session
from utb.cli.panel import Panel, Status, describe, position_line
from utb.node.runner import Runner

ITEMS_BETWEEN_LOOKS: Final = 512
"""Items between two readings of the clock, so that watching costs nothing."""


class Display:
    """An observer that keeps a status panel up to date."""

    def __init__(self, console: Console, session: Session) -> None:
        self._session = session
        self._panel = Panel(console)
        self._countdown = 0

    def __enter__(self) -> Self:
        self._panel.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._panel.__exit__()

    def on_progress(self, runner: Runner) -> None:
        """Draw if it is time to."""
        self._countdown -= 1
        if self._countdown > 0:
            return
        self._countdown = ITEMS_BETWEEN_LOOKS
        if self._panel.is_due():
            self._panel.draw(self._status(runner))

    def _status(self, runner: Runner) -> Status:
        trader, core = runner.wiring.trader, runner.wiring.core
        instruments = trader.desk.instruments
        equity = trader.desk.equity_raw(core)
        marks = {one.index: core.mark(one.index) for one in instruments}
        return Status(
            now_ns=runner.now_ns,
            span_ns=self._session.span_ns,
            operator=trader.desk.state.operator.value,
            equity=None if equity is None else equity * 1e-6,
            peak=trader.desk.peak(core),
            trades=len(trader.book.trades),
            positions=tuple(
                position_line(
                    position,
                    instruments[position.instrument],
                    None if (mark := marks[position.instrument]) is None else mark.price,
                )
                for position in trader.book.positions.values()
            ),
            last=describe(runner.last_decision, instruments),
            holds=self._session.engine.counters()["holds"],
        )
