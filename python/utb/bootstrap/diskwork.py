"""Waits for the disk in another thread, so that no order waits behind them."""

import asyncio
from collections.abc import Callable

from utb.adapters.feeds.tape import InputTape
from utb.storage.journal import SqliteJournal


class DiskWork:
    """Brings the tape to the disk and shortens the journal's log of writes, now and then."""

    def __init__(
        self, journal: SqliteJournal, tape: InputTape, on_failed: Callable[[BaseException], None]
    ) -> None:
        """Begin with nothing to do.

        Args:
            journal: Its checkpoints.
            tape: Its syncs.
            on_failed: Told when the disk failed: what was written may be lost.
        """
        self._journal = journal
        self._tape = tape
        self._on_failed = on_failed
        self._running: asyncio.Future[None] | None = None

    def begin(self) -> None:
        """Do what is due, unless the last is still being done."""
        if self._running is not None:
            return
        settling = self._tape.settling()
        if settling is not None:
            wait, done = settling
            self._run(wait, done)
        elif (checkpoint := self._journal.checkpointing()) is not None:
            self._run(checkpoint, lambda: None)

    def _run(self, work: Callable[[], None], done: Callable[[], None]) -> None:
        running = asyncio.get_running_loop().run_in_executor(None, work)
        self._running = running

        def ended(future: "asyncio.Future[None]") -> None:
            self._running = None
            error = None if future.cancelled() else future.exception()
            if error is None and not future.cancelled():
                done()
            elif error is not None:
                self._on_failed(error)

        running.add_done_callback(ended)
