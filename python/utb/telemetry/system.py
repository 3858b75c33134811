"""Figures of the machine and of this process."""

import os
from pathlib import Path
from typing import Final

import msgspec
import psutil

_MIB: Final = 1024 * 1024


class SystemFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How the machine is; percentages 0..100."""

    cpu_percent: float
    """Of all cores, since the last look."""
    memory_percent: float
    memory_available_mb: float
    disk_percent: float
    """Of the disk that holds the state."""
    disk_free_mb: float
    load_1m: float
    process_cpu_seconds: float
    process_memory_mb: float
    process_threads: int
    process_open_files: int


class SystemProbe:
    """Looks at the machine."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._process = psutil.Process()
        # The first look has nothing to compare with and is always 0
        psutil.cpu_percent()

    def look(self) -> SystemFigures:
        """Return the figures of now."""
        memory = psutil.virtual_memory()
        disk = psutil.disk_usage(str(self._state_dir))
        process = self._process
        with process.oneshot():
            times = process.cpu_times()
            return SystemFigures(
                cpu_percent=psutil.cpu_percent(),
                memory_percent=memory.percent,
                memory_available_mb=memory.available / _MIB,
                disk_percent=disk.percent,
                disk_free_mb=disk.free / _MIB,
                load_1m=os.getloadavg()[0],
                process_cpu_seconds=times.user + times.system,
                process_memory_mb=process.memory_info().rss / _MIB,
                process_threads=process.num_threads(),
                process_open_files=process.num_fds(),
            )
