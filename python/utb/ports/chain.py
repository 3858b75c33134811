"""What trading on the chain needs from outside: a signer, and who takes what became of orders."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from utb.domain.chain import Attempt, ChainFill
from utb.domain.names import OrderStatus
from utb.domain.orders import OrderIntent, Submission, VenueEvent


class SignKind(StrEnum):
    """What a transaction is for; each has rules of its own."""

    ENTRY = "entry"
    EXIT = "exit"
    HOUSEKEEPING = "housekeeping"


class SignClaim(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a message that is to be signed; the signer believes the message alone."""

    kind: SignKind
    intent_id: str
    """16 hex digits. An entry's is signed once; an exit's is its epoch."""
    attempt: int


class Signed(msgspec.Struct, frozen=True):
    """64 bytes of signature."""

    signature: bytes


class NotSigned(msgspec.Struct, frozen=True, kw_only=True):
    """The signer refused, or could not be asked."""

    code: str
    """Of the policy's rules, or UNREACHABLE."""
    message: str
    definitive: bool
    """False: nobody knows whether it was signed (the answer was lost)."""


class Signer(Protocol):
    """Holds the wallet's key and the policy."""

    @property
    def public_key(self) -> str:
        """Return the wallet's address."""
        ...

    def sign(
        self, message: bytes, claim: SignClaim, done: Callable[[Signed | NotSigned], None]
    ) -> None:
        """Ask for a signature; `done` is called once, at once or from the event loop."""
        ...


class VenueSink(Protocol):
    """Who takes what became of orders, in the thread of the event loop."""

    def on_venue(self, event: VenueEvent) -> bool:
        """Take one event: it is on the tape, and its records are durable where they must be.

        Returns:
            False: it was not taken, the session ends.
        """
        ...


class OpenOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order on its way as the journal knows it, for a restart."""

    intent: OrderIntent
    status: OrderStatus
    fee_lamports_max: int
    attempts: tuple[Attempt, ...]
    fill: ChainFill | None = None
    """Booked and not reverted: provisional still."""


class ChainVenue(Protocol):
    """A venue with a world of its own: it is told, and it tells its sink."""

    def submit(self, submission: Submission, now_ns: int) -> None:
        """Take an approved order: choose its route, build it, have it signed."""
        ...

    def release(self, signature: str) -> None:
        """Send a transaction whose SIGNED record is durable."""
        ...

    def recover(self, orders: Sequence[OpenOrder]) -> None:
        """Go on with the orders that were on their way when the process before this one ended."""
        ...
