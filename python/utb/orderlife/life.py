"""One order's life on the chain as a value, and the numbers its rules go by."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from utb.domain.chain import VALIDITY_BLOCKS, Attempt, ChainFill
from utb.domain.names import OrderStatus
from utb.errors import InvariantError
from utb.orderlife.table import TERMINAL


class OrderKind(StrEnum):
    """What an order does; the two have different rules."""

    ENTRY = "entry"
    """Signed once, ever."""
    EXIT = "exit"
    """One epoch: several attempts that exclude each other on the chain."""


class AttemptState(StrEnum):
    """How far one signed transaction is known to have come."""

    SIGNED = "signed"
    """Not durable: no byte of it left."""
    SENT = "sent"
    """Durable: it may be anywhere."""
    SEEN = "seen"
    """Somebody said it was processed."""
    CONFIRMED = "confirmed"
    """Somebody said it succeeded at confirmed; it may vanish again."""
    FAILED = "failed"
    """Somebody said it failed on chain; it may vanish again and land anew."""
    FINAL = "final"
    """Its success was read at finalized."""
    FINAL_FAILED = "final_failed"
    """Its failure was read at finalized: only its fee was paid."""
    DEAD = "dead"
    """Proven never to land."""
    DROPPED = "dropped"
    """Expired before it was durable: it never left."""


RESOLVED = frozenset(
    {AttemptState.FINAL, AttemptState.FINAL_FAILED, AttemptState.DEAD, AttemptState.DROPPED}
)
"""States in which nothing more can come of an attempt."""
LANDED = frozenset({AttemptState.SEEN, AttemptState.CONFIRMED, AttemptState.FAILED})
"""States in which somebody said it is on the chain, provisionally."""


class NullAnswers(msgspec.Struct, frozen=True, array_like=True):
    """One endpoint's null answers with history past an attempt's limit."""

    endpoint: str
    first_height: int
    last_height: int
    """Finalized heights of the endpoint at its first and latest such answer."""


class AttemptLife(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one signed transaction."""

    number: int
    signature: str
    limit_height: int
    """It cannot land in a block above this one."""
    guarded: bool
    state: AttemptState = AttemptState.SIGNED
    slot: int = 0
    """It is said to have landed in; 0 while nobody said so."""
    err: str | None = None
    fee_lamports: int = 0
    """Of a failure read at finalized."""
    final_told: bool = False
    """Somebody said it is finalized: the reading at finalized is due."""
    vanished: bool = False
    """It was said to be on the chain and then no longer."""
    sent_slot: int = 0
    """Slot of the last broadcast, 0 before the first."""
    asked_slot: int = 0
    """Slot of the last question about it."""
    gone: tuple[str, ...] = ()
    """Endpoints that did not know it any more since it was last said to be on the chain."""
    nulls: tuple[NullAnswers, ...] = ()
    """Evidence of death: collected anew whenever somebody says it is on the chain."""
    wallet_absent: tuple[str, ...] = ()
    """Endpoints past the limit whose list of the wallet's signatures lacks it."""

    @property
    def live(self) -> bool:
        """Return whether anything may still come of it."""
        return self.state not in RESOLVED


