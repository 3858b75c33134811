"""Compute units of swaps, measured by unsigned simulations in the background.

A purchase over each pool is simulated now and then; what it used, with a margin, becomes the limit
of entries over that program. Without an answer the table of `routing.fees` stands.
"""

from typing import Final

from utb.adapters.rpc import calls
from utb.adapters.rpc.answers import Bad
from utb.adapters.venues.solana.gate import UNSIGNED
from utb.adapters.venues.solana.parts import Builder, ChainReadings, Rpc
from utb.adapters.venues.solana.pricing import Pricing
from utb.adapters.venues.solana.settings import VenueSettings
from utb.adapters.venues.solana.wallet import WalletAccounts
from utb.domain.chain import COMPUTE_UNITS_MAX, Program
from utb.domain.market import Instrument
from utb.engine.chain import BuildOrder, SwapSpec, key_bytes, transaction
from utb.errors import UsageError
from utb.ports.livefeed import Timer
from utb.routing.fees import with_margin

EVERY_SECONDS: Final = 300.0
RETRY_SECONDS: Final = 15.0
"""While a program has not been measured."""


TRIAL_TIMES: Final = 100
"""A trial spends so many times the smallest order, if the wallet has it twice."""


class UnitsMeter:
    """Measures every program whose pools are configured."""

    def __init__(  # noqa: PLR0913 - what a trial is made of
        self,
        *,
        settings: VenueSettings,
        instruments: tuple[Instrument, ...],
        rpc: Rpc,
        timer: Timer,
        chain: ChainReadings,
        wallet: WalletAccounts,
        builder: Builder,
        pricing: Pricing,
    ) -> None:
        self._settings = settings
        self._instruments = instruments
        self._rpc = rpc
        self._timer = timer
        self._chain = chain
        self._wallet = wallet
        self._builder = builder
        self._pricing = pricing
        self.troubles: dict[str, str] = {}
        """Why a pool could not be measured, by address."""

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            await self.measure()
            await self._timer.sleep(RETRY_SECONDS if self.troubles else EVERY_SECONDS)

    async def measure(self) -> None:
        """Measure every pool once; a program's figure is that of its dearest pool."""
        found: dict[Program, int] = {}
        for instrument in self._instruments:
            amount_in_raw = self._amount_raw(instrument)
            for place in self._settings.pools[instrument.index]:
                leg = SwapSpec(
                    program=place.program,
                    pool=place.key,
                    input_mint=key_bytes(instrument.quote_mint),
                    amount_in_raw=amount_in_raw,
                    min_out_raw=1,
                )
                units = await self._measured(instrument, leg)
                if isinstance(units, str):
                    self.troubles[place.address] = units
                    continue
                self.troubles.pop(place.address, None)
                found[place.program] = max(found.get(place.program, 0), units)
        margin = self._settings.compute_margin_percent
        for program, units in found.items():
            self._pricing.measured[program] = with_margin(units, margin)

    def _amount_raw(self, instrument: Instrument) -> int:
        """Return what is spent in a trial: as much as an order might, for ticks cost units too."""
        least = instrument.min_order_quote_raw
        held = self._wallet.balance_raw(instrument.quote_mint) or 0
        return max(least, min(held // 2, least * TRIAL_TIMES))

    async def _measured(self, instrument: Instrument, leg: SwapSpec) -> int | str:
        blockhash = self._chain.blockhash()
        if blockhash is None:
            return "no blockhash is known"
        if not self._wallet.exists(instrument.base_mint):
            return "the wallet has no account of its base yet"
        order = BuildOrder(compute_unit_limit=COMPUTE_UNITS_MAX, compute_unit_price=0, legs=(leg,))
        try:
            message = self._builder.build(order, key_bytes(blockhash.blockhash))
            unsigned = transaction(message, (UNSIGNED,))
        except UsageError as error:
            return str(error)
        answer = await self._rpc.call(calls.simulate(unsigned))
        if isinstance(answer, Bad):
            return answer.sentence
        if answer.value.err is not None or not answer.value.units_consumed:
            return f"its simulation fails: {answer.value.err}"
        return answer.value.units_consumed
