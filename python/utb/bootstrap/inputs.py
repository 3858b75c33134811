"""What a session takes in, written down while it runs, and given again by a replay.

The journal is the truth about commands: one is stored there before it has an effect, and in the
input log right after. What a crash left out of the log is added from the journal or, for items,
when they come again behind the snapshot, which is never ahead of the log.
"""

from collections import deque
from collections.abc import Iterable, Iterator

from utb.adapters.feeds.inputwriter import InputLogWriter
from utb.domain.records import Record
from utb.errors import InvariantError, UsageError
from utb.node.runner import Runner
from utb.ports.feed import Feed, FeedItem
from utb.ports.journal import FeedPosition, LoggedCommand, ResumableJournal, Snapshot


class LoggedFeed:
    """A feed that writes down what it yields."""

    def __init__(self, feed: Feed, log: InputLogWriter) -> None:
        self._feed = feed
        self._log = log

    def items(self, start: int) -> Iterator[FeedItem]:
        """Yield the feed's items; those the log does not have yet are appended.

        Raises:
            UsageError: If the log would have a gap before `start`.
        """
        if start > self._log.count:
            raise UsageError(
                "--record",
                f"{self._log.path} with {self._log.count} items",
                f"the log of the run that is continued, with its {start} items so far",
            )
        self._log.go_on()
        return self._items(start)

    def _items(self, start: int) -> Iterator[FeedItem]:
        for position, item in enumerate(self._feed.items(start), start=start):
            if position >= self._log.count:
                self._log.append(item)
            yield item


class LoggedJournal:
    """A journal whose session is written down: the log is durable whenever the journal is."""

    def __init__(self, journal: ResumableJournal, log: InputLogWriter) -> None:
        """Put a log beside a journal, and add the commands that a crash left out of it.

        Raises:
            UsageError: If the log holds a command that the journal does not know.
        """
        taken = journal.commands(FeedPosition())
        foreign = log.command_ids - {logged.command.command_id for logged in taken}
        if foreign:
            raise UsageError(
                "--record",
                f"{log.path} with command {min(foreign)} of another run",
                "a new file, or the log of the run that is continued",
            )
        for logged in taken:
            if logged.command.command_id not in log.command_ids:
                log.append_command(logged)
        self._journal = journal
        self._log = log

    def append(self, records: Iterable[Record]) -> int:
        """Append records and return the sequence of the last one."""
        return self._journal.append(records)

    def sync(self) -> None:
        """Return when log and journal are durable."""
        self._log.sync()
        self._journal.sync()

    def records(self, after: int) -> Iterator[tuple[int, Record]]:
        """Yield (sequence, record) with sequence > `after`."""
        return self._journal.records(after)

    def save_snapshot(self, snapshot: Snapshot) -> bool:
        """Store the snapshot when the log holds every item before it."""
        self._log.sync()
        return self._journal.save_snapshot(snapshot)

    def last_snapshot(self) -> Snapshot | None:
        """Return the latest snapshot, or None."""
        return self._journal.last_snapshot()

    def verify_after(self, seq: int) -> None:
        """Compare what is appended next with the records after `seq` until they are used up."""
        self._journal.verify_after(seq)

    def verifying(self) -> bool:
        """Return whether stored records are still to be met again."""
        return self._journal.verifying()

    def log_command(self, logged: LoggedCommand) -> None:
        """Store a command in the journal, then in the log, before it has any effect."""
        self._journal.log_command(logged)
        self._log.append_command(logged)
        self._log.sync()

    def commands(self, after: FeedPosition) -> list[LoggedCommand]:
        """Return the commands taken at or after a feed position, in their order."""
        return self._journal.commands(after)

    def journal_hash(self) -> str:
        """Return the hash over the durable records so far."""
        return self._journal.journal_hash()


class CommandReplay:
    """An observer that gives the commands of an input log where they were taken."""

    def __init__(self, commands: Iterable[LoggedCommand]) -> None:
        """Take commands in the order of their positions."""
        self._waiting = deque(commands)
        self._begun = False

    def on_progress(self, runner: Runner) -> None:
        """Give what was taken at the present position.

        Raises:
            InvariantError: If the replay stepped over the place of a command.
        """
        position = runner.session.position
        while self._waiting and self._waiting[0].position <= position:
            logged = self._waiting.popleft()
            if logged.position == position:
                runner.give(logged.command)
            elif self._begun:
                raise InvariantError(
                    f"command {logged.command.command_id} was taken at {logged.position}, and the "
                    f"replay came from before it to {position}"
                )
        self._begun = True
