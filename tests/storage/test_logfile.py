"""A log of bounded size."""

import os
from pathlib import Path

import pytest

from utb.storage.logfile import LogFile


@pytest.fixture
def log(tmp_path: Path) -> LogFile:
    return LogFile(tmp_path / "log" / "trade.log", bytes_max=20, kept=2)


def names(log: LogFile) -> dict[str, str]:
    folder = log.path.parent
    return {path.name: path.read_text() for path in sorted(folder.iterdir())}


def test_writer_goes_on_at_the_new_end(log: LogFile) -> None:
    descriptor = log.open()
    os.write(descriptor, b"a line longer than the bound\n")
    assert log.cut()
    os.write(descriptor, b"short\n")
    assert not log.cut()
    os.close(descriptor)
    assert names(log) == {"trade.log": "short\n", "trade.log.1": "a line longer than the bound\n"}


def test_older_files_are_bounded_in_number(log: LogFile) -> None:
    descriptor = log.open()
    for number in range(5):
        os.write(descriptor, f"{number}".encode() * 21)
        assert log.cut()
    os.close(descriptor)
    assert names(log) == {"trade.log": "", "trade.log.1": "4" * 21, "trade.log.2": "3" * 21}


def test_file_that_is_not_there_is_not_cut(log: LogFile) -> None:
    assert not log.cut()
    assert log.last_words() == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        ('{"level": "info"}\n', ""),
        ('{"level": "info"}\nrisk is 3, expected less\n', "risk is 3, expected less"),
        ('{"a": 1}\none\n\ntwo\n', "one\ntwo"),
        (
            (
                'Traceback (most recent call last):\n  File "x.py", line 1\n    raise it\n'
                "ValueError: 3\n"
            ),
            "ValueError: 3",
        ),
    ],
)
def test_last_words_are_the_lines_after_the_log(log: LogFile, text: str, words: str) -> None:
    log.path.parent.mkdir()
    log.path.write_text("of an earlier process\n")
    descriptor = log.open()
    os.write(descriptor, text.encode())
    os.close(descriptor)
    assert log.last_words() == words


def test_last_words_survive_a_cut_and_damage(log: LogFile) -> None:
    descriptor = log.open()
    os.write(descriptor, b"x" * 30)
    log.cut()
    os.write(descriptor, b"\xff said\n")
    os.close(descriptor)
    assert log.last_words() == "\ufffd said"
