"""Unlisted mints pass the gate first; listed ones never wait for it. The aggregator likewise."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from test_jupiter import ROUTE_KEYS, wire
from venue_doubles import (
    BASE_MINT,
    COIN,
    OTHER_POOL,
    POOL,
    SLOT,
    WALLET,
    account,
    mint_account,
    token_account,
)
from venue_stand import Stand, entry, leave

from utb.adapters.jupiter.answers import WireInstruction
from utb.adapters.jupiter.client import Swap, SwapRequest
from utb.adapters.jupiter.judge import PROGRAM
from utb.adapters.rpc.answers import Bad, SimulationValue
from utb.domain.chain import USDC_MINT, Program
from utb.domain.names import OrderStatus
from utb.domain.orders import VenueProgress
from utb.engine.chain import key_bytes, key_text
from utb.routing.quotes import Offer

UNLISTED = msgspec.structs.replace(COIN, liquid=False)


def on(stand: Stand, test: Callable[[Stand], Awaitable[None]]) -> None:
    async def run() -> None:
        async with stand:
            await test(stand)

    asyncio.run(run())


def trip(usdc: int, coin: int, err: Any = None) -> SimulationValue:
    return SimulationValue(err=err, accounts=(token_account(usdc), token_account(coin)))


async def funded(stand: Stand) -> None:
    stand.rpc.tell_account(stand.own(USDC_MINT), token_account(1_000_000_000), SLOT + 1)


def test_mint_that_can_be_sold_again_passes_once_for_a_while() -> None:
    """100 USDC buy 49.873 COIN; of those 49.374 are sold for 98.5 USDC: about 50 bps are lost."""

    async def test(stand: Stand) -> None:
        await funded(stand)
        stand.rpc.simulation = trip(998_500_000, 498_725)
        stand.submit(entry())
        assert stand.signer.claims == []
        await stand.settle()
        [trial, order] = stand.builder.orders
        assert [leg.amount_in_raw for leg in trial.legs] == [100_000_000, 49_373_787]
        assert trial.legs[1].input_mint == key_bytes(BASE_MINT)
        assert order.memo is not None
        assert len(stand.signatures) == 1
        asked = stand.rpc.calls.count("simulateTransaction")
        stand.submit(entry("00000000000000bb"))
        assert len(stand.signatures) == 2
        assert stand.rpc.calls.count("simulateTransaction") == asked == 1
        stand.now_ns += 301 * 10**9
        stand.submit(entry("00000000000000cc"))
        assert len(stand.signatures) == 2
        await stand.settle()
        assert len(stand.signatures) == 3

    on(Stand(UNLISTED), test)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (trip(970_000_000, 0), "loses"),
        (trip(0, 0, {"InstructionError": [3, {"Custom": 6004}]}), "purchase and sale fails"),
        (
            Bad(endpoint="a", reason="down", sentence="a is down", transient=True),
            "it could not be checked: a is down",
        ),
        (SimulationValue(), "the simulation told no balances"),
    ],
)
def test_mint_that_cannot_be_sold_again_is_refused(found: Any, words: str) -> None:
    async def test(stand: Stand) -> None:
        await funded(stand)
        stand.rpc.simulation = found
        stand.submit(entry())
        await stand.settle()
        assert stand.failure.status is OrderStatus.CANCELLED
        assert words in stand.failure.reason
        assert stand.signer.claims == []

    on(Stand(UNLISTED), test)


def test_mint_of_unknown_balance_is_not_judged() -> None:
    """As if nothing were held, all of the account would seem to be bought in the trial."""

    async def test(stand: Stand) -> None:
        await funded(stand)
        stand.rpc.simulation = trip(998_500_000, 498_725)
        stand.wallet._held.pop(stand.own(BASE_MINT))
        stand.submit(entry())
        await stand.settle()
        assert "what the wallet holds is not known" in stand.failure.reason

    on(Stand(UNLISTED), test)


def test_mint_whose_owner_may_freeze_is_refused_unless_allowed() -> None:
    async def refused(stand: Stand) -> None:
        stand.rpc.accounts[BASE_MINT] = mint_account(freezer=True)
        await funded(stand)
        stand.submit(entry())
        await stand.settle()
        assert "the mint has freeze_authority" in stand.failure.reason
        assert "simulateTransaction" not in stand.rpc.calls

    async def allowed(stand: Stand) -> None:
        stand.rpc.accounts[BASE_MINT] = mint_account(freezer=True)
        await funded(stand)
        stand.rpc.simulation = trip(998_500_000, 498_725)
        stand.submit(entry())
        await stand.settle()
        assert len(stand.signatures) == 1

    on(Stand(UNLISTED), refused)
    on(Stand(UNLISTED, mint_risks_allowed=("freeze_authority",)), allowed)


def test_exit_of_an_unlisted_mint_never_waits() -> None:
    async def test(stand: Stand) -> None:
        stand.submit(leave())
        assert len(stand.signatures) == 1

    on(Stand(UNLISTED), test)


def test_mint_without_a_pool_of_its_own_is_refused() -> None:
    async def test(stand: Stand) -> None:
        await funded(stand)
        stand.submit(entry())
        await stand.settle()
        assert "no pool of its own" in stand.failure.reason

    on(Stand(UNLISTED, pools=((),)), test)


class Jupiter:
    """Gives one swap, to our own accounts."""

    def __init__(self, out_raw: int = 50_000_000) -> None:
        self.out_raw = out_raw
        self.asked: list[SwapRequest] = []
        self.stamp_ns = 5_000_000_000
        self.refusal = ""

    async def swap(self, request: SwapRequest) -> Swap | str:
        self.asked.append(request)
        await asyncio.sleep(0)
        if self.refusal:
            return self.refusal
        asked = request.asked
        names = {
            "wallet": asked.wallet,
            "our-usdc": asked.source,
            "our-token": asked.destination,
            "token-mint": asked.output_mint,
            PROGRAM: PROGRAM,
        }
        keys = tuple(
            (names.get(name, key_text(bytes([100 + i] * 32))), role)
            for i, (name, role) in enumerate(ROUTE_KEYS)
        )
        tail = (asked.amount_in_raw, self.out_raw, asked.slippage_bps, 0)
        instruction = msgspec.convert(wire(keys, tail=tail), WireInstruction)
        offer = Offer(
            words="Whirlpool",
            amount_in_raw=asked.amount_in_raw,
            out_raw=self.out_raw,
            fee_raw=0,
            slot=SLOT,
            mid_price=2.0,
            age_ms=0.0,
            min_out_raw=-(-self.out_raw * (10_000 - asked.slippage_bps) // 10_000),
        )
        return Swap(
            offer=offer,
            instruction=instruction,
            judged_accounts=(asked.wallet,),
            tables=((key_text(bytes([99] * 32)), (keys[-1][0], "")),),
            quoted_ns=self.stamp_ns,
        )


def with_jupiter(jupiter: Jupiter, **settings: Any) -> Stand:
    stand = Stand(**settings)
    stand.jupiter = jupiter
    return stand


def test_without_pools_the_aggregators_swap_is_compiled_by_us() -> None:
    jupiter = Jupiter()

    async def test(stand: Stand) -> None:
        stand.submit(entry())
        await stand.settle()
        [program] = [
            event.attempt.route.legs[0].program
            for event in stand.events
            if isinstance(event, VenueProgress) and event.attempt is not None
        ]
        assert program is Program.JUPITER
        [instructions] = stand.builder.foreign
        heads = [key_text(one.program)[:6] for one in instructions]
        assert heads == ["Comput", "Comput", "ATokenG"[:6], PROGRAM[:6], "MemoSq"]
        swap = instructions[3]
        assert (swap.accounts[1].key, swap.accounts[1].signer) == (key_bytes(WALLET), True)
        # The judged account's place in the table is struck out.
        assert stand.builder.tables[0].addresses[1] == b"\xff" * 32
        assert jupiter.asked[0].asked.slippage_bps == 100

    on(with_jupiter(jupiter, aggregator="fallback", pools=((),)), test)


def test_aggregator_of_an_exit_carries_the_guard() -> None:
    async def test(stand: Stand) -> None:
        stand.submit(leave())
        await stand.settle()
        [instructions] = stand.builder.foreign
        assert instructions[2].program == bytes(32)
        assert instructions[2].data[:4] == b"\x03\0\0\0"
        assert set(stand.watcher.guards.values()) == {2}

    on(with_jupiter(Jupiter(99_900_000), aggregator="fallback", pools=((),)), test)


def test_fallback_is_not_asked_while_a_pool_quotes() -> None:
    jupiter = Jupiter()

    async def test(stand: Stand) -> None:
        stand.submit(entry())
        assert len(stand.signatures) == 1
        await stand.settle()
        assert jupiter.asked == []

    on(with_jupiter(jupiter, aggregator="fallback"), test)


@pytest.mark.parametrize(("out_raw", "program"), [(50_000_000, "jupiter"), (49_800_000, "raydium")])
def test_compare_takes_the_better_of_both(out_raw: int, program: str) -> None:
    async def test(stand: Stand) -> None:
        stand.submit(entry())
        await stand.settle()
        [route] = [
            event.attempt.route
            for event in stand.events
            if isinstance(event, VenueProgress) and event.attempt is not None
        ]
        assert str(route.legs[0].program).startswith(program)
        assert len(route.refused) == 2

    on(with_jupiter(Jupiter(out_raw), aggregator="compare"), test)


def test_aggregators_refusal_and_old_quotes_are_told() -> None:
    refusing, slow = Jupiter(), Jupiter()
    refusing.refusal = "it refuses: NO_ROUTES_FOUND"
    slow.stamp_ns -= 3 * 10**9

    async def told(stand: Stand) -> None:
        stand.submit(entry())
        await stand.settle()
        assert stand.failure.reason == "jupiter: it refuses: NO_ROUTES_FOUND"

    async def old(stand: Stand) -> None:
        stand.submit(entry())
        await stand.settle()
        assert "quoted 3000 ms ago, at most 2000 ms are used" in stand.failure.reason

    on(with_jupiter(refusing, aggregator="fallback", pools=((),)), told)
    on(with_jupiter(slow, aggregator="fallback", pools=((),)), old)


def test_pool_that_moves_during_the_gate_is_quoted_anew() -> None:
    async def test(stand: Stand) -> None:
        await funded(stand)
        stand.rpc.simulation = trip(998_500_000, 498_725)
        stand.submit(entry(min_out_raw=1))
        raw = (10**12).to_bytes(8, "little") + (4 * 10**12).to_bytes(8, "little")
        stand.rpc.tell_account(key_text(POOL), account(raw), SLOT + 1)
        await stand.settle()
        assert stand.builder.orders[-1].legs[0].pool == OTHER_POOL

    on(Stand(UNLISTED), test)
