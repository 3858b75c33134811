"""Orders on the chain: each one's life is told what happened and says what to do about it.

`submit` goes from an approval to a message at the signer without a wait; only what is not known
beforehand (an unlisted mint, the aggregator's quote) is asked for first, in the background. Nothing
is sent before `release`.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Coroutine, Sequence
from typing import Any, Final

from utb.adapters.venues.solana import reports
from utb.adapters.venues.solana.flight import Flight, kind_of
from utb.adapters.venues.solana.signing import Signing
from utb.adapters.venues.solana.wiring import VenueWiring
from utb.domain.chain import USDC_MINT, WRAPPED_SOL_MINT
from utb.domain.orders import OrderIntent, Submission, VenueEvent
from utb.errors import InvariantError
from utb.orderlife import actions as do
from utb.orderlife.actions import Action, Report
from utb.orderlife.events import (
    Begin,
    Durable,
    Event,
    FillRead,
    Heights,
    Reprice,
    Restarted,
    Status,
    StatusAbsent,
    WalletAbsent,
)
from utb.orderlife.life import AttemptState, OrderKind, opened, restored
from utb.orderlife.step import step
from utb.ports.chain import OpenOrder

_LOG: Final = logging.getLogger(__name__)

ENDED_MAX: Final = 256
"""Ended orders that are kept, so that a late word about one of them is an alarm."""

_CASH_MINTS: Final = frozenset({USDC_MINT, WRAPPED_SOL_MINT})


class SolanaVenue:
    """The chain as a venue (`ports.chain.ChainVenue`)."""

    def __init__(self, wiring: VenueWiring) -> None:
        """Begin without orders."""
        self._wiring = wiring
        self._flights: dict[str, Flight] = {}
        self._ended: dict[str, Flight] = {}
        self._by_signature: dict[str, Flight] = {}
        self._group: asyncio.TaskGroup | None = None
        self._early: list[Coroutine[Any, Any, None]] = []
        """Background work of orders that came before `run`."""
        self._unsold: deque[tuple[int, Flight, do.Failed]] = deque()
        """Exits that ended before anything was signed, with the slot they ended at."""
        self.counts: Counter[str] = Counter()
        """Sends by result, alarms, events that were of nobody."""
        self._signing = Signing(wiring, self._drive, self._later, self.counts)
        wiring.chain.on_heights.append(self._on_heights)

    async def run(self) -> None:
        """Do what orders wait for in the background, until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for work in self._early:
                group.create_task(work)
            self._early.clear()
            try:
                await asyncio.Event().wait()
            finally:
                self._group = None

    # The port

    def submit(self, submission: Submission, now_ns: int) -> None:
        """Take an approved order: choose its route, build it, have it signed."""
        del now_ns
        intent = submission.intent
        if intent.intent_id in self._flights or intent.intent_id in self._ended:
            return
        instrument = self._wiring.instruments[intent.instrument]
        life = opened(
            intent.intent_id, kind_of(intent), unguarded_first=self._may_go_unguarded(intent)
        )
        flight = Flight(submission, instrument, life)
        self._flights[intent.intent_id] = flight
        heights = self._wiring.chain.heights()
        if heights is not None:
            self._drive(flight, heights)
        self._drive(flight, Begin())

    def release(self, signature: str) -> None:
        """Send a transaction whose SIGNED record is durable."""
        flight = self._by_signature.get(signature)
        if flight is None:
            raise InvariantError(f"{signature} is released, which was never signed here")
        self._drive(flight, Durable(signature))

    def recover(self, orders: Sequence[OpenOrder]) -> None:
        """Go on with the orders that were on their way when the process before this one ended."""
        for order in orders:
            intent = order.intent
            unguarded = bool(order.attempts) and order.attempts[0].guard is None
            kind = kind_of(intent)
            fresh = opened(
                intent.intent_id, kind, unguarded_first=unguarded and kind is OrderKind.EXIT
            )
            life = restored(fresh, order.status, order.attempts, order.fill)
            submission = Submission(intent=intent, fee_lamports_max=order.fee_lamports_max)
            flight = Flight(submission, self._wiring.instruments[intent.instrument], life)
            for attempt in order.attempts:
                flight.attempts[attempt.signature] = attempt
                self._by_signature[attempt.signature] = flight
            flight.reason = "the process ended before anything of it was sent"
            self._flights[intent.intent_id] = flight
            self._drive(flight, Restarted())

    # What others tell

    def on_observation(self, event: Event) -> None:
        """Take a word of an endpoint about a signature."""
        flight = None
        if isinstance(event, Status | StatusAbsent | WalletAbsent):
            flight = self._by_signature.get(event.signature)
        if flight is None:
            self.counts["of_nobody"] += 1
            return
        self._drive(flight, event)

    @property
    def open_orders(self) -> tuple[str, ...]:
        """Return the intents on their way."""
        return tuple(self._flights)

    def in_flight_mints(self) -> frozenset[str]:
        """Return the mints that orders on their way may move."""
        return frozenset(mint for flight in self._flights.values() for mint in flight.mints)

    def known_signatures(self) -> frozenset[str]:
        """Return the signatures of orders on their way and of those that ended of late."""
        return frozenset(self._by_signature)

    # Driving lives

    def _drive(self, flight: Flight, event: Event) -> None:
        """Tell an order's life what happened, and do what it asks.

        What comes of doing it (an answer at once, a release inside a report) waits its turn, so
        that a life is never told anything in the middle of being told something.
        """
        flight.events.append(event)
        if flight.driving:
            return
        flight.driving = True
        rules = self._wiring.settings.rules
        try:
            while flight.events:
                life, actions = step(flight.life, flight.events.popleft(), rules)
                flight.life = life
                for action in actions:
                    self._perform(flight, action)
        finally:
            flight.driving = False
        if flight.life.ended and flight.intent.intent_id in self._flights:
            self._end(flight)

    def _perform(self, flight: Flight, action: Action) -> None:
        match action:
            case do.Sign():
                self._signing.sign(flight, action)
            case do.Journal():
                self._by_signature[action.signature] = flight
                self._report(reports.signed(flight, action.signature, self._now_ns()))
            case do.Send():
                self._send(flight, action.signature)
            case do.Subscribe():
                guard = flight.guard_instruction(action.signature)
                self._wiring.watcher.watch(action.signature, guard_instruction=guard)
            case do.AskStatus():
                self._wiring.watcher.ask_status(action.signature, history=action.history)
            case do.AskWallet():
                since_slot = flight.signed_slot(action.signature)
                self._wiring.watcher.ask_wallet(action.signature, since_slot=since_slot)
            case do.ReadFill():
                self._read_fill(flight, action)
            case do.Alarm():
                self.counts["alarms"] += 1
                _LOG.error("%s: %s", action.signature, action.reason)
                self._wiring.on_alarm(action.reason)
            case _:
                self._tell(flight, action)

    def _tell(self, flight: Flight, action: Report) -> None:
        """Report a step; an exit that could not even be signed is told of some slots later."""
        unsigned = flight.kind is OrderKind.EXIT and not flight.attempts
        if isinstance(action, do.Failed) and unsigned:
            self._unsold.append((flight.life.slot, flight, action))
            return
        self._report(reports.event_of(flight, action, self._now_ns()))
        if isinstance(action, do.Filled):
            self._wiring.after_fill(flight, action)

    def _report(self, event: VenueEvent) -> None:
        self._wiring.sink.on_venue(event)

    def _end(self, flight: Flight) -> None:
        intent_id = flight.intent.intent_id
        del self._flights[intent_id]
        self._ended[intent_id] = flight
        for signature in flight.attempts:
            self._wiring.watcher.forget(signature)
        while len(self._ended) > ENDED_MAX:
            oldest = self._ended.pop(next(iter(self._ended)))
            for signature in oldest.attempts:
                self._by_signature.pop(signature, None)

    # Signing

    def _may_go_unguarded(self, intent: OrderIntent) -> bool:
        """Return whether a second landing of the first attempt would find no tokens.

        A full exit of a mint that is not cash, with nothing else of that mint in flight. What the
        wallet holds must be known and be exactly what is sold: unknown is guarded.
        """
        if kind_of(intent) is OrderKind.ENTRY:
            return False
        mint = self._wiring.instruments[intent.instrument].base_mint
        if mint in _CASH_MINTS or mint in self.in_flight_mints():
            return False
        return self._wiring.wallet.balance_raw(mint) == intent.amount_in_raw

    # Sending and reading

    def _send(self, flight: Flight, signature: str) -> None:
        attempt = flight.attempts[signature]
        first = signature not in flight.first_sent_slot
        if first:
            flight.first_sent_slot[signature] = flight.life.slot
        for name in attempt.senders:
            sent = self._wiring.senders.send(name, attempt.transaction, signature, first=first)
            self.counts[sent.name.lower()] += 1

    def _read_fill(self, flight: Flight, ask: do.ReadFill) -> None:
        key = ask.signature, ask.finalized
        if key in flight.reading or self._group is None:
            return
        flight.reading.add(key)
        self._group.create_task(self._read(flight, ask))

    async def _read(self, flight: Flight, ask: do.ReadFill) -> None:
        try:
            found = await self._wiring.fills.read(flight, ask.signature, finalized=ask.finalized)
        finally:
            flight.reading.discard((ask.signature, ask.finalized))
        if isinstance(found, FillRead):
            self._drive(flight, found)
        else:
            self.counts["fills_not_read"] += 1

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        if self._group is None:
            self._early.append(work)
        else:
            self._group.create_task(work)

    # Time, as the chain tells it

    def _on_heights(self, heights: Heights) -> None:
        self._tell_unsold(heights.slot)
        for flight in tuple(self._flights.values()):
            self._drive(flight, heights)
            if self._reprice_is_due(flight):
                flight.tried_slot = flight.life.slot
                self._drive(flight, Reprice())

    def _tell_unsold(self, slot: int) -> None:
        """Tell of exits that could not be made, when the next one may fare better.

        A person's exit is decided again at once: told at once, it would turn in a circle while the
        signer is gone.
        """
        again = self._wiring.settings.rules.sign_again_slots
        for _ in range(len(self._unsold)):
            if slot < self._unsold[0][0] + again:
                return
            _, flight, failed = self._unsold.popleft()
            self._report(reports.event_of(flight, failed, self._now_ns()))

    def _reprice_is_due(self, flight: Flight) -> bool:
        """Return whether nobody saw the last attempt of an exit for long enough."""
        life = flight.life
        if flight.kind is not OrderKind.EXIT or life.ended or not life.attempts:
            return False
        last = life.attempts[-1]
        if last.state is not AttemptState.SENT:
            return False
        since = max(flight.first_sent_slot.get(last.signature, 0), flight.tried_slot)
        return life.slot - since >= self._wiring.settings.exit_reprice_slots

    def _now_ns(self) -> int:
        return self._wiring.now_ns()
