"""Kill live trading at every step of an order's life, and see that the next start puts it right.

One stand-in with a chain runs all the time. A trial gives an order to `utb trade`, which kills
itself at the step (`hooked.py`; for the signer's steps `utb sign` does), and starts it again. Then
every order must end, an exit that was asked for must have sold, nothing may have landed twice and
no entry been signed twice, and the chain's balances must be the ledger's to the lamport, rent and
fees included. Entries and exits, of half a position (guarded) and of all of it, take turns. The
steps of rent's way back follow the sale of a half. With `--full` the disk is full until after the
kill, and there are exits only.

Usage: PYTHONPATH=tests/tools python tests/crash/points.py --count 20 [--steps release.before ...]
"""

import argparse
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final

from entries import HELD_RAW, TRADED_RAW, take_entry
from hooked import ARMED, FULL, RENT, SIGN, SIGNED, TRADE
from realprocs import FIRST_PORT, READY_S, Late, Stand, wait_for
from smalldisk import SmallDisk, small_disk

from utb.domain.orders import Position
from utb.domain.records import FeedState, OperatorState
from utb.storage.journal import FILE_NAME

HOOKED: Final = str(Path(__file__).with_name("hooked.py"))
HELD: Final = 0
"""Instrument of which a position stays open: a start with one does not wait for history."""
TRADED: Final = 1
KILLED_S: Final = 20.0
"""Longest wait for the step to be reached."""
CAUGHT_UP_S: Final = 15.0
"""The last housekeeping transaction has this long to be on record."""
CLOSED_S: Final = 30.0
"""The same for a proof that it never lands: a blockhash's life, finality, and some looks."""
SIDES: Final = ("entry", "half", "exit")
DISK_MIB: Final = 128


class Trials:
    """Live trading that is killed over and over."""

    def __init__(self, folder: Path, first_port: int, disk: SmallDisk | None = None) -> None:
        """Start everything and take up the position that stays.

        Args:
            folder: Of everything.
            first_port: The first one to try.
            disk: Of the state directory, which is full while there is an order; None: it never is.
        """
        self._folder = folder
        self._disk = disk
        self.stand = Stand(folder, first_port=first_port)
        self._through = (HOOKED, str(folder))
        self.stand.start_world()
        self._signer = self.stand.start_signer(through=self._through)
        self._trade = self._started()
        self._buy(HELD, HELD_RAW)
        self.stand.settled_book()

    def run(self, step: str, side: str) -> list[str]:
        """Return what was wrong after a kill at `step` of an order of `side`."""
        position = self._position()
        if side == "entry" and position is not None:
            self._sold(position)
        elif side != "entry" and position is None:
            self._buy(TRADED, TRADED_RAW)
            self.stand.settled_book()
        position = self._position()
        with ExitStack() as full:
            if self._disk is not None:
                self._fill(self._disk, full)
            self._killed(step, side, position)
            if (self._folder / ARMED).exists():
                (self._folder / ARMED).unlink()
                return [f"never came to {step}"]
        if step in SIGN:
            self._signer = self.stand.start_signer(through=self._through)
        else:
            self._trade = self._started()
        return self._problems(side, position)

    def _fill(self, disk: SmallDisk, full: ExitStack) -> None:
        """Leave no room until `full` is closed, and return when trading goes on without."""
        said = self._alarms()
        journal = sqlite3.connect(self.stand.state / FILE_NAME)
        journal.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        journal.close()
        full.enter_context(disk.full())
        wait_for(lambda: self._alarms() > said or self._buy_once(), "the full disk to be seen")

    def _alarms(self) -> int:
        return self.stand.log("trade").read_text().count("exits go on from the reserve")

    def _buy_once(self) -> bool:
        """Ask for what is refused, so that something is to be written."""
        self.stand.buy(TRADED, TRADED_RAW)
        return False

    def _killed(self, step: str, side: str, position: Position | None) -> None:
        (self._folder / ARMED).write_text(step)
        victim = self._signer if step in SIGN else self._trade
        if position is None:
            self._buy(TRADED, TRADED_RAW)
        else:
            self.stand.sell(position.position_id, 0.5 if side == "half" else 1.0)
        with suppress(subprocess.TimeoutExpired):
            victim.wait(KILLED_S)

    def _problems(self, side: str, before: Position | None) -> list[str]:
        wanted = 0 if before is None or side == "exit" else before.base_raw - before.base_raw // 2
        try:
            if before is not None:
                wait_for(lambda: self._held_raw() <= wanted, f"the sale of {side}")
            self.stand.settled_book()
        except Late as late:
            return [str(late), self._last_words()]
        deadline_s = time.monotonic() + CAUGHT_UP_S
        while problems := self.stand.differences(self.stand.settled_book()):
            if time.monotonic() > deadline_s:
                break
            time.sleep(0.2)
        return problems + self.stand.twice() + self._signed_twice() + self._unbooked()

    def _unbooked(self) -> list[str]:
        """Return the housekeeping whose end does not come on record."""
        try:
            wait_for(lambda: not self.stand.announced(), "the end of all housekeeping", CLOSED_S)
        except Late as late:
            return [str(late)]
        return []

    def _signed_twice(self) -> list[str]:
        rows = {tuple(row.split()) for row in (self._folder / SIGNED).read_text().splitlines()}
        counts = Counter(intent for kind, intent, _ in rows if kind == "entry")
        return [f"the signer signed entry {it} {n} times" for it, n in counts.items() if n > 1]

    # Parts

    def _started(self) -> "subprocess.Popen[bytes]":
        """Start trading, and return when its prices come."""
        before = self._starts()
        trade = self.stand.start_trade(through=self._through)

        def ready() -> bool:
            return trade.poll() is not None or self._starts() > before

        wait_for(ready, "trade to be ready")
        if trade.poll() is not None:
            raise Late(f"trade ended with {trade.returncode}: {self._last_words()}")
        return trade

    def _starts(self) -> int:
        """Return how often trading came so far that a price was there."""
        count, waits = 0, False
        for record in self.stand.records():
            if isinstance(record, OperatorState) and record.lifecycle:
                waits = record.cause == "start"
            elif isinstance(record, FeedState) and record.state == "FRESH" and waits:
                count, waits = count + 1, False
        return count

    def _buy(self, instrument: int, size_raw: int) -> None:
        take_entry(self.stand, instrument, size_raw, READY_S, unanswered=True)

    def _sold(self, position: Position) -> None:
        self.stand.sell(position.position_id)
        wait_for(lambda: not self._held_raw(), "a sale")
        self.stand.settled_book()

    def _position(self) -> Position | None:
        return self.stand.book().position_of(TRADED)

    def _held_raw(self) -> int:
        position = self._position()
        return 0 if position is None else position.base_raw

    def _last_words(self) -> str:
        return self.stand.log("trade").read_text()[-1_500:]


