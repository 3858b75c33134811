"""The compiled core against the stand-in chain: its quotes and its transactions, to the unit.

Two independent implementations of the venues' maths meet here: the core's and the chain's.
"""

import numpy as np
import pytest
from chain_stand import NOW, SPECS, WALLET, Stand

from utb.domain.chain import USDC_MINT, Program
from utb.engine.chain import (
    BuildOrder,
    NoQuote,
    Pools,
    Quote,
    SwapSpec,
    TransactionBuilder,
    key_bytes,
    key_text,
    transaction,
)
from utb.simnet.chain import wire
from utb.simnet.chain.amm.calls import Refused
from utb.simnet.chain.types import ChainError, Market, PoolAddress

EVERY_POOL = [
    (spec.symbol, program.value)
    for spec in SPECS
    for program in Program
    if program is not Program.JUPITER
    and (not spec.is_token_2022 or program in {Program.RAYDIUM_CPMM, Program.WHIRLPOOL})
]


@pytest.fixture(scope="module")
def stand() -> Stand:
    return Stand(SPECS)


def watch(stand: Stand, place: PoolAddress) -> Pools:
    pools = Pools()
    pools.watch(Program(place.program), key_bytes(place.pool))
    refresh(stand, pools, place)
    return pools


def refresh(stand: Stand, pools: Pools, place: PoolAddress) -> None:
    """Read accounts until the pool names no more of them."""
    read: set[bytes] = set()
    pools.on_slot(stand.chain.slot)
    while wanted := {*pools.needs(key_bytes(place.pool)), *pools.missing()} - read:
        for key in sorted(wanted):
            found = stand.chain.account(key_text(key), NOW)
            owner, data = (
                (bytes(32), b"") if found is None else (key_bytes(found.owner), found.data)
            )
            pools.apply(key, owner, data, stand.chain.slot)
        read |= wanted


def amounts(market: Market, seed: int, count: int) -> list[tuple[bool, int]]:
    """Return (buying, input raw) of 1 to 100,000 dollars, evenly in the logarithm."""
    draws = np.random.default_rng(seed)
    found = []
    for dollars in 10 ** draws.uniform(0, 5, count):
        buying = bool(draws.random() < 0.5)
        unit = 10**6 if buying else 10**market.base_decimals / market.price
        found.append((buying, int(dollars * unit)))
    return found


@pytest.mark.parametrize(("symbol", "program"), EVERY_POOL)
def test_core_and_chain_quote_alike(stand: Stand, symbol: str, program: str) -> None:
    place, market = stand.pool(symbol, program), stand.market(symbol)
    pools = watch(stand, place)
    for buying, amount in amounts(market, 5, 40):
        mint = USDC_MINT if buying else place.base_mint
        quote = pools.quote(key_bytes(place.pool), key_bytes(mint), amount)
        if isinstance(quote, NoQuote):
            with pytest.raises(Refused):
                stand.chain.amm.quote(place, mint, amount)
        else:
            assert quote.out_raw == stand.chain.amm.quote(place, mint, amount)


@pytest.mark.parametrize(("symbol", "program"), EVERY_POOL)
def test_cores_transactions_land_as_quoted(stand: Stand, symbol: str, program: str) -> None:
    """Each is refused by the venue with a minimum one unit higher, and lands without."""
    place, market = stand.pool(symbol, program), stand.market(symbol)
    stand.chain.set_price(symbol, market.price * 1.07)
    stand.chain.tick()
    pools = watch(stand, place)
    builder = TransactionBuilder(bytes(stand.wallet), pools)
    for number, (buying, amount) in enumerate(amounts(market, 7, 6)):
        paid, got = (USDC_MINT, place.base_mint) if buying else (place.base_mint, USDC_MINT)
        refresh(stand, pools, place)
        quote = pools.quote(key_bytes(place.pool), key_bytes(paid), min(amount, 10**12))
        assert isinstance(quote, Quote)
        signed = []
        for least in (quote.out_raw, quote.out_raw + 1):
            order = BuildOrder(
                compute_unit_limit=400_000,
                compute_unit_price=1_024 + number,
                legs=(
                    SwapSpec(
                        program=Program(program),
                        pool=key_bytes(place.pool),
                        input_mint=key_bytes(paid),
                        amount_in_raw=quote.in_raw,
                        min_out_raw=least,
                    ),
                ),
            )
            blockhash = key_bytes(stand.chain.latest_blockhash(NOW).blockhash)
            message = builder.build(order, blockhash)
            signed.append(transaction(message, [bytes(WALLET.sign_message(message))]))
        assert stand.chain.simulate(signed[1], sig_verify=True).err is not None
        had = stand.amount(got)
        signature = stand.chain.submit(signed[0])
        assert stand.chain.tick().landed == (signature,)
        landed = stand.chain.transaction(signature, NOW)
        assert landed is not None
        assert landed.meta.err is None, landed.meta.logs
        assert stand.amount(got) - had == quote.out_raw


def test_bytes_that_parse_and_make_no_sense_are_refused() -> None:
    """An account index out of bounds: the parser takes it, the check behind it does not."""
    with pytest.raises(ChainError, match="invalid transaction"):
        wire.read(bytes(200))
