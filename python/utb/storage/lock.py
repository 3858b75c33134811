"""One process of a kind per state directory, one trader per wallet."""

import fcntl
import os
import threading
from pathlib import Path
from typing import Final, Self

from utb.errors import LiveCause, LiveRefused, UsageError

TRADE: Final = "trade"
"""The process that writes the journal."""

TRIES: Final = 20
TRY_S: Final = 0.01
"""Between two of them: 200 ms in all."""
_EXPECTED: Final = {TRADE: "a directory no process trades in"}


class StateLock:
    """An exclusive lock on `DIR/run/<process>.pid`, which holds the owner's process id.

    The kernel drops the lock when the process ends, however it ends.
    """

    def __init__(self, state_dir: Path, process: str = TRADE) -> None:
        """Take the lock of a kind of process (`trade`, `serve`, `analytics`, `simnet`, `run`).

        Raises:
            UsageError: If another process holds it, or the directory cannot be written.
        """
        path = lock_path(state_dir, process)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UsageError(
                "--state", str(state_dir), f"a directory that can be written ({error.strerror})"
            ) from error
        if not _locked(self._descriptor):
            owner = _owner(self._descriptor) or "unknown"
            os.close(self._descriptor)
            expected = _EXPECTED.get(process, f"a directory without a running utb {process}")
            raise UsageError("--state", str(state_dir), f"{expected} (process {owner})")
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


class WalletLock:
    """An exclusive lock on a wallet, for every trader of this user on this machine.

    Two traders of one wallet would each take the other's fills for a theft. A lock on another
    machine cannot be seen from here; reconciliation finds its transactions.
    """

    def __init__(self, address: str, directory: str) -> None:
        """Take the lock.

        Args:
            address: The wallet's.
            directory: Of the locks, the same for every instance on this machine; `~` is home.

        Raises:
            LiveRefused: If another process holds it, or nobody can.
        """
        folder = Path(directory).expanduser()
        path = folder / f"{address}.lock"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            words = f"its lock {path} cannot be taken ({error.strerror})"
            raise LiveRefused(LiveCause.LOCKED, words) from error
        if not _locked(self._descriptor):
            owner = _owner(self._descriptor) or "unknown"
            os.close(self._descriptor)
            raise LiveRefused(LiveCause.LOCKED, f"{address} is traded by process {owner}")
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the wallet free."""
        if self._descriptor >= 0:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = -1


def _locked(descriptor: int) -> bool:
    """Take a lock; who only asks for its holder has it for an instant, and is waited for."""
    pause = threading.Event()
    for _ in range(TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pause.wait(TRY_S)
        else:
            return True
    return False


def lock_path(state_dir: Path, process: str) -> Path:
    """Return the file of a kind of process."""
    return state_dir / "run" / f"{process}.pid"


def holder(state_dir: Path, process: str) -> int | None:
    """Return the id of the process that holds a lock now, 0 if it is not known, None if none."""
    try:
        descriptor = os.open(lock_path(state_dir, process), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = _owner(descriptor)
        return int(text) if text.isdecimal() else 0
    finally:
        os.close(descriptor)
    return None


def _owner(descriptor: int) -> str:
    return os.pread(descriptor, 32, 0).decode(errors="replace").strip()
