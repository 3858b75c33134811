"""What is known of the chain, kept fresh in the background; every reading is synchronous.

Who decides never waits here: a reading that is unknown or too old is None.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

import msgspec

from utb.adapters.chain.fees import FeeLevel, TipFloor, price_of
from utb.adapters.net.http import Failure, HttpClient
from utb.adapters.rpc import calls
from utb.adapters.rpc.answers import Bad, BlockhashValue, FeeEntry, Good
from utb.adapters.rpc.pool import RpcPool
from utb.adapters.rpc.topics import SlotNotice
from utb.adapters.rpc.wiring import RpcWiring
from utb.config.schema import Senders
from utb.domain.chain import Commitment
from utb.orderlife.events import Heights

EPOCH_SECONDS: Final = 60.0
RENT_SECONDS: Final = 600.0
"""Between two readings of rent: it is being lowered in steps, each of which is announced."""
TIP_SECONDS: Final = 10.0
TIP_MAX_AGE_SECONDS: Final = 120.0
FEE_WATCHES_MAX: Final = 256
RENT_SIZES: Final = (0, 165)
"""Of a guard account and of a token account."""

_TIP_FLOOR: Final = msgspec.json.Decoder(tuple[TipFloor, ...])


class Reading(msgspec.Struct, frozen=True):
    """A number and how old it is."""

    value: int
    age_s: float


class Blockhash(msgspec.Struct, frozen=True, kw_only=True):
    """A blockhash to sign with."""

    blockhash: str
    last_valid_block_height: int
    """As the endpoint told it with the blockhash."""
    slot: int
    """Of the answer."""
    endpoint: str
    age_s: float


class _Held(msgspec.Struct, frozen=True):
    """Something and when it was read."""

    value: int
    read_ns: int


class FeeWatch:
    """Recent prices of compute on the accounts of one pool."""

    def __init__(self, accounts: Sequence[str], state: "ChainState") -> None:
        self.accounts = tuple(accounts)
        self._state = state
        self._prices: dict[FeeLevel, int | None] = {}
        self.read_ns: int | None = None

    def take(self, prices: dict[FeeLevel, int | None], read_ns: int) -> None:
        """Learn what recent entries come to; an order finds it computed."""
        self._prices, self.read_ns = prices, read_ns

    def price(self, level: FeeLevel) -> Reading | None:
        """Return micro-lamports per compute unit within floor and cap; None: unknown or too old."""
        price = self._prices.get(level)
        if price is None or self.read_ns is None:
            return None
        age_s = self._state.fee_age_s(self.read_ns)
        return None if age_s is None else Reading(price, age_s)

    def cancel(self) -> None:
        """Read them no more."""
        self._state.forget_fees(self)


class ChainState:
    """Heights, blockhash, fees, rent, tips and epoch."""

    def __init__(
        self, pool: RpcPool, wiring: RpcWiring, senders: Senders, tip_floor: HttpClient | None
    ) -> None:
        """Know nothing yet.

        Args:
            pool: Whom to ask.
            wiring: Time and settings.
            senders: Bounds of tips.
            tip_floor: Where tips that landed are told; None: nowhere, the least is offered.
        """
        self._pool = pool
        self._wiring = wiring
        self._settings = wiring.settings
        self._jito = senders.jito
        self._tip_floor = tip_floor
        self._blockhash: Good[BlockhashValue] | None = None
        self._blockhash_ns = 0
        self._height_seen: int | None = None
        self._fees: dict[FeeWatch, None] = {}
        self._rent: dict[int, _Held] = {}
        self._rent_sizes: set[int] = set(RENT_SIZES)
        self._tips: TipFloor | None = None
        self._tips_ns = 0
        self._epoch: _Held | None = None
        self._heights: Heights | None = None
        self.on_heights: list[Callable[[Heights], None]] = []
        """Called when the chain went on: with every new slot, and when heights were read."""
        self.troubles: dict[str, str] = {}
        """What could not be read last, by what it is, in words."""
        pool.on_slot.append(self._on_slot)
        pool.on_heights.append(self._on_heights)

    async def run(self) -> None:
        """Refresh until cancelled."""
        settings = self._settings
        async with asyncio.TaskGroup() as group:
            group.create_task(self._again(self._read_blockhash, settings.blockhash_seconds))
            group.create_task(self._again(self._read_fees, settings.fees_seconds))
            group.create_task(self._again(self._read_rent, settings.fees_seconds))
            group.create_task(self._again(self._read_epoch, EPOCH_SECONDS))
            if self._tip_floor is not None:
                group.create_task(self._again(self._read_tips, TIP_SECONDS))

    # Readings

    def heights(self) -> Heights | None:
        """Return how far the chain is; None: unknown."""
        return self._heights

    def slot(self) -> Reading | None:
        """Return the present slot and the age of the last word about it; None: unknown."""
        age_s = self._pool.slot_age_s()
        heights = self._heights
        return None if heights is None or age_s is None else Reading(heights.slot, age_s)

    def height_seen(self) -> int | None:
        """Return the highest block height any endpoint ever told; None: unknown."""
        return self._height_seen

    def blockhash(self) -> Blockhash | None:
        """Return the blockhash to sign with; None: unknown, or too old by slots or time."""
        held, heights = self._blockhash, self._heights
        if held is None or held.slot is None or heights is None:
            return None
        age_s = (self._wiring.elapsed_ns() - self._blockhash_ns) / 1e9
        if heights.slot - held.slot > self._settings.blockhash_slots_max:
            return None
        # Without slots nobody can say how old it is: then time decides, as if each took 0.4 s.
        if age_s > self._settings.blockhash_slots_max * 0.4:
            return None
        return Blockhash(
            blockhash=held.value.blockhash,
            last_valid_block_height=held.value.last_valid_block_height,
            slot=held.slot,
            endpoint=held.endpoint,
            age_s=age_s,
        )

    def watch_fees(self, accounts: Sequence[str]) -> FeeWatch:
        """Read recent prices of compute on accounts again and again.

        Args:
            accounts: Those a transaction over one pool writes.

        Raises:
            ValueError: If `FEE_WATCHES_MAX` are watched already.
        """
        if len(self._fees) >= FEE_WATCHES_MAX:
            raise ValueError(f"{FEE_WATCHES_MAX} sets of accounts are the most")
        watch = FeeWatch(accounts, self)
        self._fees[watch] = None
        return watch

    def forget_fees(self, watch: FeeWatch) -> None:
        """Read a set of accounts no more."""
        self._fees.pop(watch, None)

    def fee_age_s(self, read_ns: int) -> float | None:
        """Return the age of prices read at `read_ns`; None: they are too old."""
        age_s = (self._wiring.elapsed_ns() - read_ns) / 1e9
        return None if age_s > self._settings.fees_max_age_seconds else age_s

    def rent_minimum(self, size: int) -> Reading | None:
        """Return the lamports that free an account of `size` bytes of rent; None: not read yet.

        A size that is not known is read from now on.
        """
        held = self._rent.get(size)
        if held is None:
            self._rent_sizes.add(size)
            return None
        return Reading(held.value, (self._wiring.elapsed_ns() - held.read_ns) / 1e9)

    def tip(self, level: FeeLevel) -> Reading:
        """Return the tip to offer in lamports, within the configured bounds.

        Without a recent word of the relay it is the least, whose age is 0: it is ours.
        """
        age_s = (self._wiring.elapsed_ns() - self._tips_ns) / 1e9
        least, most = self._jito.tip_lamports_min, self._jito.tip_lamports_max
        if self._tips is None or age_s > TIP_MAX_AGE_SECONDS:
            return Reading(least, 0.0)
        return Reading(min(most, max(least, self._tips.lamports(level))), age_s)

    def epoch(self) -> Reading | None:
        """Return the epoch; None: unknown."""
        if self._epoch is None:
            return None
        age_s = (self._wiring.elapsed_ns() - self._epoch.read_ns) / 1e9
        return Reading(self._epoch.value, age_s)

    # Refreshing

    async def refresh(self) -> None:
        """Read everything once, for a start."""
        await self._read_blockhash()
        await self._read_rent()
        await self._read_epoch()
        await self._read_fees()
        if self._tip_floor is not None:
            await self._read_tips()

    async def _again(self, read: Callable[[], Coroutine[Any, Any, None]], every_s: float) -> None:
        while True:
            await read()
            await self._wiring.timer.sleep(every_s)

    async def _read_blockhash(self) -> None:
        answer = await self._pool.call(calls.latest_blockhash(), urgent=True)
        if not self._noted("blockhash", answer) or isinstance(answer, Bad):
            return
        held = self._blockhash
        # An endpoint behind the one before must not make the blockhash older.
        if held is None or (answer.slot or 0) >= (held.slot or 0):
            self._blockhash = answer
            self._blockhash_ns = self._wiring.elapsed_ns()

    async def _read_fees(self) -> None:
        for watch in tuple(self._fees):
            answer = await self._pool.call(calls.recent_fees(watch.accounts))
            if self._noted("fees", answer) and isinstance(answer, Good):
                watch.take(self._prices_of(answer.value), self._wiring.elapsed_ns())

    def _prices_of(self, entries: Sequence[FeeEntry]) -> dict[FeeLevel, int | None]:
        floor, cap = self._settings.fee_floor_microlamports, self._settings.fee_cap_microlamports
        return {level: price_of(entries, level, floor=floor, cap=cap) for level in FeeLevel}

    async def _read_rent(self) -> None:
        now_ns = self._wiring.elapsed_ns()
        for size in sorted(self._rent_sizes):
            held = self._rent.get(size)
            if held is not None and now_ns - held.read_ns < RENT_SECONDS * 1e9:
                continue
            answer = await self._pool.call(calls.rent_minimum(size))
            if self._noted("rent", answer) and isinstance(answer, Good):
                self._rent[size] = _Held(answer.value, self._wiring.elapsed_ns())

    async def _read_epoch(self) -> None:
        answer = await self._pool.call(calls.epoch_info(Commitment.CONFIRMED))
        if self._noted("epoch", answer) and isinstance(answer, Good):
            self._epoch = _Held(answer.value.epoch, self._wiring.elapsed_ns())

    async def _read_tips(self) -> None:
        client = self._tip_floor
        if client is None:
            return
        body = await client.get("")
        if isinstance(body, Failure):
            self.troubles["tips"] = body.sentence
            return
        try:
            told = _TIP_FLOOR.decode(body.payload)
        except msgspec.MsgspecError as error:
            self.troubles["tips"] = self._wiring.redactor.clean(f"the tip floor: {error}")
            return
        if told:
            self._tips, self._tips_ns = told[0], self._wiring.elapsed_ns()
            self.troubles.pop("tips", None)

    # Leaves

    def _noted(self, what: str, answer: Good[Any] | Bad) -> bool:
        if isinstance(answer, Bad):
            self.troubles[what] = answer.sentence
            return False
        self.troubles.pop(what, None)
        return True

    def _on_slot(self, notice: SlotNotice) -> None:
        if self._heights is None or notice.slot > self._heights.slot:
            self._on_heights()

    def _on_heights(self) -> None:
        heights = self._pool.heights()
        if heights is None:
            return
        self._height_seen = max(heights.block, self._height_seen or 0)
        self._heights = heights
        for listener in self.on_heights:
            listener(heights)
