"""The command line with a gauge: where the run is, readable from outside even after a SIGKILL.

Usage: python gauged.py GAUGE alone|operated demo ...; GAUGE is a file of two 64-bit integers: items
handled, and orders on their way, both as they were between the last two items. An operated demo
gets commands at fixed places.
"""

import mmap
import struct
import sys
from pathlib import Path

from utb import bootstrap
from utb.bootstrap import RunOptions, Session
from utb.cli import main
from utb.config.schema import Config
from utb.domain import commands as cmd
from utb.node.runner import Observer, Runner
from utb.ports.journal import FeedPosition

FIELDS = struct.Struct("<QQ")
"""Items handled, orders on their way."""


class Gauge:
    """An observer that keeps the file up to date; a shared mapping outlives its process."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), FIELDS.size)

    def on_progress(self, runner: Runner) -> None:
        """Write both numbers."""
        orders = len(runner.wiring.trader.book.pending)
        FIELDS.pack_into(self._map, 0, runner.session.items, orders)


class Operator:
    """An observer that gives a command every so many items, whatever the run has come to.

    Commands of the process before are in the journal, and taken again from there.
    """

    EVERY_ITEMS = 3_000
    KINDS = (
        cmd.Pause,
        cmd.Resume,
        cmd.SafeMode,
        cmd.Resume,
        cmd.CloseAll,
        cmd.EmergencyStop,
        cmd.Reset,
    )

    def __init__(self) -> None:
        self._given: int | None = None

    def on_progress(self, runner: Runner) -> None:
        """Give the next command at its place."""
        if self._given is None:
            self._given = len(runner.wiring.journal.commands(FeedPosition()))
        if runner.session.items >= (self._given + 1) * self.EVERY_ITEMS:
            kind = self.KINDS[self._given % len(self.KINDS)]
            self._given += 1
            runner.give(kind(command_id=f"{self._given}", issued_by="operator"))


def watched_demo(*observers: Observer) -> None:
    """Have every demo of this process watched."""
    build = bootstrap.build_demo

    def build_watched(config: Config, options: RunOptions) -> Session:
        session = build(config, options)
        session.watch(*observers)
        return session

    bootstrap.build_demo = build_watched


if __name__ == "__main__":
    operators = {"alone": (), "operated": (Operator(),)}
    watched_demo(*operators[sys.argv[2]], Gauge(Path(sys.argv[1])))
    sys.exit(main(sys.argv[3:]))
