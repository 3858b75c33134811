"""A small disk of its own, in memory, that can be full for a while."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MIB = 1024 * 1024


class NotHere(Exception):  # noqa: N818 - what a test says when it is skipped
    """Nothing can be mounted here."""


class SmallDisk:
    """A folder that is such a disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    @contextmanager
    def full(self) -> Iterator[None]:
        """Leave no room on it for a while."""
        with self._ballast.open("wb", buffering=0) as file:
            for length in (MIB, 4096):
                with suppress(OSError):
                    while True:
                        os.write(file.fileno(), bytes(length))
        assert os.statvfs(self.folder).f_bavail == 0
        try:
            yield
        finally:
            self._ballast.unlink()


@contextmanager
def small_disk(folder: Path, mib: int) -> Iterator[SmallDisk]:
    """Mount one on an empty folder.

    Raises:
        NotHere: If that may not be done here.
    """
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=700", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotHere(done.stderr.strip())
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
