"""Kill a session with SIGKILL at random moments, start it again, compare with an undisturbed run.

One process on the generated market, without sockets: `system.py` is the whole system. A trial
starts a demo, kills it one to three times and lets it finish. After every kill a copy of
its state is recovered in this process: the records must be a prefix of the undisturbed run's, and
the state (cash, positions, triggers, open orders, weights, breakers, operator) the one that those
records make. At the end the journal must be the undisturbed one's, and no order may have been sent
or filled twice. A part of the kills hunts for an open order: the process is frozen when its gauge
shows one, and killed if it still does. Every second trial is of a demo that an operator gives
commands. After a part of the kills the run goes on from the recovered copy, whose snapshot is at
the place of the kill and so may hold an order on its way. Every fifth trial writes an input log,
whose replay must give the same journal.

Usage: python tests/crash/sweep.py --count 50 [--hours 120] [--seed 7] [--orders 30]
"""

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from gauged import FIELDS

from utb.bootstrap import RunOptions, build_demo, load_config
from utb.domain.market import Instrument
from utb.domain.records import FillBooked, OrderState, Record
from utb.node.recovery import fold
from utb.storage.encoding import decode_record, is_hashed
from utb.storage.journal import FILE_NAME
from utb.storage.readers import recompute_hash
from utb.storage.schema import open_read_only

TRIES = 8
OPEN_SHARE_MIN = 0.2
"""Kills with an order on its way, at least."""

STARTING_SHARE = 0.1
"""Kills while the process starts or recovers."""

ADOPTED_SHARE = 0.5
"""Kills after which the run goes on from the recovered copy."""

KINDS = ("alone", "operated")
RECORD_EVERY = 5
KILLS = (1, 1, 1, 2, 2, 3)
GAUGED = str(Path(__file__).with_name("gauged.py"))


class Summary(msgspec.Struct, frozen=True):
    """What the sweep needs of a demo's JSON object."""

    journal_hash: str
    finished: bool


@dataclass(frozen=True)
class Reference:
    """The undisturbed run."""

    journal_hash: str
    records: list[Record]
    """Those in the hash."""
    orders: int
    items: int
    starting_s: float
    """Wall time before the first item."""


@dataclass
class Kill:
    """One kill."""

    items: int
    open_live: bool
    """An order was on its way in the process."""
    open_stored: bool
    """An order was on its way for the journal."""
    records: int


@dataclass
class Trial:
    """What one trial found."""

    kills: list[Kill] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Demo:
    """A demo in a process of its own, on one state directory."""

    def __init__(self, folder: Path, options: argparse.Namespace, kind: str, *more: str) -> None:
        """Describe it; `kind` is "alone" or "operated"."""
        self.state = folder / "state"
        self._gauge = folder / "gauge"
        run = ["--seed", str(options.seed), "--hours", str(options.hours)]
        base = [sys.executable, GAUGED, str(self._gauge), kind]
        self._command = [*base, *run, "--state", str(self.state), *more]

    def start(self) -> "subprocess.Popen[bytes]":
        """Start it, or let it go on, with the gauge at zero."""
        self._gauge.write_bytes(FIELDS.pack(0, 0))
        return subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def finish(self) -> Summary:
        """Let it run to its end."""
        return self.end(self.start())

    def end(self, process: "subprocess.Popen[bytes]") -> Summary:
        """Wait for its end."""
        output, errors = process.communicate()
        if process.returncode != 0:
            raise SystemExit(f"the demo failed with {process.returncode}: {errors.decode()}")
        return msgspec.json.decode(output, type=Summary)

    def gauge(self) -> tuple[int, int]:
        """Return items handled and orders on their way."""
        items, orders = FIELDS.unpack(self._gauge.read_bytes())
        return items, orders


def stored_records(state: Path) -> list[Record]:
    """Return the records of a journal file that are in the hash; none if there is none."""
    if not (state / FILE_NAME).exists():
        return []
    database = open_read_only(state / FILE_NAME)
    try:
        rows = database.execute("SELECT payload FROM records ORDER BY seq").fetchall()
    finally:
        database.close()
    return [record for record in (decode_record(row[0]) for row in rows) if is_hashed(record)]


