"""Items made ahead of time, in a thread, so that nobody waits for the generator."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Final

from utb.ports.feed import Feed, FeedItem

BLOCK_ITEMS: Final = 2048
BLOCKS_AHEAD: Final = 10
"""More than a chunk of the generated market."""


class ItemsAhead:
    """The market's items from a cursor on; `peek` and `pop` never wait."""

    def __init__(self, feed: Feed, on_more: Callable[[], None]) -> None:
        """Read `feed`; `on_more` is called when items or the end came to an empty queue."""
        self._feed = feed
        self._on_more = on_more
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Gets the error of a feed that cannot be read."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="market")
        self._blocks: deque[deque[FeedItem]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self.ended = False
        """Whether the last item was popped."""
        self._drained = False

    def start(self, cursor: int) -> None:
        """Begin at an item, leaving behind what was there; to be called in the event loop."""
        self._cancel()
        self._blocks.clear()
        self.ended = self._drained = False
        self._room = asyncio.Event()
        source = self._feed.items(cursor)
        self._task = asyncio.get_running_loop().create_task(self._fill(source))
        self._task.add_done_callback(self._done)

    def stop(self) -> None:
        """End the thread."""
        self._cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def peek(self) -> FeedItem | None:
        """Return the next item, or None while there is none."""
        return self._blocks[0][0] if self._blocks else None

    def pop(self) -> FeedItem:
        """Take the next item; `peek` has shown it."""
        block = self._blocks[0]
        item = block.popleft()
        if not block:
            self._blocks.popleft()
            self._room.set()
            self.ended = self._drained and not self._blocks
        return item

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _done(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not self.failed.done():
            self.failed.set_exception(error)

    async def _fill(self, source: Iterator[FeedItem]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            block = await loop.run_in_executor(self._thread, _take, source)
            was_empty = not self._blocks
            if block:
                self._blocks.append(block)
            if len(block) < BLOCK_ITEMS:
                self._drained = True
                self.ended = not self._blocks
            if was_empty:
                self._on_more()
            if self._drained:
                return
            while len(self._blocks) >= BLOCKS_AHEAD:
                self._room.clear()
                await self._room.wait()


def _take(source: Iterator[FeedItem]) -> deque[FeedItem]:
    return deque(islice(source, BLOCK_ITEMS))
