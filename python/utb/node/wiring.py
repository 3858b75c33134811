"""What a runner drives, and what it remembers between two items."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from utb.domain.commands import Answer, Command
from utb.domain.names import TradingMode
from utb.node.chainside import ChainSide
from utb.node.trader import Trader
from utb.ports.core import Core
from utb.ports.feed import Binding, Feed
from utb.ports.journal import FeedPosition, ResumableJournal, Snapshot
from utb.ports.venue import SimulatedWorld

if TYPE_CHECKING:
    from utb.node.runner import Runner

SESSION_VERSION: Final = 2

TIMED_EVERY: Final = 16
"""One call of the core in so many is timed: the stopwatch costs as much as a small frame."""

SNAPSHOT_GAP_NS: Final = 250_000_000
"""Time of the machine between two snapshots at least: one takes tens of milliseconds, and in a fast
simulated run one per interval of simulated time would take longer than all the trading. A restart
then repeats at most this much work more."""


class CommandSource(Protocol):
    """Where commands of other processes wait."""

    def take(self) -> list[Command]:
        """Return the commands that came since the last call, in order."""
        ...

    def answer(self, answer: Answer) -> None:
        """Give a command's answer back."""
        ...


class Observer(Protocol):
    """Whoever watches a run; nothing it does changes a decision."""

    def on_progress(self, runner: "Runner") -> None:
        """Look at the runner between two items."""
        ...


class Session(msgspec.Struct, kw_only=True):
    """What the runner itself remembers between two items."""

    version: int = SESSION_VERSION
    at_item: int = 0
    """Whole items of the feed consumed."""
    at_event: int = 0
    """Events consumed of the next item, when that is a block of recorded events."""
    item_ns: int = 0
    """When the last market item was received."""
    snapshot_due_ns: int = 0
    items: int = 0
    """Market items and recorded events handled."""
    cursor: int = 0
    """Next item of a market that can be asked for any of its items."""
    bindings: list[Binding] = []
    """What subscriptions deliver; the core's own state does not hold them."""

    def bind(self, item: Binding) -> None:
        """Remember a binding in place of the one it renews."""
        same = (item.source, item.instrument, item.role)
        self.bindings = [b for b in self.bindings if (b.source, b.instrument, b.role) != same]
        self.bindings.append(item)

    @property
    def position(self) -> FeedPosition:
        """Return how much of the feed is consumed."""
        return FeedPosition(items=self.at_item, events=self.at_event)


class Wiring(msgspec.Struct, kw_only=True):
    """Everything a runner drives."""

    core: Core
    trader: Trader
    journal: ResumableJournal
    venue: SimulatedWorld
    chain: ChainSide | None = None
    """Where orders go instead of to `venue`, whose events then are items of the feed."""
    feed: Feed | None
    """None: items are pushed (`Runner.take`)."""
    snapshot_every_ns: int | None
    """None: no snapshots (a run that is repeated rather than resumed)."""
    stopwatch_ns: Callable[[], int]
    mode: TradingMode
    commands: CommandSource | None = None
    observers: tuple[Observer, ...] = ()
    note_stage: Callable[[int, int, int], None] | None = None
    """Takes (stage, market time ns, duration ns) of what Python did; None: nobody asks."""
    drain: Callable[[], None] | None = None
    """Takes the core's logs (bars, equity) to where they are kept; before snapshots, at the end."""


def store_snapshot(wiring: Wiring, session: Session) -> bool:
    """Store the state of everything at this place, in one transaction with the records.

    Returns:
        Whether it is stored; False: the disk is full, and the next one may be.
    """
    return wiring.journal.save_snapshot(
        Snapshot(
            seq=wiring.journal.append(()),
            position=session.position,
            ts_ns=session.item_ns,
            engine=wiring.core.save(),
            trader=wiring.trader.save(),
            venue=wiring.venue.save(),
            session=msgspec.msgpack.encode(session),
        )
    )
