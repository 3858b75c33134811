"""After the fill: sandwiches and compute units."""

import asyncio
from typing import Any, cast

import msgspec
import pytest
from venue_books import NoWait
from venue_doubles import BASE_MINT, COIN, INTENT, POOL, SLOT, WALLET, token_account
from venue_stand import Stand, entry

from utb.adapters.rpc.answers import Good, SimulationValue
from utb.adapters.rpc.calls import Call
from utb.adapters.venues.solana.pricing import Pricing
from utb.adapters.venues.solana.sandwich import (
    Block,
    BlockEntry,
    SandwichCheck,
    cost_quote_raw,
    sandwicher,
)
from utb.adapters.venues.solana.units import UnitsMeter
from utb.domain.chain import USDC_MINT, ChainFill, Program
from utb.domain.names import Side
from utb.engine.chain import key_text
from utb.orderlife.actions import Filled


def block(*rows: tuple[str, str, str | None], err: Any = None) -> Block:
    """Make a block of (signature, payer, pool) rows in the short form."""
    return msgspec.convert(
        {
            "transactions": [
                {
                    "transaction": {
                        "signatures": [signature],
                        "accountKeys": [
                            {"pubkey": key, "signer": False, "writable": True}
                            for key in (payer, pool)
                            if key
                        ],
                    },
                    "meta": {"err": err},
                }
                for signature, payer, pool in rows
            ]
        },
        Block,
    )


def entries(*rows: tuple[str, str, str | None]) -> tuple[BlockEntry, ...]:
    return block(*rows).transactions


def test_one_who_trades_before_and_after_is_found() -> None:
    rows = (("1", "eve", "pool"), ("2", "bob", "pool"), ("us", "me", "pool"), ("3", "eve", "pool"))
    assert sandwicher(entries(*rows), "us", ["pool"]) == "eve"


@pytest.mark.parametrize(
    "rows",
    [
        (("1", "eve", "pool"), ("us", "me", "pool")),
        (("us", "me", "pool"), ("3", "eve", "pool")),
        (("1", "eve", "other"), ("us", "me", "pool"), ("3", "eve", "pool")),
        (("1", "me", "pool"), ("us", "me", "pool"), ("3", "me", "pool")),
        (("1", "eve", "pool"), ("2", "bob", "pool")),
    ],
)
def test_neighbours_that_are_no_sandwich(rows: tuple[tuple[str, str, str | None], ...]) -> None:
    assert sandwicher(entries(*rows), "us", ["pool"]) is None


def test_full_form_of_a_block_is_read_too() -> None:
    full = msgspec.convert(
        {"transaction": {"signatures": ["s"], "message": {"accountKeys": ["a", "b"]}}, "meta": {}},
        BlockEntry,
    )
    assert (full.signature, full.keys) == ("s", ("a", "b"))


def fill(base: int, quote: int, signature: str = "s") -> ChainFill:
    return ChainFill(
        signature=signature,
        slot=SLOT,
        base_raw=base,
        quote_raw=quote,
        fee_lamports=5_000,
        tip_lamports=0,
        rent_lamports=0,
        compute_units=1,
    )


def test_cost_is_what_was_paid_beyond_the_price_before() -> None:
    """At 2.0: 100 USDC for 49 COIN is 2 USDC too much; 99 USDC for 50 COIN is 1 too little."""
    six = (6, 6)
    assert cost_quote_raw(fill(49_000_000, 100_000_000), Side.BUY, 2.0, decimals=six) == 2_000_000
    assert cost_quote_raw(fill(50_000_000, 99_000_000), Side.SELL, 2.0, decimals=six) == 1_000_000


def test_fill_between_two_trades_of_one_is_counted() -> None:
    async def run() -> None:
        async with Stand() as stand:
            stand.submit(entry())
            [signature] = stand.signatures
            flight = stand.venue._flights[INTENT]
            pool = key_text(POOL)
            rows = (("1", "eve", pool), (signature, WALLET, pool), ("2", "eve", pool))

            class Rpc:
                async def call(self, call: Call[Any]) -> Any:
                    assert (call.method, call.params[0]) == ("getBlock", SLOT)
                    return Good(endpoint="a", value=block(*rows))

            check = SandwichCheck(cast("Any", Rpc()), cast("Any", NoWait()), enabled=True)
            running = asyncio.ensure_future(check.run())
            filled = fill(49_000_000, 100_000_000, signature)
            check.after_fill(flight, Filled(signature=signature, fill=filled, provisional=True))
            await stand.settle()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            assert dict(check.counts) == {"fills": 1, "sandwiched": 1}
            assert check.cost_quote_raw == check.sandwich_cost_quote_raw == 2_000_000

    asyncio.run(run())


def test_switched_off_nothing_is_looked_at() -> None:
    check = SandwichCheck(cast("Any", None), cast("Any", NoWait()), enabled=False)
    check.after_fill(cast("Any", None), Filled(signature="s", fill=fill(1, 1), provisional=True))
    assert not check.counts


# Compute units


def test_simulated_units_bound_entries_but_never_exits() -> None:
    """40,000 and a fifth more are the entry's limit, beside 28,000 of memo and budget."""

    async def run() -> None:
        async with Stand() as stand:
            pricing = Pricing(stand.chain, stand.settings.fees)
            stand.rpc.simulation = SimulationValue(units_consumed=40_000)
            stand.rpc.tell_account(stand.own(USDC_MINT), token_account(10**9), SLOT + 1)
            meter = UnitsMeter(
                settings=stand.settings,
                instruments=(COIN,),
                rpc=cast("Any", stand.rpc),
                timer=cast("Any", NoWait()),
                chain=stand.chain,
                wallet=stand.wallet,
                builder=stand.builder,
                pricing=pricing,
            )
            await meter.measure()
            assert set(meter.troubles.values()) == {"the wallet has no account of its base yet"}
            assert pricing.measured == {}
            stand.rpc.tell_account(stand.own(BASE_MINT), token_account(0), SLOT + 1)
            await meter.measure()
            assert meter.troubles == {}
            assert pricing.measured == {Program.RAYDIUM_AMM: 48_000}
            stand.rpc.simulation = SimulationValue(err="AccountNotFound", units_consumed=3)
            await meter.measure()
            assert pricing.measured == {Program.RAYDIUM_AMM: 48_000}
            assert "its simulation fails" in next(iter(meter.troubles.values()))

    asyncio.run(run())


# Books and rent
