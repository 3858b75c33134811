"""Follows the trading process: catch up from the journal's file, attach, write, start over."""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import structlog

from utb.analytics.archive import Archive
from utb.analytics.intake import ANALYTICS, Intake, Waiting
from utb.analytics.ports import OpenStream, Stream
from utb.domain.records import Record
from utb.domain.seam import FromTrader, Pulse, Records, Rows
from utb.errors import TransientError
from utb.storage.encoding import decode_record

RETRY_S: Final = (0.25, 5.0)
"""First and longest pause before another attempt; it doubles."""

T = TypeVar("T")


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How rows are gathered into batches."""

    flush_ms: int
    batch_rows: int


class Follower:
    """One reader of the seam; what it reads goes to the archive, in the writer's thread."""

    def __init__(
        self,
        archive: Archive,
        open_stream: OpenStream,
        thread: Executor,
        pace: Pace,
        *,
        wall_ns: Callable[[], int],
    ) -> None:
        """Follow nothing yet.

        Args:
            archive: Where to.
            open_stream: How to attach.
            thread: Has one thread, the writer's.
            pace: Of the batches.
            wall_ns: Stamps what was lost.
        """
        self._archive = archive
        self._open = open_stream
        self._thread = thread
        self._pace = pace
        self._wall_ns = wall_ns
        self._intake = Intake()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._log = structlog.get_logger("utb.analytics")
        self._last_seq = 0
        """Last record that was taken in."""

    async def run(self, journal: Path) -> None:
        """Follow until cancelled; the trading process may come and go.

        Raises:
            UsageError: If the store belongs to another journal.
            InvariantError: If the records contradict each other.
        """
        tasks = {
            asyncio.create_task(self._write()),
            asyncio.create_task(self._keep_following(journal)),
        }
        try:
            # Neither ends but by a failure
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                await task
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_following(self, journal: Path) -> None:
        pause = RETRY_S[0]
        told = ""
        while True:
            try:
                await self._catch_up(journal, None)
                async with self._open() as stream:
                    journal = Path(stream.hello.journal)
                    self._log.info("attached", session=stream.hello.session, seq=stream.hello.seq)
                    pause, told = RETRY_S[0], ""
                    await self._follow(stream, journal)
            except TransientError as error:
                if str(error) != told:
                    told = str(error)
                    self._log.warning("waiting", reason=told)
            await asyncio.sleep(pause)
            pause = min(pause * 2, RETRY_S[1])

    async def _catch_up(self, journal: Path, upto: int | None) -> None:
        """Write what the journal's file has, chunk by chunk.

        Raises:
            TransientError: If a write fails.
        """
        try:
            while await self._in_thread(self._archive.catch_up, journal, upto):
                pass
        finally:
            await self._in_thread(self._archive.abandon)
        self._last_seq = max(self._last_seq, self._archive.seq)

    async def _follow(self, stream: Stream, journal: Path) -> None:
        """Take what is published until the connection is lost.

        Raises:
            TransientError: Then, or if a write fails.
        """
        hello = stream.hello
        await self._in_thread(self._archive.meet, hello.instruments, self._wall_ns())
        self._last_seq = self._archive.seq
        await self._catch_up(journal, hello.seq)
        async for message in stream:
            await self._take(message, journal, hello.session)

    async def _take(self, message: FromTrader, journal: Path, session: str) -> None:
        match message:
            case Records():
                await self._take_records(message, journal)
            case Rows():
                self._intake.add_rows(message)
            case Pulse():
                self._intake.add_pulse(message, session)
            case _:
                return
        if not self._intake.empty:
            self._arrived.set()

    async def _take_records(self, message: Records, journal: Path) -> None:
        if message.first_seq > self._last_seq + 1:
            await self._catch_up(journal, message.first_seq - 1)
            if message.first_seq > self._last_seq + 1:
                raise TransientError("trade", f"record {self._last_seq + 1} is missing")
        for seq, payload in enumerate(message.payloads, message.first_seq):
            if seq <= self._last_seq:
                continue
            while self._intake.full:
                self._room.clear()
                self._arrived.set()
                await self._room.wait()
            self._intake.add_record((seq, message.wall_ns, _decoded(seq, payload)))
            self._last_seq = seq

    async def _write(self) -> None:
        """Write batches as they are due: by age or by size."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            if self._intake.rows < self._pace.batch_rows and not self._intake.full:
                await self._gather()
            await self._flush()

    async def _gather(self) -> None:
        """Let a batch grow until it is old enough or long enough."""
        try:
            async with asyncio.timeout(self._pace.flush_ms / 1e3):
                while self._intake.rows < self._pace.batch_rows and not self._intake.full:
                    await self._arrived.wait()
                    self._arrived.clear()
        except TimeoutError:
            return

    async def _flush(self) -> None:
        """Write what waits; durable records again and again until they are written."""
        waiting = self._intake.take()
        self._room.set()
        if waiting.empty:
            return
        pause = RETRY_S[0]
        while waiting.records:
            try:
                await self._in_thread(self._archive.add, waiting.records)
                break
            except TransientError as error:
                self._log.warning("not written", reason=str(error), retry_s=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, RETRY_S[1])
        await self._flush_lane(waiting)

    async def _flush_lane(self, waiting: Waiting) -> None:
        lost = await self._in_thread(self._archive.write_lane, waiting, self._wall_ns())
        if lost:
            self._log.warning("rows lost", rows=_total(lost, ANALYTICS))
            self._intake.lose(lost)

    async def finish(self) -> None:
        """Write what waits, at the end."""
        await self._flush()

    async def _in_thread(self, call: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *args)


def _decoded(seq: int, payload: bytes) -> Record:
    """Return a record that came over the seam.

    Raises:
        TransientError: If it is none: the connection is damaged.
    """
    try:
        return decode_record(payload)
    except msgspec.DecodeError as error:
        raise TransientError("trade", f"record {seq} is damaged ({error})") from error


def _total(lost: Counter[tuple[str, str]], cause: str) -> int:
    return sum(rows for (_, why), rows in lost.items() if why == cause)
