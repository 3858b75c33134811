"""Rent that comes back: guards of ended orders and empty token accounts, apart from trades.

Nothing here is urgent, so it waits until no order is on its way. Each transaction is announced
before it leaves, so that its signature is never a stranger's, and booked from the chain
(`unbooked.py`); while one is open no other is made.
"""

from collections.abc import Callable, Sequence
from typing import Final

from utb.adapters.chain.housekeeping import Batch, plan
from utb.adapters.chain.reconcile import RENT, Difference, DifferenceKind
from utb.adapters.chain.state import Blockhash
from utb.adapters.venues.solana.assemble import compute_budget
from utb.adapters.venues.solana.books import Books, InFlight
from utb.adapters.venues.solana.parts import Builder, ChainReadings, SenderSet
from utb.adapters.venues.solana.unbooked import Unbooked
from utb.engine.chain import (
    AccountRole,
    Instruction,
    key_bytes,
    key_text,
    transaction,
)
from utb.errors import UsageError
from utb.ports.chain import NotSigned, SignClaim, Signed, Signer, SignKind
from utb.ports.livefeed import Timer
from utb.routing.fees import Fee, fee_lamports

EVERY_SECONDS: Final = 120.0
SETTLE_SECONDS: Final = 2.0
SETTLE_TRIES: Final = 60
"""Times a transaction is sent: for two minutes, past the life of its blockhash."""
LOOK_SECONDS: Final = 5.0
"""Between two looks at one that is not sent any more and whose end is not known."""

COMPUTE_UNITS: Final = 60_000
"""Eight transfers and closings cost 25,000."""
COMPUTE_UNIT_PRICE: Final = 1_024
"""Low on purpose: it may wait. Its low bits come from the sequence."""

WORTH_TIMES: Final = 4
"""What comes back must be so many times the fee."""


class Upkeep:
    """Brings rent back."""

    def __init__(  # noqa: PLR0913 - everything a transaction needs
        self,
        *,
        wallet: str,
        timer: Timer,
        chain: ChainReadings,
        senders: SenderSet,
        signer: Signer,
        builder: Builder,
        unbooked: Unbooked,
        books: Books,
        flights: InFlight,
        kept_mints: frozenset[str],
        next_sequence: Callable[[], int],
        now_ns: Callable[[], int],
    ) -> None:
        self._wallet = wallet
        self._timer = timer
        self._chain = chain
        self._senders = senders
        self._signer = signer
        self._builder = builder
        self._unbooked = unbooked
        self._books = books
        self._flights = flights
        self._kept_mints = kept_mints
        self._next_sequence = next_sequence
        self._now_ns = now_ns
        self.trouble = ""
        """Why the last round did not bring anything back; empty when nothing was wrong."""

    async def run(self) -> None:
        """Bring rent back until cancelled."""
        while True:
            await self._timer.sleep(LOOK_SECONDS if self._unbooked.waits else EVERY_SECONDS)
            await self.round()

    async def round(self) -> None:
        """Bring back what there is now, unless the end of an earlier transaction is not known."""
        await self._unbooked.look()
        if self._unbooked.waits or self._flights.in_flight_mints():
            return
        compared = await self._books.compare()
        if compared is None or self._flights.in_flight_mints():
            return
        reading = compared.reading
        batches = plan(
            self._wallet,
            reading.guards,
            reading.accounts,
            open_seeds=frozenset(),
            kept_mints=self._kept_mints,
        )
        unknown = _unknown_rent(compared.differences)
        if any(unknown >= batch.least_lamports for batch in batches):
            # One of these accounts may be another's gift: it is closed when it is in the book
            return
        for batch in batches:
            # An order that came meanwhile goes first; its guard may be among these accounts.
            if self._unbooked.waits or self._flights.in_flight_mints():
                return
            await self._bring(batch)

    async def _bring(self, batch: Batch) -> None:
        fee = self._fee()
        if batch.lamports < WORTH_TIMES * fee.total_lamports:
            return
        blockhash = self._chain.blockhash()
        if blockhash is None:
            self.trouble = "no blockhash is known that is recent enough"
            return
        try:
            message = self._builder.compile(
                [*compute_budget(fee), *_foreign(batch)], key_bytes(blockhash.blockhash)
            )
        except UsageError as error:
            self.trouble = str(error)
            return
        sequence = fee.compute_unit_price % COMPUTE_UNIT_PRICE
        claim = SignClaim(
            kind=SignKind.HOUSEKEEPING, intent_id=f"{self._now_ns():016x}"[-16:], attempt=sequence
        )
        answers: list[Signed | NotSigned] = []
        self._signer.sign(message, claim, answers.append)
        for _ in range(SETTLE_TRIES):
            if answers:
                break
            await self._timer.sleep(SETTLE_SECONDS)
        answer = answers[0] if answers else None
        if not isinstance(answer, Signed):
            self.trouble = "no answer of the signer" if answer is None else answer.message
            return
        raw = transaction(message, (answer.signature,))
        await self._send(batch, raw, key_text(answer.signature), blockhash)

    async def _send(self, batch: Batch, raw: bytes, signature: str, blockhash: Blockhash) -> None:
        announced = self._unbooked.announce(
            signature,
            f"rent of {len(batch.accounts)} accounts is brought back",
            last_valid_block_height=blockhash.last_valid_block_height,
        )
        if not announced:
            self.trouble = "the session ends"
            return
        first = True
        for _ in range(SETTLE_TRIES):
            for name in self._senders.names(protected=False):
                if not self._senders.view(name).tip_accounts:
                    self._senders.send(name, raw, signature, first=first)
            first = False
            await self._timer.sleep(SETTLE_SECONDS)
            await self._unbooked.look()
            self.trouble = self._unbooked.trouble
            if not self._unbooked.waits_for(signature):
                return

    def _fee(self) -> Fee:
        price = COMPUTE_UNIT_PRICE + self._next_sequence() % COMPUTE_UNIT_PRICE
        return Fee(
            compute_unit_limit=COMPUTE_UNITS,
            compute_unit_price=price,
            tip_lamports=0,
            total_lamports=fee_lamports(COMPUTE_UNITS, price),
        )


def _unknown_rent(differences: Sequence[Difference]) -> int:
    """Return the lamports in accounts of ours that the book does not have.

    Less than any account holds is no account: dust does not keep rent from coming back.
    """
    return sum(
        one.chain_raw - one.book_raw
        for one in differences
        if one.asset == RENT and one.kind is DifferenceKind.INFLOW
    )


def _foreign(batch: Batch) -> list[Instruction]:
    return [
        Instruction(program, tuple(AccountRole(*account) for account in accounts), data)
        for program, accounts, data in batch.instructions
    ]
