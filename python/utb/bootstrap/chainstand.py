"""The chain that `utb simnet --chain` serves beside the market, and what its wallets begin with."""

import re
from typing import Final

import msgspec

from utb.errors import UsageError
from utb.simnet.chain.amm.spec import MarketSpec
from utb.simnet.chain.settings import RENT_TODAY, ChainSettings
from utb.simnet.chain.world import Chain
from utb.simnet.grid import SECOND_NS
from utb.simnet.rpc.half import SLOT_MS, ChainHalf, ChainServed
from utb.simnet.rpc.tips import HELIUS_TIP_ACCOUNTS, JITO_TIP_ACCOUNTS
from utb.simnet.server.world import World

FUNDED_SLOTS: Final = 40
"""Slots that pass before anybody is served: what wallets begin with is finalized then."""
TIP_ACCOUNT_LAMPORTS: Final = 10_000_000
_DAY_NS: Final = 86_400 * SECOND_NS
_DEPTH_QUOTE: Final = 8.0e6
_FUND: Final = re.compile(r"([1-9A-HJ-NP-Za-km-z]{32,44})=(\d+(?:\.\d{1,9})?),(\d+(?:\.\d{1,6})?)")
_AMOUNT_MAX: Final = 10**9


class Funding(msgspec.Struct, frozen=True, kw_only=True):
    """What a wallet begins with."""

    wallet: str
    """Its address."""
    sol_lamports: int
    usdc_raw: int


class ChainOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What chain to serve."""

    seed: int = 7
    """Of the chain: its genesis hash, keys and blockhashes."""
    slot_ms: int = SLOT_MS
    """Milliseconds between slots; 0: they come only when asked for."""
    rent_lamports_per_byte: int = RENT_TODAY
    fund: tuple[Funding, ...] = ()


def funding(told: str) -> Funding:
    """Read `WALLET=SOL,USDC`, amounts in whole units.

    Raises:
        UsageError: If it is not of that form, or an amount is over a billion.
    """
    found = _FUND.fullmatch(told)
    if found is None:
        raise UsageError("--fund", told, "WALLET=SOL,USDC, for example WALLET=2,10000")
    sol, usdc = _raw(found[2], 9), _raw(found[3], 6)
    if sol > _AMOUNT_MAX * 10**9 or usdc > _AMOUNT_MAX * 10**6:
        raise UsageError("--fund", told, f"amounts of at most {_AMOUNT_MAX}")
    return Funding(wallet=found[1], sol_lamports=sol, usdc_raw=usdc)


def make_chain(world: World, options: ChainOptions) -> ChainServed:
    """Make a chain whose pools trade a world's instruments at their first prices.

    Raises:
        UsageError: If an option is out of its range.
    """
    if options.seed < 0:
        raise UsageError("--chain-seed", str(options.seed), "0 or more")
    if not 1 <= options.rent_lamports_per_byte <= _AMOUNT_MAX:
        expected = f"1 to {_AMOUNT_MAX}"
        raise UsageError("--rent", str(options.rent_lamports_per_byte), expected)
    markets = []
    for instrument in world.instruments:
        liquidity_usd = world.liquidity_usd[instrument.index]
        markets.append(
            MarketSpec(
                symbol=instrument.symbol,
                base_mint=instrument.base_mint,
                base_decimals=instrument.base_decimals,
                price=_first_price(world, instrument.index),
                depth_quote=liquidity_usd / 2 if liquidity_usd else _DEPTH_QUOTE,
            )
        )
    settings = ChainSettings(
        seed=options.seed,
        slot_ms=options.slot_ms or SLOT_MS,
        rent_lamports_per_byte=options.rent_lamports_per_byte,
    )
    return ChainServed(chain=Chain(settings, markets), slot_ms=options.slot_ms)


def fund(half: ChainHalf, options: ChainOptions) -> None:
    """Give wallets what they begin with; when this returns it is there and finalized."""
    for address in (*JITO_TIP_ACCOUNTS, *HELIUS_TIP_ACCOUNTS):
        # They exist on the real chain; a tip smaller than their rent could not open them
        half.front.chain.airdrop(address, TIP_ACCOUNT_LAMPORTS)
    for one in options.fund:
        half.fund(one.wallet, sol_lamports=one.sol_lamports, usdc_raw=one.usdc_raw)
    half.driver.step(FUNDED_SLOTS)


def _first_price(world: World, instrument: int) -> float:
    start_ns, end_ns = world.span_ns
    for until_ns in (min(start_ns + _DAY_NS, end_ns), end_ns):
        opens = world.history.columns(instrument, until_ns).open
        if len(opens):
            return float(opens[0])
    symbol = world.instruments[instrument].symbol
    raise UsageError("--chain", symbol, "a market with prices: its pools have no first price")


def _raw(told: str, decimals: int) -> int:
    """Return an amount of whole units in base units, exactly."""
    whole, _, part = told.partition(".")
    return int(whole + part.ljust(decimals, "0"))
