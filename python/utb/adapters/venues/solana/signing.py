"""From an attempt that is asked for to its signature, or the reason why there is none.

What an order must wait for (a mint that is not listed, the aggregator's quote) is asked for in the
background; everything else goes from the life's wish to the signer without a wait.
"""

from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Final

from utb.adapters.jupiter.client import Swap
from utb.adapters.venues.solana.attempts import TOO_LARGE
from utb.adapters.venues.solana.flight import Flight, Prepared
from utb.adapters.venues.solana.wiring import VenueWiring, accounts_steps, swap_request
from utb.engine.chain import key_text, transaction
from utb.errors import UsageError
from utb.orderlife import actions as do
from utb.orderlife.events import Event, NotSigned, Signed
from utb.orderlife.life import OrderKind, limit_height
from utb.ports.chain import NotSigned as SignerNo
from utb.ports.chain import SignClaim, SignKind
from utb.ports.chain import Signed as SignerYes

_SIGN_KIND: Final = {OrderKind.ENTRY: SignKind.ENTRY, OrderKind.EXIT: SignKind.EXIT}

Drive = Callable[[Flight, Event], None]
"""Tells an order's life what happened."""


class Signing:
    """Makes attempts and has them signed."""

    def __init__(
        self,
        wiring: VenueWiring,
        drive: Drive,
        later: Callable[[Coroutine[Any, Any, None]], None],
        counts: Counter[str],
    ) -> None:
        """Begin with nothing.

        Args:
            wiring: The venue's parts.
            drive: Takes what came of it.
            later: Runs background work.
            counts: Of the venue.
        """
        self._wiring = wiring
        self._drive = drive
        self._later = later
        self.counts = counts

    def sign(self, flight: Flight, sign: do.Sign) -> None:
        """Make an attempt now, or in the background where something must be asked for first."""
        flight.tried_slot = flight.life.slot
        wiring = self._wiring
        if flight.kind is OrderKind.ENTRY and not flight.instrument.liquid:
            verdict = wiring.gate.verdict(flight.instrument.base_mint, self._wiring.elapsed_ns())
            if verdict is None:
                self._later(self._after_gate(flight, sign))
                return
            if verdict:
                self._not_signed(flight, sign, verdict)
                return
        if wiring.settings.aggregator == "compare" and wiring.jupiter is not None:
            self._later(self._with_aggregator(flight, sign))
            return
        made = wiring.attempts.prepare(flight, sign, None, 0)
        if isinstance(made, Prepared):
            self._ask_signer(flight, made)
        elif wiring.jupiter is not None and wiring.settings.aggregator != "off":
            flight.reason = f"{made}; the aggregator did not answer in time"
            self._later(self._with_aggregator(flight, sign))
        else:
            self._not_signed(flight, sign, made)

    async def _after_gate(self, flight: Flight, sign: do.Sign) -> None:
        wiring = self._wiring
        amount_in_raw = flight.intent.amount_in_raw
        await wiring.gate.check(flight.instrument, amount_in_raw, wiring.elapsed_ns())
        if flight.life.signing != sign.number:
            return
        verdict = self._wiring.gate.verdict(flight.instrument.base_mint, self._wiring.elapsed_ns())
        if verdict is None:
            self._not_signed(flight, sign, "the mint could not be checked")
            return
        self.sign(flight, sign)

    async def _with_aggregator(self, flight: Flight, sign: do.Sign) -> None:
        """Ask the aggregator, for fewer accounts where its swap does not fit, and make the attempt.

        The reason of the first asking is kept: it says what the pools of our own said.
        """
        wiring = self._wiring
        reason = "the aggregator is off"
        for accounts_max in accounts_steps(wiring.settings.aggregator_accounts_max):
            swap = await self._swap_of(flight, sign, accounts_max)
            if flight.life.signing != sign.number:
                return
            made = wiring.attempts.prepare(flight, sign, swap, wiring.elapsed_ns())
            if isinstance(made, Prepared):
                self._ask_signer(flight, made)
                return
            reason = made
            if TOO_LARGE not in reason:
                break
        self._not_signed(flight, sign, reason)

    async def _swap_of(self, flight: Flight, sign: do.Sign, accounts_max: int) -> Swap | str:
        wiring = self._wiring
        if wiring.jupiter is None:
            return "the aggregator is off"
        request = swap_request(wiring, flight, sign.fee_step, accounts_max)
        return request if isinstance(request, str) else await wiring.jupiter.swap(request)

    def _ask_signer(self, flight: Flight, prepared: Prepared) -> None:
        claim = SignClaim(
            kind=_SIGN_KIND[flight.kind],
            intent_id=flight.intent.intent_id,
            attempt=prepared.number,
        )

        def done(answer: SignerYes | SignerNo) -> None:
            self._on_signer(flight, prepared, answer)

        self._wiring.signer.sign(prepared.message, claim, done)

    def _on_signer(self, flight: Flight, prepared: Prepared, answer: SignerYes | SignerNo) -> None:
        number = prepared.number
        if isinstance(answer, SignerNo):
            flight.reason = f"the signer: {answer.message} ({answer.code})"
            # Without an answer nobody knows; what was signed unseen never left its process.
            definitive = answer.definitive or not flight.attempts
            self._drive(
                flight, NotSigned(number=number, reason=flight.reason, definitive=definitive)
            )
            return
        if flight.life.signing != number:
            self.counts["late_signatures"] += 1
            return
        try:
            raw = transaction(prepared.message, (answer.signature,))
        except UsageError as error:
            flight.reason = f"the signed transaction cannot be put together: {error}"
            self._drive(flight, NotSigned(number=number, reason=flight.reason, definitive=True))
            return
        signature = key_text(answer.signature)
        attempt = prepared.attempt(signature, raw)
        flight.attempts[signature] = attempt
        flight.blockhash_slot[signature] = prepared.blockhash.slot
        self._drive(
            flight,
            Signed(
                number=number,
                signature=signature,
                limit_height=limit_height(attempt.last_valid_block_height, attempt.height_seen),
                guarded=attempt.guard is not None,
            ),
        )

    def _not_signed(self, flight: Flight, sign: do.Sign, reason: str) -> None:
        """End the attempt; an order of which nothing was signed ends with it."""
        flight.reason = reason
        definitive = not flight.attempts
        self._drive(flight, NotSigned(number=sign.number, reason=reason, definitive=definitive))
