"""Warm connections to one address, and requests that are written on whichever is free."""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Final

import msgspec

from utb.adapters.net.backoff import Backoff
from utb.adapters.net.endpoint import Endpoint
from utb.adapters.net.kept import KeptConnection
from utb.adapters.net.reply import Reply
from utb.ports.livefeed import Timer

WARM: Final = 2
"""Connections that are kept open: while one waits for an answer, the other is free."""
CONNECTIONS_MAX: Final = 6
WAITING_MAX: Final = 32
"""Requests that wait for a connection; beyond it the newest is refused and counted."""
CONNECT_SECONDS: Final = 5.0
TRIES_MAX: Final = 2
"""A request whose kept connection turned out to be closed is written once more."""


class Sent(Enum):
    """What became of a request at once."""

    SENT = "sent"
    """Its bytes are in the socket."""
    CONNECTING = "connecting"
    """It is written as soon as a connection is there."""
    DROPPED = "dropped"
    """It was left out."""


class Parcel(msgspec.Struct, frozen=True):
    """A request on its way."""

    name: str
    """Of the sender; empty: it only keeps the connection open."""
    signature: str
    request: bytes
    first: bool = False
    """Whether its sender gets this transaction for the first time."""
    tries: int = 1


class CourierWiring(msgspec.Struct, frozen=True, kw_only=True):
    """What a courier is made of beside its address."""

    timer: Timer
    elapsed_ns: Callable[[], int]
    backoff: Backoff
    timeout_s: float
    """Of an answer."""
    keep_warm_s: float
    warm_request: bytes
    """Harmless request that keeps a connection open."""
    on_reply: Callable[[Parcel, Reply], None]
    on_failure: Callable[[Parcel, str], None]
    """Called with a short name: unreachable, timeout, closed, not_http, overflow."""


class Courier:
    """Connections to one address."""

    def __init__(self, place: Endpoint, wiring: CourierWiring) -> None:
        """Connect to nothing yet."""
        self._place = place
        self._wiring = wiring
        self._tls = ssl.create_default_context() if place.secure else None
        self._open: list[KeptConnection] = []
        self._opening = 0
        self._parcels: deque[Parcel] = deque()
        self._wanted = asyncio.Event()
        self.trouble = ""
        """Why the last connection failed, a sentence; empty: it did not."""
        self.connects = 0

    @property
    def free(self) -> int:
        """Return how many connections could take a request at once."""
        return sum(kept.free for kept in self._open)

    def send(self, name: str, signature: str, request: bytes, *, first: bool) -> Sent:
        """Write a request now, or as soon as there is a connection.

        While all connections are in use, a re-broadcast of what waits already is left out, and a
        first send takes the place of the oldest re-broadcast when too many wait.
        """
        now_ns = self._wiring.elapsed_ns()
        parcel = Parcel(name, signature, request, first)
        for kept in self._open:
            if kept.free:
                self._write(kept, parcel, now_ns)
                return Sent.SENT
        waits = any(p.signature == signature and p.name == name for p in self._parcels)
        if (waits and not first) or not self._room(first=first):
            self._wiring.on_failure(parcel, "overflow")
            return Sent.DROPPED
        self._parcels.append(parcel)
        self._wanted.set()
        return Sent.CONNECTING

    async def run(self) -> None:
        """Keep connections open and warm until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_warm())
                await self._keep_open(group)
        finally:
            for kept in tuple(self._open):
                kept.abort("closed")

    # The connections' owner

    def on_ready(self, kept: KeptConnection) -> None:
        """Write what waits."""
        if kept not in self._open:
            self._open.append(kept)
        if self._parcels:
            self._write(kept, self._parcels.popleft(), self._wiring.elapsed_ns())

    def on_reply(self, kept: KeptConnection, reply: Reply) -> None:
        """Tell what came of a request."""
        if isinstance(kept.tag, Parcel) and kept.tag.name:
            self._wiring.on_reply(kept.tag, reply)

    def on_lost(self, kept: KeptConnection, reason: str, *, unanswered: bool) -> None:
        """Write its request once more if nobody answered it; tell otherwise."""
        if kept in self._open:
            self._open.remove(kept)
        self._wanted.set()
        parcel = kept.tag if kept.waiting else None
        if not isinstance(parcel, Parcel) or not parcel.name:
            return
        if unanswered and reason == "closed" and parcel.tries < TRIES_MAX:
            # Over a fresh connection: others of its age are probably closed, too. The same bytes
            # have the same signature: however often they arrive, they land once.
            self._parcels.appendleft(msgspec.structs.replace(parcel, tries=parcel.tries + 1))
        else:
            self._wiring.on_failure(parcel, reason)

    # Leaves

    def _room(self, *, first: bool) -> bool:
        """Return whether one more can wait; for a first send a re-broadcast is given up."""
        if len(self._parcels) < WAITING_MAX:
            return True
        given_up = next((parcel for parcel in self._parcels if not parcel.first), None)
        if not first or given_up is None:
            return False
        self._parcels.remove(given_up)
        self._wiring.on_failure(given_up, "overflow")
        return True

    def _write(self, kept: KeptConnection, parcel: Parcel, now_ns: int) -> None:
        wiring = self._wiring
        limit = wiring.timer.call_later(wiring.timeout_s, lambda: kept.abort("timeout"))
        kept.write(parcel.request, parcel, limit, now_ns)

    async def _keep_open(self, group: asyncio.TaskGroup) -> None:
        while True:
            self._wanted.clear()
            wanted = min(CONNECTIONS_MAX, WARM + len(self._parcels)) - self._opening
            for _ in range(len(self._open), max(len(self._open), wanted)):
                self._opening += 1
                group.create_task(self._connect())
            await self._wanted.wait()

    async def _connect(self) -> None:
        place, wiring = self._place, self._wiring
        loop = asyncio.get_running_loop()
        self.connects += 1
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await loop.create_connection(
                    lambda: KeptConnection(self), place.host, place.port, ssl=self._tls
                )
        except OSError as error:
            # TimeoutError is one of them.
            self.trouble = place.unreachable(error)
            self._give_up()
            await wiring.timer.sleep(wiring.backoff.next())
        else:
            self.trouble = ""
            wiring.backoff.reset()
        finally:
            self._opening -= 1
            self._wanted.set()

    def _give_up(self) -> None:
        """Tell of the requests that waited in vain; a re-broadcast comes by itself."""
        while self._parcels:
            self._wiring.on_failure(self._parcels.popleft(), "unreachable")

    async def _keep_warm(self) -> None:
        wiring = self._wiring
        while True:
            await wiring.timer.sleep(wiring.keep_warm_s / WARM)
            now_ns = wiring.elapsed_ns()
            idle = [
                kept
                for kept in self._open
                if kept.free and now_ns - kept.used_ns >= wiring.keep_warm_s * 1e9
            ]
            # One at a time, so that another stays free for an order meanwhile.
            if idle:
                self._write(idle[0], Parcel("", "", wiring.warm_request), now_ns)
