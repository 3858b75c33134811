"""Reads what a landed transaction brought, for the life that asks for it."""

from collections.abc import Callable

from utb.adapters.chain.fills import read_settlement
from utb.adapters.chain.landed import Unread
from utb.adapters.rpc.answers import Bad
from utb.adapters.rpc.pool import RpcPool
from utb.adapters.venues.solana.flight import Flight
from utb.orderlife.events import FillRead


class Settling:
    """Fills of the wallet's transactions."""

    def __init__(self, pool: RpcPool, wallet: str, on_unread: Callable[[str], None]) -> None:
        """Read nothing yet.

        Args:
            pool: Whom to ask.
            wallet: Address.
            on_unread: Takes a sentence about a transaction that landed and is not the swap it
                should be: a person has to look.
        """
        self._pool = pool
        self._wallet = wallet
        self._on_unread = on_unread
        self._told: set[str] = set()

    async def read(self, flight: Flight, signature: str, *, finalized: bool) -> FillRead | str:
        """Return what a transaction brought; a text says why it is not known yet."""
        instrument = flight.instrument
        found = await read_settlement(
            self._pool,
            signature,
            finalized=finalized,
            wallet=self._wallet,
            mints=(instrument.base_mint, instrument.quote_mint),
            guard_instruction=flight.guard_instruction(signature),
        )
        if isinstance(found, FillRead):
            return found
        if found is None:
            return "the endpoint does not know it yet"
        if isinstance(found, Bad):
            return found.sentence
        return self._unread(signature, found)

    def _unread(self, signature: str, found: Unread) -> str:
        words = f"transaction {signature}: {found.sentence}"
        if signature not in self._told:
            self._told.add(signature)
            self._on_unread(words)
        return words
