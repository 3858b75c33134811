"""Makes an attempt's message: route, senders, fee, build. Everything it needs is at hand.

This is the hot path: no wait, no task, no question to anybody. What is missing is a reason.
"""

from collections.abc import Callable
from typing import Final

import msgspec
from msgspec.structs import replace

from utb.adapters.chain.state import Blockhash
from utb.adapters.jupiter.client import Swap
from utb.adapters.venues.solana import assemble
from utb.adapters.venues.solana.dispatch import Dispatches
from utb.adapters.venues.solana.flight import Flight, Prepared
from utb.adapters.venues.solana.parts import Builder, ChainReadings
from utb.adapters.venues.solana.poolfeed import PoolFeed
from utb.adapters.venues.solana.pricing import TIP_SHARE, FeeAsk, Pricing, level_of
from utb.adapters.venues.solana.settings import SLIPPAGE_BPS_MAX, VenueSettings
from utb.adapters.venues.solana.wallet import OwnAccount, WalletAccounts
from utb.domain.chain import Program, Route
from utb.engine.chain import key_bytes, key_text
from utb.errors import UsageError
from utb.orderlife.actions import Sign
from utb.orderlife.life import OrderKind
from utb.routing.choose import choose
from utb.routing.fees import Shape
from utb.routing.minimum import floor_at
from utb.routing.quotes import Choice, Limits, Offer, RouteRequest

NEVER_PROTECTED: Final = 1 << 63
"""A size no order reaches."""

SLOT_SECONDS: Final = 0.4
"""Longest slots there have been; where they are shorter, so is the time that silence may last."""

MESSAGE_BYTES_MAX: Final = 1_232 - 1 - 64
"""Of a transaction, less the count and the one signature."""

TOO_LARGE: Final = "its message is too large"

GUARD_BYTES: Final = 0
"""Size of a guard account."""


