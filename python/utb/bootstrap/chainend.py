"""Reads the wallet, and at the end of a run puts it beside what the ledger says."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from utb.adapters.chain.reconcile import RENT, SOL, BookView
from utb.adapters.chain.wallet import WalletReading, read_wallet
from utb.adapters.rpc.pool import RpcPool
from utb.bootstrap.bookside import BookSide
from utb.domain.market import Instrument
from utb.node.result import AssetHeld, ChainHeld
from utb.ports.clock import Clock

log = structlog.get_logger()

TRIES: Final = 60
NS_PER_S: Final = 1_000_000_000
LOOK_S: Final = 0.5
"""Rent on its way back shows on the chain some seconds before it is booked."""


async def read_patiently(rpc: RpcPool, wallet: str, books: BookSide, clock: Clock) -> WalletReading:
    """Read a wallet, as often as it takes."""
    told = ""
    while True:
        now_s = clock.now_ns() / NS_PER_S
        reading = await read_wallet(rpc, wallet, books.guard_seeds(), now_s)
        if isinstance(reading, WalletReading):
            return reading
        if reading.sentence != told:
            log.warning("wallet_not_read", reason=reading.sentence)
            told = reading.sentence
        await asyncio.sleep(LOOK_S)


async def held_at_end(
    read: Callable[[BookSide], Awaitable[WalletReading]],
    books: BookSide,
    instruments: Sequence[Instrument],
) -> ChainHeld:
    """Read the wallet until a finalized slot has what the ledger says, or for half a minute."""
    names = {one.base_mint: one.base for one in instruments}
    names[instruments[0].quote_mint] = instruments[0].quote
    found = None
    for _ in range(TRIES):
        reading = await read(books)
        view = books.view_at(reading.slot)
        if view is not None:
            found = beside(reading, view, names)
            if found.equal:
                return found
        await asyncio.sleep(LOOK_S)
    return found or ChainHeld(slot=0, equal=False, assets=())


def beside(reading: WalletReading, view: BookView, names: dict[str, str]) -> ChainHeld:
    """Return SOL, rent and every token, by the ledger and by the chain."""
    tokens = reading.tokens()
    rows = [
        AssetHeld(asset=SOL, ledger_raw=view.lamports, chain_raw=reading.lamports),
        AssetHeld(asset=RENT, ledger_raw=view.rent_lamports, chain_raw=reading.rent_lamports()),
    ]
    for mint in sorted(view.tokens.keys() | tokens.keys()):
        # Wrapped SOL is a token of its own beside the wallet's
        name = names.get(mint, mint)
        rows.append(
            AssetHeld(
                asset="wSOL" if name == SOL else name,
                ledger_raw=view.tokens.get(mint, 0),
                chain_raw=tokens.get(mint, 0),
            )
        )
    equal = all(row.ledger_raw == row.chain_raw for row in rows)
    return ChainHeld(slot=reading.slot, equal=equal, assets=tuple(rows))
