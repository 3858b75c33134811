"""Kill processes of a demo over sockets at random moments, and compare with an undisturbed run.

A trial starts `utb demo --keep`, kills one of its processes with SIGKILL one to three times, each
at a random place of the run, and lets it come to its end. The supervisor restarts what was killed;
a killed supervisor is started again on the same state directory. Then the journal must be the
undisturbed run's, no order sent or filled twice, the fills in ClickHouse those of the journal
without a gap or a double, and what `serve` answers the fold of the journal. Every fifth trial has
`serve` or `analytics` frozen, slow or gone for a while instead: trade must go on meanwhile, and
everything must be whole in the end.

Usage: python tests/crash/system.py --count 50 [--hours 60] [--seed 7] [--fills 6]
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from demo import Demo, Died
from sweep import differences, stored_records, twice

from utb.domain.market import Instrument
from utb.domain.records import FillBooked, Record
from utb.ledger.book import Book
from utb.simnet import profiles
from utb.storage.journal import FILE_NAME
from utb.storage.readers import recompute_hash

VICTIMS = ("trade", "serve", "analytics", "simnet", "run")
"""`run` is the supervisor."""

READERS = ("serve", "analytics")
BURDENS = ("frozen", "slow", "gone")
BURDEN_EVERY = 5
BURDEN_SHARE = 0.2
"""Share of the run's records that trade must write while a reader is frozen, slow or gone."""

BURDEN_S = 0.2
"""A slow reader is stopped so long, and runs for a tenth of it."""

KILLS = (1, 1, 2, 3)
CATCH_UP_S = 60.0
"""A reader has this long after the run's end to have everything."""


@dataclass(frozen=True)
class Reference:
    """The undisturbed run."""

    journal_hash: str
    records: list[Record]
    """Those in the hash."""
    fills: int
    rows: int
    """Records in its journal's file."""
    wall_s: float


@dataclass
class Trial:
    """What was done, and what was found."""

    done: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def wait_for(question: Callable[[], bool], what: str) -> None:
    """Ask a reader until the answer is yes; it may be starting, or behind.

    Raises:
        Died: If it does not come to that in time.
    """
    deadline_s = time.monotonic() + CATCH_UP_S
    why = ""
    while True:
        try:
            if question():
                return
        except Died as died:
            why = f": {died}"
        if time.monotonic() > deadline_s:
            raise Died(f"{what}: not within {CATCH_UP_S:g} s{why}")
        time.sleep(0.05)


def instruments() -> tuple[Instrument, ...]:
    """Return who is traded on the generated market."""
    return tuple(profiles.instruments())


def run_undisturbed(options: argparse.Namespace) -> Reference:
    """Run once without a kill, and check it as every trial is checked."""
    with tempfile.TemporaryDirectory(prefix="utb-crash-") as name:
        demo = Demo(Path(name), seed=options.seed, hours=options.hours)
        began_s = time.monotonic()
        demo.start()
        try:
            summary = demo.result()
            wall_s = time.monotonic() - began_s
            records = stored_records(demo.state)
            fills = sum(isinstance(record, FillBooked) for record in records)
            reference = Reference(summary.journal_hash, records, fills, demo.rows(), wall_s)
            problems = check(demo, reference)
        finally:
            demo.stop()
    if fills < options.fills:
        raise SystemExit(f"{fills} fills in {options.hours} hours, needed {options.fills}")
    if problems:
        raise SystemExit(f"undisturbed: {problems}")
    return reference


def check(demo: Demo, reference: Reference) -> list[str]:
    """Return what is wrong with a demo that came to its end."""
    summary = demo.result()
    problems = []
    if not summary.finished or summary.journal_hash != reference.journal_hash:
        problems.append(
            f"the journal is {summary.journal_hash} (finished: {summary.finished}), "
            f"undisturbed {reference.journal_hash}"
        )
    if recompute_hash(demo.state / FILE_NAME) != reference.journal_hash:
        problems.append("the file does not hold the journal of the undisturbed run")
    stored = stored_records(demo.state)
    problems += differences("stored", stored, reference.records)
    problems += twice(stored)
    problems += check_clickhouse(demo)
    problems += check_serve(demo, stored)
    return problems


def check_clickhouse(demo: Demo) -> list[str]:
    """Return how the fills in ClickHouse differ from the journal's."""
    expected = demo.fills()
    last = expected[-1][0] if expected else 0
    query = "SELECT seq, intent_id FROM utb.fills ORDER BY seq"
    try:
        wait_for(
            lambda: int(demo.query("SELECT max(seq) FROM utb.fills")[0][0]) >= last,
            "the last fill in ClickHouse",
        )
    except Died as late:
        return [str(late)]
    found = [(int(seq), intent) for seq, intent in demo.query(query)]
    if found == expected:
        return []
    counts = Counter(found)
    missing = [row for row in expected if row not in counts]
    doubled = [row for row, count in counts.items() if count > 1]
    foreign = [row for row in counts if row not in set(expected)]
    return [f"fills in ClickHouse: missing {missing}, twice {doubled}, foreign {foreign}"]


