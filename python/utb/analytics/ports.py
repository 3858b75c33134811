"""What the analytics process needs from outside."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from utb.domain.seam import FromTrader, Hello
from utb.storage.clickhouse.records import Journaled


class Stream(Protocol):
    """An open connection to the trading process."""

    @property
    def hello(self) -> Hello:
        """Return its greeting."""
        ...

    def __aiter__(self) -> AsyncIterator[FromTrader]:
        """Yield what is published; raises TransientError when the connection is lost."""
        ...


OpenStream = Callable[[], AbstractAsyncContextManager[Stream]]
"""Attaches to the trading process; entering raises TransientError when nobody listens."""

ReadRecords = Callable[[Path, int, int | None], Iterator[Journaled]]
"""Reads a journal's file: (path, after, upto or None for its end)."""
