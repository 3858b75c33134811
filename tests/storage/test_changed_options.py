"""A session that was stopped in order may go on with other options; one that was killed may not."""

from pathlib import Path

import pytest

from utb.domain.names import OperatorState as State
from utb.domain.records import OperatorState
from utb.errors import UsageError
from utb.ports.journal import FeedPosition, Snapshot
from utb.storage.journal import SqliteJournal


def journal(path: Path, digest: str, *, may_change: bool = True) -> SqliteJournal:
    return SqliteJournal(path, options_digest=digest, wall_ns=lambda: 1, may_change=may_change)


def record(*, lifecycle: bool) -> OperatorState:
    return OperatorState(
        ts_ns=1,
        state=State.PAUSED,
        previous=State.RUNNING,
        issued_by="test",
        cause="stop",
        lifecycle=lifecycle,
    )


def snapshot(seq: int) -> Snapshot:
    return Snapshot(
        seq=seq,
        position=FeedPosition(items=7),
        ts_ns=1,
        engine=b"",
        trader=b"",
        venue=b"",
        session=b"",
    )


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    one = journal(tmp_path, "old")
    one.save_snapshot(snapshot(one.append([record(lifecycle=False)])))
    one.append([record(lifecycle=True)])
    one.close()
    return tmp_path


def test_stopped_session_goes_on_with_other_options(stopped: Path) -> None:
    one = journal(stopped, "new")
    assert one.changed
    one.adopt_options("new")
    one.close()
    again = journal(stopped, "new")
    assert not again.changed
    again.close()


def test_change_that_was_not_made_final_can_be_made_again_or_left(stopped: Path) -> None:
    journal(stopped, "new").close()
    old = journal(stopped, "old")
    assert not old.changed
    old.close()


def test_killed_session_needs_its_own_options(stopped: Path) -> None:
    one = journal(stopped, "old")
    one.append([record(lifecycle=False)])
    one.close()
    with pytest.raises(UsageError, match="start it with those, stop it in order"):
        journal(stopped, "new")


def test_run_that_must_be_repeatable_never_changes(stopped: Path) -> None:
    with pytest.raises(UsageError, match="a run of the same options"):
        journal(stopped, "new", may_change=False)
