"""An operator who does what operators do, at places that depend on what the run has come to."""

from collections.abc import Callable

from utb.domain import commands as cmd
from utb.domain.names import Side
from utb.node.runner import Runner
from utb.ports.journal import FeedPosition

EVERY_ITEMS = 1_500
"""Items between two steps of the operator, at least."""


Step = Callable[[Runner], cmd.Command | None]
"""What the operator does next; None: not yet."""


class Operator:
    """An observer that gives commands; each step waits until it can be taken.

    One that watches a run going on knows the commands of the process before from the journal,
    which has them taken again.
    """

    def __init__(self) -> None:
        self.answers: dict[str, cmd.Answer] = {}
        self._steps: list[Step] | None = None
        self._after = 0

    def on_progress(self, runner: Runner) -> None:
        """Take the next step if its time has come."""
        if self._steps is None:
            taken = runner.wiring.journal.commands(FeedPosition())
            self._steps = self._plan()[len(taken) :]
            self._after = taken[-1].position.items + EVERY_ITEMS if taken else 0
        if runner.session.items < self._after or not runner.wiring.trader.is_open:
            return
        command = self._steps[0](runner) if self._steps else None
        if command is not None:
            self.answers[command.command_id] = runner.give(command)
            self._after = runner.session.items + EVERY_ITEMS
            del self._steps[0]

    def _plan(self) -> list[Step]:
        """Return the steps; one that returns None is tried again at the next item."""
        return [
            lambda _: cmd.Pause(command_id="pause", issued_by="op"),
            lambda _: cmd.Resume(command_id="resume", issued_by="op"),
            lambda runner: self._buy(runner, "buy"),
            lambda runner: self._close(runner, "half", 0.5),
            lambda runner: self._close(runner, "rest", 1.0),
            lambda _: cmd.SafeMode(command_id="safe", issued_by="op"),
            lambda _: cmd.Resume(command_id="resume-2", issued_by="op"),
            self._stop,
            lambda _: cmd.Reset(command_id="reset", issued_by="op"),
            lambda runner: self._buy(runner, "buy-2"),
        ]

    def _buy(self, runner: Runner, name: str) -> cmd.Command | None:
        """Buy SOL when nothing is held and its indicators are warm."""
        book = runner.wiring.trader.book
        mark = runner.wiring.core.mark(0)
        if runner.session.items < 66_000 or book.positions or book.pending or mark is None:
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
