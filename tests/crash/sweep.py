"""Kill a demo with SIGKILL at random moments, start it again, and compare with an undisturbed run.

For every trial: the restarted run must finish with the journal of the undisturbed one, no order
may be sent twice, and right after the restart the state must be the one the journal tells. A part
of the trials is killed while an order is open, found by freezing the process until its journal
shows one.

Usage: python tests/crash/sweep.py --count 50 [--hours 72] [--seed 7]
"""

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from utb.bootstrap import RunOptions, build_demo
from utb.domain.names import OrderStatus
from utb.node.recovery import fold
from utb.storage.journal import read_records

OPEN_SHARE_MIN = 0.2
OPEN = {OrderStatus.APPROVED, OrderStatus.RESERVED, OrderStatus.SIGNED, OrderStatus.SENT}


@dataclass
class Trial:
    """What one trial found."""

    killed_after_s: float
    order_open: bool
    records_at_kill: int
    problems: list[str]


def command(state: Path, options: argparse.Namespace) -> list[str]:
    """Return the demo's command line."""
    base = [sys.executable, "-m", "utb", "demo", "--headless", "--json"]
    return [*base, "--seed", str(options.seed), "--hours", str(options.hours), "--state", str(state)]


def finish(state: Path, options: argparse.Namespace) -> dict[str, object]:
    """Run (or continue) a demo to its end and return its summary."""
    done = subprocess.run(command(state, options), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"demo failed with {done.returncode}: {done.stderr[-2000:]}")
    summary: dict[str, object] = json.loads(done.stdout)
    return summary


def open_orders(database: Path) -> int:
    """Count orders whose last durable state is not an end."""
    view = fold(record for _, record in read_records(database))
    return len(view.open_orders)


def kill_at_random(process: subprocess.Popen[bytes], within_s: float) -> None:
    """Let it run a random time, then kill it."""
    time.sleep(random.uniform(0.05, 1.0) * within_s)
    process.kill()


def kill_with_open_order(process: subprocess.Popen[bytes], database: Path, within_s: float) -> None:
    """Freeze it again and again until its journal shows an open order, then kill it."""
    deadline = time.monotonic() + within_s
    time.sleep(random.uniform(0.2, 0.6) * within_s)
    while process.poll() is None and time.monotonic() < deadline:
        os.kill(process.pid, signal.SIGSTOP)
        if database.exists() and last_order_is_open(database):
            break
        os.kill(process.pid, signal.SIGCONT)
        time.sleep(random.uniform(0.0002, 0.004))
    process.kill()


def last_order_is_open(database: Path) -> bool:
    """Look at the newest order record only: enough to know that an order is on its way."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as reader:
        row = reader.execute(
            "SELECT payload FROM records WHERE kind = 'order' ORDER BY seq DESC LIMIT 1"
        ).fetchone()
    return row is not None and any(status.value.encode() in row[0] for status in OPEN)


def check_restart(state: Path, options: argparse.Namespace) -> list[str]:
    """Recover in this process and compare the live state with the journal's fold."""
    run = RunOptions(seed=options.seed, hours=options.hours, state=state)
    with build_demo(run) as session:
        before = fold(record for _, record in read_records(session.journal_path))
        session.recover()
        after = session.state_view()
        return [] if before == after else [f"state after restart differs: {before} != {after}"]


def sent_twice(database: Path) -> list[str]:
    """Return intents that were sent more than once."""
    sent = Counter(
        record.intent_id
        for _, record in read_records(database)
        if getattr(record, "status", None) is OrderStatus.SENT
    )
    return [f"{intent_id} sent {count} times" for intent_id, count in sent.items() if count > 1]


def trial(
    number: int, reference: dict[str, object], wall_s: float, options: argparse.Namespace
) -> Trial:
    """Kill once, check, finish, compare."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        database = state / "journal.db"
        began = time.monotonic()
        process = subprocess.Popen(
            command(state, options), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        if number % 3 == 0:
            kill_with_open_order(process, database, wall_s * 0.9)
        else:
            kill_at_random(process, wall_s * 0.9)
        process.wait()
        after_s = time.monotonic() - began
        problems: list[str] = []
        records, is_open = 0, False
        if database.exists() and process.returncode == -signal.SIGKILL:
            records = sum(1 for _ in read_records(database))
            is_open = open_orders(database) > 0
            problems += check_restart(state, options)
        summary = finish(state, options)
        if summary["journal_hash"] != reference["journal_hash"]:
            problems.append("the finished journal differs from the undisturbed run's")
        problems += sent_twice(database)
        return Trial(after_s, is_open, records, problems)


def main() -> int:
    """Run the sweep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--hours", type=int, default=96)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    random.seed(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        reference = finish(Path(folder), options)
        wall_s = time.monotonic() - began
    trials = [trial(number, reference, wall_s, options) for number in range(options.count)]
    failed = [t for t in trials if t.problems]
    share = sum(t.order_open for t in trials) / len(trials)
    for t in failed:
        print(f"after {t.killed_after_s:.2f} s, {t.records_at_kill} records: {t.problems}")
    print(
        f"{len(trials) - len(failed)} passed, {len(failed)} failed; an order was open in "
        f"{share:.0%} of the kills; journal {reference['journal_hash']}"
    )
    if share < OPEN_SHARE_MIN:
        print(f"an order must be open in at least {OPEN_SHARE_MIN:.0%} of the kills")
    return 1 if failed or share < OPEN_SHARE_MIN else 0


if __name__ == "__main__":
    sys.exit(main())
