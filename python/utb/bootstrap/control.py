"""One command straight to the trading process, without the API."""

import asyncio
import secrets
from pathlib import Path

import uvloop

from utb.adapters.seam.client import SeamClient, socket_path
from utb.domain.commands import Accepted, Answer, Command
from utb.domain.names import OperatorState
from utb.domain.seam import Pulse

PULSE_WAIT_S = 2.0


class Given:
    """A command's answer and what the trading process said after it."""

    def __init__(self, answer: Answer, pulse: Pulse | None) -> None:
        self.answer = answer
        self.pulse = pulse

    @property
    def accepted(self) -> bool:
        """Return whether the command was taken."""
        return isinstance(self.answer, Accepted)

    @property
    def state(self) -> OperatorState | None:
        """Return the operator state after it; None if nothing was heard in time."""
        return None if self.pulse is None else self.pulse.operator


def give(state_dir: Path, kind: type[Command], issued_by: str) -> Given:
    """Give a command that needs nothing but itself.

    Raises:
        TransientError: If the trading process does not listen or does not answer.
    """
    command = kind(command_id=f"cli-{secrets.token_hex(12)}", issued_by=issued_by)  # type: ignore[call-arg]
    return uvloop.run(_give(state_dir, command))


async def _give(state_dir: Path, command: Command) -> Given:
    path = socket_path(state_dir)
    async with await SeamClient.open(path, reader="cli", lane=True, records=False) as seam:
        answer = await seam.give(command)
        if not isinstance(answer, Accepted):
            return Given(answer, None)
        pulse = None
        try:
            async with asyncio.timeout(PULSE_WAIT_S):
                # The first pulse may have been on its way before the answer
                seen = 0
                async for message in seam:
                    if isinstance(message, Pulse):
                        pulse, seen = message, seen + 1
                        if seen > 1:
                            break
        except TimeoutError:
            return Given(answer, pulse)
        return Given(answer, pulse)
