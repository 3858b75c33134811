"""Jupiter's quotes: the best way through the chain's pools, as its API tells it."""

from dataclasses import dataclass
from typing import Any, Final

from utb.domain.chain import Program
from utb.simnet.chain.types import PoolAddress
from utb.simnet.rpc.quoting import QuotedSwap, Quotes

LABELS: Final = {
    Program.RAYDIUM_AMM.value: "Raydium",
    Program.RAYDIUM_CPMM.value: "Raydium CP",
    Program.PUMPSWAP.value: "Pump.fun Amm",
    Program.WHIRLPOOL.value: "Whirlpool",
}
"""Names of exchanges as the API has them, by our names of the programs."""
Legs = tuple[tuple[QuotedSwap, int], ...]
"""(swap, percent of the input) of each."""
SLIPPAGE_BPS: Final = 50
_SHARES: Final = (75, 50, 25)
"""Percents of the better one of two pools that are tried."""
_BPS: Final = 10_000


class JupiterError(Exception):
    """HTTP 400 with a code."""

    def __init__(self, words: str, code: str | None = None) -> None:
        super().__init__(words)
        self.words = words
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a quote is asked for."""

    input_mint: str
    output_mint: str
    amount_raw: int
    slippage_bps: int = SLIPPAGE_BPS
    user: str
    dexes: frozenset[str] = frozenset()
    """Labels; empty: all."""
    excluded: frozenset[str] = frozenset()
    accounts_max: int = 64
    direct: bool = False
    """One pool only."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """A route and what it gives."""

    asked: Asked
    legs: Legs
    slot: int
    impact: float
    """Part of the price that the size costs, 0..1."""

    @property
    def out_raw(self) -> int:
        """Return what comes out of it."""
        return sum(swap.out_raw for swap, _ in self.legs)

    @property
    def threshold_raw(self) -> int:
        """Return the least that may come out of it, rounded up."""
        return -(-self.out_raw * (_BPS - self.asked.slippage_bps) // _BPS)

    def told(self, time_s: float) -> dict[str, Any]:
        """Return it as the API tells it."""
        asked = self.asked
        return {
            "inputMint": asked.input_mint,
            "inAmount": str(asked.amount_raw),
            "outputMint": asked.output_mint,
            "outAmount": str(self.out_raw),
            "otherAmountThreshold": str(self.threshold_raw),
            "swapMode": "ExactIn",
            "slippageBps": asked.slippage_bps,
            "platformFee": None,
            "priceImpactPct": f"{self.impact:.12f}".rstrip("0").rstrip(".") or "0",
            "routePlan": [
                {
                    "swapInfo": {
                        "ammKey": swap.place.pool,
                        "label": LABELS[swap.place.program],
                        "inputMint": asked.input_mint,
                        "inAmount": str(swap.in_raw),
                        "outputMint": asked.output_mint,
                        "outAmount": str(swap.out_raw),
                    },
                    "percent": percent,
                    "bps": percent * 100,
                }
                for swap, percent in self.legs
            ],
            "contextSlot": self.slot,
            "timeTaken": time_s,
        }


def find(quotes: Quotes, asked: Asked, slot: int) -> Quoted:
    """Return the best route.

    Raises:
        JupiterError: If there is none.
    """
    for mint in (asked.input_mint, asked.output_mint):
        if mint not in quotes.mints():
            raise JupiterError(f"The token {mint} is not tradable", "TOKEN_NOT_TRADABLE")
    pools = [
        place for place in quotes.pools(asked.input_mint, asked.output_mint) if _may(place, asked)
    ]
    whole = [_leg(quotes, place, asked, asked.amount_raw) for place in pools]
    single = sorted((one for one in whole if one is not None), key=lambda one: -one.out_raw)
    routes: list[Legs] = [((one, 100),) for one in single if _fits(asked, one)]
    if len(single) > 1 and not asked.direct and _fits(asked, *single[:2]):
        routes += _splits(quotes, asked, single[0].place, single[1].place)
    if not routes:
        raise JupiterError("No routes found", "NO_ROUTES_FOUND")
    best = max(routes, key=lambda legs: sum(swap.out_raw for swap, _ in legs))
    return Quoted(asked, best, slot, _impact(quotes, asked, best))


def along(quotes: Quotes, asked: Asked, plan: list[tuple[str, int]], slot: int) -> Quoted:
    """Return the route that a client was quoted before, at present prices.

    Args:
        quotes: Of the chain.
        asked: What was asked for.
        plan: (pool, percent) of each leg.
        slot: The present slot.

    Raises:
        JupiterError: If it is no route any more.
    """
    places = {one.pool: one for one in quotes.pools(asked.input_mint, asked.output_mint)}
    if not plan or sum(percent for _, percent in plan) != 100:  # noqa: PLR2004 - percents
        raise JupiterError("quoteResponse: the percents of routePlan do not add up to 100")
    legs, left = [], asked.amount_raw
    for number, (pool, percent) in enumerate(plan):
        last = number == len(plan) - 1
        amount = left if last else asked.amount_raw * percent // 100
        left -= amount
        place = places.get(pool)
        leg = None if place is None else _leg(quotes, place, asked, amount)
        if leg is None:
            raise JupiterError("No routes found", "NO_ROUTES_FOUND")
        legs.append((leg, percent))
    return Quoted(asked, tuple(legs), slot, 0.0)


def _splits(quotes: Quotes, asked: Asked, first: PoolAddress, second: PoolAddress) -> list[Legs]:
    found: list[Legs] = []
    for percent in _SHARES:
        amount = asked.amount_raw * percent // 100
        if not 0 < amount < asked.amount_raw:
            continue
        one = _leg(quotes, first, asked, amount)
        two = _leg(quotes, second, asked, asked.amount_raw - amount)
        if one is not None and two is not None:
            found.append(((one, percent), (two, 100 - percent)))
    return found


def _leg(quotes: Quotes, place: PoolAddress, asked: Asked, amount_raw: int) -> QuotedSwap | None:
    found = quotes.swap(place, asked.user, asked.input_mint, amount_raw)
    return found if found is not None and found.out_raw > 0 else None


def _may(place: PoolAddress, asked: Asked) -> bool:
    label = LABELS[place.program]
    return label not in asked.excluded and (not asked.dexes or label in asked.dexes)


def _fits(asked: Asked, *swaps: QuotedSwap) -> bool:
    """Return whether a route's accounts, each counted once, are few enough."""
    keys = {meta.pubkey for swap in swaps for meta in swap.instruction.accounts}
    return len(keys) <= asked.accounts_max


def _impact(quotes: Quotes, asked: Asked, legs: Legs) -> float:
    """Return what the size costs against a thousandth of it through the same first pool."""
    small_raw = asked.amount_raw // 1_000
    small = _leg(quotes, legs[0][0].place, asked, small_raw) if small_raw else None
    if small is None:
        return 0.0
    out_raw = sum(swap.out_raw for swap, _ in legs)
    return max(0.0, 1 - out_raw / asked.amount_raw * small_raw / small.out_raw)