class Booked(msgspec.Struct, frozen=True):
    """The fill that was reported and not reverted."""

    signature: str
    fill: ChainFill


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """One order on the chain."""

    intent_id: str
    kind: OrderKind
    unguarded_first: bool
    """First attempt of a full exit of a non-cash mint with nothing else of it in flight."""
    status: OrderStatus = OrderStatus.APPROVED
    """As last reported."""
    attempts: tuple[AttemptLife, ...] = ()
    tries: int = 0
    """Attempt numbers used up, signed or not."""
    signing: int | None = None
    """Number of the attempt the signer was asked for."""
    signing_slot: int = 0
    """Slot the signer was asked at, or, after a lost answer, may be asked again from."""
    booked: Booked | None = None
    guard_taken: bool = False
    """An attempt failed at its guard: no later one of this epoch could land."""
    block: int = 0
    finalized: int = 0
    slot: int = 0
    """Heights and slot as last told; they never go back."""
    misfits: int = 0
    """Events that fitted nothing and were ignored."""

    @property
    def ended(self) -> bool:
        """Return whether the order's life is over."""
        return self.status in TERMINAL

    @property
    def locks_mint(self) -> bool:
        """Return whether its mint is closed to entries.

        An entry's is until its fill is known; an exit's until none of its attempts can sell what
        a new entry would buy.
        """
        if self.ended:
            return False
        return self.kind is OrderKind.EXIT or self.booked is None

    @property
    def guard_recoverable(self) -> bool:
        """Return whether the guard account may be closed: every attempt is dead or final.

        Closed earlier, a later attempt would land again.
        """
        return self.ended and not any(a.live for a in self.attempts)


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers the life goes by; slots and blocks, never seconds."""

    endpoints: int = 2
    """RPC endpoints that can be asked."""
    exit_attempts_max: int = 4
    null_apart_blocks: int = 32
    """Between two null answers of one endpoint that count as two."""
    resend_slots: int = 2
    """Between two broadcasts of the same bytes."""
    ask_slots: int = 4
    """Between two questions about one transaction."""
    sign_wait_slots: int = 75
    """For the signer's answer, about 30 s; a later one is not used."""
    sign_again_slots: int = 5
    """After an answer that did not come, before the signer is asked for an exit's next attempt."""
    history_after_slots: int = 100
    """Nodes keep recent statuses for about 150 slots; what is older is asked for with history."""
    unknown_after_blocks: int = 32
    """Finalized blocks past the limit without proof, after which the order is UNKNOWN."""
    slot_ahead_max: int = 64
    """A status from further ahead of the present slot is not believed."""


def limit_height(last_valid_block_height: int, height_seen: int) -> int:
    """Return the last block height a transaction can land at, by the more careful of two words.

    Args:
        last_valid_block_height: As the endpoint told it with the blockhash; it may lie or lag.
        height_seen: Highest block height any endpoint had told when it was signed.
    """
    return max(last_valid_block_height, height_seen + VALIDITY_BLOCKS)


def opened(intent_id: str, kind: OrderKind, *, unguarded_first: bool = False) -> Life:
    """Return the life of an approved order, before `Begin`.

    Raises:
        InvariantError: If an entry asks for what only an exit has.
    """
    if kind is OrderKind.ENTRY and unguarded_first:
        raise InvariantError(f"order {intent_id}: an entry has no guard to leave out")
    return Life(intent_id=intent_id, kind=kind, unguarded_first=unguarded_first)


def restored(
    order: Life, status: OrderStatus, attempts: Sequence[Attempt], fill: ChainFill | None
) -> Life:
    """Return an order's life as the journal knows it; `Restarted` comes next.

    An attempt that was signed and not durable never left, so it does not exist. A durable one may
    have been sent.

    Args:
        order: What `opened` returned for it.
        status: As last recorded.
        attempts: Durable ones, in order.
        fill: Booked and not reverted.
    """
    lives = tuple(
        AttemptLife(
            number=attempt.number,
            signature=attempt.signature,
            limit_height=limit_height(attempt.last_valid_block_height, attempt.height_seen),
            guarded=attempt.guard is not None,
            state=AttemptState.SENT,
        )
        for attempt in attempts
    )
    return restored_from(order, status, lives, fill)


def restored_from(
    order: Life, status: OrderStatus, attempts: tuple[AttemptLife, ...], fill: ChainFill | None
) -> Life:
    """Return the same from attempts in state SENT.

    Raises:
        InvariantError: If the fill belongs to none of them.
    """
    booked = None
    if fill is not None:
        if fill.signature not in {a.signature for a in attempts}:
            raise InvariantError(
                f"order {order.intent_id}: fill of {fill.signature}, which is no attempt of it"
            )
        booked = Booked(fill.signature, fill)
        final = status is OrderStatus.FINAL
        state = AttemptState.FINAL if final else AttemptState.CONFIRMED
        attempts = tuple(
            msgspec.structs.replace(a, state=state, slot=fill.slot)
            if a.signature == fill.signature
            else a
            for a in attempts
        )
    return msgspec.structs.replace(
        order,
        status=status,
        attempts=attempts,
        tries=max((a.number for a in attempts), default=-1) + 1,
        booked=booked,
    )
