"""The choice of a route by its net outcome, with every alternative that was not taken."""

from collections.abc import Sequence
from itertools import combinations
from typing import Final

import msgspec

from utb.domain.amounts import BPS, Q64_SHIFT, mul_div_ceil
from utb.domain.chain import Leg, Program, RefusedRoute, Route
from utb.domain.names import Side
from utb.routing.minimum import leg_minimums
from utb.routing.quotes import (
    Choice,
    CostLamports,
    Limits,
    NoRoute,
    Offer,
    PoolCandidate,
    RouteRequest,
)
from utb.routing.split import Part, best_split, gain_most_raw

SPLIT_POOLS_MAX: Final = 3
"""Only the best so many pools are tried in pairs: the search is on the hot path."""

_PAIR: Final = 2


class _Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One way to execute the order, before it is compared."""

    words: str
    parts: tuple[Part, ...]
    offer: Offer | None = None
    quoted_raw: int
    net_raw: int


def choose(
    request: RouteRequest,
    candidates: Sequence[PoolCandidate],
    offer: Offer | str | None,
    limits: Limits,
    cost_lamports: CostLamports,
) -> Choice:
    """Return the route with the best net outcome, or why there is none.

    Args:
        request: The attempt.
        candidates: Every pool of the pair that is configured.
        offer: The aggregator's quote; a text says why there is none; None: it was not asked.
        limits: Of ages and sizes.
        cost_lamports: Expected network costs of a shape.
    """
    protected = request.protected
    plans, refused = _singles(request, candidates, limits, cost_lamports)
    if protected is None:
        protected = _value_raw(request, plans, offer) >= limits.protected_from_quote_raw
    net = _Net(request, cost_lamports, protected=protected)
    if protected:
        plans = [net.plan(plan.words, plan.parts) for plan in plans]
    plans.sort(key=lambda plan: plan.net_raw, reverse=True)
    if limits.legs_max >= _PAIR:
        plans += _splits(request, plans[:SPLIT_POOLS_MAX], limits, net)
    if isinstance(offer, str):
        refused.append(RefusedRoute(words=Program.JUPITER, net_out_raw=None, reason=offer))
    elif offer is not None:
        _take_offer(request, offer, limits, net, plans, refused)
    plans.sort(key=lambda plan: plan.net_raw, reverse=True)
    return _decide(request, plans, refused, protected=protected)


class _Net:
    """What is left of a plan's output after its expected network costs."""

    def __init__(
        self, request: RouteRequest, cost_lamports: CostLamports, *, protected: bool
    ) -> None:
        self._request = request
        self._cost_lamports = cost_lamports
        self._protected = protected
        self._costs: dict[tuple[Program, ...], int] = {}

    def cost_quote_raw(self, programs: tuple[Program, ...]) -> int:
        """Return what a transaction with these legs costs, in quote raw, rounded up."""
        known = self._costs.get(programs)
        if known is None:
            lamports = self._cost_lamports(programs, self._protected)
            known = -((-lamports * self._request.lamport_quote_q64) >> Q64_SHIFT)
            self._costs[programs] = known
        return known

    def cost_raw(self, programs: tuple[Program, ...], quoted_raw: int) -> int:
        """Return the same in output raw.

        Of a purchase the input is quote: its own rate says what the costs are in base.
        """
        cost_quote_raw = self.cost_quote_raw(programs)
        if self._request.side is Side.SELL:
            return cost_quote_raw
        return mul_div_ceil(cost_quote_raw, quoted_raw, self._request.amount_in_raw)

    def plan(self, words: str, parts: tuple[Part, ...], offer: Offer | None = None) -> _Plan:
        """Return a plan with its net outcome."""
        programs = tuple([part.candidate.program for part in parts]) or (Program.JUPITER,)
        quoted_raw = offer.out_raw if offer else sum([part.quote.out_raw for part in parts])
        return _Plan(
            words=words,
            parts=parts,
            offer=offer,
            quoted_raw=quoted_raw,
            net_raw=quoted_raw - self.cost_raw(programs, quoted_raw),
        )


def _singles(
    request: RouteRequest,
    candidates: Sequence[PoolCandidate],
    limits: Limits,
    cost_lamports: CostLamports,
) -> tuple[list[_Plan], list[RefusedRoute]]:
    """Return each pool with the whole input, and those that cannot quote."""
    net = _Net(request, cost_lamports, protected=False)
    plans, refused = [], []
    for candidate in candidates:
        reason = ""
        if candidate.age_slots is None:
            reason = "its accounts are not known to be current"
        elif candidate.age_slots > limits.pool_age_slots_max:
            reason = (
                f"its accounts are {candidate.age_slots} slots old, "
                f"at most {limits.pool_age_slots_max} are used"
            )
        else:
            quote = candidate.quote(request.amount_in_raw)
            if isinstance(quote, str):
                reason = quote
            elif quote.out_raw <= 0:
                reason = "it would give nothing"
            else:
                part = Part(candidate=candidate, amount_in_raw=request.amount_in_raw, quote=quote)
                plans.append(net.plan(candidate.words, (part,)))
                continue
        refused.append(RefusedRoute(words=candidate.words, net_out_raw=None, reason=reason))
    return plans, refused


