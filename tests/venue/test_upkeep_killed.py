"""A process is killed between sending rent's way back and booking it: the next one goes on."""

import asyncio

from test_venue_simnet import buy, equal, on_chain, sell
from venue_chain import DOLLAR, Served, until

from utb.adapters.chain.announced import FEE_LAMPORTS_MAX
from utb.adapters.chain.reconcile import DifferenceKind
from utb.domain.chain import Commitment
from utb.domain.orders import FlowCause, VenueFlow

ENTRY, EXIT = "0000000000000ab1", "0000000000000ab2"
GUARD_RENT = 890_880


def flows(stand: Served) -> list[VenueFlow]:
    return [event for event in stand.events if isinstance(event, VenueFlow)]


async def guarded(stand: Served) -> None:
    """Leave a guard behind: its order is over and final."""
    stand.submit(buy(ENTRY, 250 * DOLLAR))
    await stand.ended(ENTRY)
    stand.submit(sell(EXIT, stand.filled(ENTRY).base_raw // 2))
    await stand.ended(EXIT)
    await until(lambda: stand.chain.finalized_slot > stand.last_fill(EXIT).slot)
    await until(lambda: not stand.venue.venue.open_orders)


async def killed(stand: Served, *, lands: bool) -> str:
    """Begin anew when a transaction was announced and, if it lands, is final; return it."""
    stand.chain.loss_rate = 0.0 if lands else 1.0
    working = asyncio.ensure_future(stand.venue.upkeep.round())
    await until(lambda: bool(flows(stand)))
    [announced] = flows(stand)

    def final() -> bool:
        return stand.chain.transaction(announced.signature, Commitment.FINALIZED) is not None

    if lands:
        await until(final)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert flows(stand) == [announced]
    await stand.begin_anew()
    return announced.signature


async def compared(stand: Served) -> None:
    """See that chain and book are held to be equal, by one reading and the next."""
    for _ in range(2):
        found = await stand.venue.books.compare()
        assert found is not None
        assert found.differences == ()
    assert stand.wrong == []


def test_what_landed_is_booked_and_counts_as_nothing_before() -> None:
    async def test(stand: Served) -> None:
        await guarded(stand)
        signature = await killed(stand, lands=True)
        fee = GUARD_RENT - (stand.lamports() - stand.ledger.lamports)
        assert 0 < fee < FEE_LAMPORTS_MAX
        await compared(stand)
        assert len(flows(stand)) == 1
        await stand.venue.unbooked.look()
        assert [(one.cause, one.lamports) for one in flows(stand)[1:]] == [
            (FlowCause.RENT, GUARD_RENT),
            (FlowCause.HOUSEKEEPING_FEE, -fee),
        ]
        assert {one.signature for one in flows(stand)} == {signature}
        equal(stand)
        await compared(stand)

    on_chain(test)


def test_what_never_landed_is_proven_dead_and_its_rent_comes_back_later() -> None:
    """Nobody has the bytes any more: 150 blocks and finality later it is closed."""

    async def test(stand: Served) -> None:
        await guarded(stand)
        first = await killed(stand, lands=False)
        stand.chain.loss_rate = 0.0
        await compared(stand)
        async with asyncio.timeout(30.0):
            while stand.venue.unbooked.waits:
                await stand.venue.unbooked.look()
                await asyncio.sleep(0.1)
        assert [(one.signature, one.lamports) for one in flows(stand)] == [(first, 0), (first, 0)]
        equal(stand)
        await stand.venue.upkeep.round()
        assert stand.venue.unbooked.recovered_lamports == GUARD_RENT
        assert flows(stand)[-1].signature != first
        equal(stand)
        await compared(stand)

    on_chain(test, slot_ms=10)


def test_what_is_missing_beside_it_is_missing() -> None:
    """One lamport more than a fee may take."""

    async def test(stand: Served) -> None:
        await guarded(stand)
        await killed(stand, lands=True)
        fee = GUARD_RENT - (stand.lamports() - stand.ledger.lamports)
        stand.ledger.lamports += FEE_LAMPORTS_MAX - fee
        await compared(stand)
        stand.ledger.lamports += 1
        found = await stand.venue.books.compare()
        assert found is not None
        [difference] = found.differences
        assert difference.kind is DifferenceKind.SHORTFALL

    on_chain(test)
