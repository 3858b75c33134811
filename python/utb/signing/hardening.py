"""What keeps a process's memory from being looked at: no core file, no debugger of its user."""

import ctypes
import os
import resource
from typing import Final

from utb.errors import RefusedError

PR_SET_DUMPABLE: Final = 4
_OFF: Final = 0


def keep_memory_private() -> None:
    """Forbid core files and attaching; holds for the rest of the process.

    Raises:
        RefusedError: The system did not do it.
    """
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError) as error:
        raise RefusedError(f"core files cannot be switched off: {error}") from error
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_DUMPABLE, _OFF, 0, 0, 0) != 0:
        reason = os.strerror(ctypes.get_errno())
        raise RefusedError(f"the process's memory cannot be made private: {reason}")
