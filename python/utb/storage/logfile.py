"""A log file of bounded size, written by a child process and cut by its supervisor.

The child writes straight to the file, never through a pipe: a supervisor that is stopped or busy
must not hold the trading process back. So the file is cut in place: what it holds is copied to
`<name>.1`, the older ones move on, and the file is emptied; the child, which appends, goes on at
its new end. A line written in the moment between copying and emptying is lost.
"""

import os
import shutil
from pathlib import Path
from typing import Final

BYTES_MAX: Final = 8 * 1024 * 1024
KEPT: Final = 3
"""Older files kept beside the one that is written."""
TAIL_BYTES: Final = 16 * 1024
LINE_MAX: Final = 2_000


class LogFile:
    """The log of one process."""

    def __init__(self, path: Path, *, bytes_max: int = BYTES_MAX, kept: int = KEPT) -> None:
        """Describe it; nothing is opened yet."""
        self.path = path
        self._bytes_max = bytes_max
        self._kept = kept
        self._mark = 0

    def open(self) -> int:
        """Return a descriptor that appends, for a process that starts now."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, 0o600)
        self._mark = os.fstat(descriptor).st_size
        return descriptor

    def cut(self) -> bool:
        """Put the file aside if it has grown too long; return whether it was."""
        if not self.path.exists() or self.path.stat().st_size <= self._bytes_max:
            return False
        for number in range(self._kept - 1, 0, -1):
            older = self._numbered(number)
            if older.exists():
                older.replace(self._numbered(number + 1))
        if self._kept:
            copied = self._numbered(0)
            shutil.copyfile(self.path, copied)
            copied.replace(self._numbered(1))
        os.truncate(self.path, 0)
        self._mark = 0
        return True

    def last_words(self) -> str:
        """Return what the process that opened the file last said that is not a log line.

        A process that stops for a reason says it in a sentence, after its log of JSON lines; a
        traceback ends with its last line.
        """
        if not self.path.exists():
            return ""
        with self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(min(self._mark, size), size - TAIL_BYTES))
            lines = file.read(TAIL_BYTES).decode(errors="replace").splitlines()
        said: list[str] = []
        for line in reversed(lines):
            if line.startswith("{") or (said and line.startswith((" ", "Traceback"))):
                break
            if line.strip():
                said.append(line.rstrip()[:LINE_MAX])
        return "\n".join(reversed(said))

    def _numbered(self, number: int) -> Path:
        """Return the path of an older file; 0 is the one being made."""
        return self.path.with_name(f"{self.path.name}.{number}")
