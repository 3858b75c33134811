"""The generated market as a feed."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from utb.ports.feed import FeedItem


class Chunk(Protocol):
    """A stretch of simulated time; its length is known before its frames are built."""

    def __len__(self) -> int:
        """Return the number of items."""
        ...

    def items(self) -> Sequence[FeedItem]:
        """Build the items."""
        ...


class ChunkedMarket(Protocol):
    """A market that can be walked from its beginning, as often as wanted, always the same."""

    def chunks(self) -> Iterator[Chunk]:
        """Yield the chunks in order."""
        ...


class GeneratedFeed:
    """Feed over a chunked market: whole chunks before the start are stepped over, not built."""

    def __init__(self, market: ChunkedMarket) -> None:
        self._market = market

    def items(self, start: int) -> Iterator[FeedItem]:
        """Yield items from position `start` (0 = the first) to the end."""
        for chunk in self._market.chunks():
            length = len(chunk)
            if start >= length:
                start -= length
                continue
            yield from chunk.items()[start:]
            start = 0
