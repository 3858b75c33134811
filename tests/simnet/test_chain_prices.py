"""The arbitrageur: pools follow the price, and no token comes or goes."""

from fractions import Fraction

import pytest
from chain_stand import NOW, SPECS, Stand
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM

from utb.domain.chain import USDC_MINT
from utb.errors import UsageError
from utb.simnet import base58
from utb.simnet.chain import tokens
from utb.simnet.chain.amm.instructions import SwapOrder
from utb.simnet.chain.amm.markets import VENUES as PROGRAM_IDS
from utb.simnet.chain.amm.spec import MarketSpec
from utb.simnet.chain.types import PoolAddress
from utb.simnet.profiles import key_of

DUST = base58.encode(key_of("mint DUST"))
FEE_PARTS = 0.012
"""More than any venue's fee of one way."""


def middle(stand: Stand, place: PoolAddress, decimals: int) -> float:
    """Return a pool's price from two tiny quotes, quote per base in whole units."""
    unit = 10**decimals
    usdc = 10**9
    bought = stand.chain.amm.quote(place, USDC_MINT, usdc)
    sold = stand.chain.amm.quote(place, place.base_mint, bought)
    return float(Fraction(usdc + sold, 2) / bought * unit / 10**6)


@pytest.mark.parametrize("factor", [1.0001, 0.97, 1.4, 0.35, 3.0, 999.0, 1 / 999.0])
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.symbol)
def test_pools_follow_the_price(spec: object, factor: float) -> None:
    one = next(found for found in SPECS if found is spec)
    stand = Stand((one,))
    before = stand.sums()
    price = one.price * factor
    stand.chain.set_price(one.symbol, price)
    events = stand.chain.tick()
    market = stand.market(one.symbol)
    for place in market.pools:
        found = middle(stand, place, one.base_decimals)
        # A transfer fee is paid on both ways, so the middle of two quotes is off by it.
        slack = FEE_PARTS + (one.transfer_fee_bps or 0) / 10_000
        assert abs(found / price - 1) < slack, place
        own = place.program in {"whirlpool", "raydium_cpmm"}
        assert place.pool in events.accounts or not own
    assert stand.sums() == before


def test_price_moves_back_to_the_same_reserves() -> None:
    """There and back leaves what rounding keeps for the pool, at most a few base units."""
    (spec,) = (one for one in SPECS if one.symbol == "WIF-USDC")
    stand = Stand((spec,))
    stand.chain.tick()
    place = stand.pool("WIF-USDC", "whirlpool")
    quoted = [
        stand.chain.amm.quote(one, USDC_MINT, 10**9) for one in stand.market("WIF-USDC").pools
    ]
    for price in (spec.price * 1.3, spec.price * 0.8, spec.price):
        stand.chain.set_price("WIF-USDC", price)
        stand.chain.tick()
    again = [stand.chain.amm.quote(one, USDC_MINT, 10**9) for one in stand.market("WIF-USDC").pools]
    assert place.pool
    for old, new in zip(quoted, again, strict=True):
        assert abs(old - new) <= 2 + old // 10**6


def test_price_holds_after_a_fork() -> None:
    (spec,) = (one for one in SPECS if one.symbol == "SOL-USDC")
    stand = Stand((spec,))
    stand.chain.set_price("SOL-USDC", 200.0)
    stand.chain.tick()
    stand.chain.fork(1)
    place = stand.pool("SOL-USDC", "raydium_amm")
    assert abs(middle(stand, place, 9) / spec.price - 1) < FEE_PARTS
    stand.chain.tick()
    assert abs(middle(stand, place, 9) / 200.0 - 1) < FEE_PARTS


def test_lamports_of_wrapped_sol_pools_follow_their_amounts() -> None:
    (spec,) = (one for one in SPECS if one.symbol == "SOL-USDC")
    stand = Stand((spec,))
    stand.chain.set_price("SOL-USDC", 99.0)
    stand.chain.tick()
    rent = stand.chain.minimum_balance(165)
    found = 0
    for one in stand.chain.program_accounts("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA", NOW):
        data = one.account.data
        if len(data) == 165 and data[109] == 1:
            assert one.account.lamports == rent + int.from_bytes(data[64:72], "little")
            found += 1
    assert found >= 5


