"""One order on its way, as the venue keeps it beside its life."""

from collections import deque
from typing import Final

import msgspec

from utb.adapters.chain.state import Blockhash
from utb.adapters.venues.solana.dispatch import Dispatch
from utb.domain.chain import Attempt, Route
from utb.domain.market import Instrument
from utb.domain.names import Side
from utb.domain.orders import OrderIntent, Submission
from utb.orderlife.events import Event
from utb.orderlife.life import Life, OrderKind
from utb.routing.fees import Fee

GUARD_INDEX: Final = 2
"""The guard stands after the compute-unit limit and price."""

SENT_SLOTS = dict[str, int]
ATTEMPTS = dict[str, Attempt]
EVENTS = deque[Event]


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A message that waits for its signature."""

    number: int
    message: bytes
    route: Route
    fee: Fee
    dispatch: Dispatch
    blockhash: Blockhash
    height_seen: int
    sequence: int
    guard: str | None

    def attempt(self, signature: str, transaction: bytes) -> Attempt:
        """Return the attempt it became."""
        return Attempt(
            number=self.number,
            signature=signature,
            transaction=transaction,
            blockhash=self.blockhash.blockhash,
            last_valid_block_height=self.blockhash.last_valid_block_height,
            height_seen=self.height_seen,
            senders=self.dispatch.senders,
            guard=self.guard,
            sequence=self.sequence,
            compute_unit_limit=self.fee.compute_unit_limit,
            compute_unit_price=self.fee.compute_unit_price,
            tip_lamports=self.fee.tip_lamports,
            route=self.route,
        )


class Flight:
    """An order, its life, and what its attempts are made of."""

    __slots__ = (
        "attempts",
        "blockhash_slot",
        "driving",
        "events",
        "first_sent_slot",
        "instrument",
        "life",
        "reading",
        "reason",
        "submission",
        "tried_slot",
    )

    def __init__(self, submission: Submission, instrument: Instrument, life: Life) -> None:
        self.submission = submission
        self.instrument = instrument
        self.life = life
        self.attempts: ATTEMPTS = {}
        """By signature."""
        self.blockhash_slot: SENT_SLOTS = {}
        """Slot each attempt's blockhash is of: before it was signed."""
        self.events: EVENTS = deque()
        """What its life has still to be told."""
        self.driving = False
        """Whether its life is being told something: what comes meanwhile waits its turn."""
        self.first_sent_slot: SENT_SLOTS = {}
        self.tried_slot = 0
        """Slot of the last attempt that was asked for, made or not."""
        self.reading: set[tuple[str, bool]] = set()
        """Fills that are being read: signature, finalized."""
        self.reason = ""
        """Why the last attempt was not made."""

    @property
    def intent(self) -> OrderIntent:
        """Return what it is to do."""
        return self.submission.intent

    @property
    def kind(self) -> OrderKind:
        """Return whether it is an entry or an exit."""
        return kind_of(self.intent)

    @property
    def protected(self) -> bool | None:
        """Return whether its attempts are protected; None before the first.

        The first attempt decides: a later one over public senders would undo the protection.
        """
        first = next(iter(self.attempts.values()), None)
        return None if first is None else first.route.protected

    def guard_instruction(self, signature: str) -> int | None:
        """Return the index of the instruction that opens an attempt's guard; None: unguarded."""
        return None if self.attempts[signature].guard is None else GUARD_INDEX

    def signed_slot(self, signature: str) -> int:
        """Return a slot before an attempt was signed; after a restart that of its quote."""
        return self.blockhash_slot.get(signature, self.attempts[signature].route.slot)

    @property
    def mints(self) -> tuple[str, str]:
        """Return input and output mint."""
        instrument = self.instrument
        if self.intent.side is Side.BUY:
            return instrument.quote_mint, instrument.base_mint
        return instrument.base_mint, instrument.quote_mint


def kind_of(intent: OrderIntent) -> OrderKind:
    """Return an intent's kind: what reduces a position is an exit."""
    return OrderKind.ENTRY if intent.side is Side.BUY else OrderKind.EXIT