def _splits(
    request: RouteRequest, singles: Sequence[_Plan], limits: Limits, net: _Net
) -> list[_Plan]:
    """Return the divisions over two pools that bring enough more than the best single pool."""
    found: list[_Plan] = []
    if not singles:
        return found
    best_raw = singles[0].net_raw
    gain_raw = max(0, mul_div_ceil(best_raw, limits.split_gain_bps_min, BPS))
    for one, other in combinations(singles, _PAIR):
        first, second = one.parts[0], other.parts[0]
        least_raw = best_raw - one.net_raw + gain_raw
        # What cannot bring this much cannot bring a second leg's costs besides
        if gain_most_raw(first, second, request.side) < least_raw:
            continue
        programs = first.candidate.program, second.candidate.program
        more_raw = net.cost_raw(programs, one.quoted_raw) - net.cost_raw(
            programs[:1], one.quoted_raw
        )
        parts = best_split(first, second, request.side, least_raw + more_raw)
        if parts is None:
            continue
        words = " + ".join(f"{part.candidate.words} {part.amount_in_raw}" for part in parts)
        plan = net.plan(f"split {words}", parts)
        if plan.net_raw >= best_raw + max(gain_raw, 1):
            found.append(plan)
    return found


def _take_offer(
    request: RouteRequest,
    offer: Offer,
    limits: Limits,
    net: _Net,
    plans: list[_Plan],
    refused: list[RefusedRoute],
) -> None:
    words = f"{Program.JUPITER} {offer.words}"
    if offer.age_ms > limits.offer_age_ms_max:
        reason = f"quoted {offer.age_ms:.0f} ms ago, at most {limits.offer_age_ms_max} ms are used"
    elif offer.amount_in_raw != request.amount_in_raw:
        reason = f"quoted for {offer.amount_in_raw}, not for {request.amount_in_raw}"
    elif offer.min_out_raw < request.min_out_raw:
        reason = f"its least output {offer.min_out_raw} is below {request.min_out_raw}"
    else:
        plans.append(net.plan(words, (), offer))
        return
    refused.append(RefusedRoute(words=words, net_out_raw=None, reason=reason))


def _value_raw(request: RouteRequest, plans: Sequence[_Plan], offer: Offer | str | None) -> int:
    """Return the order's value in quote raw: what a purchase spends, what a sale would bring."""
    if request.side is Side.BUY:
        return request.amount_in_raw
    best = max((plan.quoted_raw for plan in plans), default=0)
    return max(best, offer.out_raw) if isinstance(offer, Offer) else best


def _decide(
    request: RouteRequest, plans: list[_Plan], refused: list[RefusedRoute], *, protected: bool
) -> Choice:
    taken: _Plan | None = None
    for plan in plans:
        if plan.quoted_raw < request.min_out_raw:
            reason = f"quoted {plan.quoted_raw} is below the least output {request.min_out_raw}"
        elif taken is None:
            taken = plan
            continue
        else:
            reason = f"{taken.net_raw - plan.net_raw} less than the route taken"
        refused.append(RefusedRoute(words=plan.words, net_out_raw=plan.net_raw, reason=reason))
    if taken is None:
        return NoRoute(reason=_why_none(refused), refused=tuple(refused))
    legs = _legs(request, taken)
    return Route(
        legs=legs,
        slot=_slot(taken),
        mid_price=_mid_price(taken),
        quoted_out_raw=taken.quoted_raw,
        min_out_raw=sum(leg.min_out_raw for leg in legs),
        net_out_raw=taken.net_raw,
        protected=protected,
        refused=tuple(refused),
    )


def _why_none(refused: Sequence[RefusedRoute]) -> str:
    if not refused:
        return "no pool of this pair is configured"
    return "; ".join(f"{item.words}: {item.reason}" for item in refused)


def _legs(request: RouteRequest, plan: _Plan) -> tuple[Leg, ...]:
    if plan.offer is not None:
        offer = plan.offer
        return (
            Leg(
                program=Program.JUPITER,
                pool=offer.words,
                input_mint=request.input_mint,
                output_mint=request.output_mint,
                amount_in_raw=offer.amount_in_raw,
                quoted_out_raw=offer.out_raw,
                min_out_raw=offer.min_out_raw,
                pool_fee_raw=offer.fee_raw,
            ),
        )
    quoted = tuple(part.quote.out_raw for part in plan.parts)
    least = leg_minimums(quoted, request.slippage_bps, request.min_out_raw)
    return tuple(
        Leg(
            program=part.candidate.program,
            pool=part.candidate.pool,
            input_mint=request.input_mint,
            output_mint=request.output_mint,
            amount_in_raw=part.amount_in_raw,
            quoted_out_raw=part.quote.out_raw,
            min_out_raw=min_out_raw,
            pool_fee_raw=part.quote.fee_raw,
        )
        for part, min_out_raw in zip(plan.parts, least, strict=True)
    )


def _slot(plan: _Plan) -> int:
    if plan.offer is not None:
        return plan.offer.slot
    return min(part.quote.slot for part in plan.parts)


def _mid_price(plan: _Plan) -> float:
    if plan.offer is not None:
        return plan.offer.mid_price
    largest = max(plan.parts, key=lambda part: part.amount_in_raw)
    return largest.quote.price_before
