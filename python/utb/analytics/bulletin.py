"""How the store takes what is written to it, said once a second in `run/analytics.json`."""

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import structlog

from utb.errors import TransientError
from utb.storage.clickhouse.status import Status, write_status
from utb.storage.clickhouse.store import Store

EVERY_S: Final = 1.0
_STATEMENTS: Final = ""
"""Stands for the connection and every statement that is no insert."""

T = TypeVar("T")


class Bulletin:
    """Hears of every statement, in the writer's thread, and tells, in the event loop's."""

    def __init__(
        self,
        run_dir: Path,
        *,
        url: str,
        database: str,
        embedded: bool,
        wall_ns: Callable[[], int],
    ) -> None:
        """Tell nothing yet.

        Args:
            run_dir: Of the file.
            url: Where the store answers, without user and password.
            database: Of the store.
            embedded: It is in this process.
            wall_ns: The wall clock.
        """
        self._run_dir = run_dir
        self._wall_ns = wall_ns
        self._status = Status(
            url=url,
            database=database,
            embedded=embedded,
            pid=os.getpid(),
            stored_seq=None,
            trouble="",
            since_ns=wall_ns(),
            told_ns=wall_ns(),
        )
        self._failing: dict[str, str] = {}
        """Reason of what failed last time it was tried: a table's insert, or `_STATEMENTS`."""
        self._trouble = ("", self._status.since_ns)
        """And since when: exchanged whole, as another thread reads it."""
        self.stored_seq: Callable[[], int] | None = None
        """Tells the last record held, once the store is open."""

    def watched(self, connect: Callable[[], Store]) -> Store:
        """Return a new connection whose statements are heard of.

        Raises:
            TransientError: If there is none.
        """
        return _Watched(self.hear(_STATEMENTS, connect), self)

    def hear(self, what: str, call: Callable[..., T], *args: Any) -> T:
        """Call the store, and remember what came of it.

        One table may refuse what others take: each is in trouble until it takes something itself.
        """
        try:
            result = call(*args)
        except TransientError as error:
            self._failing[what] = error.reason
            self._note()
            raise
        if self._failing:
            # What takes rows answers too
            for name in (what, _STATEMENTS):
                self._failing.pop(name, None)
            self._note()
        return result

    def _note(self) -> None:
        trouble = next(iter(self._failing.values()), "")
        before, since_ns = self._trouble
        if bool(before) is not bool(trouble):
            since_ns = self._wall_ns()
        self._trouble = (trouble, since_ns)

    def tell(self) -> Path:
        """Write how the store is now; return the file."""
        trouble, since_ns = self._trouble
        status = msgspec.structs.replace(
            self._status,
            stored_seq=None if self.stored_seq is None else self.stored_seq(),
            trouble=trouble,
            since_ns=since_ns,
            told_ns=self._wall_ns(),
        )
        return write_status(self._run_dir, status)

    async def keep_telling(self) -> None:
        """Write it again and again, until cancelled; a reader sees by its age if it is not."""
        log = structlog.get_logger("utb.analytics")
        told = True
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                self.tell()
                told = True
            except OSError as error:
                if told:
                    log.warning("the status cannot be written", reason=error.strerror)
                told = False


class _Watched:
    """A connection whose statements a bulletin hears of."""

    def __init__(self, store: Store, bulletin: Bulletin) -> None:
        self._store = store
        self._hear = bulletin.hear
        self.close = store.close

    def command(self, statement: str) -> None:
        """Run a statement that gives no rows."""
        self._hear(_STATEMENTS, self._store.command, statement)

    def rows(self, query: str) -> list[list[Any]]:
        """Return a query's rows."""
        return self._hear(_STATEMENTS, self._store.rows, query)

    def insert(self, table: str, names: Sequence[str], block: bytes) -> None:
        """Insert one Native block."""
        self._hear(table, self._store.insert, table, names, block)
