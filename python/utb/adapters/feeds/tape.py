"""The tape: every input of a session whose feed cannot be asked again, kept until a snapshot.

A directory of input logs, one after another; each is named by the position of its first item. What
the journal tells can be computed again: from the last snapshot, over the items behind it. A log
that ends before the last snapshot is not needed any more and is removed.

Items are held as they come and written in one go: encoding one costs more than deciding on it. What
was held when the process died is lost, and with it nothing that the journal tells. The disk is
waited for once, not twice: what is written to the log but perhaps not on the disk (`unsynced`) goes
into the journal's own transaction. `restore` puts it back where a power loss took it.
"""

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from utb.adapters.feeds.inputlog import InputLogFeed, frames_of
from utb.adapters.feeds.inputwriter import FRESH_BYTES_MAX, InputLogWriter
from utb.errors import InvariantError
from utb.ports.feed import FeedItem, Frame
from utb.ports.journal import Tail
from utb.ports.room import NO_ROOM, NoRoom

SUFFIX: Final = ".inputs"
HELD_MAX: Final = 4096
"""Items held at most before they are written."""
SETTLE_BYTES: Final = FRESH_BYTES_MAX // 4
"""Written bytes from which on the disk is waited for outside."""


class InputTape:
    """Appends items and gives them back."""

    def __init__(self, directory: Path, options_digest: str) -> None:
        """Open the tape of a state directory; a damaged end of the last log is cut.

        Raises:
            UsageError: If a file is no input log, or of other options.
            InputLogDamaged: If one is damaged before its end.
            InvariantError: If items are missing between two logs.
        """
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = directory
        self._digest = options_digest
        self._starts = sorted(int(path.stem) for path in directory.glob(f"*{SUFFIX}"))
        if not self._starts:
            self._starts = [0]
        self._log = InputLogWriter(self._path(self._starts[-1]), options_digest)
        self._held: list[FeedItem | tuple[int, bytes, int]] = []
        self._kept = 0
        """Byte of the log up to which it is on the disk, or in the journal."""
        self._next_held_at = 0, 0
        """Where `next_held` begins: byte of the log's buffer, item of the log."""
        self.no_room: Callable[[NoRoom], None] | None = None
        """Told that the disk is full outside of a sync, to call `hold_back`; None: an error."""

    @property
    def end(self) -> int:
        """Return the position behind the last item."""
        return self._starts[-1] + self._log.count + len(self._held)

    @property
    def cut(self) -> str | None:
        """Return what was cut off the end on opening, or None."""
        return self._log.cut

    def items(self, start: int) -> Iterator[FeedItem]:
        """Yield the items from position `start` on.

        Raises:
            InvariantError: If the tape does not reach back so far, or ends before it.
        """
        if not self._starts[0] <= start <= self.end:
            raise InvariantError(
                f"{self._directory} holds items {self._starts[0]} to {self.end}, and the last "
                f"snapshot is at {start}"
            )
        self.sync()
        for at, following in zip(self._starts, [*self._starts[1:], self.end], strict=True):
            if following <= start:
                continue
            position = max(at, start)
            for item in InputLogFeed(self._path(at), self._digest).items(position - at):
                yield item
                position += 1
            if position != following:
                raise InvariantError(
                    f"{self._path(at)} ends at item {position}, the next begins at {following}"
                )

    def hold(self, item: FeedItem) -> None:
        """Take an item before it is handled, so that a sync on its account holds it too."""
        self._held.append(item)
        if len(self._held) >= HELD_MAX:
            self.flush()

    def hold_frame(self, source: int, payload: bytes, ts_recv_ns: int) -> None:
        """Take a frame before it is handled; the cheapest form of `hold`."""
        held = self._held
        held.append((source, payload, ts_recv_ns))
        if len(held) >= HELD_MAX:
            self.flush()

    def flush(self) -> None:
        """Write what is held (buffered)."""
        try:
            self._encode()
        except NoRoom as error:
            self._say(error)
            # The rest, which stays in memory now
            self._encode()

    def _say(self, error: NoRoom) -> None:
        if self.no_room is None:
            raise error
        self.no_room(error)

    def _encode(self) -> None:
        held, done = self._held, 0
        try:
            for item in held:
                self._log.append(Frame(*item) if isinstance(item, tuple) else item)
                done += 1
        finally:
            # The log keeps what it took, also where it could not write it
            del held[: done + (done < len(held))]

    def sync(self) -> None:
        """Return when every item so far is on the disk, where it belongs, or held back.

        Raises:
            NoRoom: If the disk is full.
        """
        self.flush()
        if self._log.unsynced_bytes and not self._log.held_back:
            self._log.sync()

    def unsynced(self) -> Tail | None:
        """Return what is written and neither on the disk nor in the journal; None: nothing is.

        Raises:
            NoRoom: If the disk is full: there are items that are not written.
        """
        self.flush()
        if self._log.held_back:
            raise NoRoom(errno.ENOSPC, "inputs are held back")
        self._log.flush()
        fresh = self._log.fresh()
        if fresh is None:
            self._log.sync()
            return None
        begin, body = fresh
        first = self._kept <= begin
        new = body if first else body[self._kept - begin :]
        if not new:
            return None
        offset = begin + len(body) - len(new)
        return Tail(log=self._starts[-1], offset=offset, body=new, first=first)

    def kept(self, tail: Tail) -> None:
        """Learn that a tail is durable in the journal."""
        self._kept = tail.offset + len(tail.body)

    def settling(self) -> tuple[Callable[[], None], Callable[[], None]] | None:
        """Return what waits for the disk in another thread, so that no order has to.

        And what is called here when it has returned. None: little is written.
        """
        self.flush()
        log = self._log
        if log.held_back or log.unsynced_bytes <= SETTLE_BYTES:
            return None
        try:
            return log.begin_sync(), log.end_sync
        except NoRoom as error:
            self._say(error)
            return None

    def hold_back(self) -> None:
        """Write nothing more to the file; what is in it is durable when this returns."""
        if not self._log.held_back:
            self._log.hold_back()
            self._next_held_at = 0, self._log.written

    def let_go(self) -> None:
        """Write what was held back, durably.

        Raises:
            NoRoom: If there is none yet; everything stays held back.
        """
        self.flush()
        self._log.let_go()

    def next_held(self) -> tuple[int, bytes]:
        """Return the items the file does not have and no earlier call gave: position, frames."""
        self.flush()
        at, item = self._next_held_at
        self._next_held_at = self._log.unwritten_bytes, self._log.count
        return self._starts[-1] + item, self._log.unwritten(at)

    def next_held_bytes(self) -> int:
        """Return how long `next_held` would be."""
        self.flush()
        return self._log.unwritten_bytes - self._next_held_at[0]

    def turn(self, position: int) -> None:
        """Begin a new log, at a snapshot of `position`, and remove what lies before the last one.

        The log before stays: the snapshot may not be the one that is found after a crash. Without
        room for another log the present one goes on.
        """
        if self.end == self._starts[-1] or self._log.held_back:
            return
        try:
            self.sync()
            following = self._begin(self.end)
        except NoRoom as error:
            self._say(error)
            return
        self._log.close()
        keep = [start for start in self._starts if start <= position][-1:]
        self._starts.append(self.end)
        self._log = following
        self._kept = 0
        for start in [start for start in self._starts if keep and start < keep[0]]:
            self._path(start).unlink(missing_ok=True)
            self._starts.remove(start)

    def _begin(self, start: int) -> InputLogWriter:
        path = self._path(start)
        try:
            return InputLogWriter(path, self._digest)
        except OSError as error:
            # Left behind, it would say that the log before it ends here
            path.unlink(missing_ok=True)
            if error.errno in NO_ROOM:
                raise NoRoom(error.errno, error.strerror, str(path)) from error
            raise

    def close(self) -> None:
        """Make everything durable that is not held back, and close."""
        self.flush()
        self._log.close()

    def _path(self, start: int) -> Path:
        return self._directory / f"{start:016d}{SUFFIX}"


