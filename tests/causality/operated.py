"""An operator who does what operators do, at places that depend on what the run has come to."""

from collections.abc import Callable, Iterator

from utb.domain import commands as cmd
from utb.domain.names import Side
from utb.node.runner import Runner

EVERY_ITEMS = 1_500
"""Items between two steps of the operator, at least."""


class Operator:
    """An observer that gives commands; each step waits until it can be taken.

    An operator that is watching when a run goes on sees the answered commands and goes on behind
    the last of them.
    """

    def __init__(self) -> None:
        self.answers: dict[str, cmd.Answer] = {}
        self._steps = self._plan()
        self._step = next(self._steps)
        self._after = 0

    def on_progress(self, runner: Runner) -> None:
        """Take the next step if its time has come."""
        if runner.session.items < self._after or not runner.wiring.trader.is_open:
            return
        command = self._step(runner)
        if command is None:
            return
        if not runner.wiring.trader.knows(command.command_id):
            self.answers[command.command_id] = runner.give(command)
            self._after = runner.session.items + EVERY_ITEMS
        self._step = next(self._steps, lambda _: None)

    def _plan(self) -> "Iterator[Callable[[Runner], cmd.Command | None]]":
        """Yield the steps; one that returns None is tried again at the next item."""
        yield lambda _: cmd.Pause(command_id="pause", issued_by="op")
        yield lambda _: cmd.Resume(command_id="resume", issued_by="op")
        yield lambda runner: self._buy(runner, "buy")
        yield lambda runner: self._close(runner, "half", 0.5)
        yield lambda runner: self._close(runner, "rest", 1.0)
        yield lambda _: cmd.SafeMode(command_id="safe", issued_by="op")
        yield lambda _: cmd.Resume(command_id="resume-2", issued_by="op")
        yield self._stop
        yield lambda _: cmd.Reset(command_id="reset", issued_by="op")
        yield lambda runner: self._buy(runner, "buy-2")

    def _buy(self, runner: Runner, name: str) -> cmd.Command | None:
        """Buy SOL when nothing is held and its indicators are warm."""
        book = runner.wiring.trader.book
        mark = runner.wiring.core.mark(0)
        if runner.session.items < 62_000 or book.positions or book.pending or mark is None:
            return None
        return cmd.Trade(
            command_id=name,
            issued_by="op",
            instrument=0,
            side=Side.BUY,
            size_base_raw=2 * 10**9,
            stop=mark.price * 0.95,
            target=mark.price * 1.2,
        )

    def _close(self, runner: Runner, name: str, fraction: float) -> cmd.Command | None:
        for position_id in runner.wiring.trader.book.positions:
            return cmd.ClosePosition(
                command_id=name, issued_by="op", position_id=position_id, fraction=fraction
            )
        return None

    def _stop(self, runner: Runner) -> cmd.Command | None:
        """Stop everything while something is held."""
        if not runner.wiring.trader.book.positions:
            return None
        return cmd.EmergencyStop(command_id="stop", issued_by="op")
