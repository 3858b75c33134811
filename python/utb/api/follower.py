"""Follows the trading process: catches up from the journal's file, then takes what is published."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec
import structlog

from utb.api.world import World
from utb.domain.market import Instrument
from utb.domain.seam import FromTrader, Hello, Pulse, Records, Rows, View
from utb.errors import InvariantError, TransientError, UsageError
from utb.ports.seam import OpenSeam, Seam
from utb.storage.encoding import decode_record
from utb.storage.journal import FILE_NAME
from utb.storage.readers import read_bars, read_equity, read_records
from utb.telemetry.market import TIMEFRAMES, Bar
from utb.telemetry.replica import Change, Replica

SLICE_RECORDS: Final = 500
"""Records folded before other tasks have their turn."""
SLICE_TOLD: Final = 50
"""The same where watchers hear of each: what waits for a client of theirs is bounded."""
PAST_KEPT: Final = 1_000
"""News from before the start that watchers are given, the newest."""
RETRY_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Waits between attempts to connect; the last one repeats."""
BARS_READ: Final = 64
"""Closed bars read per instrument and timeframe at the start."""
_END_NS: Final = (1 << 63) - 1

log = structlog.get_logger()


class Watcher(Protocol):
    """Hears of what is new while following."""

    def on_change(self, change: Change) -> None:
        """Hear of a record."""
        ...

    def on_past(self, changes: Sequence[Change], before: int) -> None:
        """Take the newest news there already was, in place of all that was heard before.

        Args:
            changes: Oldest first.
            before: Sequence of the newest news that is not among them; 0: there is none.
        """
        ...

    def on_view(self, instrument: int) -> None:
        """Hear of an instrument's new view."""
        ...

    def on_bars(self, bars: Sequence[tuple[int, int, Bar]]) -> None:
        """Hear of closed bars: (instrument, timeframe, bar)."""
        ...


