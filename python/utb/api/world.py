"""What every route works with: the replica, the connection to the trading process, clocks."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from litestar.di import NamedDependency

from utb.api.bell import Bell
from utb.api.idempotency import Requests
from utb.api.keys import KeyRing
from utb.api.store import StoreWatch
from utb.config.schema import Config
from utb.domain.commands import Answer, Command
from utb.errors import TransientError
from utb.telemetry.figures import Figures
from utb.telemetry.health import Component, Condition, Health, HealthFold, Link
from utb.telemetry.metrics import Metrics, Scrape
from utb.telemetry.performance import Performance
from utb.telemetry.portfolio import RiskDesk, RiskFigures
from utb.telemetry.replica import Replica
from utb.telemetry.system import SystemProbe
from utb.telemetry.traffic import Traffic

if TYPE_CHECKING:
    from utb.api.live.hub import Hub
    from utb.api.pages.files import File
    from utb.ports.seam import Seam


class WallClock(Protocol):
    """The machine's clock."""

    def now_ns(self) -> int:
        """Return the wall time, nanoseconds since the epoch."""
        ...

    def elapsed_ns(self) -> int:
        """Return a monotonic reading."""
        ...


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a server's files are and what it was configured with."""

    state_dir: Path
    config_shown: dict[str, Any]
    """The effective configuration, secrets masked."""
    version: str


class World:
    """One server's whole state; lives in the event loop's thread."""

    def __init__(self, config: Config, place: Place, clock: WallClock, replica: Replica) -> None:
        self.config = config
        self.place = place
        self.clock = clock
        self.replica = replica
        self.bell = Bell()
        self.keys = KeyRing(config.server.keys)
        self.requests = Requests()
        self.traffic = Traffic()
        self.risk_desk = RiskDesk(config)
        self.started_ns = clock.now_ns()
        self.hub: Hub
        self.openapi = b""
        self.pages: dict[str, File] = {}
        self.dashboard: dict[str, File] = {}
        """These four are set by `app.build`, before the first request."""
        self.seam: Seam | None = None
        """The connection while there is one."""
        self.journal: Path | None = None
        self._link = Link(
            connected=False,
            caught_up=False,
            since_ns=self.started_ns,
            heard_ns=None,
            reason="not connected yet",
        )
        self.heard_ns: int | None = None
        self._health = HealthFold()
        self._performance = Performance()
        self._probe = SystemProbe(place.state_dir)
        self._store = StoreWatch(place.state_dir, clock.now_ns)
        self.metrics = Metrics(self.scrape)

    # Connection

    def set_link(self, *, connected: bool, caught_up: bool, reason: str = "") -> None:
        """Remember how the connection is."""
        before = self._link
        if (before.connected, before.caught_up, before.reason) != (connected, caught_up, reason):
            self._link = Link(
                connected=connected,
                caught_up=caught_up,
                since_ns=self.clock.now_ns(),
                heard_ns=self.heard_ns,
                reason=reason,
            )

    @property
    def link(self) -> Link:
        """Return how the connection is."""
        return msgspec.structs.replace(self._link, heard_ns=self.heard_ns)

    @property
    def age_s(self) -> float | None:
        """Return how old what we know is, in wall seconds; None before the first word."""
        if self.heard_ns is None:
            return None
        return round(max(self.clock.now_ns() - self.heard_ns, 0) / 1e9, 3)

    async def give(self, command: Command) -> Answer:
        """Give a command to the trading process.

        Raises:
            TransientError: If it does not answer.
        """
        if self.seam is None:
            raise TransientError("trade", self._link.reason or "not connected")
        return await self.seam.give(command)

    # Figures

    def health(self) -> Health:
        """Return the health of now."""
        wall_ns = self.clock.now_ns()
        api = Component(
            name="api", state=Condition.UP, since_ns=self.started_ns, reason="", age_s=0.0
        )
        store = self._store.look().component
        return self._health.health(self.replica, self.link, (api, store), wall_ns)

    def risk(self) -> RiskFigures:
        """Return the account's risk figures."""
        return self.risk_desk.figures(self.replica)

    def performance(self) -> Figures:
        """Return the performance figures."""
        return self._performance.figures(self.replica)

    def scrape(self) -> Scrape:
        """Return everything the metrics show."""
        return Scrape(
            replica=self.replica,
            health=self.health(),
            risk=self.risk(),
            system=self._probe.look(),
            traffic=self.traffic,
            uptime_s=max(self.clock.now_ns() - self.started_ns, 0) / 1e9,
            trade_uptime_s=None if self.replica.hello is None else self.uptime_s,
            age_s=self.age_s,
            stored_seq=self._store.look().stored_seq,
        )

    @property
    def probe(self) -> SystemProbe:
        """Return the machine's probe."""
        return self._probe

    @property
    def uptime_s(self) -> float:
        """Return wall seconds since the trading process started, or this one if it never told."""
        hello = self.replica.hello
        start = self.started_ns if hello is None else hello.started_wall_ns
        return max(self.clock.now_ns() - start, 0) / 1e9


FromWorld = NamedDependency[World]
"""A route's parameter `world`."""
