"""What a stand-in world is made of: put together outside, served here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from utb.domain.clock import Account
from utb.domain.market import Instrument
from utb.ports.feed import Feed
from utb.simnet.server.history import History

SOURCES: Final = ("dexscreener", "birdeye", "helius")
"""Names of the sources by number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Keys that clients must show; None: any client is served."""

    birdeye: str | None = field(default=None, repr=False)
    helius: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A market and who sells data about it."""

    instruments: tuple[Instrument, ...]
    names: tuple[str, ...]
    """Full names of the base tokens, by instrument."""
    pools: tuple[str, ...]
    """Addresses of the pools, by instrument; empty where there is none."""
    liquidity_usd: tuple[float, ...]
    """Both sides of each pool, by instrument; 0 where it is not known."""
    accounts: tuple[Account, ...]
    subscriptions: tuple[int, ...]
    """Subscription ids of the accounts, in their order: the market's frames carry them."""
    feed: Feed
    history: History
    cursor_before: Callable[[int], int]
    """Index of an item that is not after a market time, as near to it as is cheap to say."""
    span_ns: tuple[int, int]
    seed: int | None
    identity: str
    finest: str
    keys: Keys = Keys()


class Body(NamedTuple):
    """One frame as it goes out."""

    payload: bytes
    binary: bool = False


class MarketTime:
    """Where the market is: as far as it was sent."""

    def __init__(self, start_ns: int) -> None:
        self.now_ns = start_ns
        """Of the last thing that was sent, market time."""
        self.seen_ns = start_ns
        """Of the last thing that is known to be handled; what is told of the past ends here."""
        self.cursor = 0
        """Index of the next item."""
        self.shift_ns = 0
        """What the sources' clocks show later than the market's time; 0 in lock step."""


class Market(Protocol):
    """Who moves the market on: the bot, or the wall clock."""

    @property
    def time(self) -> MarketTime:
        """Return where the market is."""
        ...

    def poll(self, index: int | None) -> Body | None:
        """Return the body of a poll that the market expects; None: it expects none like it."""
        ...

    def changed(self) -> None:
        """Learn that a connection, a subscription or a fault changed."""
        ...

    def pump(self) -> None:
        """Send what may be sent now."""
        ...
