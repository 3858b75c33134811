"""The gate before an unlisted mint is bought: what it is, and whether it can be sold again.

The mint's account is read and judged. Then a purchase and its sale are simulated in one unsigned
message, so that no endpoint holds anything that could be sent; what the round trip would lose must
be within the limit. Answers are kept for a while: the gate is never on the way of a listed mint.
"""

from typing import Final

import msgspec

from utb.adapters.rpc import calls
from utb.adapters.rpc.answers import AccountValue, Bad, SimulationValue
from utb.adapters.venues.solana.parts import Builder, ChainReadings, Rpc
from utb.adapters.venues.solana.poolfeed import PoolFeed
from utb.adapters.venues.solana.settings import PoolPlace, VenueSettings
from utb.adapters.venues.solana.wallet import OwnAccount, WalletAccounts
from utb.domain.amounts import BPS, div_ceil
from utb.domain.chain import COMPUTE_UNITS_MAX, Commitment
from utb.domain.market import Instrument
from utb.domain.names import Side
from utb.engine.chain import BuildOrder, SwapSpec, TokenAccount, key_bytes, transaction
from utb.errors import UsageError
from utb.routing.minimum import least_out
from utb.routing.mints import read_mint, refusal
from utb.routing.quotes import PoolQuote

UNSIGNED: Final = bytes(64)
"""In place of a signature."""

SALE_MARGIN_BPS: Final = 100
"""The sale in the simulated message sells this much less than the purchase is quoted."""

FAILURE_NS: Final = 2_000_000_000
"""How long a check that could not be made is remembered: nothing bad is known of the mint."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a mint."""

    reason: str
    """Why it may not be bought; empty: it may."""
    until_ns: int


class MintGate:
    """Answers by mint."""

    def __init__(
        self,
        *,
        settings: VenueSettings,
        rpc: Rpc,
        chain: ChainReadings,
        pools: PoolFeed,
        wallet: WalletAccounts,
        builder: Builder,
    ) -> None:
        self._settings = settings
        self._rpc = rpc
        self._chain = chain
        self._pools = pools
        self._wallet = wallet
        self._builder = builder
        self._verdicts: dict[str, Verdict] = {}

    def verdict(self, mint: str, now_ns: int) -> str | None:
        """Return why a mint may not be bought, nothing when it may; None: not known."""
        found = self._verdicts.get(mint)
        return None if found is None or now_ns >= found.until_ns else found.reason

    async def check(self, instrument: Instrument, amount_in_raw: int, now_ns: int) -> None:
        """Find a mint's verdict out.

        Args:
            instrument: Whose base it is.
            amount_in_raw: Quote the order would spend.
            now_ns: Of the decision; the answer holds from then on.
        """
        reason = await self._mint_reason(instrument.base_mint)
        if not reason:
            reason = await self._trip_reason(instrument, amount_in_raw)
        kept_ns = self._settings.mint_check_ns
        if isinstance(reason, _Failure):
            reason, kept_ns = f"it could not be checked: {reason.sentence}", FAILURE_NS
        self._verdicts[instrument.base_mint] = Verdict(reason=reason, until_ns=now_ns + kept_ns)

    async def _mint_reason(self, mint: str) -> "str | _Failure":
        answer = await self._rpc.call(calls.accounts((mint,), Commitment.CONFIRMED))
        if isinstance(answer, Bad):
            return _Failure(answer.sentence)
        value = answer.value[0] if answer.value else None
        if value is None:
            return "its account does not exist"
        found = read_mint(value.owner, value.data[0])
        return (
            found if isinstance(found, str) else refusal(found, self._settings.mint_risks_allowed)
        )

    async def _trip_reason(self, instrument: Instrument, amount_in_raw: int) -> "str | _Failure":
        quote = self._wallet.own(instrument.quote_mint)
        base = self._wallet.own(instrument.base_mint)
        before_raw = self._wallet.balance_raw(instrument.quote_mint)
        held_raw = self._wallet.held_raw(instrument.base_mint)
        blockhash = self._chain.blockhash()
        if quote is None or base is None or blockhash is None:
            return _Failure("the wallet's accounts or a blockhash are not known yet")
        places = self._settings.pools[instrument.index]
        if not places:
            return "no pool of its own is configured that a sale could be tried on"
        reasons = []
        for place in places:
            trip = self._trip(place, quote, base, amount_in_raw)
            if isinstance(trip, str):
                reasons.append(f"{place.program} {place.address}: {trip}")
                continue
            order, sold_raw = trip
            try:
                message = self._builder.build(order, key_bytes(blockhash.blockhash))
                unsigned = transaction(message, (UNSIGNED,))
            except UsageError as error:
                return _Failure(str(error))
            call = calls.simulate(unsigned, addresses=(quote.address, base.address))
            answer = await self._rpc.call(call)
            if isinstance(answer, Bad):
                return _Failure(answer.sentence)
            return self._judge(answer.value, amount_in_raw, sold_raw, (before_raw, held_raw))
        return _Failure("; ".join(reasons))

    def _trip(
        self, place: PoolPlace, quote: OwnAccount, base: OwnAccount, amount_in_raw: int
    ) -> tuple[BuildOrder, int] | str:
        """Return a message that buys and sells what the purchase brings at least."""
        bought = self._pools.candidate(place, quote.mint_key, Side.BUY).quote(amount_in_raw)
        if not isinstance(bought, PoolQuote):
            return bought
        sold_raw = least_out(bought.out_raw, SALE_MARGIN_BPS)
        legs = (
            SwapSpec(
                program=place.program,
                pool=place.key,
                input_mint=quote.mint_key,
                amount_in_raw=amount_in_raw,
                min_out_raw=sold_raw,
            ),
            SwapSpec(
                program=place.program,
                pool=place.key,
                input_mint=base.mint_key,
                amount_in_raw=sold_raw,
                min_out_raw=1,
            ),
        )
        opened = TokenAccount(mint=base.mint_key, token_program=base.token_program_key)
        order = BuildOrder(
            compute_unit_limit=COMPUTE_UNITS_MAX,
            compute_unit_price=0,
            create_token_accounts=(opened,),
            legs=legs,
        )
        return order, sold_raw

    def _judge(
        self,
        found: SimulationValue,
        spent_raw: int,
        sold_raw: int,
        before: tuple[int | None, int | None],
    ) -> "str | _Failure":
        if found.err is not None:
            return f"a simulated purchase and sale fails: {found.err}"
        quote_raw, base_raw = before
        if quote_raw is None or base_raw is None:
            return _Failure("what the wallet holds is not known yet")
        amounts = [_amount(account) for account in found.accounts or ()]
        if len(amounts) != len(before) or amounts[0] is None or amounts[1] is None:
            return _Failure("the simulation told no balances")
        left_raw = amounts[1] - base_raw
        returned_raw = amounts[0] - quote_raw + spent_raw
        # What was not sold is worth what the sold part brought.
        worth_raw = returned_raw * (sold_raw + max(left_raw, 0)) // sold_raw
        loss_bps = div_ceil((spent_raw - worth_raw) * BPS, spent_raw)
        most = self._settings.round_trip_loss_bps_max
        if loss_bps > most:
            return f"a simulated purchase and sale loses {loss_bps} bps, at most {most} are allowed"
        return ""


class _Failure(msgspec.Struct, frozen=True):
    """Nothing was found out."""

    sentence: str


def _amount(account: AccountValue | None) -> int | None:
    """Return the amount of a token account, u64 at 64."""
    if account is None or len(account.data[0]) < 72:  # noqa: PLR2004
        return None
    return int.from_bytes(account.data[0][64:72], "little")
