"""The AMMs' maths in Python integers, against published and derived vectors."""

import pytest
from solders.pubkey import Pubkey

from utb.simnet.chain.amm import pumpswap, raydium_amm, raydium_cpmm, ticks, whirlpool
from utb.simnet.chain.amm import pumpswap_layout as pump
from utb.simnet.chain.amm import whirlpool_layout as pools
from utb.simnet.chain.amm.calls import Refused

TRILLION, QUOTE = 10**12, 150_000_000_000
NOBODY = Pubkey.default()


def test_raydium_amm_vectors() -> None:
    """C = 1e12, P = 1.5e11, fee 25 of 10,000."""
    fee = (25, 10_000)
    assert raydium_amm.exact_in(TRILLION, QUOTE, 10**9, fee) == 149_475_897
    assert raydium_amm.exact_in(QUOTE, TRILLION, 10**6, fee) == 6_649_955
    assert raydium_amm.exact_out(TRILLION, QUOTE, 149_000_000, fee) == 996_813_059


@pytest.mark.parametrize(
    ("creator", "on_input", "out"),
    [(0, True, 149_475_897), (500, True, 149_401_047), (500, False, 149_401_159)],
)
def test_raydium_cpmm_vectors(creator: int, on_input: bool, out: int) -> None:  # noqa: FBT001
    quote = raydium_cpmm.exact_in(TRILLION, QUOTE, 10**9, (2_500, creator), on_input=on_input)
    assert quote.amount_out == out


@pytest.mark.parametrize("on_input", [True, False])
@pytest.mark.parametrize("wanted", [1, 999, 149_000_000, 10**11])
def test_cpmm_exact_output_pays_for_at_least_that(on_input: bool, wanted: int) -> None:  # noqa: FBT001
    rates = (2_500, 500)
    paid = raydium_cpmm.exact_out(TRILLION, QUOTE, wanted, rates, on_input=on_input).amount_in
    assert (
        raydium_cpmm.exact_in(TRILLION, QUOTE, paid, rates, on_input=on_input).amount_out >= wanted
    )


def test_pumpswap_vectors() -> None:
    """B = 2e14, Q = 8.5e10, no virtual reserves, 20/5/95 basis points."""
    fees, base, quote = pump.Fees(20, 5, 95), 2 * 10**14, 85 * 10**9
    bought = pumpswap.budget_quote(base, quote, 10**9, fees)
    assert (bought.base_raw, bought.curve_quote_raw) == (2_298_322_219_050, 988_142_291)
    sold = pumpswap.sell_quote(base, quote, TRILLION, fees)
    assert sold.curve_quote_raw - sold.fees == 417_810_944
    exact = pumpswap.buy_quote(base, quote, TRILLION, fees)
    assert exact.curve_quote_raw + exact.fees == 432_261_308


def test_pumpswap_fee_tier_is_the_last_at_or_below_the_cap() -> None:
    data = pump.fees_data(NOBODY)
    sol = 10**9
    assert pump.fees_of(data, stable=False, market_cap_raw=419 * sol) == pump.Fees(2, 93, 30)
    assert pump.fees_of(data, stable=False, market_cap_raw=420 * sol) == pump.Fees(20, 5, 95)
    dollars = 98_240 * 150 * 10**6
    assert pump.fees_of(data, stable=True, market_cap_raw=dollars) == pump.Fees(20, 5, 5)
    assert pump.flat_fees(data) == pump.Fees(25, 5, 0)


def whirlpool_state() -> tuple[pools.Pool, dict[int, int]]:
    pool = pools.Pool(
        config=NOBODY,
        bump=255,
        tick_spacing=64,
        fee_rate=3_000,
        protocol_fee_rate=1_300,
        liquidity=10**13,
        sqrt_price=7_144_393_258_922_745_856,
        tick=-18_973,
        mints=(NOBODY, NOBODY),
        vaults=(NOBODY, NOBODY),
    )
    return pool, {-19_648: 4 * 10**12, -18_368: -4 * 10**12}


@pytest.mark.parametrize(
    ("a_to_b", "amount", "out", "after"),
    [
        (True, 1_000_000, 149_549, 7_144_392_983_051_698_887),
        (False, 100_000_000, 664_649_556, 7_144_577_172_961_160_740),
        (True, 50_000_000_000, 7_463_091_142, 7_130_626_285_691_768_092),
        (True, 30_000_000_000, 4_481_308_810, 7_136_126_703_249_203_095),
        (True, 2_000_000_000_000, 273_808_002_819, 6_460_836_999_080_698_164),
        (False, 200_000_000_000, 1_257_782_507_217, 7_611_376_572_066_896_666),
        (True, 1_500_000_000_000, 210_824_257_102, 6_654_477_838_755_090_573),
    ],
)
def test_whirlpool_vectors(a_to_b: bool, amount: int, out: int, after: int) -> None:  # noqa: FBT001
    """Amounts and end prices of the deployed program; the last three cross a tick."""
    pool, nets = whirlpool_state()
    edge = -30_000 if a_to_b else -10_000
    done = whirlpool.swap(pool, nets, edge, amount, a_to_b=a_to_b)
    assert (done.amount_in, done.amount_out, done.pool.sqrt_price) == (amount, out, after)
    crossed = after < ticks.sqrt_price_at(-19_648) or after > ticks.sqrt_price_at(-18_368)
    assert done.pool.liquidity == (6 * 10**12 if crossed else 10**13)
    assert done.pool.tick == ticks.tick_at(after)


def test_whirlpool_stops_where_the_arrays_end() -> None:
    pool, nets = whirlpool_state()
    with pytest.raises(Refused) as refused:
        whirlpool.swap(pool, nets, -19_712, 2 * 10**12, a_to_b=True)
    assert refused.value.code == whirlpool.ARRAY_SEQUENCE_EXHAUSTED


def test_sqrt_price_at_the_limits() -> None:
    assert ticks.sqrt_price_at(-443_636) == 4_295_048_016
    assert ticks.sqrt_price_at(443_636) == 79_226_673_515_401_279_992_447_579_055
    assert ticks.sqrt_price_at(0) == 1 << 64
    with pytest.raises(ValueError, match="tick is 443637"):
        ticks.sqrt_price_at(443_637)


@pytest.mark.parametrize("tick", [-443_636, -18_974, -1, 0, 1, 5_632, 443_635])
def test_tick_of_a_price_is_the_highest_not_above(tick: int) -> None:
    price = ticks.sqrt_price_at(tick)
    assert ticks.tick_at(price) == tick
    assert ticks.tick_at(ticks.sqrt_price_at(tick + 1) - 1) == tick


def test_both_kinds_of_tick_array_read_alike() -> None:
    nets = {-5_632: 7, -64: -9}
    fixed = pools.array_data(NOBODY, -5_632, 64, nets)
    dynamic = pools.dynamic_array_data(NOBODY, -5_632, 64, nets)
    assert len(dynamic) == 148 + 2 * 112
    assert pools.array_nets(fixed, 64) == pools.array_nets(dynamic, 64) == (-5_632, nets)
