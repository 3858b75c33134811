"""What an attempt costs: prices of compute by pool, tips, and compute units by program."""

from collections.abc import Sequence
from typing import Final

import msgspec

from utb.adapters.chain.fees import FeeLevel
from utb.adapters.chain.state import FeeWatch
from utb.adapters.venues.solana.parts import ChainReadings
from utb.domain.amounts import div_ceil
from utb.domain.chain import Program
from utb.domain.names import ExitReason, Side
from utb.domain.orders import OrderIntent
from utb.routing.fees import (
    Fee,
    FeeRequest,
    FeeRules,
    Shape,
    choose_fee,
    fee_lamports,
    units_assumed,
)

Watches = dict[str, FeeWatch]
Measured = dict[Program, int]

TIP_SHARE: Final = 2
"""A tip is at most one part in so many of an order's most."""


def level_of(intent: OrderIntent) -> FeeLevel:
    """Return how much it matters that an order lands at once."""
    if intent.side is Side.BUY:
        return FeeLevel.ENTRY
    return FeeLevel.EMERGENCY if intent.exit_reason is ExitReason.EMERGENCY else FeeLevel.EXIT


class Pricing:
    """Fees of attempts, from what is known without asking."""

    def __init__(self, chain: ChainReadings, rules: FeeRules) -> None:
        self._chain = chain
        self._rules = rules
        self._watches: Watches = {}
        self.measured: Measured = {}
        """Compute units of one swap as simulated, margin included; for entries only."""

    def watch(self, pool: str, written: Sequence[str]) -> None:
        """Read the recent prices on a pool's accounts from now on."""
        if pool not in self._watches:
            self._watches[pool] = self._chain.watch_fees(written)

    def units(self, shape: Shape, level: FeeLevel) -> int:
        """Return the compute-unit limit of a shape.

        A simulated entry may be below the table; an exit never is: it must not fail for that.
        """
        return units_assumed(shape, self.measured, at_least_table=level is not FeeLevel.ENTRY)

    def price(self, pools: Sequence[str], level: FeeLevel) -> int | None:
        """Return the highest recent price on these pools; None: unknown for all of them."""
        readings = [
            reading.value
            for pool in pools
            if (watch := self._watches.get(pool)) is not None
            and (reading := watch.price(level)) is not None
        ]
        return max(readings, default=None)

    def expected_price(self, level: FeeLevel) -> int:
        """Return the price per compute unit with which routes are compared."""
        known = self.price(tuple(self._watches), level)
        return self._rules.price_default if known is None else known

    def expected_lamports(self, shape: Shape, level: FeeLevel, price: int, tip: int) -> int:
        """Return what a transaction of a shape is expected to cost at a price and with a tip."""
        return fee_lamports(self.units(shape, level), price, tip)

    def tip_lamports(self, level: FeeLevel, *, least: int, most: int) -> int:
        """Return the tip to offer a relay, at least what it wants."""
        return max(least, min(self._chain.tip(level).value, most // TIP_SHARE))

    def fee(self, ask: "FeeAsk") -> Fee | str:
        """Return the fee of an attempt; a text says why there is none."""
        return choose_fee(
            FeeRequest(
                compute_unit_limit=self.units(ask.shape, ask.level),
                price_recent=self.price(ask.pools, ask.level),
                tip_lamports=ask.tip_lamports,
                fee_step=ask.fee_step,
                fee_lamports_max=ask.fee_lamports_max,
                sequence=ask.sequence,
            ),
            self._rules,
        )


class FeeAsk(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt that needs a fee."""

    shape: Shape
    pools: tuple[str, ...]
    level: FeeLevel
    tip_lamports: int
    fee_step: int
    fee_lamports_max: int
    sequence: int


def fee_in_quote(side: Side, fee_raw: int, *, base_raw: int, quote_raw: int) -> int:
    """Return a pool fee told in input raw as quote raw, at the fill's own price, rounded up."""
    if side is Side.BUY:
        return min(fee_raw, quote_raw)
    return min(div_ceil(fee_raw * quote_raw, base_raw), quote_raw)
