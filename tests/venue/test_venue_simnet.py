"""The venue against the stand-in chain over real sockets: what is signed executes unchanged."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from venue_chain import DOLLAR, SYMBOL, Served, served, until

from utb.domain.chain import USDC_MINT, Attempt
from utb.domain.names import ExitReason, OrderStatus, Side
from utb.domain.orders import OrderIntent, VenueFailed, VenueFilled, VenueProgress, VenueReverted
from utb.ports.chain import OpenOrder

PROGRAMS = ("raydium_amm", "raydium_cpmm", "pumpswap", "whirlpool")


def on_chain(test: Callable[[Served], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        async with served(**options) as stand:
            await test(stand)

    asyncio.run(run())


def buy(intent_id: str, usdc: int, **changes: Any) -> OrderIntent:
    fields: dict[str, Any] = {
        "intent_id": intent_id,
        "instrument": 0,
        "side": Side.BUY,
        "lead": "manual",
        "ts_ns": 1,
        "decision_price": 2.3,
        "decision_events": 0,
        "amount_in_raw": usdc,
        "min_out_raw": 1,
        "slippage_bps_max": 100,
    }
    return OrderIntent(**(fields | changes))


def sell(intent_id: str, amount: int, **changes: Any) -> OrderIntent:
    fields = {"side": Side.SELL, "position_id": 1, "exit_reason": ExitReason.STOP}
    return buy(intent_id, amount, **(fields | changes))


def equal(stand: Served) -> None:
    """Compare the chain with what the events add up to, to the base unit and the lamport."""
    mint = stand.ledger.mint
    held = {one: stand.balance(one) for one in (USDC_MINT, mint)}
    assert held == {one: stand.ledger.tokens[one] for one in held}
    assert stand.lamports() == stand.ledger.lamports


def fills(stand: Served) -> list[VenueFilled]:
    return [event for event in stand.events if isinstance(event, VenueFilled)]


def attempts_of(stand: Served, intent_id: str) -> list[Attempt]:
    found = [e.attempt for e in stand.of(intent_id) if isinstance(e, VenueProgress)]
    return [attempt for attempt in found if attempt is not None]


def attempt_of(stand: Served, intent_id: str) -> Any:
    found = [e for e in stand.of(intent_id) if isinstance(e, VenueProgress) and e.attempt]
    return found[0].attempt


@pytest.mark.parametrize("program", PROGRAMS)
def test_round_trip_over_each_program_equals_the_chain(program: str) -> None:
    async def test(stand: Served) -> None:
        stand.submit(buy("00000000000000a1", 250 * DOLLAR))
        end = await stand.ended("00000000000000a1")
        assert isinstance(end, VenueProgress), end
        bought = stand.filled("00000000000000a1")
        route = attempt_of(stand, "00000000000000a1").route
        assert [str(leg.program) for leg in route.legs] == [program]
        assert bought.base_raw == route.quoted_out_raw
        assert bought.quote_raw == 250 * DOLLAR
        equal(stand)
        stand.submit(sell("00000000000000a2", bought.base_raw))
        end = await stand.ended("00000000000000a2")
        assert isinstance(end, VenueProgress), end
        sold = stand.filled("00000000000000a2")
        assert sold.quote_raw == attempt_of(stand, "00000000000000a2").route.quoted_out_raw
        assert 0 < sold.quote_raw < 250 * DOLLAR
        assert attempt_of(stand, "00000000000000a2").guard is None
        equal(stand)
        assert stand.alarms == []

    on_chain(test, programs=(program,))


def test_partial_exit_is_guarded_and_the_guards_rent_is_booked() -> None:
    async def test(stand: Served) -> None:
        stand.submit(buy("00000000000000b1", 250 * DOLLAR))
        await stand.ended("00000000000000b1")
        half = stand.filled("00000000000000b1").base_raw // 2
        stand.submit(sell("00000000000000b2", half))
        await stand.ended("00000000000000b2")
        assert attempt_of(stand, "00000000000000b2").guard is not None
        assert stand.filled("00000000000000b2").rent_lamports == 890_880
        equal(stand)

    on_chain(test)


def test_large_order_is_split_and_protected() -> None:
    async def test(stand: Served) -> None:
        stand.submit(buy("00000000000000c1", 60_000 * DOLLAR))
        end = await stand.ended("00000000000000c1")
        assert isinstance(end, VenueProgress), end
        attempt = attempt_of(stand, "00000000000000c1")
        assert len(attempt.route.legs) == 2
        assert set(attempt.senders) <= {"jito", "jito_bundle"}
        assert stand.filled("00000000000000c1").tip_lamports == attempt.tip_lamports > 0
        equal(stand)

    on_chain(test, protected=1_000.0)


def test_order_through_the_aggregator_equals_the_chain() -> None:
    async def test(stand: Served) -> None:
        stand.submit(buy("00000000000000d1", 500 * DOLLAR))
        end = await stand.ended("00000000000000d1")
        assert isinstance(end, VenueProgress), end
        assert attempt_of(stand, "00000000000000d1").route.legs[0].program == "jupiter"
        equal(stand)

    on_chain(test, programs=(), aggregator="fallback")


def test_order_that_fails_on_chain_costs_its_fee_and_nothing_else() -> None:
    async def test(stand: Served) -> None:
        # The price jumps between quote and execution: the least output is not reached.
        stand.chain.set_price("WIF-USDC", stand.chain.markets[4].price * 1.5)
        stand.submit(buy("00000000000000e1", 250 * DOLLAR))
        end = await stand.ended("00000000000000e1")
        assert isinstance(end, VenueFailed), end
        assert end.status is OrderStatus.FAILED_ON_CHAIN
        assert end.fee_lamports > 5_000
        equal(stand)

    on_chain(test)


def test_unlisted_mint_passes_the_gate_by_a_real_simulation() -> None:
    async def test(stand: Served) -> None:
        stand.submit(buy("00000000000000f1", 250 * DOLLAR))
        end = await stand.ended("00000000000000f1")
        assert isinstance(end, VenueProgress), end
        equal(stand)

    on_chain(test, liquid=False, risks='["mint_authority"]', programs=("raydium_cpmm",))


def test_unlisted_mint_that_anyone_may_print_is_refused() -> None:
    async def test(stand: Served) -> None:
        stand.submit(buy("00000000000000f2", 250 * DOLLAR))
        end = await stand.ended("00000000000000f2")
        assert isinstance(end, VenueFailed)
        assert "the mint has mint_authority" in end.reason

    on_chain(test, liquid=False)


def test_lost_sends_are_made_good_by_the_next_ones() -> None:
    async def test(stand: Served) -> None:
        stand.chain.loss_rate = 0.7
        for number in range(5):
            stand.submit(buy(f"00000000000000{number}b", (100 + number) * DOLLAR))
        for number in range(5):
            await stand.ended(f"00000000000000{number}b", 60.0)
        fills = [event for event in stand.events if isinstance(event, VenueFilled)]
        assert len({fill.signature for fill in fills}) == len(fills)
        equal(stand)

    on_chain(test)


def test_fork_undoes_a_fill_and_it_lands_again() -> None:
    async def test(stand: Served) -> None:
        stand.chain.hold_commitment(finalized=True)
        stand.submit(buy("0000000000000aa1", 250 * DOLLAR))
        await until(
            lambda: "0000000000000aa1" in {getattr(e, "intent_id", "") for e in fills(stand)}
        )
        before = len(stand.of("0000000000000aa1"))
        depth = stand.chain.slot - stand.last_fill("0000000000000aa1").slot + 1
        stand.chain.fork(depth, drop=lambda _signature: True)
        stand.chain.hold_commitment()
        await until(lambda: len(stand.of("0000000000000aa1")) > before, 20.0)
        end = await stand.ended("0000000000000aa1", 30.0)
        assert isinstance(end, VenueProgress), end
        told = [type(event) for event in stand.of("0000000000000aa1")]
        assert told.count(VenueFilled) == told.count(VenueReverted) + 1
        assert len({a.signature for a in attempts_of(stand, "0000000000000aa1")}) == 1
        equal(stand)

    on_chain(test)


def test_exit_is_priced_again_until_it_lands_and_lands_once() -> None:
    async def test(stand: Served) -> None:
        stand.submit(buy("0000000000000bb1", 250 * DOLLAR))
        await stand.ended("0000000000000bb1")
        amount = stand.filled("0000000000000bb1").base_raw // 2
        stand.chain.loss_rate = 1.0
        stand.submit(sell("0000000000000bb2", amount))
        await until(lambda: len(attempts_of(stand, "0000000000000bb2")) == 3)
        stand.chain.loss_rate = 0.0
        end = await stand.ended("0000000000000bb2", 40.0)
        assert isinstance(end, VenueProgress), end
        assert stand.filled("0000000000000bb2").base_raw == amount
        limits = [a.compute_unit_price for a in attempts_of(stand, "0000000000000bb2")]
        assert limits == sorted(limits)
        equal(stand)

    on_chain(test)


def test_guards_come_back_and_the_books_stay_equal() -> None:
    async def test(stand: Served) -> None:
        stand.submit(buy("0000000000000cc1", 250 * DOLLAR))
        await stand.ended("0000000000000cc1")
        half = stand.filled("0000000000000cc1").base_raw // 2
        stand.submit(sell("0000000000000cc2", half))
        await stand.ended("0000000000000cc2")
        await until(lambda: stand.chain.finalized_slot > stand.last_fill("0000000000000cc2").slot)
        upkeep = stand.venue.upkeep
        await until(lambda: not stand.venue.venue.open_orders)
        await upkeep.round()
        assert (upkeep.trouble, stand.venue.unbooked.recovered_lamports) == ("", 890_880)
        equal(stand)
        await stand.venue.books.compare()
        found = stand.venue.books.last
        assert found is not None
        assert found.differences == ()
        assert stand.wrong == []

    on_chain(test)


def test_reduced_rent_is_booked_as_it_is() -> None:
    """696 lamports a byte: 128 + 0 bytes of a guard are 89,088."""

    async def test(stand: Served) -> None:
        stand.submit(buy("0000000000000dd1", 250 * DOLLAR))
        await stand.ended("0000000000000dd1")
        half = stand.filled("0000000000000dd1").base_raw // 2
        stand.submit(sell("0000000000000dd2", half))
        await stand.ended("0000000000000dd2")
        assert stand.filled("0000000000000dd2").rent_lamports == 89_088
        equal(stand)

    on_chain(test, rent=696)


def test_orders_of_a_process_that_ended_go_on_in_the_next() -> None:
    async def test(stand: Served) -> None:
        stand.chain.loss_rate = 1.0
        stand.submit(buy("0000000000000ee1", 250 * DOLLAR))
        await until(lambda: bool(attempts_of(stand, "0000000000000ee1")))
        [attempt] = attempts_of(stand, "0000000000000ee1")
        await stand.begin_anew()
        stand.chain.loss_rate = 0.0
        order = OpenOrder(
            intent=stand.intents["0000000000000ee1"],
            status=OrderStatus.SENT,
            fee_lamports_max=2_000_000,
            attempts=(attempt,),
        )
        stand.venue.venue.recover([order])
        end = await stand.ended("0000000000000ee1")
        assert isinstance(end, VenueProgress), end
        assert stand.last_fill("0000000000000ee1").signature == attempt.signature
        equal(stand)

    on_chain(test)


def test_many_orders_equal_the_chain_to_the_lamport() -> None:
    """Forty round trips over four programs and splits; every eighth entry fails on chain."""

    async def test(stand: Served) -> None:
        price = next(one.price for one in stand.chain.markets if one.symbol == SYMBOL)
        failed = 0
        for number in range(40):
            entry_id, exit_id = f"{number:015x}1", f"{number:015x}2"
            if number % 8 == 7:
                # Between the quote and the execution the price moves by more than the tolerance.
                price *= 1.5
                stand.chain.set_price(SYMBOL, price)
            stand.submit(buy(entry_id, (20 + 97 * number % 3_000) * DOLLAR))
            end = await stand.ended(entry_id)
            if isinstance(end, VenueFailed):
                assert end.status is OrderStatus.FAILED_ON_CHAIN, end
                failed += 1
                continue
            stand.submit(sell(exit_id, stand.last_fill(entry_id).base_raw))
            end = await stand.ended(exit_id)
            assert isinstance(end, VenueProgress), end
        assert failed == 5
        equal(stand)

    on_chain(test, slot_ms=8)
