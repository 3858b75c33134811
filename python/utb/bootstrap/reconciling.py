"""Chain against journal, from outside: what `utb reconcile` compares, also while the bot trades."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from utb.adapters.chain import base58
from utb.adapters.chain.announced import Announced
from utb.adapters.chain.authors import Authors
from utb.adapters.chain.reconcile import RENT, SOL, Difference, DifferenceKind, compare
from utb.adapters.chain.wallet import WalletReading, read_wallet
from utb.adapters.clocks import SystemClock
from utb.adapters.rpc.answers import Bad
from utb.adapters.rpc.place import RpcPlace, places, redactor
from utb.adapters.rpc.pool import RpcPool
from utb.adapters.rpc.wiring import RpcWiring
from utb.adapters.timers import WallTimer
from utb.bootstrap.bookside import OPENING_SLOT, KnownBook
from utb.config.load import Loaded
from utb.config.schema import Config
from utb.config.secrets import Secrets
from utb.domain.amounts import LAMPORT_DECIMALS
from utb.domain.chain import WRAPPED_SOL_MINT
from utb.domain.market import Instrument
from utb.errors import RefusedError, UsageError
from utb.ledger.book import Book
from utb.storage.readers import read_instruments, read_noted, read_records

ANSWER_S: Final = 20.0
"""Longest wait for an endpoint that can be asked, and for one that answers."""
READINGS_MAX: Final = 4
"""A difference counts when so many readings show it: one may meet a book on its way."""
BETWEEN_S: Final = 1.0
LOOK_S: Final = 0.05
NS_PER_S: Final = 1_000_000_000
KEY_BYTES: Final = 32


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One asset on both sides."""

    asset: str
    """A mint, `SOL` (the wallet's own lamports) or `rent` (locked in accounts of ours)."""
    symbol: str
    """Its name; empty: none is known."""
    decimals: int | None
    """None: unknown."""
    chain_raw: int
    book_raw: int
    difference_raw: int
    """Chain less book."""
    moving: bool
    """An order on its way moves it: not compared. SOL and rent also while housekeeping is not
    booked: compared in sum."""
    serious: bool
    """Whether trading takes no entries for it."""


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """What one comparison found."""

    wallet: str
    endpoint: str
    slot: int
    """Finalized; both sides are as of it."""
    seq: int
    """Last record of the journal that was folded."""
    equal: bool
    """Nothing is missing, and every transaction is known."""
    assets: tuple[Asset, ...]
    unknown: tuple[str, ...]
    """Signatures since the account's opening that the journal does not have."""
    words: tuple[str, ...]
    """Every difference in a sentence, the serious ones first."""


def rpc_wiring(config: Config, found: tuple[RpcPlace, ...]) -> RpcWiring:
    """Return what all endpoints share, in real time."""
    clock = SystemClock()
    draw = np.random.default_rng(None).random
    return RpcWiring(
        clock=clock,
        timer=WallTimer(),
        elapsed_ns=clock.elapsed_ns,
        stopwatch_ns=clock.elapsed_ns,
        draws=lambda _: draw,
        redactor=redactor(found),
        settings=config.rpc,
        heartbeat_s=config.feeds.heartbeat_seconds,
        reconnect_s_max=config.feeds.reconnect_seconds_max,
    )


def reconcile(loaded: Loaded, secrets: Secrets, journal: Path, wallet: str) -> Reconciled:
    """Compare a wallet with the book of a journal's file.

    Args:
        loaded: Configuration: endpoints and genesis hash.
        secrets: Addresses and keys of endpoints.
        journal: The file; its writer may be running.
        wallet: Address.

    Raises:
        UsageError: If no endpoint is configured, the address is none, or the journal is of no
            live trading.
        RefusedError: If no endpoint answers, or the two could not be held against each other.
    """
    found = places(loaded.config, secrets)
    if not found:
        expected = "QUICKNODE_RPC_URL, HELIUS_API_KEY or [[rpc.endpoints]]"
        raise UsageError("endpoints", "none", expected)
    check_address(wallet)
    opened = read_noted(journal, OPENING_SLOT)
    if opened is None:
        expected = "a directory a bot has traded live in"
        raise UsageError("--state", str(journal.parent), expected)
    asked = _Comparison(journal, wallet, int(opened))
    return asyncio.run(_ask(asked, loaded.config, found))


def check_address(wallet: str) -> None:
    """See that a wallet's address is one.

    Raises:
        UsageError: If it is not.
    """
    try:
        whole = len(base58.decode(wallet)) == KEY_BYTES
    except ValueError:
        whole = False
    if not whole:
        raise UsageError("wallet", wallet, "an address: base58 of 32 bytes")


async def _ask(asked: "_Comparison", config: Config, found: tuple[RpcPlace, ...]) -> Reconciled:
    wiring = rpc_wiring(config, found)
    pool = RpcPool(found, wiring)
    running = asyncio.ensure_future(pool.run())
    try:
        await _usable(pool, wiring)
        return await asked.lasting(pool, wiring)
    finally:
        running.cancel()
        await asyncio.wait((running,))


async def _usable(pool: RpcPool, wiring: RpcWiring) -> None:
    until_ns = wiring.elapsed_ns() + round(ANSWER_S * NS_PER_S)
    while not pool.usable() or pool.heights() is None:
        if wiring.elapsed_ns() > until_ns:
            told = "; ".join(f"{one.name}: {one.reason}" for one in pool.endpoints())
            raise RefusedError(f"no RPC endpoint answers: {told}")
        await asyncio.sleep(LOOK_S)


