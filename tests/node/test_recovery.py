"""A restart at any record gives the run that was never interrupted."""

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from session import frames, instruments_of, make, market, records_of, sqlite

from utb.config.load import defaults
from utb.domain.commands import Command, Pause, Resume, Shutdown
from utb.domain.records import OperatorState as StateRecord
from utb.domain.records import OrderState, Record
from utb.errors import InvariantError, UsageError
from utb.node.recovery import fold, view_of
from utb.node.runner import Runner
from utb.storage.encoding import encode_record, hash_records, is_hashed
from utb.storage.readers import recompute_hash

STEPS = 90


class KilledError(Exception):
    """The process dies here."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Record], str]:
    journal = sqlite(tmp_path_factory.mktemp("whole"))
    runner = make(frames(market(STEPS)), journal=journal, snapshots=True)
    runner.run()
    return records_of(runner), journal.journal_hash()


def write(path: Path, records: list[Record]) -> None:
    journal = sqlite(path)
    journal.append(records)
    journal.close()


def test_fold_of_the_records_equals_the_live_state_after_every_input() -> None:
    runner = make(frames(market(STEPS)))
    instruments = instruments_of(defaults())

    class Check:
        seen = 0

        def on_progress(self, runner: Runner) -> None:
            self.seen += 1
            assert fold(records_of(runner), instruments) == view_of(runner.wiring.trader)

    check = Check()
    runner.wiring.observers = (check,)
    runner.run()
    assert check.seen > STEPS


def test_journal_cut_at_every_record_ends_with_the_same_hash(
    whole: tuple[list[Record], str], tmp_path: Path
) -> None:
    records, expected = whole
    for cut in range(len(records)):
        path = tmp_path / str(cut)
        write(path, records[:cut])
        journal = sqlite(path)
        runner = make(frames(market(STEPS)), journal=journal, snapshots=True)
        assert runner.resume() is any(is_hashed(r) for r in records[:cut])
        runner.run()
        assert journal.journal_hash() == expected, cut
        journal.close()
        assert recompute_hash(path / "journal.sqlite") == expected


@pytest.mark.parametrize("item", range(3, STEPS * 2, 7))
def test_stop_between_items_and_resume_from_the_snapshot_ends_with_the_same_hash(
    whole: tuple[list[Record], str], tmp_path: Path, item: int
) -> None:
    """The process dies: what is not synced is lost, the snapshot is as old as it is."""
    expected = whole[1]
    journal = sqlite(tmp_path)
    dying = make(frames(market(STEPS)), journal=journal, snapshots=True)

    class Kill:
        def on_progress(self, runner: Runner) -> None:
            if runner.session.items == item:
                raise KilledError

    dying.wiring.observers = (Kill(),)
    with pytest.raises(KilledError):
        dying.run()
    before = view_of(dying.wiring.trader)
    journal._db.close()
    again = sqlite(tmp_path)
    runner = make(frames(market(STEPS)), journal=again, snapshots=True)
    runner.resume()
    met: list[bool] = []

    class Compare:
        def on_progress(self, runner: Runner) -> None:
            if runner.session.items == item and not met:
                met.append(view_of(runner.wiring.trader) == before)

    runner.wiring.observers = (Compare(),)
    runner.run()
    assert met == [True]
    assert again.journal_hash() == expected
    sent = [
        r.intent_id for _, r in again.records(0) if isinstance(r, OrderState) and r.status == "SENT"
    ]
    assert len(sent) == len(set(sent))


def test_resume_with_another_market_stops_at_the_first_difference(
    whole: tuple[list[Record], str], tmp_path: Path
) -> None:
    write(tmp_path, whole[0])
    other = [(ts, tick) for ts, tick in market(STEPS) if tick.instrument == 0]
    runner = make(frames(other), journal=sqlite(tmp_path))
    runner.resume()
    with pytest.raises(InvariantError, match="came again differently"):
        runner.run()


def test_commands_are_taken_again_at_their_place(tmp_path: Path) -> None:
    commands: dict[int, Command] = {
        40: Pause(command_id="a", issued_by="op"),
        90: Resume(command_id="b", issued_by="op"),
    }

    class Give:
        def on_progress(self, runner: Runner) -> None:
            command = commands.get(runner.session.items)
            if command is not None and not runner.wiring.trader.knows(command.command_id):
                runner.give(command)

    class Kill:
        def on_progress(self, runner: Runner) -> None:
            if runner.session.items == 130:
                raise KilledError

    whole_run = make(frames(market(STEPS)), journal=sqlite(tmp_path / "whole"))
    whole_run.wiring.observers = (Give(),)
    whole_run.run()

    journal = sqlite(tmp_path / "killed")
    dying = make(frames(market(STEPS)), journal=journal, snapshots=True)
    dying.wiring.observers = (Give(), Kill())
    with pytest.raises(KilledError):
        dying.run()
    journal._db.close()
    again = sqlite(tmp_path / "killed")
    runner = make(frames(market(STEPS)), journal=again, snapshots=True)
    runner.resume()
    runner.run()
    assert again.journal_hash() == whole_run.wiring.journal.journal_hash()
    changes = [r for _, r in again.records(0) if isinstance(r, StateRecord) and not r.lifecycle]
    assert [str(r.state) for r in changes] == ["PAUSED", "RUNNING"]


def test_shutdown_keeps_positions_and_the_next_start_goes_on(
    whole: tuple[list[Record], str], tmp_path: Path
) -> None:
    class Stop:
        def on_progress(self, runner: Runner) -> None:
            if runner.session.items == 100:
                runner.give(Shutdown(command_id="s", issued_by="op"))

    journal = sqlite(tmp_path)
    first = make(frames(market(STEPS)), journal=journal, snapshots=True)
    first.wiring.observers = (Stop(),)
    first.run()
    assert first.session.items == 100
    journal.close()
    again = sqlite(tmp_path)
    runner = make(frames(market(STEPS)), journal=again, snapshots=True)
    runner.resume()
    assert runner.session.items == 100
    runner.run()
    assert again.journal_hash() == whole[1]


def test_finished_run_started_again_changes_nothing(
    whole: tuple[list[Record], str], tmp_path: Path
) -> None:
    write(tmp_path, whole[0])
    journal = sqlite(tmp_path)
    runner = make(frames(market(STEPS)), journal=journal)
    runner.resume()
    runner.run()
    hashed = [r for _, r in journal.records(0) if is_hashed(r)]
    assert hashed == [r for r in whole[0] if is_hashed(r)]


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from session import frames, make, market, sqlite

class Kill:
    def on_progress(self, runner):
        if runner.session.items == int(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGKILL)

runner = make(frames(market(90)), journal=sqlite(Path(sys.argv[1])), snapshots=True)
runner.wiring.observers = (Kill(),)
runner.run()
"""


