"""A session with a gauge: where the run is, readable from outside even after a SIGKILL.

Usage: python gauged.py GAUGE alone|operated --state DIR ...; GAUGE is a file of two 64-bit
integers: items handled, and orders on their way, both as they were between the last two items. An
operated session gets commands at fixed places.
"""

import argparse
import mmap
import struct
import sys
from pathlib import Path

from utb.bootstrap import RunOptions, build_demo, load_config
from utb.cli.runs import run_and_tell
from utb.domain import commands as cmd
from utb.node.runner import Runner
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


def main() -> int:
    """Run the session of the command line to its end, and print its outcome as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gauge", type=Path)
    parser.add_argument("kind", choices=("alone", "operated"))
    parser.add_argument("--seed", type=int)
    parser.add_argument("--hours", type=int)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--record", type=Path)
    parser.add_argument("--replay", type=Path)
    given = parser.parse_args()
    options = RunOptions(
        seed=given.seed,
        hours=given.hours,
        state_dir=given.state,
        record=given.record,
        replay=given.replay,
    )
    config, _ = load_config(None)
    session = build_demo(config, options)
    operators = {"alone": (), "operated": (Operator(),)}
    session.watch(*operators[given.kind], Gauge(given.gauge))
    return run_and_tell(session, json=True, headless=True, page=None)


if __name__ == "__main__":
    sys.exit(main())
