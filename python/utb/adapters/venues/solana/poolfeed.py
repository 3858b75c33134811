"""Pools of the instruments, kept current: accounts into the core, ages and quotes out."""

from collections.abc import Sequence
from typing import Final

from utb.adapters.rpc.answers import AccountValue
from utb.adapters.rpc.topics import SlotNotice
from utb.adapters.venues.solana.accounts import AccountFeed
from utb.adapters.venues.solana.parts import PoolBook, Rpc
from utb.adapters.venues.solana.settings import PoolPlace
from utb.domain.names import Side
from utb.engine.chain import NoQuote, key_bytes, key_text
from utb.errors import UsageError
from utb.ports.livefeed import Timer
from utb.routing.quotes import PoolCandidate, PoolQuote

MISSING_SLOTS: Final = 4
"""Between two readings of accounts that the core misses."""

_NO_OWNER: Final = bytes(32)
"""Of an account that does not exist."""

COMPLETE_ROUNDS: Final = 4
"""Readings until every account of a pool is known: its own, then what it names, then ticks."""


class PoolFeed:
    """Follows every configured pool."""

    def __init__(
        self, rpc: Rpc, timer: Timer, pools: PoolBook, places: Sequence[PoolPlace]
    ) -> None:
        """Watch the pools and want their accounts; `run` reads them."""
        self._pools = pools
        self._places = {place.address: place for place in places}
        self._needs: dict[str, tuple[str, ...]] = {}
        """Accounts by pool."""
        self._keys: dict[str, list[bytes]] = {}
        self._users: dict[str, set[str]] = {}
        """Pools by account."""
        self.accounts = AccountFeed(rpc, timer, self._apply, pools.rollback)
        self.refused: dict[str, str] = {}
        """Accounts that are not what they should be, in words."""
        self._missing_slot = 0
        for place in self._places.values():
            pools.watch(place.program, place.key)
            self._refresh(place)
        rpc.on_slot.append(self._on_slot)

    async def run(self) -> None:
        """Keep them current until cancelled."""
        await self.accounts.run()

    async def read(self) -> str:
        """Read every account once, for a start; return why it could not be done, or nothing."""
        for _ in range(COMPLETE_ROUNDS):
            while self.accounts.due:
                if not await self.accounts.read_due():
                    return self.accounts.trouble
        return ""

    def needs(self, pool: str) -> tuple[str, ...]:
        """Return the accounts of a pool that are followed."""
        return self._needs.get(pool, ())

    def candidate(self, place: PoolPlace, input_mint: bytes, side: Side) -> PoolCandidate:
        """Return a pool as the choice of a route takes it."""
        pools, key = self._pools, place.key
        sale = side is Side.SELL

        def quote(amount_in_raw: int) -> PoolQuote | str:
            try:
                found = pools.quote(key, input_mint, amount_in_raw)
            except UsageError as error:
                return str(error)
            if isinstance(found, NoQuote):
                return found.reason
            before, after = found.price_before, found.price_after
            return PoolQuote(
                out_raw=found.out_raw,
                fee_raw=found.fee_raw,
                slot=found.slot,
                # The core's are output per input.
                price_before=before if sale else 1.0 / before,
                price_after=after if sale else 1.0 / after,
            )

        return PoolCandidate(
            program=place.program,
            pool=place.address,
            quote=quote,
            age_slots=self.accounts.age_slots(self.needs(place.address)),
        )

    def _on_slot(self, notice: SlotNotice) -> None:
        """Let the core see time pass, and read what it misses."""
        head = self.accounts.head
        if head is None or notice.slot < head:
            return
        self._pools.on_slot(head)
        if head - self._missing_slot >= MISSING_SLOTS:
            self._missing_slot = head
            self.accounts.read_soon(key_text(key) for key in self._pools.missing())

    def _apply(self, key: str, value: AccountValue | None, slot: int) -> None:
        owner, data = _NO_OWNER, b""
        if value is not None:
            owner, data = key_bytes(value.owner), value.data[0]
        try:
            taken = self._pools.apply(key_bytes(key), owner, data, slot)
        except UsageError as error:
            self.refused[key] = str(error)
            return
        self.refused.pop(key, None)
        if taken:
            for pool in tuple(self._users.get(key, ())):
                self._refresh(self._places[pool])

    def _refresh(self, place: PoolPlace) -> None:
        """Follow what a pool needs now: it names its accounts, and its price moves along ticks."""
        keys = self._pools.needs(place.key)
        if keys == self._keys.get(place.address):
            return
        self._keys[place.address] = keys
        needed = tuple(key_text(key) for key in keys)
        before = self._needs.get(place.address, ())
        self._needs[place.address] = needed
        for key in needed:
            self._users.setdefault(key, set()).add(place.address)
        left = [key for key in before if key not in needed]
        for key in left:
            self._users[key].discard(place.address)
        self.accounts.drop(key for key in left if not self._users[key])
        self.accounts.want(needed)
        # Balances count only where they are of one slot: all of a pool are read in one call.
        self.accounts.read_soon(needed)