def restore(directory: Path, tails: Iterable[Tail]) -> None:
    """Write what the journal holds of a tape to where it stood, and wait for the disk.

    Where nothing was lost the bytes are those that stand there: logs only grow.

    Raises:
        InvariantError: If a log is gone, or ends before a tail begins.
    """
    first = min((int(path.stem) for path in directory.glob(f"*{SUFFIX}")), default=0)
    for tail in tails:
        if tail.log < first:
            # It ended before a snapshot and was removed
            continue
        path = directory / f"{tail.log:016d}{SUFFIX}"
        size = path.stat().st_size if path.exists() else 0
        if size < tail.offset:
            raise InvariantError(
                f"{path} has {size} bytes, and the journal knows it from byte {tail.offset} on"
            )
        with path.open("r+b", buffering=0) as file:
            os.pwrite(file.fileno(), tail.body, tail.offset)
            os.fsync(file.fileno())


def take_back(directory: Path, held: Iterable[tuple[int, bytes]]) -> None:
    """Append what `next_held` gave to a closed tape, durably; what it has already is left out.

    Raises:
        InvariantError: If items are missing in between.
        NoRoom: If there is no room for it.
    """
    start = max((int(path.stem) for path in directory.glob(f"*{SUFFIX}")), default=-1)
    if start < 0:
        raise InvariantError(f"{directory} holds no inputs, and there are kept ones behind them")
    path = directory / f"{start:016d}{SUFFIX}"
    with InputLogWriter(path, InputLogFeed(path).header.options_digest) as log:
        for begin, frames in held:
            for position, frame in enumerate(frames_of(frames), start=begin):
                end = start + log.count
                if position > end:
                    raise InvariantError(f"{path} ends at item {end}, the next kept is {position}")
                if position == end:
                    log.append_frame(frame)


def start_anew(directory: Path, position: int) -> None:
    """Forget a tape whose inputs are all behind a snapshot; the next item is `position`."""
    for log in directory.glob(f"*{SUFFIX}"):
        log.unlink()
    # An empty file: its header comes with the options it is opened with
    (directory / f"{position:016d}{SUFFIX}").touch()
