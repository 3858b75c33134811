"""Whole sessions in memory, told apart into what came before the end and what the end made."""

from collections.abc import Iterator
from itertools import islice

from utb.bootstrap import RunOptions, Session, assemble
from utb.bootstrap.sources import Source
from utb.config.schema import Config
from utb.domain.names import TradingMode
from utb.domain.records import Record
from utb.ports.feed import Feed, FeedItem
from utb.ports.journal import ResumableJournal


class ListFeed:
    """Items made once, to be fed often."""

    def __init__(self, feed: Feed) -> None:
        self._items = list(feed.items(0))

    def items(self, start: int) -> Iterator[FeedItem]:
        """Yield the items."""
        yield from self._items[start:]


class CutFeed:
    """A feed that ends after some items and notes how long the journal is there."""

    def __init__(self, feed: Feed, journal: ResumableJournal, items: int | None) -> None:
        self._feed = feed
        self._journal = journal
        self._items = items
        self.records = 0

    def items(self, start: int) -> Iterator[FeedItem]:
        """Yield the items; behind the last one only the end of the run is left."""
        yield from islice(self._feed.items(start), self._items)
        self.records = self._journal.append(())


class Run:
    """A finished run."""

    before_end: list[Record]
    at_end: list[Record]

    def __init__(self, config: Config, source: Source, items: int | None = None) -> None:
        """Run a source to its end, or to the end of its first items."""
        session: Session = assemble(config, RunOptions(), source, TradingMode.BACKTEST)
        wiring = session.runner.wiring
        feed = CutFeed(session.feed, wiring.journal, items)
        wiring.feed = feed
        self.result = session.run()
        records = [record for _, record in wiring.journal.records(0)]
        self.before_end = records[: feed.records]
        self.at_end = records[feed.records :]
