"""One trading process per state directory."""

import fcntl
import os
from pathlib import Path
from typing import Self

from utb.errors import UsageError


class StateLock:
    """An exclusive lock on `DIR/run/trade.pid`, which holds the owner's process id.

    The kernel drops the lock when the process ends, however it ends.
    """

    def __init__(self, state_dir: Path) -> None:
        run_dir = state_dir / "run"
        run_dir.mkdir(parents=True, exist_ok=True)
        self._path = run_dir / "trade.pid"
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(self._descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._descriptor)
            raise UsageError(
                "--state", str(state_dir), f"a directory no process trades in (process {owner})"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the directory free."""
        if self._descriptor >= 0:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
