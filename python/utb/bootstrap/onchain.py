"""Trading on the chain: endpoints, signer, venue and reconciliation, put together and checked.

`open_chain` refuses to begin where something is missing or wrong, before a session is touched;
`OnChain.drive` then opens or compares the account and lets orders out.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import structlog

from utb.adapters.chain.reconcile import Difference, DifferenceKind, compare
from utb.adapters.chain.senders import Senders
from utb.adapters.chain.state import ChainState
from utb.adapters.chain.wallet import WalletReading
from utb.adapters.jupiter.make import jupiter_client, jupiter_http
from utb.adapters.rpc import calls
from utb.adapters.rpc.answers import Bad, Good
from utb.adapters.rpc.place import RpcPlace, places
from utb.adapters.rpc.pool import RpcPool
from utb.adapters.signer.process import ProcessSigner, connect_signer
from utb.adapters.venues.solana.assembly import Surroundings, VenueAssembly
from utb.adapters.venues.solana.settings import VenueSettings
from utb.adapters.venues.solana.unbooked import Unbooked
from utb.bootstrap.bookside import OPENING_SLOT, BookSide, Standstill
from utb.bootstrap.chainend import held_at_end, read_patiently
from utb.bootstrap.chainhealth import ChainWatch
from utb.bootstrap.reconciling import rpc_wiring
from utb.bootstrap.shell import Shell
from utb.bootstrap.signing import socket_path
from utb.bootstrap.tipfloor import tip_floor
from utb.config.schema import Config
from utb.config.secrets import Secrets
from utb.domain.amounts import LAMPORT_DECIMALS, price_q64_floor
from utb.domain.market import Instrument
from utb.domain.orders import FlowCause, VenueFlow
from utb.domain.seam import ChainHealth
from utb.engine.chain import LookupTable, key_bytes
from utb.engine.signer import keystore_show
from utb.errors import LiveCause, LiveRefused, TransientError, UsageError
from utb.node.chainside import ChainSide
from utb.ports.livefeed import Timer
from utb.storage.journal import SqliteJournal
from utb.storage.lock import WalletLock

log = structlog.get_logger()

ANSWER_S: Final = 20.0
"""Longest wait for an endpoint to answer at the start."""
LOOK_S: Final = 0.05
FRESH_LOOK_S: Final = 0.005
FRESH_SLOTS: Final = 3
"""Slots until a pool's new price has surely been told."""
NS_PER_S: Final = 1_000_000_000