@pytest.mark.parametrize(
    ("symbol", "price", "words"),
    [
        ("DOGE-USDC", 1.0, "symbol is DOGE-USDC"),
        ("WIF-USDC", 0.0, "price is 0.0"),
        ("WIF-USDC", float("nan"), "price is nan"),
        ("WIF-USDC", float("inf"), "price is inf"),
        ("WIF-USDC", 2_319.0, "expected 0.002318 to 2318"),
    ],
)
def test_bad_price_is_refused(symbol: str, price: float, words: str) -> None:
    stand = Stand(tuple(one for one in SPECS if one.symbol == "WIF-USDC"))
    with pytest.raises(UsageError, match=words):
        stand.chain.set_price(symbol, price)


def all_lamports(stand: Stand) -> int:
    """Return the lamports of every account that a wallet, a token or a pool can be."""
    programs = {str(SYSTEM), *map(str, tokens.TOKEN_PROGRAMS), *map(str, PROGRAM_IDS)}
    return sum(
        one.account.lamports
        for program in sorted(programs)
        for one in stand.chain.program_accounts(program, NOW)
    )


def busy(stand: Stand) -> int:
    """Trade, fail, fork and re-peg for a while; return the fees of what stands in blocks."""
    symbols = ("SOL-USDC", "WIF-USDC", "FEE-USDC")
    places = [place for symbol in symbols for place in stand.market(symbol).pools]
    sent = []
    for number in range(60):
        place = places[number % len(places)]
        symbol = symbols[number % 3]
        mint = place.quote_mint if number % 2 else place.base_mint
        swap = SwapOrder(
            place=place,
            user=stand.wallet,
            input_mint=Pubkey.from_string(mint),
            amount_in_raw=1_000_000 + number,
            # Every seventh asks for more than it can get.
            min_out_raw=0 if number % 7 else 2**60,
        )
        sent.append(stand.chain.submit(stand.sign(stand.chain.amm.swap(swap))))
        stand.chain.set_price(symbol, stand.market(symbol).price * (1.01 if number % 4 else 0.98))
        stand.chain.tick()
        if number % 20 == 19:
            stand.chain.fork(5, drop=lambda signature: signature < "4")
            stand.chain.tick()
    found = [stand.chain.transaction(one, NOW) for one in sent]
    landed = [one for one in found if one is not None]
    assert len({str(one.meta.err) for one in landed}) > 2
    assert len(landed) < len(sent)
    return sum(one.meta.fee_lamports for one in landed)


def busy_stand() -> Stand:
    return Stand(tuple(one for one in SPECS if one.symbol in {"SOL-USDC", "WIF-USDC", "FEE-USDC"}))


def test_nothing_is_lost_but_fees() -> None:
    """Swaps, failures, forks and re-pegs: tokens stay, lamports go into fees alone."""
    stand = busy_stand()
    tokens_before, lamports_before = stand.sums(), all_lamports(stand)
    fees = busy(stand)
    assert stand.sums() == tokens_before
    assert all_lamports(stand) == lamports_before - fees


def test_same_calls_give_the_same_world() -> None:
    one, other = busy_stand(), busy_stand()
    assert busy(one) == busy(other)
    assert one.sums() == other.sums()
    assert one.chain.latest_blockhash(NOW) == other.chain.latest_blockhash(NOW)
    for market, again in zip(one.chain.markets, other.chain.markets, strict=True):
        assert market == again
        for place in market.pools:
            assert one.chain.account(place.pool, NOW) == other.chain.account(place.pool, NOW)


def test_cheapest_tokens_fit_their_integers() -> None:
    """A depth that needs more than 2^63 base units is made smaller, at the same price."""
    spec = MarketSpec(symbol="DUST-USDC", base_mint=DUST, base_decimals=9, price=1e-9)
    stand = Stand((spec,))
    quoted = stand.chain.amm.quote(stand.pool("DUST-USDC", "raydium_amm"), USDC_MINT, 10_000)
    assert quoted == pytest.approx(10**16, rel=0.3)