def run_undisturbed(options: argparse.Namespace, folder: Path, kind: str) -> Reference:
    """Run once without a kill."""
    demo = Demo(folder, options, kind)
    began_s = time.monotonic()
    process = demo.start()
    while demo.gauge()[0] == 0 and process.poll() is None:
        time.sleep(0.005)
    starting_s = time.monotonic() - began_s
    summary = demo.end(process)
    records = stored_records(demo.state)
    orders = len({r.intent_id for r in records if isinstance(r, OrderState)})
    if orders < options.orders:
        raise SystemExit(f"{orders} orders in {options.hours} hours, needed {options.orders}")
    return Reference(summary.journal_hash, records, orders, demo.gauge()[0], starting_s)


def kill_somewhere(
    demo: Demo, reference: Reference, begin: int, draw: random.Random, *, hunting: bool
) -> bool:
    """Start the demo, which has handled `begin` items, and kill it at a random moment.

    Returns:
        Whether it was still running.
    """
    until = begin + round((reference.items - begin) * draw.uniform(0.0, 0.8 if hunting else 0.98))
    process = demo.start()
    if draw.random() < STARTING_SHARE and not hunting:
        time.sleep(reference.starting_s * draw.uniform(0.5, 1.1))
    else:
        while demo.gauge()[0] < until and process.poll() is None:
            time.sleep(0.001)
        time.sleep(draw.uniform(0.0, 0.003))
    if hunting:
        hunt(demo, process)
    process.kill()
    process.communicate()
    return process.returncode == -signal.SIGKILL


def hunt(demo: Demo, process: "subprocess.Popen[bytes]") -> None:
    """Wait until an order is on its way, and freeze the process there."""
    while process.poll() is None:
        if demo.gauge()[1]:
            process.send_signal(signal.SIGSTOP)
            if demo.gauge()[1]:
                return
            process.send_signal(signal.SIGCONT)


def check_recovery(
    state: Path, copy: Path, reference: Reference, options: argparse.Namespace
) -> tuple[list[str], bool]:
    """Recover a copy of the state; return what is wrong, and whether it has an open order."""
    copy.mkdir()
    for name in (FILE_NAME, f"{FILE_NAME}-wal"):
        if (state / name).exists():
            shutil.copyfile(state / name, copy / name)
    stored = stored_records(copy)
    config, _ = load_config(None)
    run = RunOptions(seed=options.seed, hours=options.hours, state_dir=copy)
    session = build_demo(config, run)
    try:
        view = session.recover()
        journal = session.runner.wiring.journal
        live = [record for _, record in journal.records(0) if is_hashed(record)]
        problems = [
            *differences("stored", stored, reference.records),
            *differences("recovered", live, reference.records),
            *twice(live),
        ]
        if len(live) < len(stored):
            problems.append(f"{len(live)} records recovered of {len(stored)}")
        told = fold(reference.records[: len(live)], session.instruments)
        if view != told:
            problems.append(f"the recovered state is {view}, the records say {told}")
    finally:
        session.close()
    return problems, has_open_order(stored, session.instruments)


def has_open_order(records: list[Record], instruments: Sequence[Instrument]) -> bool:
    """Return whether the records leave an order on its way."""
    return len(fold(records, instruments).orders) > 0


def differences(name: str, records: list[Record], expected: list[Record]) -> list[str]:
    """Name the first record that is not the undisturbed run's."""
    if records == expected[: len(records)]:
        return []
    pairs = zip(records, expected, strict=False)
    place = next((n for n, (one, other) in enumerate(pairs) if one != other), len(expected))
    return [f"{name} record {place} is not the undisturbed run's"]


def twice(records: list[Record]) -> list[str]:
    """Name every order that was sent twice, and every one that was filled twice."""
    done: Counter[tuple[str, str]] = Counter()
    for record in records:
        if isinstance(record, OrderState) and record.status == "SENT":
            done["sent", record.intent_id] += 1
        elif isinstance(record, FillBooked):
            done["filled", record.fill.intent_id] += 1
    return [f"{intent} was {what} {n} times" for (what, intent), n in done.items() if n > 1]


