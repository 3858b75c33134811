"""The venue while its endpoints lie, hang, forget and go away: nothing twice, nothing for ever."""

import asyncio
from typing import Any

import pytest
from test_venue_simnet import attempts_of, buy, equal, fills, on_chain, sell
from venue_chain import DOLLAR, Served, until

from utb.domain.names import OrderStatus
from utb.domain.orders import VenueFailed, VenueProgress
from utb.simnet.rpc.faults import FaultRequest

ENTRY, EXIT = "00000000000000e1", "00000000000000e2"


def fault(stand: Served, endpoint: str, kind: str, **more: Any) -> None:
    front = stand.half.front
    front.board.add(FaultRequest(endpoint=endpoint, kind=kind, **more), stand.chain.slot)
    front.black_out()


def healed(stand: Served) -> None:
    stand.half.front.board.end_all()


async def round_trip(stand: Served, timeout_s: float = 60.0) -> None:
    stand.submit(buy(ENTRY, 250 * DOLLAR))
    end = await stand.ended(ENTRY, timeout_s)
    assert isinstance(end, VenueProgress), end
    stand.submit(sell(EXIT, stand.last_fill(ENTRY).base_raw))
    end = await stand.ended(EXIT, timeout_s)
    assert isinstance(end, VenueProgress), end


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("lie_null", {}),
        ("lie_old", {"value": 20}),
        ("lie_height", {"value": 500}),
        ("lag", {"value": 200}),
        ("unhealthy", {}),
        ("slow", {"value": 0.3}),
        ("429", {"value": 1}),
        ("5xx", {}),
        ("garbage", {"chance": 0.5}),
        ("blackout", {}),
        ("deaf", {}),
        ("drop", {}),
        ("duplicate", {"value": 5}),
        ("error_after", {}),
        ("reorder", {"value": 3}),
    ],
)
def test_one_faulty_endpoint_changes_nothing_that_counts(kind: str, more: dict[str, Any]) -> None:
    """Endpoint `a` misbehaves for the whole round trip; `b` is well."""

    async def test(stand: Served) -> None:
        fault(stand, "a", kind, **more)
        # What was subscribed there moves: pools must be current before an order.
        await until(lambda: all(_ages(stand)), 20.0)
        await round_trip(stand)
        for intent_id in (ENTRY, EXIT):
            landed = {fill.signature for fill in fills(stand) if fill.intent_id == intent_id}
            assert len(landed) == 1
        equal(stand)
        assert stand.alarms == []

    on_chain(test)


def _ages(stand: Served) -> list[bool]:
    feed = stand.venue.pools
    limit = stand.venue.venue._wiring.settings.limits.pool_age_slots_max
    places = stand.venue._places
    ages = [feed.accounts.age_slots(feed.needs(place.address)) for place in places]
    return [age is not None and age <= limit for age in ages]


def test_both_endpoints_forget_for_a_while_and_nothing_is_signed_again() -> None:
    async def test(stand: Served) -> None:
        fault(stand, "*", "lie_null")
        stand.submit(buy(ENTRY, 250 * DOLLAR))
        await asyncio.sleep(1.5)
        assert len(attempts_of(stand, ENTRY)) == 1
        healed(stand)
        end = await stand.ended(ENTRY, 40.0)
        assert isinstance(end, VenueProgress), end
        assert len({a.signature for a in attempts_of(stand, ENTRY)}) == 1
        equal(stand)

    on_chain(test)


def test_all_down_for_a_while_stops_entries_in_words_and_ends_nothing_wrongly() -> None:
    async def test(stand: Served) -> None:
        stand.submit(buy(ENTRY, 250 * DOLLAR))
        fault(stand, "*", "blackout")
        await asyncio.sleep(3.0)
        stand.submit(buy("00000000000000e3", 100 * DOLLAR))
        await stand.ended("00000000000000e3")
        refused = stand.of("00000000000000e3")[-1]
        assert isinstance(refused, VenueFailed)
        assert refused.status is OrderStatus.CANCELLED
        assert refused.reason
        assert not any(isinstance(event, VenueFailed) for event in stand.of(ENTRY))
        healed(stand)
        end = await stand.ended(ENTRY, 60.0)
        if isinstance(end, VenueFailed):
            assert end.status is OrderStatus.EXPIRED
        equal(stand)

    on_chain(test, age=6)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("platform_fee", "platform fee"),
        ("foreign_destination", "destination"),
        ("worse_tail", "tolerance"),
        ("no_routes", "NO_ROUTES"),
    ],
)
def test_hostile_aggregator_is_refused_before_anything_is_signed(kind: str, words: str) -> None:
    async def test(stand: Served) -> None:
        fault(stand, "jupiter", kind)
        stand.submit(buy(ENTRY, 500 * DOLLAR, min_out_raw=200_000_000))
        end = await stand.ended(ENTRY)
        assert isinstance(end, VenueFailed)
        assert end.status is OrderStatus.CANCELLED
        assert words.lower() in end.reason.lower() or "least output" in end.reason
        assert stand.signer.claims == []

    on_chain(test, programs=(), aggregator="fallback")
