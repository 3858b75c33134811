"""A session replayed from its input log gives the same journal, its commands included."""

from pathlib import Path

import pytest
from operated import Operator

from utb.adapters.feeds.inputlog import InputLogFeed
from utb.bootstrap import RunOptions, Session, build_demo
from utb.config.load import defaults
from utb.domain.commands import Accepted, Pause, Shutdown
from utb.errors import UsageError
from utb.node.result import RunResult
from utb.node.runner import Runner

HOURS = 48
STEPS = ["pause", "resume", "buy", "half", "rest", "safe", "resume-2", "stop", "reset", "buy-2"]


class KilledError(Exception):
    """The process dies here."""


class KillAt:
    def __init__(self, items: int) -> None:
        self._items = items

    def on_progress(self, runner: Runner) -> None:
        if runner.session.items >= self._items:
            raise KilledError


class ShutdownAt:
    def __init__(self, items: int) -> None:
        self._items = items

    def on_progress(self, runner: Runner) -> None:
        if runner.session.items == self._items:
            runner.give(Shutdown(command_id=f"shutdown-{self._items}", issued_by="op"))


def demo(hours: int = HOURS, **more: Path) -> Session:
    return build_demo(defaults(), RunOptions(hours=hours, **more))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("operated") / "input.log"


@pytest.fixture(scope="module")
def operated(log: Path) -> RunResult:
    session, operator = demo(record=log), Operator()
    session.watch(operator)
    result = session.run()
    assert list(operator.answers) == STEPS
    refused = [answer for answer in operator.answers.values() if not isinstance(answer, Accepted)]
    assert not refused
    return result


def test_operated_session_holds_manual_and_emergency_exits(operated: RunResult) -> None:
    """Two manual exits (a half and the rest), and everything that was held at the stop."""
    assert operated.exits_by_reason["MANUAL"] == 2
    assert operated.exits_by_reason["EMERGENCY"] >= 1
    assert operated.entries_by_lead["manual"] == 2


def test_replay_of_an_operated_session_gives_the_same_journal(
    operated: RunResult, log: Path
) -> None:
    assert [one.command.command_id for one in InputLogFeed(log).commands()] == STEPS
    replayed = demo(replay=log).run()
    assert replayed.journal_hash == operated.journal_hash
    assert replayed.exits_by_reason == operated.exits_by_reason


def test_operated_session_differs_from_one_that_was_left_alone(operated: RunResult) -> None:
    assert demo().run().journal_hash != operated.journal_hash


def test_log_of_a_killed_and_continued_session_is_complete(
    operated: RunResult, log: Path, tmp_path: Path
) -> None:
    """Killed between the two manual exits, and again later; the last start stops nothing."""
    positions = {one.command.command_id: one.position for one in InputLogFeed(log).commands()}
    second, state = tmp_path / "second.log", tmp_path / "state"
    for items in (positions["half"].items + 700, positions["reset"].items + 1):
        dying = demo(state_dir=state, record=second)
        dying.watch(Operator(), KillAt(items))
        with pytest.raises(KilledError):
            dying.run()
    going_on = demo(state_dir=state, record=second)
    going_on.watch(Operator())
    assert going_on.run().journal_hash == operated.journal_hash
    one, other = InputLogFeed(log), InputLogFeed(second)
    assert other.commands() == one.commands()
    assert list(other.items(0)) == list(one.items(0))


def test_replay_ends_at_the_shutdown_that_ended_the_session(tmp_path: Path) -> None:
    log = tmp_path / "input.log"
    session = demo(6, record=log)
    session.watch(ShutdownAt(5_000))
    stopped = session.run()
    replayed = demo(6, replay=log).run()
    assert (stopped.events, stopped.finished) == (5_000, False)
    assert (replayed.events, replayed.finished) == (5_000, False)
    assert replayed.journal_hash == stopped.journal_hash


def test_replay_passes_a_shutdown_after_which_the_session_went_on(tmp_path: Path) -> None:
    log, state = tmp_path / "input.log", tmp_path / "state"
    session = demo(6, state_dir=state, record=log)
    session.watch(ShutdownAt(5_000))
    session.run()
    whole = demo(6, state_dir=state, record=log).run()
    assert whole.finished
    assert whole.journal_hash == demo(6).run().journal_hash
    assert demo(6, replay=log).run().journal_hash == whole.journal_hash


def test_record_of_a_run_whose_beginning_is_gone_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state"
    session = demo(6, state_dir=state)
    session.watch(ShutdownAt(5_000))
    session.run()
    late = demo(6, state_dir=state, record=tmp_path / "late.log")
    with pytest.raises(UsageError, match=r"with 0 items, expected .* its 5000 items so far"):
        late.run()


def test_record_into_the_log_of_another_run_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "input.log"
    session = demo(6, record=log)
    session.watch(ShutdownAt(5_000))
    session.run()
    with pytest.raises(UsageError, match="command shutdown-5000 of another run"):
        demo(6, record=log)


def test_command_that_a_crash_left_out_of_the_log_comes_from_the_journal(tmp_path: Path) -> None:
    log, state = tmp_path / "input.log", tmp_path / "state"

    class PauseUnlogged:
        """The process dies after the journal has the command and before the log has it."""

        def on_progress(self, runner: Runner) -> None:
            if runner.session.items == 3_000:
                monkey.setattr("utb.adapters.feeds.inputwriter.InputLogWriter.append_command", die)
                runner.give(Pause(command_id="pause", issued_by="op"))

    def die(*_: object) -> None:
        raise KilledError

    with pytest.MonkeyPatch.context() as monkey:
        dying = demo(6, state_dir=state, record=log)
        dying.watch(PauseUnlogged())
        with pytest.raises(KilledError):
            dying.run()
    assert InputLogFeed(log).commands() == []
    whole = demo(6, state_dir=state, record=log).run()
    (logged,) = InputLogFeed(log).commands()
    assert (logged.command.command_id, logged.position.items) == ("pause", 3_000)
    assert demo(6, replay=log).run().journal_hash == whole.journal_hash


def test_killed_replay_goes_on_to_the_same_journal(
    operated: RunResult, log: Path, tmp_path: Path
) -> None:
    dying = demo(replay=log, state_dir=tmp_path)
    dying.watch(KillAt(70_000))
    with pytest.raises(KilledError):
        dying.run()
    again = demo(replay=log, state_dir=tmp_path).run()
    assert again.resumed
    assert again.journal_hash == operated.journal_hash
