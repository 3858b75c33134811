"""What the choice of a route is made from."""

from collections.abc import Callable

import msgspec

from utb.domain.chain import Program, RefusedRoute, Route
from utb.domain.names import Side


class PoolQuote(msgspec.Struct, frozen=True, kw_only=True):
    """What a pool gives for an exact input, by its own arithmetic."""

    out_raw: int
    fee_raw: int
    """The pool's fee, in input raw."""
    slot: int
    """Of the newest account it was computed from."""
    price_before: float
    """Quote per base, fee excluded, > 0."""
    price_after: float


QuotePool = Callable[[int], PoolQuote | str]
"""Quote of an exact input; a text is the reason why there is none."""


class PoolCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """One pool that trades the pair."""

    program: Program
    pool: str
    quote: QuotePool
    age_slots: int | None
    """Slots since its accounts were last known to be current; None: unknown."""

    @property
    def words(self) -> str:
        """Return what a record calls it."""
        return f"{self.program} {self.pool}"


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """An aggregator's quote for the whole order."""

    words: str
    """Its route plan."""
    amount_in_raw: int
    out_raw: int
    fee_raw: int
    """Pool fees it names, in input raw; 0 when it names none."""
    slot: int
    mid_price: float
    """Quote per base before the swap, as far as the quote tells."""
    age_ms: float
    min_out_raw: int
    """Least output its instruction enforces."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """`[routing]` as the choice uses it."""

    pool_age_slots_max: int
    offer_age_ms_max: int
    legs_max: int
    """1: no splits."""
    split_gain_bps_min: int
    """A split must bring this much more than the best single pool, net."""
    protected_from_quote_raw: int
    """Orders of at least this value go over protected senders only."""


CostLamports = Callable[[tuple[Program, ...], bool], int]
"""Expected network costs of a transaction with these legs, protected or not."""


class RouteRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt of an order that needs a route."""

    side: Side
    input_mint: str
    output_mint: str
    amount_in_raw: int
    min_out_raw: int
    """Least output the order accepts at this attempt."""
    slippage_bps: int
    lamport_quote_q64: int
    """Quote raw per lamport, times 2^64, rounded up."""
    protected: bool | None = None
    """Forced, for later attempts of one order; None: by size."""


class NoRoute(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing can execute the order now."""

    reason: str
    refused: tuple[RefusedRoute, ...]


Choice = Route | NoRoute
