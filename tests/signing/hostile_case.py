"""What a hostile message of the corpus is."""

from typing import Final

import msgspec
from solders.instruction import Instruction
from wallet_world import (
    COIN,
    ENTRY,
    NOW_S,
    POLICY,
    STRANGER,
    USDC,
    ata,
    entry,
    limited,
)

from utb.engine.signer import Asked, SignerPolicy
from utb.ports.chain import SignClaim

STRANGERS_COIN: Final = ata(STRANGER, COIN)
STRANGERS_USDC: Final = ata(STRANGER, USDC)
FOREIGN_TABLES: Final = limited(foreign_tables=True)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One hostile message, what was signed before it, and the code it is refused with."""

    name: str
    code: str
    message: bytes
    claim: SignClaim = ENTRY
    before: tuple[Asked, ...] = ()
    policy: SignerPolicy = POLICY
    halted: bool = False

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Return the whole history, the hostile one last."""
        return (*self.before, Asked(self.message, self.claim, NOW_S))


def plain(name: str, code: str, message: bytes, claim: SignClaim = ENTRY) -> Case:
    return Case(name=name, code=code, message=message, claim=claim)


def beside(name: str, code: str, *extra: Instruction) -> Case:
    """Hidden after an honest purchase."""
    return plain(name, code, entry(after=extra))
