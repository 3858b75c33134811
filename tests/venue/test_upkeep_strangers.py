"""Whoever likes opens accounts for our wallet and puts lamports into ours: the books follow."""

import asyncio

from test_upkeep_killed import EXIT, GUARD_RENT, compared, flows, guarded
from test_venue_simnet import equal, on_chain
from venue_chain import WALLET, Served, until

from utb.adapters.chain.wallet import guard_address
from utb.domain.chain import Commitment
from utb.domain.orders import FlowCause

GIVEN = 7
"""Lamports to a guard."""


async def given(stand: Served) -> int:
    """Let others open accounts of the wallet, and fill a guard up; return what it cost them."""
    mints = {market.base_mint for market in stand.chain.markets} - {stand.ledger.mint}
    before = await rent(stand)
    last = [stand.chain.airdrop_tokens(WALLET, mint, 0) for mint in sorted(mints)]
    last.append(stand.chain.airdrop(guard_address(WALLET, EXIT), GIVEN))

    def final() -> bool:
        return all(stand.chain.transaction(one, Commitment.FINALIZED) is not None for one in last)

    await until(final)
    return await rent(stand) - before


async def rent(stand: Served) -> int:
    found = await stand.venue.books.compare()
    assert found is not None
    return found.reading.rent_lamports()


def test_rent_that_strangers_paid_comes_in_and_comes_back() -> None:
    async def test(stand: Served) -> None:
        await guarded(stand)
        ours = stand.ledger.rent
        more = await given(stand)
        # The guard's and at least one account's: more than the book had as rent altogether
        assert more > ours
        await stand.venue.upkeep.round()
        assert stand.signer.claims[-1].intent_id == EXIT, "nothing leaves that is not in the book"
        async with asyncio.timeout(30.0):
            while not flows(stand):
                await stand.venue.books.compare()
        await compared(stand)
        [came] = flows(stand)
        assert (came.cause, came.lamports, came.rent_lamports) == (FlowCause.EXTERNAL, 0, more)
        await stand.venue.upkeep.round()
        back = [one.lamports for one in flows(stand) if one.cause is FlowCause.RENT]
        assert sum(back) == GUARD_RENT + more
        assert stand.ledger.rent == await rent(stand) == ours - GUARD_RENT
        equal(stand)
        await compared(stand)

    on_chain(test)
