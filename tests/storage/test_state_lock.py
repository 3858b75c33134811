"""One process of a kind per state directory."""

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from utb.errors import UsageError
from utb.storage.lock import StateLock, holder, lock_path

HOLD = """
import signal, sys
from pathlib import Path
from utb.storage.lock import StateLock
lock = StateLock(Path(sys.argv[1]), sys.argv[2])
print("held", flush=True)
signal.pause()
"""


@pytest.mark.parametrize(
    ("process", "expected"),
    [
        ("trade", "a directory no process trades in"),
        ("serve", "a directory without a running utb serve"),
    ],
)
def test_second_process_is_refused_with_the_first_ones_id(
    tmp_path: Path, process: str, expected: str
) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path), process]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(UsageError) as refused:
            StateLock(tmp_path, process)
        assert str(refused.value) == (
            f"--state is {tmp_path}, expected {expected} (process {other.pid})"
        )
        assert holder(tmp_path, process) == other.pid
        other.kill()
    assert holder(tmp_path, process) is None
    StateLock(tmp_path, process).release()


def test_lock_is_had_while_others_ask_who_holds_it(tmp_path: Path) -> None:
    """Asking takes the lock for an instant, here for a longer one."""
    StateLock(tmp_path, "analytics").release()
    asking = os.open(lock_path(tmp_path, "analytics"), os.O_RDONLY)
    fcntl.flock(asking, fcntl.LOCK_SH)
    done = threading.Timer(0.05, os.close, (asking,))
    done.start()
    with StateLock(tmp_path, "analytics"):
        assert holder(tmp_path, "analytics") == os.getpid()
    done.join()


def test_kinds_of_process_do_not_exclude_each_other(tmp_path: Path) -> None:
    with StateLock(tmp_path), StateLock(tmp_path, "serve"):
        assert holder(tmp_path, "trade") == holder(tmp_path, "serve") == os.getpid()
        assert holder(tmp_path, "analytics") is None


def test_state_that_cannot_be_a_directory_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(UsageError, match="a directory that can be written"):
        StateLock(file)