class _Comparison:
    """One wallet against one journal."""

    def __init__(self, journal: Path, wallet: str, opening_slot: int) -> None:
        self._journal = journal
        self._wallet = wallet
        self._instruments = read_instruments(journal)
        self._seq = 0
        self._book = Book(self._instruments)
        self._known = KnownBook(lambda: self._book, self._instruments)
        self._known.opening_slot = opening_slot

    async def lasting(self, pool: RpcPool, wiring: RpcWiring) -> Reconciled:
        """Compare until both sides are equal, or a difference stays."""
        last: Reconciled | None = None
        trouble = ""
        for number in range(READINGS_MAX):
            if number:
                await asyncio.sleep(BETWEEN_S)
            found = await self._compare(pool, wiring)
            if isinstance(found, str):
                trouble = found
                continue
            last = found
            if found.equal:
                return found
        if last is None:
            raise RefusedError(f"chain and book were not compared: {trouble}")
        return last

    async def _compare(self, pool: RpcPool, wiring: RpcWiring) -> Reconciled | str:
        """Compare once; a text says why that was not possible."""
        self._fold()
        moving = self._known.moving_mints()
        announced = {one.signature: one for one in self._known.announced()}
        now_s = wiring.clock.now_ns() / NS_PER_S
        reading = await read_wallet(pool, self._wallet, self._known.guard_seeds(), now_s)
        if isinstance(reading, Bad):
            return reading.sentence
        others = await self._others(pool, reading)
        # What the bot recorded meanwhile is in the reading, or moves
        self._fold()
        moving |= self._known.moving_mints()
        # What was closed meanwhile may be in only one of the two
        announced |= {one.signature: one for one in self._known.announced()}
        if not self._book.state.balances:
            return "the account's opening is not on record yet"
        view = self._known.view_at(reading.slot)
        if view is None:
            return f"the book has a fill later than slot {reading.slot}, the finalized one"
        known = self._known.known_signatures() | others
        found = compare(reading, view, moving, known, unbooked=len(announced))
        told = self._told(reading, moving, view.tokens, found)
        return _with_housekeeping(told, reading, tuple(announced.values()))

    async def _others(self, pool: RpcPool, reading: WalletReading) -> frozenset[str]:
        """Return the unknown transactions that only mention the wallet."""
        known = self._known.known_signatures()
        strange = [
            entry.signature
            for entry in reading.signatures
            if entry.slot > self._known.opening_slot and entry.signature not in known
        ]
        return await Authors(pool, self._wallet).of_others(strange)

    def _fold(self) -> None:
        for seq, _, record in read_records(self._journal, self._seq):
            self._book.apply(record)
            self._known.learn(record)
            self._seq = seq

    def _told(
        self,
        reading: WalletReading,
        moving: frozenset[str],
        book: Mapping[str, int],
        found: tuple[Difference, ...],
    ) -> Reconciled:
        serious = self._known.serious(found)
        wrong = {one.asset for one in serious}
        chain = reading.tokens()
        mints = sorted(chain.keys() | book.keys(), key=lambda mint: (mint not in book, mint))
        sides = [(mint, chain.get(mint, 0), book.get(mint, 0), mint in moving) for mint in mints]
        sides += [
            (SOL, reading.lamports, self._book.sol_lamports, bool(moving)),
            (RENT, reading.rent_lamports(), self._book.rent_lamports, bool(moving)),
        ]
        return Reconciled(
            wallet=self._wallet,
            endpoint=reading.endpoint,
            slot=reading.slot,
            seq=self._seq,
            equal=not serious,
            assets=tuple(
                Asset(
                    asset=asset,
                    symbol=_symbol(asset, self._instruments),
                    decimals=_decimals(asset, self._instruments),
                    chain_raw=on_chain,
                    book_raw=in_book,
                    difference_raw=on_chain - in_book,
                    moving=moves,
                    serious=asset in wrong,
                )
                for asset, on_chain, in_book, moves in sides
            ),
            unknown=tuple(
                one.asset for one in serious if one.kind is DifferenceKind.UNKNOWN_SIGNATURE
            ),
            words=tuple(
                one.words
                for one in (*serious, *(it for it in found if it.kind is DifferenceKind.INFLOW))
            ),
        )


def _with_housekeeping(
    told: Reconciled, reading: WalletReading, announced: tuple[Announced, ...]
) -> Reconciled:
    """Return a comparison that says what is announced and not booked, and may have moved rent."""
    if not announced:
        return told
    slots = {entry.signature: entry.slot for entry in reading.signatures}
    words = []
    for one in announced:
        slot = slots.get(one.signature)
        where = "has not landed yet, or never will" if slot is None else f"landed in slot {slot}"
        words.append(
            f"transaction {one.signature} ({one.reason}) {where} and is not in the book; the bot "
            f"books it while it runs, until then {SOL} and {RENT} are compared in sum"
        )
    return msgspec.structs.replace(
        told,
        assets=tuple(
            msgspec.structs.replace(one, moving=True) if one.asset in {SOL, RENT} else one
            for one in told.assets
        ),
        words=(*told.words, *words),
    )


def _symbol(asset: str, instruments: tuple[Instrument, ...]) -> str:
    for one in instruments:
        if asset == one.quote_mint:
            return one.quote
        if asset == one.base_mint:
            return one.symbol.partition("-")[0] if asset != WRAPPED_SOL_MINT else "wSOL"
    return asset if asset in {SOL, RENT} else ""


def _decimals(asset: str, instruments: tuple[Instrument, ...]) -> int | None:
    for one in instruments:
        if asset == one.quote_mint:
            return one.quote_decimals
        if asset == one.base_mint:
            return one.base_decimals
    return LAMPORT_DECIMALS if asset in {SOL, RENT} else None