class OnChain:
    """One wallet's way to the chain."""

    def __init__(
        self,
        config: Config,
        secrets: Secrets,
        instruments: tuple[Instrument, ...],
        found: tuple[RpcPlace, ...],
        signer: ProcessSigner,
    ) -> None:
        """Put together what needs no session; made by `open_chain`."""
        self._still = Standstill()
        self._books: BookSide | None = None
        self.side = ChainSide()
        self._fresh: set[asyncio.Task[None]] = set()
        self._watch: ChainWatch | None = None
        self._config = config
        self._secrets = secrets
        self._instruments = instruments
        self._signer = signer
        self._places = found
        self._wiring = rpc_wiring(config, found)
        self.rpc = RpcPool(found, self._wiring)
        self._senders = Senders(found, config.senders, self._wiring)
        self._state = ChainState(
            self.rpc, self._wiring, config.senders, tip_floor(config, self._wiring)
        )

    async def check(self) -> None:
        """See that an endpoint answers and that all are of the right chain.

        Raises:
            LiveRefused: If not.
        """
        pool = RpcPool(self._places, self._wiring)
        running = asyncio.ensure_future(pool.run())
        try:
            answers: list[Good[str] | Bad] = []
            foreign: tuple[str, ...] = ()
            until_ns = self._wiring.stopwatch_ns() + round(ANSWER_S * NS_PER_S)
            while not any(isinstance(answer, Good) for answer in answers):
                # An endpoint is asked when its heights are known
                asked = await pool.ask_each(calls.genesis_hash(), len(self._places), urgent=True)
                answers = asked or answers
                if (foreign := pool.foreign) or self._wiring.stopwatch_ns() > until_ns:
                    break
                await asyncio.sleep(LOOK_S)
            good = any(isinstance(answer, Good) for answer in answers)
            if good and not foreign:
                foreign = await pool.check_genesis()
            views = pool.endpoints()
        finally:
            running.cancel()
            await asyncio.wait((running,))
        if foreign:
            raise LiveRefused(LiveCause.FOREIGN_GENESIS, "; ".join(foreign))
        if not good:
            told = "; ".join(a.sentence for a in answers if isinstance(a, Bad))
            if not told:
                told = "; ".join(f"{e.name}: {e.reason}" for e in views)
            raise LiveRefused(LiveCause.NO_RPC, told)

    async def drive(self, shell: Shell, journal: SqliteJournal, now_ns: Callable[[], int]) -> None:
        """Open or compare the account, then carry orders until cancelled.

        Args:
            shell: The session, resumed.
            journal: Of the session.
            now_ns: The market's time.

        Raises:
            LiveRefused: If the wallet holds less than the journal says.
        """
        trader = shell.runner.wiring.trader
        books = BookSide(lambda: trader.book, self._instruments, shell, self._still, journal.sync)
        for _, record in journal.records(0):
            books.learn(record)
        self._books = books
        venue = VenueAssembly(self._surroundings(shell, books, journal, now_ns))
        parts = (self.rpc, self._state, self._senders, self._signer)
        self._watch = ChainWatch(parts, books, venue.books, self._wiring.elapsed_ns)
        shell.know_chain(self.health)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.rpc.run())
                group.create_task(self._state.run())
                group.create_task(self._senders.run())
                await self._account(shell, venue.unbooked, journal, now_ns)
                await self._prepared(venue)
                group.create_task(venue.run())
                # One turn of the loop: the venue's background is there before its first order
                await asyncio.sleep(0)
                self.side.start(venue.venue, trader.desk)
                await asyncio.Event().wait()
        finally:
            # Nobody looks any more: what was known last is no answer to how it is
            self._watch = None

    def health(self) -> ChainHealth | None:
        """Return how the way to the chain is; None before orders can go out, and afterwards."""
        if self._watch is None or not self.side.started:
            return None
        return self._watch.health()

    def stand_still(self, timer: Timer) -> None:
        """Let simulated time wait for orders on their way: the chain runs by the wall's clock.

        An order is routed when the pools have followed the market to where it stands: simulated
        time runs so much faster than slots come that they would be hours behind.
        """
        self._still.timer = timer

        def outlet(send: Callable[[], None]) -> None:
            self._still.hold()
            task = asyncio.ensure_future(self._when_fresh(send))
            self._fresh.add(task)
            task.add_done_callback(self._fresh.discard)

        self.side.outlet = outlet

    async def _when_fresh(self, send: Callable[[], None]) -> None:
        before = self.rpc.heights()
        start = 0 if before is None else before.slot
        while (  # noqa: ASYNC110 - slots come over a socket
            (now := self.rpc.heights()) is None or now.slot < start + FRESH_SLOTS
        ):
            await asyncio.sleep(FRESH_LOOK_S)
        send()

    async def compare_at_end(self) -> None:
        """Put what the wallet holds beside the ledger, for the run's result."""
        if self._books is not None:
            self.side.held = await held_at_end(self._read, self._books, self._instruments)

    async def until_ready(self) -> None:
        """Return when orders go out."""
        while not self.side.started:  # noqa: ASYNC110 - a dozen parts have to be there
            await asyncio.sleep(LOOK_S)

    # Parts

    async def _prepared(self, venue: VenueAssembly) -> None:
        """Wait until everything an order must find is there; say what is missing meanwhile."""
        told = ""
        while trouble := await venue.prepare():
            if trouble != told:
                log.warning("chain_not_ready", reason=trouble)
                told = trouble
            await asyncio.sleep(1.0)

    async def _account(
        self, shell: Shell, unbooked: Unbooked, journal: SqliteJournal, now_ns: Callable[[], int]
    ) -> None:
        """Open the account with what the wallet holds, or hold the book against it."""
        books = self._books
        assert books is not None  # noqa: S101 - made in `drive`
        reading = await self._read(books)
        trader = shell.runner.wiring.trader
        if not trader.is_open and trader.desk.state.opening is None:
            journal.note(OPENING_SLOT, str(reading.slot))
            books.opening_slot = reading.slot
            self._open(reading, books, now_ns())
            return
        books.opening_slot = int(journal.noted(OPENING_SLOT) or 0)
        if not trader.is_open:
            return
        # Not between the records of a simulated market's end, which are still to come again
        if unbooked.waits and not journal.verifying():
            reading = await self._look(unbooked, books)
        missing = self._missing(reading, books)
        if missing:
            words = "; ".join(one.words for one in missing)
            raise LiveRefused(LiveCause.SHORTFALL, f"{words}. See `utb reconcile`")

    async def _look(self, unbooked: Unbooked, books: BookSide) -> WalletReading:
        """Book what landed of the housekeeping that an earlier process announced; read the wallet.

        Once: exits wait for it. What is not known yet is looked at by the upkeep, until it is.
        """
        await unbooked.look()
        for one in books.announced():
            log.warning("housekeeping_unbooked", signature=one.signature, reason=unbooked.trouble)
        return await self._read(books)

    def _missing(self, reading: WalletReading, books: BookSide) -> list[Difference]:
        """Return what the wallet lacks; while an order is on its way nothing is sure."""
        view = books.view_at(reading.slot)
        if view is None or books.moves:
            return []
        known, unbooked = books.known_signatures(), len(books.announced())
        found = compare(reading, view, frozenset(), known, unbooked=unbooked)
        return [one for one in found if one.kind is DifferenceKind.SHORTFALL]

    def _open(self, reading: WalletReading, books: BookSide, ts_ns: int) -> None:
        # In one event: a kill cannot leave half of the opening
        books.on_venue(
            VenueFlow(
                ts_ns=ts_ns,
                cause=FlowCause.EXTERNAL,
                lamports=reading.lamports,
                quote_raw=reading.tokens().get(self._instruments[0].quote_mint, 0),
                rent_lamports=reading.rent_lamports(),
                reason="opening",
            )
        )

    async def _read(self, books: BookSide) -> WalletReading:
        wallet, clock = self._signer.public_key, self._wiring.clock
        return await read_patiently(self.rpc, wallet, books, clock)

    def _surroundings(
        self, shell: Shell, books: BookSide, journal: SqliteJournal, now_ns: Callable[[], int]
    ) -> Surroundings:
        config, desk = self._config, shell.runner.wiring.trader.desk
        market = shell.runner.wiring.core
        source, clock = config.api.jupiter, self._wiring.clock
        jupiter = None
        if config.routing.aggregator != "off":
            http = jupiter_http(
                source,
                self._secrets.jupiter_api_key,
                clock=clock,
                timer=self._wiring.timer,
                elapsed_ns=self._wiring.elapsed_ns,
                redactor=self._wiring.redactor,
            )
            jupiter = jupiter_client(source, http, self._wiring.elapsed_ns)
        sequence = _Sequence(journal.durable_seq)
        settings = VenueSettings.of(config, self._instruments, endpoints=len(self._places))
        return Surroundings(
            instruments=self._instruments,
            settings=settings,
            rpc=self.rpc,
            rpc_wiring=self._wiring,
            now_ns=now_ns,
            chain=self._state,
            senders=self._senders,
            signer=self._signer,
            sink=books,
            jupiter=jupiter,
            tables=tuple(
                LookupTable(
                    key=key_bytes(table.address),
                    addresses=tuple(key_bytes(one) for one in table.addresses),
                )
                for table in config.signer.tables
            ),
            next_sequence=sequence.next,
            lamport_quote_q64=lambda: price_q64_floor(
                desk.sol_price(market), LAMPORT_DECIMALS, desk.quote_decimals
            ),
            book=books,
            on_discrepancy=lambda found: books.on_discrepancy(found, now_ns()),
            on_alarm=lambda words: log.error("alarm", words=words),
        )