def check_serve(demo: Demo, records: list[Record]) -> list[str]:
    """Return how serve's replica differs from the fold of the journal."""
    book = Book(instruments())
    for record in records:
        book.apply(record)
    trades = len(book.trades)
    try:
        wait_for(
            lambda: bool(demo.ask("/api/v1/trades?limit=1")["total"] >= trades),
            "the last trade in serve",
        )
    except Died as late:
        return [str(late)]
    problems = []
    total = demo.ask("/api/v1/trades?limit=1")["total"]
    if total != trades:
        problems.append(f"serve has {total} trades, the journal {trades}")
    positions = demo.ask("/api/v1/positions")["positions"]
    if len(positions) != len(book.positions):
        problems.append(f"serve has {len(positions)} positions, the journal {len(book.positions)}")
    pnl = sum(trade["pnl"] for trade in demo.ask("/api/v1/trades?limit=1000")["trades"])
    told = sum(trade.pnl_quote_raw for trade in book.trades) * 1e-6
    if trades <= 1000 and abs(pnl - told) > 1e-4 * max(1, trades):
        problems.append(f"serve's trades won {pnl}, the journal's {told}")
    return problems


def run_trial(number: int, reference: Reference, options: argparse.Namespace) -> Trial:
    """Disturb one demo and see that it comes to the same end."""
    draw = random.Random(f"{options.seed} {number}")  # noqa: S311 - moments of a test
    trial = Trial()
    with tempfile.TemporaryDirectory(prefix="utb-crash-") as name:
        demo = Demo(Path(name), seed=options.seed, hours=options.hours)
        demo.start()
        try:
            if number % BURDEN_EVERY == BURDEN_EVERY - 1:
                burden(demo, reference, draw, trial)
            else:
                kill_some(demo, reference, draw, trial, VICTIMS[number % len(VICTIMS)])
            demo.wait_for_result(reference.wall_s * 4 + 60)
            trial.problems += check(demo, reference)
        except Died as died:
            trial.problems.append(str(died))
        finally:
            trial.problems += demo.stop()
        if trial.problems and options.keep_logs:
            trial.problems.append(demo.keep_logs(options.keep_logs / f"trial-{number}"))
    return trial


def kill_some(
    demo: Demo, reference: Reference, draw: random.Random, trial: Trial, victim: str
) -> None:
    """Kill a process, and perhaps others after it, at random places of the run."""
    places = sorted(draw.uniform(0.0, 0.95) for _ in range(draw.choice(KILLS)))
    for share in places:
        demo.wait_for_rows(round(reference.rows * share), reference.wall_s * 4 + 60)
        time.sleep(draw.uniform(0.0, 0.2))
        pid = demo.pid(victim)
        if pid is None:
            trial.done.append(f"{victim} was not there at {share:.0%}")
        else:
            os.kill(pid, signal.SIGKILL)
            trial.done.append(f"{victim} killed at {share:.0%}")
        if victim == "run":
            demo.died()
            demo.start()
        victim = draw.choice(VICTIMS)


def burden(demo: Demo, reference: Reference, draw: random.Random, trial: Trial) -> None:
    """Have a reader frozen, slow or gone for a while, and see that trade goes on meanwhile."""
    victim, how = draw.choice(READERS), draw.choice(BURDENS)
    begin = round(reference.rows * draw.uniform(0.1, 0.5))
    until = begin + round(reference.rows * BURDEN_SHARE)
    patience_s = reference.wall_s * 4 + 60
    demo.wait_for_rows(begin, patience_s)
    deadline_s = time.monotonic() + patience_s
    while demo.rows() < until:
        if time.monotonic() > deadline_s:
            raise Died(f"trade did not go on in {patience_s:.0f} s with {victim} {how}")
        pid = demo.pid(victim)
        if pid is not None:
            os.kill(pid, signal.SIGKILL if how == "gone" else signal.SIGSTOP)
        time.sleep(BURDEN_S)
        if pid is not None and how == "slow":
            wake(pid)
            time.sleep(BURDEN_S / 10)
    pid = demo.pid(victim)
    if pid is not None:
        wake(pid)
    trial.done.append(f"{victim} {how} for {BURDEN_SHARE:.0%} of the run")


def wake(pid: int) -> None:
    """Let a process go on, if it is still there."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def main() -> int:
    """Run the sweep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50, help="trials")
    parser.add_argument("--first", type=int, default=0, help="number of the first trial")
    parser.add_argument("--hours", type=int, default=60, help="simulated length of a run")
    parser.add_argument("--seed", type=int, default=7, help="of the market and of the moments")
    parser.add_argument("--fills", type=int, default=6, help="an undisturbed run must have")
    parser.add_argument("--keep-logs", type=Path, help="folder for the logs of failed trials")
    options = parser.parse_args()
    reference = run_undisturbed(options)
    print(
        f"undisturbed: {reference.fills} fills, {reference.rows} records, "
        f"{reference.wall_s:.1f} s, journal {reference.journal_hash}",
        flush=True,
    )
    failed = 0
    disturbed: Counter[str] = Counter()
    for number in range(options.first, options.first + options.count):
        trial = run_trial(number, reference, options)
        disturbed.update(done.partition(" at ")[0] for done in trial.done)
        failed += bool(trial.problems)
        verdict = "; ".join(trial.problems) or "as undisturbed"
        print(f"{number}: {', '.join(trial.done)}: {verdict}", flush=True)
    print(f"{options.count - failed} of {options.count} trials passed; {dict(disturbed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
