"""Whether a fill was sandwiched, looked at afterwards and off the way of any order.

The block of the fill is read. Neighbours are the transactions of that block that touch its pool; a
payer with one of them before ours and one after it moved the price against us. What the fill cost
against the price before it is counted either way.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from utb.adapters.rpc.answers import Bad, Wire
from utb.adapters.rpc.calls import Call
from utb.adapters.venues.solana.flight import Flight
from utb.adapters.venues.solana.parts import Rpc
from utb.domain.amounts import price_q64_ceil, price_q64_floor, quote_value_ceil, quote_value_floor
from utb.domain.chain import ChainFill, Commitment
from utb.domain.names import Side
from utb.orderlife.actions import Filled
from utb.ports.livefeed import Timer

_LOG: Final = logging.getLogger(__name__)

WAITING_MAX: Final = 64
"""Fills that wait for their look; beyond it the newest is left out and counted."""
WAIT_SECONDS: Final = 2.0
TRIES: Final = 3


class KeyEntry(Wire, frozen=True):
    """An account of a transaction, as `transactionDetails: accounts` tells it."""

    pubkey: str


class _Message(Wire, frozen=True):
    account_keys: tuple[str | KeyEntry, ...] = ()


class _Transaction(Wire, frozen=True):
    signatures: tuple[str, ...]
    account_keys: tuple[KeyEntry, ...] = ()
    """In the short form."""
    message: _Message = _Message()
    """In the full one."""


class _Meta(Wire, frozen=True):
    err: Any = None


class BlockEntry(Wire, frozen=True):
    """One transaction of a block."""

    transaction: _Transaction
    meta: _Meta

    @property
    def signature(self) -> str:
        """Return its id."""
        return self.transaction.signatures[0] if self.transaction.signatures else ""

    @property
    def keys(self) -> tuple[str, ...]:
        """Return its accounts, the payer first."""
        short, full = self.transaction.account_keys, self.transaction.message.account_keys
        listed: tuple[str | KeyEntry, ...] = short or full
        return tuple(key if isinstance(key, str) else key.pubkey for key in listed)


class Block(Wire, frozen=True):
    """A block's transactions, in their order."""

    transactions: tuple[BlockEntry, ...] = ()


def block_call(slot: int) -> Call[Block | None]:
    """Ask for a block with the accounts of its transactions."""
    config = {
        "encoding": "json",
        "transactionDetails": "accounts",
        "rewards": False,
        "commitment": Commitment.CONFIRMED,
        "maxSupportedTransactionVersion": 0,
    }
    return Call(method="getBlock", params=(slot, config), shape=Block | None, history=True)


def sandwicher(entries: Sequence[BlockEntry], signature: str, pools: Sequence[str]) -> str | None:
    """Return who traded a pool right before and again after a transaction; None: nobody.

    Args:
        entries: Of the block, in order.
        signature: Our transaction.
        pools: It went through.
    """
    ours = next((i for i, entry in enumerate(entries) if entry.signature == signature), None)
    if ours is None or not entries[ours].keys:
        return None
    payer = entries[ours].keys[0]

    def traders(part: Sequence[BlockEntry]) -> list[str]:
        return [
            entry.keys[0]
            for entry in part
            if entry.meta.err is None
            and entry.keys[:1] != (payer,)
            and set(pools) & set(entry.keys)
        ]

    after = set(traders(entries[ours + 1 :]))
    return next((who for who in reversed(traders(entries[:ours])) if who in after), None)


def cost_quote_raw(
    fill: ChainFill, side: Side, mid_price: float, *, decimals: tuple[int, int]
) -> int:
    """Return what a fill cost against the price before it, in quote raw, rounded against us.

    Args:
        fill: From the chain.
        side: Of the order.
        mid_price: Quote per base before the swap, finite and > 0.
        decimals: Of base and quote.
    """
    if side is Side.BUY:
        worth_raw = quote_value_floor(fill.base_raw, price_q64_floor(mid_price, *decimals))
        return fill.quote_raw - worth_raw
    return quote_value_ceil(fill.base_raw, price_q64_ceil(mid_price, *decimals)) - fill.quote_raw


class _Look(msgspec.Struct, frozen=True):
    """One fill to look at."""

    flight: Flight
    fill: ChainFill


class SandwichCheck:
    """Looks at fills one after the other."""

    def __init__(self, rpc: Rpc, timer: Timer, *, enabled: bool) -> None:
        self._rpc = rpc
        self._timer = timer
        self._enabled = enabled
        self._waiting: asyncio.Queue[_Look] = asyncio.Queue(WAITING_MAX)
        self.counts: Counter[str] = Counter()
        """fills, sandwiched, unread, left_out."""
        self.cost_quote_raw = 0
        """Of all fills together, against the price before each."""
        self.sandwich_cost_quote_raw = 0
        """Of those that were sandwiched."""

    def after_fill(self, flight: Flight, filled: Filled) -> None:
        """Take a fill that was just reported."""
        if not self._enabled:
            return
        try:
            self._waiting.put_nowait(_Look(flight, filled.fill))
        except asyncio.QueueFull:
            self.counts["left_out"] += 1

    async def run(self) -> None:
        """Look at what comes, until cancelled."""
        while True:
            await self.look(await self._waiting.get())

    async def look(self, item: "_Look") -> None:
        """Look at one fill."""
        flight, fill = item.flight, item.fill
        attempt = flight.attempts[fill.signature]
        instrument = flight.instrument
        cost_raw = cost_quote_raw(
            fill,
            flight.intent.side,
            attempt.route.mid_price,
            decimals=(instrument.base_decimals, instrument.quote_decimals),
        )
        self.counts["fills"] += 1
        self.cost_quote_raw += cost_raw
        block = await self._block(fill.slot)
        if block is None:
            self.counts["unread"] += 1
            return
        pools = [leg.pool for leg in attempt.route.legs]
        who = sandwicher(block.transactions, fill.signature, pools)
        if who is None:
            return
        self.counts["sandwiched"] += 1
        self.sandwich_cost_quote_raw += cost_raw
        _LOG.warning(
            "order %s in slot %d: %s traded its pool before and after it; it cost %d quote raw "
            "against the price before",
            flight.intent.intent_id,
            fill.slot,
            who,
            cost_raw,
        )

    async def _block(self, slot: int) -> Block | None:
        for _ in range(TRIES):
            # An endpoint has the block a little after it has the status.
            await self._timer.sleep(WAIT_SECONDS)
            answer = await self._rpc.call(block_call(slot))
            if not isinstance(answer, Bad):
                return answer.value
        return None
