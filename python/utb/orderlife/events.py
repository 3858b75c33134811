"""What may happen to an order on the chain, as its life is told.

Every event may be late, repeated, missing or untrue, except those of our own process (`Begin`,
`Signed`, `NotSigned`, `Durable`, `Reprice`, `Restarted`). An endpoint's error is no event: it says
nothing about a transaction.
"""

import msgspec

from utb.domain.chain import ChainFill, Commitment


class Begin(msgspec.Struct, frozen=True):
    """Start: the order was approved and nothing was signed for it yet."""


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """The signer answered a `Sign`; nothing of it has left the process."""

    number: int
    """Of the attempt, as `Sign` named it."""
    signature: str
    limit_height: int
    """`limit_height()` of the attempt: after this block it cannot land."""
    guarded: bool


class NotSigned(msgspec.Struct, frozen=True, kw_only=True):
    """No attempt came of a `Sign`: refused, answer lost, or it could not be routed or built."""

    number: int
    reason: str
    definitive: bool
    """Whether asking again can change nothing (a policy's refusal, no route)."""


class Durable(msgspec.Struct, frozen=True):
    """The attempt is in the journal, synced: from now on it may leave."""

    signature: str


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint knows the transaction: by subscription or by an answer to `AskStatus`."""

    signature: str
    endpoint: str
    commitment: Commitment
    slot: int
    """The transaction landed in."""
    err: str | None
    """None: it succeeded."""
    guard_failed: bool = False
    """The error is that of the guard's instruction: its account exists already."""


class StatusAbsent(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint answered that it does not know the transaction (null; never an error)."""

    signature: str
    endpoint: str
    slot: int
    """Of the answer's own context."""
    finalized_height: int
    """Finalized block height of that endpoint when it answered or before."""
    history: bool
    """Whether it searched its whole history."""


class WalletAbsent(msgspec.Struct, frozen=True, kw_only=True):
    """The wallet's signatures as an endpoint lists them, back past the signing, lack this one."""

    signature: str
    endpoint: str
    finalized_height: int


class Heights(msgspec.Struct, frozen=True, kw_only=True):
    """The chain went on; the only sense of time here. Give one per slot or two."""

    block: int
    """Highest block height any endpoint told."""
    finalized: int
    """Finalized height that two endpoints reached: the second highest told, or the only one's."""
    slot: int
    """Present slot."""


class FillRead(msgspec.Struct, frozen=True, kw_only=True):
    """A landed transaction was read with its balances (an answer to `ReadFill`)."""

    signature: str
    slot: int
    finalized: bool
    """Read at finalized commitment: nothing can undo it."""
    fill: ChainFill | None
    """None: it failed."""
    err: str | None = None
    guard_failed: bool = False
    fee_lamports: int = 0
    """Of a failed one; a fill has its own."""


class Reprice(msgspec.Struct, frozen=True):
    """The venue wants the next attempt of an exit: it waited long enough, or prices moved."""


class Restarted(msgspec.Struct, frozen=True):
    """The process is new; the life was made by `restored` from what was durable."""


Event = (
    Begin
    | Signed
    | NotSigned
    | Durable
    | Status
    | StatusAbsent
    | WalletAbsent
    | Heights
    | FillRead
    | Reprice
    | Restarted
)
