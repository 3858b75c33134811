"""Entries that the tests of live trading ask for until they are taken."""

from typing import TYPE_CHECKING, Final

from realprocs import Late, Stand, accepted, wait_for

if TYPE_CHECKING:
    from utb.domain import commands as cmd

HELD_RAW: Final = 200_000_000
"""Of the position that stays open: 0.2 SOL."""
TRADED_RAW: Final = 20_000_000_000
"""20 JTO."""


def take_entry(
    stand: Stand, instrument: int, size_raw: int, seconds: float, *, unanswered: bool = False
) -> None:
    """Return when an entry was taken.

    Args:
        stand: Of the session.
        instrument: Its index.
        size_raw: In its base units.
        seconds: Longest wait.
        unanswered: Whether no answer ends it too: the session may have been what is to be killed.

    Raises:
        Late: If it was refused until then, with the last answer.
    """
    last: list[cmd.Answer | None] = [None]

    def taken() -> bool:
        last[0] = stand.buy(instrument, size_raw)
        return accepted(last[0]) or (unanswered and last[0] is None)

    try:
        wait_for(taken, "an entry to be taken", seconds)
    except Late as late:
        raise Late(f"{late}, but {last[0]}") from None
