"""Answers of the controls."""

from typing import Final

import msgspec


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """A command was taken."""

    status: str
    """The state it leads to, or ACCEPTED."""
    command_id: str
    seq: int
    """Its effects follow this record."""


EXAMPLE: Final = Done(status="PAUSED", command_id="api-5f2c9a1be0d44c9aa1b2c3d4", seq=1_204)