def run_all(
    trials: Trials, count: int, steps: list[str], *, turns: bool, full: bool = False
) -> tuple[Counter[Any], list[str]]:
    """Run every step `count` times for entries and exits; return what was recovered, what not.

    With `turns` each step has one of them a time, in turn.
    """
    recovered: Counter[Any] = Counter()
    failures = []
    for number in range(count):
        for place, step in enumerate(steps):
            sides: tuple[str, ...] = (SIDES[0], SIDES[1 + (place + number) % 2])
            if full:
                sides = sides[1:]
            elif step in RENT:
                # Only a part of a position is sold behind a guard for certain
                sides = ("half",)
            elif turns:
                sides = (SIDES[(place + number) % len(SIDES)],)
            for side in sides:
                problems = trials.run(step, side)
                recovered[step, side] += not problems
                recovered[step, side, "trials"] += 1
                if problems:
                    failures.append(f"{step} {side} {number}: {'; '.join(problems)}")
                    print(failures[-1], flush=True)
    return recovered, failures


def main() -> int:
    """Run the trials and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20, help="trials of each step and side")
    parser.add_argument("--steps", nargs="*", help="default: all")
    parser.add_argument("--turns", action="store_true", help="one side for each step, in turn")
    parser.add_argument("--full", action="store_true", help="on a full disk: exits only")
    parser.add_argument("--port", type=int, default=FIRST_PORT, help="first one to try")
    parser.add_argument("--folder", type=Path, help="keep everything there")
    options = parser.parse_args()
    steps = options.steps or ([*FULL, *SIGN] if options.full else [*TRADE, *SIGN, *RENT])
    with tempfile.TemporaryDirectory(prefix="utb-points-") as name, ExitStack() as mounted:
        began_s = time.monotonic()
        folder, disk = options.folder or Path(name), None
        if options.full:
            (folder / "state").mkdir(mode=0o700)
            disk = mounted.enter_context(small_disk(folder / "state", DISK_MIB))
        trials = Trials(folder, options.port, disk)
        try:
            recovered, failures = run_all(
                trials, options.count, steps, turns=options.turns, full=options.full
            )
        finally:
            trials.stand.stop()
    print(f"{'step':18} {'entries':>9} {'exits':>9}   recovered of trials")
    for step in steps:
        cells = []
        for sides in (SIDES[:1], SIDES[1:]):
            good = sum(recovered[step, side] for side in sides)
            cells.append(f"{good} of {sum(recovered[step, side, 'trials'] for side in sides)}")
        print(f"{step:18} {cells[0]:>9} {cells[1]:>9}")
    total = sum(n for key, n in recovered.items() if len(key) == 3)
    print(
        f"{total - len(failures)} of {total} trials recovered, {time.monotonic() - began_s:.0f} s"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
