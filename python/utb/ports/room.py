"""Room on the disk: what a write says that found none, and who holds inputs back meanwhile."""

import errno
from typing import Final, Protocol

NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""A full disk, a full quota, a limit on a file's length."""


class NoRoom(OSError):  # noqa: N818 - what was found
    """A write found no room, and the file is as it was: what could not be written is kept."""


class HeldInputs(Protocol):
    """The inputs behind the journal's records, while their own file cannot take them."""

    def hold_back(self) -> None:
        """Write nothing more to the file; what is in it is durable when this returns.

        Raises:
            OSError: If that cannot be had.
        """
        ...

    def let_go(self) -> None:
        """Write what was held back, durably; from then on everything is written as it comes.

        Raises:
            NoRoom: If there is none yet; everything stays held back.
        """
        ...

    def next_held(self) -> tuple[int, bytes]:
        """Return the inputs the file does not have and no earlier call gave: position, frames."""
        ...

    def next_held_bytes(self) -> int:
        """Return how long `next_held` would be."""
        ...
