"""The command line with a gauge: where the run is, readable from outside even after a SIGKILL.

Usage: python gauged.py GAUGE demo ...; GAUGE is a file of two 64-bit integers: items handled, and
orders on their way, both as they were between the last two items.
"""

import mmap
import struct
import sys
from pathlib import Path

from utb import bootstrap
from utb.bootstrap import RunOptions, Session
from utb.cli import main
from utb.config.schema import Config
from utb.node.runner import Runner

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


def gauged_demo(gauge: Gauge) -> None:
    """Have every demo of this process watched by the gauge."""
    build = bootstrap.build_demo

    def build_watched(config: Config, options: RunOptions) -> Session:
        session = build(config, options)
        session.watch(gauge)
        return session

    bootstrap.build_demo = build_watched


if __name__ == "__main__":
    gauged_demo(Gauge(Path(sys.argv[1])))
    sys.exit(main(sys.argv[2:]))