class Follower:
    """Keeps a world's replica up to date, for as long as it runs."""

    def __init__(self, world: World, open_seam: OpenSeam, watchers: Sequence[Watcher]) -> None:
        self._world = world
        self._open = open_seam
        self._watchers = tuple(watchers)
        self._failures = 0
        """Attempts since the last connection."""
        self._first_wall_ns: int | None = None
        """Wall time of record 1: tells one journal from another."""
        self._told: tuple[int | None, int] = (None, 0)
        """Journal, by its first wall time, and last record that the watchers know of."""

    async def run(self) -> None:
        """Connect, follow, and connect again, until cancelled."""
        await self.read_file()
        while True:
            try:
                await self._session()
            except (
                TransientError,
                InvariantError,
                UsageError,
                sqlite3.Error,
                msgspec.DecodeError,
            ) as error:
                self._lost(error)
            self._world.seam = None
            await asyncio.sleep(RETRY_S[min(self._failures, len(RETRY_S) - 1)])
            self._failures += 1

    async def read_file(self) -> None:
        """Fold what the state directory holds already, so that reads have the last state."""
        path = self._world.place.state_dir / FILE_NAME
        if _existing(path, path.parent) != path:
            return
        try:
            await self._catch_up(path, None)
        except (InvariantError, UsageError, sqlite3.Error, msgspec.DecodeError) as error:
            # Without the trading process its instruments are only guessed from the configuration
            log.warning("the journal cannot be read yet", reason=str(error))

    async def _session(self) -> None:
        async with await self._open(reader="serve", lane=True) as seam:
            self._heard()
            await self._greet(seam.hello)
            self._world.seam = seam
            self._failures = 0
            self._world.set_link(connected=True, caught_up=True)
            log.info("following", seq=self._world.replica.seq, session=seam.hello.session)
            await self._follow(seam)

    async def _follow(self, seam: Seam) -> None:
        async for message in seam:
            self._heard()
            self._take(message)
            self._world.bell.ring()
        raise TransientError("trade", "the connection ended")

    def _heard(self) -> None:
        self._world.heard_ns = self._world.clock.now_ns()

    def _lost(self, error: Exception) -> None:
        world = self._world
        reason = error.reason if isinstance(error, TransientError) else str(error)
        if world.link.reason != reason:
            log.warning("the trading process is not reached", reason=reason)
        world.set_link(connected=False, caught_up=False, reason=reason)
        if isinstance(error, InvariantError):
            # Folded from the start once more: a replica that contradicts itself is worth nothing
            self._restart(world.replica.instruments)

    async def _greet(self, hello: Hello) -> None:
        world = self._world
        world.set_link(connected=True, caught_up=False)
        journal = _existing(Path(hello.journal), world.place.state_dir / FILE_NAME)
        replica = world.replica
        foreign = replica.instruments != hello.instruments or replica.seq > hello.seq
        if foreign or (replica.seq and self._first_wall_ns != _first_wall_ns(journal)):
            self._restart(hello.instruments)
        if hello.seq:
            await self._catch_up(journal, hello.seq)
        else:
            self._give_past((), 0)
        world.replica.greet(hello)

    def _restart(self, instruments: Sequence[Instrument]) -> None:
        self._world.replica = Replica(instruments)
        self._first_wall_ns = None

    async def _catch_up(self, journal: Path, upto: int | None) -> None:
        """Fold the journal's records, bars and equity up to a sequence.

        From the first record on this is done aside: reads must not take for the present what is
        long past. What was missed since the last connection is folded in place, and told.
        """
        world = self._world
        if not world.replica.seq:
            await self._begin(journal, upto)
            return
        world.journal = journal
        for number, (_, change) in enumerate(_changes(world.replica, journal, upto), start=1):
            self._tell(change)
            if number % SLICE_TOLD == 0:
                world.bell.ring()
                await asyncio.sleep(0)
        _add_bars(world.replica, journal)

    async def _begin(self, journal: Path, upto: int | None) -> None:
        """Fold a journal from its first record into a new replica, and show that when it is done.

        Nobody is told of what happened before: the watchers get the newest of it to keep.
        """
        replica, first_wall_ns = Replica(self._world.replica.instruments), None
        past: deque[Change] = deque()
        before = 0
        for wall_ns, change in _changes(replica, journal, upto):
            if change.seq == 1:
                first_wall_ns = wall_ns
            if change.is_news:
                past.append(change)
                if len(past) > PAST_KEPT:
                    before = past.popleft().seq
            if change.seq % SLICE_RECORDS == 0:
                await asyncio.sleep(0)
        _add_bars(replica, journal)
        self._world.replica, self._world.journal = replica, journal
        self._first_wall_ns = first_wall_ns
        self._give_past(past, before)

    def _give_past(self, past: Sequence[Change], before: int) -> None:
        """Give the watchers what there was; what they have not heard of the same journal is told.

        So it is where a journal was folded once more while they listened.
        """
        known = self._told[1]
        if self._told[0] is None or self._told[0] != self._first_wall_ns:
            known = self._world.replica.seq
        for watcher in self._watchers:
            watcher.on_past([change for change in past if change.seq <= known], before)
        self._told = (self._first_wall_ns, self._world.replica.seq)
        for change in past:
            if change.seq > known:
                self._tell(change)

    def _tell(self, change: Change) -> None:
        self._told = (self._first_wall_ns, change.seq)
        for watcher in self._watchers:
            watcher.on_change(change)

    def _take(self, message: FromTrader) -> None:
        replica = self._world.replica
        match message:
            case Records():
                self._records(message)
            case Pulse():
                replica.on_pulse(message)
            case View():
                replica.market.on_view(message.instrument, message.view)
                for watcher in self._watchers:
                    watcher.on_view(message.instrument)
            case Rows():
                self._rows(message)
            case _:
                return

    def _records(self, message: Records) -> None:
        replica = self._world.replica
        for seq, payload in enumerate(message.payloads, start=message.first_seq):
            if seq <= replica.seq:
                continue
            if seq > replica.seq + 1:
                # Attach again: what is missing is in the journal's file
                raise TransientError("trade", f"record {replica.seq + 1} did not come")
            if seq == 1:
                self._first_wall_ns = message.wall_ns
            self._tell(replica.apply(seq, decode_record(payload)))

    def _rows(self, message: Rows) -> None:
        replica = self._world.replica
        if message.kind == "bars":
            added = replica.market.on_bars(message.rows)
            for watcher in self._watchers:
                watcher.on_bars(added)
        elif message.kind == "equity":
            replica.equity.add_rows(message.rows)


def _existing(path: Path, other: Path) -> Path:
    return path if path.is_file() else other


def _changes(replica: Replica, journal: Path, upto: int | None) -> Iterator[tuple[int, Change]]:
    """Fold equity and records of a journal's file, and yield (wall ns, change) of each record."""
    replica.equity.add_rows(read_equity(journal, after_ns=replica.equity.last_ns))
    for seq, wall_ns, record in read_records(journal, replica.seq, upto):
        yield wall_ns, replica.apply(seq, record)


def _add_bars(replica: Replica, journal: Path) -> None:
    for instrument in replica.instruments:
        for timeframe in range(len(TIMEFRAMES)):
            rows = read_bars(
                journal, instrument.index, timeframe, before_ns=_END_NS, limit=BARS_READ
            )
            replica.market.on_bars(rows)


def _first_wall_ns(journal: Path) -> int | None:
    for _, wall_ns, _ in read_records(journal, 0, 1):
        return wall_ns
    return None
