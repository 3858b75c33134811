"""Constant-product pools in whole numbers: an oracle of their own for the tests of routing."""

from dataclasses import dataclass

from utb.domain.chain import Program
from utb.domain.names import Side
from utb.routing.quotes import Limits, PoolCandidate, PoolQuote, RouteRequest

BASE, QUOTE = "base-mint", "quote-mint"


@dataclass(frozen=True)
class Curve:
    base_raw: int
    quote_raw: int
    fee_ppm: int = 2_500

    def quote(self, side: Side, amount_raw: int, slot: int = 100) -> PoolQuote | str:
        sell = side is Side.SELL
        given, taken = (self.base_raw, self.quote_raw) if sell else (self.quote_raw, self.base_raw)
        fee = -(-amount_raw * self.fee_ppm // 1_000_000)
        net = amount_raw - fee
        out = taken * net // (given + net)
        if out == 0:
            return "it would give nothing"
        after = (given + net, taken - out)
        base, quote = after if sell else (after[1], after[0])
        return PoolQuote(
            out_raw=out,
            fee_raw=fee,
            slot=slot,
            price_before=self.quote_raw / self.base_raw,
            price_after=quote / base,
        )


def candidate(
    curve: Curve,
    side: Side = Side.SELL,
    name: str = "pool-a",
    *,
    age: int | None = 0,
    program: Program = Program.RAYDIUM_AMM,
    slot: int = 100,
) -> PoolCandidate:
    return PoolCandidate(
        program=program,
        pool=name,
        quote=lambda amount: curve.quote(side, amount, slot),
        age_slots=age,
    )


def request(side: Side = Side.SELL, amount: int = 1_000_000, **changes: object) -> RouteRequest:
    fields: dict[str, object] = {
        "side": side,
        "input_mint": BASE if side is Side.SELL else QUOTE,
        "output_mint": QUOTE if side is Side.SELL else BASE,
        "amount_in_raw": amount,
        "min_out_raw": 1,
        "slippage_bps": 50,
        "lamport_quote_q64": (1 << 64) * 150_000_000 // 10**9,
    }
    return RouteRequest(**(fields | changes))  # type: ignore[arg-type]


def limits(**changes: int) -> Limits:
    fields = {
        "pool_age_slots_max": 4,
        "offer_age_ms_max": 2_000,
        "legs_max": 2,
        "split_gain_bps_min": 0,
        "protected_from_quote_raw": 10**15,
    }
    return Limits(**(fields | changes))


def free(_programs: tuple[Program, ...], _protected: bool) -> int:  # noqa: FBT001
    return 0


def per_leg(programs: tuple[Program, ...], protected: bool) -> int:  # noqa: FBT001
    return 5_000 + 20_000 * len(programs) + (1_000_000 if protected else 0)