def run_trial(
    number: int,
    references: dict[str, Reference],
    options: argparse.Namespace,
    draw: random.Random,
) -> Trial:
    """Kill, check, go on, compare."""
    trial = Trial()
    kind = KINDS[number % 2]
    reference = references[kind]
    with tempfile.TemporaryDirectory(prefix="utb-crash-") as name:
        folder = Path(name)
        log = folder / "input.log"
        copy = folder / "copy"
        recorded = number % RECORD_EVERY == 0
        demo = Demo(folder, options, kind, *(("--record", str(log)) if recorded else ()))
        items = 0
        for kill in range(draw.choice(KILLS)):
            hunting = (number // 2 + kill) % 2 == 0
            if not kill_somewhere(demo, reference, items, draw, hunting=hunting):
                break
            items, orders = demo.gauge()
            problems, stored = check_recovery(demo.state, copy, reference, options)
            records = len(stored_records(demo.state))
            trial.kills.append(Kill(items, orders > 0, stored, records))
            trial.problems += problems
            if not recorded and draw.random() < ADOPTED_SHARE:
                shutil.rmtree(demo.state)
                copy.rename(demo.state)
            else:
                shutil.rmtree(copy)
        trial.problems += compare(demo.finish(), reference)
        trial.problems += twice(stored_records(demo.state))
        if recompute_hash(demo.state / FILE_NAME) != reference.journal_hash:
            trial.problems.append("the file does not hold the journal of the undisturbed run")
        if recorded:
            (folder / "replay").mkdir()
            replay = Demo(folder / "replay", options, "alone", "--replay", str(log))
            trial.problems += [f"replay: {one}" for one in compare(replay.finish(), reference)]
    return trial


def killed_trial(
    number: int,
    references: dict[str, Reference],
    options: argparse.Namespace,
    draw: random.Random,
) -> Trial:
    """Run a trial again if its process was done before a kill came: on a busy machine it may be."""
    for _ in range(TRIES):
        trial = run_trial(number, references, options, draw)
        if trial.kills or trial.problems:
            break
    return trial


def compare(summary: Summary, reference: Reference) -> list[str]:
    """Compare a finished run with the undisturbed one."""
    if not summary.finished:
        return ["the run did not finish"]
    if summary.journal_hash != reference.journal_hash:
        return [f"the journal is {summary.journal_hash}, undisturbed {reference.journal_hash}"]
    return []


def tell(trials: list[Trial], references: dict[str, Reference]) -> bool:
    """Print what was found; return whether everything is right."""
    kills = [kill for trial in trials for kill in trial.kills]
    failed = [trial for trial in trials if trial.problems]
    for trial in failed:
        print(f"killed {trial.kills}: {trial.problems}")
    share = sum(kill.open_live for kill in kills) / max(1, len(kills))
    stored = sum(kill.open_stored for kill in kills) / max(1, len(kills))
    print(
        f"{len(trials) - len(failed)} of {len(trials)} trials passed, {len(kills)} kills, an order "
        f"on its way in {share:.0%} of them (in the journal: {stored:.0%}); "
        + "; ".join(
            f"{kind}: {one.orders} orders, journal {one.journal_hash}"
            for kind, one in references.items()
        )
    )
    if len(kills) < len(trials):
        print("there must be as many kills as trials: the others ended before theirs")
    if share < OPEN_SHARE_MIN:
        print(f"an order must be on its way in at least {OPEN_SHARE_MIN:.0%} of the kills")
    return not failed and len(kills) >= len(trials) and share >= OPEN_SHARE_MIN


def main() -> int:
    """Run the sweep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50, help="trials")
    parser.add_argument("--hours", type=int, default=120, help="simulated length of a run")
    parser.add_argument("--seed", type=int, default=7, help="of the market and of the moments")
    parser.add_argument("--orders", type=int, default=30, help="an undisturbed run must have")
    options = parser.parse_args()
    draw = random.Random(options.seed)  # noqa: S311 - moments of a test
    references = {}
    for kind in KINDS:
        with tempfile.TemporaryDirectory(prefix="utb-crash-") as name:
            references[kind] = run_undisturbed(options, Path(name), kind)
    trials = [killed_trial(number, references, options, draw) for number in range(options.count)]
    return 0 if tell(trials, references) else 1


if __name__ == "__main__":
    sys.exit(main())