class _Sequence:
    """Numbers that go on behind the journal's records: a signed order leaves one at least."""

    def __init__(self, last: int) -> None:
        self._last = last

    def next(self) -> int:
        """Return the next number."""
        self._last += 1
        return self._last


async def open_chain(
    config: Config,
    secrets: Secrets,
    instruments: tuple[Instrument, ...],
    state_dir: Path,
    resources: ExitStack,
) -> OnChain:
    """Return the way to the chain, checked; what was opened is closed with `resources`.

    Raises:
        LiveRefused: If something is missing or wrong.
    """
    address = wallet_address(config, secrets)
    lock = WalletLock(address, config.node.wallet_locks)
    resources.callback(lock.release)
    found = places(config, secrets)
    if not found:
        raise LiveRefused(LiveCause.NO_RPC, "none is configured")
    try:
        signer = await connect_signer(
            socket_path(config, state_dir), timeout_s=config.signer.request_timeout_ms / 1e3
        )
    except TransientError as error:
        raise LiveRefused(LiveCause.NO_KEY, f"the signer does not answer ({error})") from error
    resources.callback(signer.close)
    if signer.public_key != address:
        words = f"WALLET_ADDRESS is {address}, the signer's key is that of {signer.public_key}"
        raise LiveRefused(LiveCause.NO_KEY, words)
    chain = OnChain(config, secrets, instruments, found, signer)
    await chain.check()
    return chain


def wallet_address(config: Config, secrets: Secrets) -> str:
    """Return the wallet's address as the environment names it.

    Its key file must be safe; one that a signer of another user holds (`signer.socket`) is not
    ours to look at.

    Raises:
        LiveRefused: If it is not named, or its key file is not safe or of another wallet.
    """
    named, file = secrets.wallet_address, secrets.wallet_private_key_path
    if not (named and file):
        words = "WALLET_ADDRESS and WALLET_PRIVATE_KEY_PATH must both be set (`utb wallet new`)"
        raise LiveRefused(LiveCause.NO_KEY, words)
    if config.signer.socket:
        return named.reveal()
    try:
        _, address = keystore_show(Path(file.reveal()), os.geteuid())
    except UsageError as error:
        raise LiveRefused(LiveCause.NO_KEY, str(error)) from error
    if address != named.reveal():
        words = f"WALLET_ADDRESS is {named.reveal()}, the key file is that of {address}"
        raise LiveRefused(LiveCause.NO_KEY, words)
    return address
