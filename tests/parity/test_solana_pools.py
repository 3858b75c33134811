"""Quotes of random pools against independent Python integers (the simulator's own maths).

`UTB_SOLANA_CASES` says how many random pools each venue gets.
"""

import os
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from solders.pubkey import Pubkey

from utb.domain.chain import Program
from utb.engine.chain import NoQuote, Pools, Quote, key_bytes
from utb.simnet.chain.amm import keys, pumpswap, raydium_amm, raydium_cpmm, ticks, whirlpool
from utb.simnet.chain.amm import pumpswap_layout as pump
from utb.simnet.chain.amm import whirlpool_layout as whirl
from utb.simnet.chain.amm.calls import Refused

CASES = int(os.environ.get("UTB_SOLANA_CASES", "250"))
TOKEN = bytes(Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"))
POOL, CREATOR, OTHER = (Pubkey(bytes([byte]) * 32) for byte in (5, 8, 9))
# Wrapped SOL, so that graduated PumpSwap pools pay by market cap.
MINTS = (
    Pubkey(b"\x11" * 32),
    Pubkey.from_string("So11111111111111111111111111111111111111112"),
)
SUPPLY = 10**15
PUMPSWAP_CONFIG = key_bytes("ADyA8hdefvWN2dbGGWFotbzWxrAvLW83WG6QCVXvJKqw")
PUMPSWAP_FEES = key_bytes("5PHirr8joyTMp9JMm6nW7hNDVyEYdkzDqazxPD7RaTjx")
VAULTS = (Pubkey(b"\x33" * 32), Pubkey(b"\x44" * 32))


class Case:
    """A random pool: reserves of any magnitude, a direction, an amount."""

    def __init__(self, seed: int) -> None:
        self.draw = np.random.default_rng(seed)
        self.reserves = (self.number(55), self.number(55))
        self.owed = (self.number(20), self.number(20))
        self.first_in = bool(self.draw.integers(2))
        self.amount = self.number(50)

    def number(self, bits: int) -> int:
        """Return a positive number, its logarithm even."""
        return int(self.draw.integers(1, 1 << int(self.draw.integers(1, bits + 1)), endpoint=True))

    def sides(self) -> tuple[int, int]:
        """Return the reserves as (in, out)."""
        first, second = self.reserves
        return (first, second) if self.first_in else (second, first)

    def quote(self, pools: Pools) -> Quote | NoQuote:
        """Return the core's answer."""
        mint = MINTS[0 if self.first_in else 1]
        return pools.quote(bytes(POOL), bytes(mint), self.amount)


def cases() -> Iterator[Case]:
    return map(Case, range(CASES))


def token_account(mint: Pubkey, amount: int) -> bytes:
    """Return an initialised account of the Token program."""
    return bytes(mint) + bytes(32) + amount.to_bytes(8, "little") + bytes(36) + b"\1" + bytes(56)


def mint(supply: int) -> bytes:
    """Return a mint of 6 decimals."""
    return bytes(36) + supply.to_bytes(8, "little") + b"\6\1" + bytes(36)


def watching(program: Program, owner: Pubkey, data: bytes, balances: tuple[int, int]) -> Pools:
    """Return pools with one, its vaults and its mints."""
    pools = Pools()
    pools.watch(program, bytes(POOL))
    assert pools.apply(bytes(POOL), bytes(owner), data, 7)
    for key, vault, balance in zip(MINTS, VAULTS, balances, strict=True):
        pools.apply(bytes(vault), TOKEN, token_account(key, balance), 7)
        pools.apply(bytes(key), TOKEN, mint(SUPPLY), 7)
    return pools


def assert_same(quote: Quote | NoQuote, taken: int, given: int, room: int) -> int:
    """Compare a quote with (in, out); nothing out, or more than there is, is no quote."""
    if given <= 0 or given >= room:
        assert isinstance(quote, NoQuote)
        return 0
    assert isinstance(quote, Quote), quote
    assert (quote.in_raw, quote.out_raw) == (taken, given)
    return 1


def test_raydium_amm_quotes_are_the_oracles() -> None:
    quoted = 0
    for case in cases():
        data = raydium_amm.pool_data(
            vaults=VAULTS, mints=MINTS, decimals=(9, 6), owed_raw=case.owed, label=OTHER
        )
        balances = case.reserves[0] + case.owed[0], case.reserves[1] + case.owed[1]
        pools = watching(Program.RAYDIUM_AMM, keys.RAYDIUM_AMM, data, balances)
        out = raydium_amm.exact_in(*case.sides(), case.amount, (25, 10_000))
        quoted += assert_same(case.quote(pools), case.amount, out, case.sides()[1])
    assert quoted > CASES // 3


def test_raydium_cpmm_quotes_are_the_oracles() -> None:
    quoted = 0
    for case in cases():
        creator_fee_on = (None, 0, 1, 2)[int(case.draw.integers(4))]
        rates = raydium_cpmm.Rates(*(int(it) for it in case.draw.integers(0, 200_000, 4)))
        token = Pubkey(TOKEN)
        first, second = (
            raydium_cpmm.Side(key, vault, token, 6, owed)
            for key, vault, owed in zip(MINTS, VAULTS, case.owed, strict=True)
        )
        data = raydium_cpmm.pool_data(OTHER, (first, second), CREATOR, creator_fee_on)
        balances = case.reserves[0] + case.owed[0], case.reserves[1] + case.owed[1]
        pools = watching(Program.RAYDIUM_CPMM, keys.RAYDIUM_CPMM, data, balances)
        config = raydium_cpmm.config_data(rates)
        pools.apply(bytes(OTHER), bytes(keys.RAYDIUM_CPMM), config, 7)
        on_input = creator_fee_on in {None, 0} or (creator_fee_on == 1) == case.first_in
        creator = 0 if creator_fee_on is None else rates.creator
        oracle = raydium_cpmm.exact_in(
            *case.sides(), case.amount, (rates.trade, creator), on_input=on_input
        )
        quoted += assert_same(case.quote(pools), case.amount, oracle.amount_out, case.sides()[1])
    assert quoted > CASES // 3


@pytest.mark.parametrize("canonical", [False, True])
def test_pumpswap_quotes_are_the_oracles(canonical: bool) -> None:  # noqa: FBT001
    quoted = 0
    own = keys.pda(keys.PUMP, b"pool-authority", bytes(MINTS[0]))
    fees_data = pump.fees_data(OTHER)
    for case in cases():
        virtual = case.number(40) if case.draw.integers(2) else 0
        has_creator = bool(case.draw.integers(2))
        data = pump.pool_data(
            pump.NewPool(
                creator=own if canonical else OTHER,
                mints=MINTS,
                vaults=VAULTS,
                lp_mint=OTHER,
                coin_creator=CREATOR if has_creator else Pubkey.default(),
                virtual_quote_raw=virtual,
            )
        )
        pools = watching(Program.PUMPSWAP, keys.PUMPSWAP, data, case.reserves)
        pools.apply(PUMPSWAP_CONFIG, bytes(keys.PUMPSWAP), CONFIG, 7)
        pools.apply(PUMPSWAP_FEES, bytes(keys.PUMP_FEES), fees_data, 7)
        base, vault = case.reserves
        fees = pump.flat_fees(fees_data)
        if canonical:
            cap = (vault + virtual) * SUPPLY // base
            fees = pump.fees_of(fees_data, stable=False, market_cap_raw=cap)
        if not has_creator:
            fees = replace(fees, creator=0)
        if case.first_in:
            sold = pumpswap.sell_quote(base, vault + virtual, case.amount, fees)
            given = sold.curve_quote_raw - sold.fees
            room = given + 1 if vault >= sold.curve_quote_raw - sold.lp_fee else 0
            quoted += assert_same(case.quote(pools), case.amount, given, room)
        else:
            bought = pumpswap.budget_quote(base, vault + virtual, case.amount, fees)
            paid = bought.curve_quote_raw + bought.fees
            quoted += assert_same(case.quote(pools), paid, bought.base_raw, base)
    assert quoted > CASES // 4


CONFIG = pump.config_data(OTHER, tuple(Pubkey(bytes([n]) * 32) for n in range(100, 108)))


def test_whirlpool_quotes_are_the_oracles() -> None:
    quoted = 0
    for case in cases():
        spacing = int(case.draw.choice([1, 4, 64, 128]))
        span = 88 * spacing
        tick = int(case.draw.integers(-60_000, 60_000))
        pool = whirl.Pool(
            config=OTHER,
            bump=255,
            tick_spacing=spacing,
            fee_rate=int(case.draw.integers(0, 20_000)),
            protocol_fee_rate=1_300,
            liquidity=case.number(60) + 2**30,
            sqrt_price=ticks.sqrt_price_at(tick) + int(case.draw.integers(1 << 30)),
            tick=tick,
            mints=MINTS,
            vaults=VAULTS,
        )
        nets = bands(case, pool)
        pools = watching(Program.WHIRLPOOL, keys.WHIRLPOOL, whirl.pool_data(pool), (1, 1))
        first = (tick if case.first_in else tick + spacing) // span * span
        starts = [first + (-span if case.first_in else span) * step for step in range(3)]
        for start in starts:
            own = {at: net for at, net in nets.items() if start <= at < start + span}
            kind = whirl.array_data if case.draw.integers(2) else whirl.dynamic_array_data
            data = kind(POOL, start, spacing, own)
            pools.apply(bytes(whirl.array_address(POOL, start)), bytes(keys.WHIRLPOOL), data, 7)
        edge = starts[-1] if case.first_in else starts[-1] + span - 1
        try:
            oracle = whirlpool.swap(pool, nets, edge, case.amount, a_to_b=case.first_in)
        except Refused:
            assert isinstance(case.quote(pools), NoQuote)
            continue
        given = oracle.amount_out if oracle.amount_in == case.amount else 0
        quoted += assert_same(case.quote(pools), case.amount, given, given + 1)
    assert quoted > CASES // 4


def bands(case: Case, pool: whirl.Pool) -> dict[int, int]:
    """Return ticks around the price whose crossings never take more than there is."""
    nets = {}
    for side in (-1, 1):
        left = pool.liquidity
        for step in sorted({int(it) for it in case.draw.integers(1, 170, 3)}):
            at = (pool.tick // pool.tick_spacing + side * step) * pool.tick_spacing
            taken = int(case.draw.integers(left // 2 + 1))
            left -= taken
            nets[at] = -side * taken
    return {at: net for at, net in nets.items() if net}