class Attempts:
    """Makes messages of attempts."""

    def __init__(  # noqa: PLR0913 - the parts of a message
        self,
        *,
        settings: VenueSettings,
        chain: ChainReadings,
        pools: PoolFeed,
        wallet: WalletAccounts,
        builder: Builder,
        pricing: Pricing,
        dispatches: Dispatches,
        next_sequence: Callable[[], int],
        lamport_quote_q64: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._chain = chain
        self._pools = pools
        self._wallet = wallet
        self._builder = builder
        self._pricing = pricing
        self._dispatches = dispatches
        self._next_sequence = next_sequence
        self._lamport_quote_q64 = lamport_quote_q64
        self._wallet_key = key_bytes(wallet.wallet)
        limits = settings.limits
        if not dispatches.protects:
            limits = replace(limits, protected_from_quote_raw=NEVER_PROTECTED)
        self._limits = limits

    def slippage_bps(self, flight: Flight, fee_step: int) -> int:
        """Return the tolerance of an attempt: the order's, and a step more for each one before."""
        first = flight.intent.slippage_bps_max
        steps = fee_step * self._settings.exit_slippage_step_bps
        return max(first, min(first + steps, SLIPPAGE_BPS_MAX))

    def min_out_raw(self, flight: Flight, fee_step: int) -> int:
        """Return the least output of an attempt as the order asks for it."""
        intent = flight.intent
        return floor_at(
            intent.min_out_raw,
            slippage_bps=self.slippage_bps(flight, fee_step),
            slippage_bps_first=intent.slippage_bps_max,
        )

    def prepare(
        self, flight: Flight, sign: Sign, swap: Swap | str | None, now_ns: int
    ) -> Prepared | str:
        """Return the message of an attempt; a text says why there is none.

        Args:
            flight: The order.
            sign: Which attempt.
            swap: The aggregator's; a text says why there is none; None: it was not asked.
            now_ns: For the age of its quote, on the clock it was stamped with.
        """
        blockhash, height_seen = self._chain.blockhash(), self._chain.height_seen()
        if blockhash is None or height_seen is None:
            return "no blockhash is known that is recent enough"
        silence = self._silence()
        if silence:
            return silence
        guard_lamports = 0
        if sign.guarded:
            rent = self._chain.rent_minimum(GUARD_BYTES)
            if rent is None:
                return "the rent of its guard account is not read yet"
            guard_lamports = rent.value
        plan = _Plan(
            flight=flight,
            sign=sign,
            swap=swap,
            now_ns=now_ns,
            blockhash=blockhash,
            height_seen=height_seen,
            guard_lamports=guard_lamports,
        )
        route = self._route(plan, self._limits)
        made = self._build(plan, route) if isinstance(route, Route) else route.reason
        if isinstance(made, str) and isinstance(route, Route) and len(route.legs) > 1:
            # Two legs with all their accounts may not fit a transaction; one does.
            single = self._route(plan, replace(self._limits, legs_max=1))
            made = self._build(plan, single) if isinstance(single, Route) else single.reason
        return made

    def _silence(self) -> str:
        """Return why nothing known of the chain can be believed any more, or nothing.

        Ages in slots say nothing while no slot is told at all: then time decides.
        """
        slot = self._chain.slot()
        most_s = self._limits.pool_age_slots_max * SLOT_SECONDS
        if slot is None or slot.age_s > most_s:
            age = "ever" if slot is None else f"for {slot.age_s:.1f} s"
            return f"no endpoint has told a slot {age}, at most {most_s:.1f} s are accepted"
        return ""

    def _route(self, plan: "_Plan", limits: Limits) -> Choice:
        flight, sign = plan.flight, plan.sign
        intent = flight.intent
        input_mint, output_mint = flight.mints
        input_key = key_bytes(input_mint)
        places = self._settings.pools[flight.instrument.index]
        level = level_of(intent)
        tip_lamports = self._pricing.tip_lamports(
            level, least=0, most=flight.submission.fee_lamports_max
        )
        price = self._pricing.expected_price(level)

        def cost_lamports(programs: tuple[Program, ...], protected: bool) -> int:  # noqa: FBT001
            shape = self._shape(plan, programs, output_mint)
            tip = tip_lamports if protected else 0
            return self._pricing.expected_lamports(shape, level, price, tip)

        request = RouteRequest(
            side=intent.side,
            input_mint=input_mint,
            output_mint=output_mint,
            amount_in_raw=intent.amount_in_raw,
            min_out_raw=self.min_out_raw(flight, sign.fee_step),
            slippage_bps=self.slippage_bps(flight, sign.fee_step),
            lamport_quote_q64=self._lamport_quote_q64(),
            protected=flight.protected,
        )
        candidates = [self._pools.candidate(place, input_key, intent.side) for place in places]
        return choose(request, candidates, _offer(plan), limits, cost_lamports)

    def _build(self, plan: "_Plan", route: Route) -> Prepared | str:
        flight, sign = plan.flight, plan.sign
        most = flight.submission.fee_lamports_max
        level = level_of(flight.intent)
        programs = tuple(leg.program for leg in route.legs)
        output_mint = flight.mints[1]
        sequence = self._next_sequence()
        dispatch = self._dispatches.choose(
            protected=route.protected, sequence=sequence, tip_lamports_max=most // TIP_SHARE
        )
        if isinstance(dispatch, str):
            return dispatch
        tip_lamports = 0
        if dispatch.tip_account is not None:
            tip_lamports = self._pricing.tip_lamports(
                level, least=dispatch.tip_lamports_min, most=most
            )
        fee = self._pricing.fee(
            FeeAsk(
                shape=self._shape(plan, programs, output_mint),
                pools=tuple(leg.pool for leg in route.legs),
                level=level,
                tip_lamports=tip_lamports,
                fee_step=sign.fee_step,
                fee_lamports_max=most,
                sequence=sequence,
            )
        )
        if isinstance(fee, str):
            return fee
        seed = flight.intent.intent_id.encode() if sign.guarded else None
        frame = assemble.Frame(
            wallet=self._wallet_key,
            fee=fee,
            tip_account=dispatch.tip_account,
            guard_seed=seed,
            guard_lamports=plan.guard_lamports,
            memo=flight.intent.intent_id.encode() if flight.kind is OrderKind.ENTRY else None,
            open_account=self._opened(output_mint),
        )
        message = self._message(plan, route, frame)
        if isinstance(message, str):
            return message
        guard = None
        if seed is not None:
            guard = key_text(assemble.guard_address(self._wallet_key, seed))
        return Prepared(
            number=sign.number,
            message=message,
            route=route,
            fee=fee,
            dispatch=dispatch,
            blockhash=plan.blockhash,
            height_seen=plan.height_seen,
            sequence=sequence,
            guard=guard,
        )

    def _message(self, plan: "_Plan", route: Route, frame: assemble.Frame) -> bytes | str:
        blockhash = key_bytes(plan.blockhash.blockhash)
        try:
            if route.legs[0].program is not Program.JUPITER:
                return assemble.direct(self._builder, route, frame, blockhash)
            if not isinstance(plan.swap, Swap):
                return "the aggregator's swap is not at hand"
            swap = plan.swap
            if not self._settings.foreign_tables:
                # The signer refuses tables that it does not know
                swap = replace(swap, tables=())
            message = assemble.foreign(self._builder, swap, frame, blockhash)
        except UsageError as error:
            return f"it cannot be built: {error}"
        if len(message) > MESSAGE_BYTES_MAX:
            return f"{TOO_LARGE}: {len(message)} bytes, at most {MESSAGE_BYTES_MAX} fit"
        return message

    def _opened(self, output_mint: str) -> OwnAccount | None:
        """Return the output's account if it may not be there: opening it again does no harm."""
        return None if self._wallet.exists(output_mint) else self._wallet.own(output_mint)

    def _shape(self, plan: "_Plan", programs: tuple[Program, ...], output_mint: str) -> Shape:
        return Shape(
            programs=programs,
            token_accounts=0 if self._opened(output_mint) is None else 1,
            memo=plan.flight.kind is OrderKind.ENTRY,
            guard=plan.sign.guarded,
        )


class _Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What one attempt starts from."""

    flight: Flight
    sign: Sign
    swap: Swap | str | None
    now_ns: int
    blockhash: Blockhash
    height_seen: int
    guard_lamports: int


def _offer(plan: _Plan) -> Offer | str | None:
    swap = plan.swap
    return swap.offer_at(plan.now_ns) if isinstance(swap, Swap) else swap
