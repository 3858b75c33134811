"""A short sweep: two trials of a run that is long enough to hold orders."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_killed_demos_finish_with_the_undisturbed_journal() -> None:
    sweep = Path(__file__).with_name("sweep.py")
    command = [sys.executable, str(sweep), "--count", "2", "--hours", "50", "--orders", "5"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