@pytest.mark.parametrize("item", [58, 131])
def test_killed_process_resumes_to_the_same_hash(
    whole: tuple[list[Record], str], tmp_path: Path, item: int
) -> None:
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", KILLED, str(tmp_path), here, str(item)]
    done = subprocess.run(command, check=False)
    assert done.returncode == -signal.SIGKILL
    journal = sqlite(tmp_path)
    runner = make(frames(market(STEPS)), journal=journal, snapshots=True)
    assert runner.resume()
    runner.run()
    assert journal.journal_hash() == whole[1]


def test_memory_journal_hash_equals_the_file_and_the_fold(
    whole: tuple[list[Record], str],
) -> None:
    runner = make(frames(market(STEPS)))
    runner.run()
    assert runner.wiring.journal.journal_hash() == whole[1] == hash_records(whole[0])


def test_damaged_record_is_named(whole: tuple[list[Record], str], tmp_path: Path) -> None:
    write(tmp_path, whole[0][:20])
    with sqlite3.connect(tmp_path / "journal.sqlite") as database:
        payload = encode_record(whole[0][4])[:-3]
        database.execute("UPDATE records SET payload = ? WHERE seq = 5", (payload,))
    database.close()
    with pytest.raises(UsageError, match="record 5"):
        sqlite(tmp_path)
