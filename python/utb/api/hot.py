"""Answers kept encoded, until a record comes or for a tenth of a second.

`Hot` makes the pages that are read most itself; `Kept` remembers what the routes answered: a read
depends on nothing but the replica and its address.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from utb.api.health.views import DOWN, HEALTHY
from utb.api.health.views import health as health_view
from utb.api.market.views import instruments
from utb.api.performance.views import performance
from utb.api.positions.views import positions
from utb.api.risk.views import risk
from utb.api.status.views import status, summary
from utb.api.world import World

if TYPE_CHECKING:
    from utb.telemetry.replica import Replica

FRESH_NS: Final = 100_000_000
"""Prices and ages in a page are at most this old."""

KEPT_PAGES: Final = 128
KEPT_BYTES_MAX: Final = 256 * 1024

_PAGES: Final[dict[str, Callable[[World], Any]]] = {
    "status": status,
    "summary": summary,
    "positions": positions,
    "performance": performance,
    "risk": risk,
    "risk/current": risk,
    "instruments": instruments,
    "health": health_view,
}


JSON: Final = (b"content-type", b"application/json")
NO_STORE: Final = (b"cache-control", b"no-store")


class Page:
    """One answer: its two messages, and what they were made of."""

    __slots__ = ("body", "built_ns", "head", "headers", "replica", "status", "version")

    def __init__(self) -> None:
        self.built_ns = 0
        self.version = -1
        self.replica: Replica | None = None
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        """Of `head`; the last one is the caller's own rate limit."""
        self.head: dict[str, Any] = {}
        self.body: dict[str, Any] = {}

    def set(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
        """Take an answer."""
        self.status = status
        self.headers = [*headers, (b"ratelimit", b"")]
        self.head = {
            "type": "http.response.start",
            "status": status,
            "headers": self.headers,
        }
        self.body = {"type": "http.response.body", "body": body}


class Hot:
    """The pages by path."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pages: dict[str, tuple[Page, Callable[[World], Any]]] = {}
        for name, build in _PAGES.items():
            page = Page()
            for prefix in ("/api/v1/", "/api/"):
                self._pages[prefix + name] = page, build
        self._pages["/health"] = self._pages["/api/health"]

    def get(self, path: str, now_ns: int) -> Page | None:
        """Return a page that is fresh at a monotonic time, or None if it is not kept here."""
        found = self._pages.get(path)
        if found is None:
            return None
        page = found[0]
        replica = self._world.replica
        if (
            now_ns - page.built_ns > FRESH_NS
            or page.version != replica.version
            or page.replica is not replica
        ):
            self._make(*found)
            page.built_ns, page.version, page.replica = now_ns, replica.version, replica
        return page

    def _make(self, page: Page, build: Callable[[World], Any]) -> None:
        answer = build(self._world)
        body = msgspec.json.encode(answer)
        status = 503 if getattr(answer, "status", HEALTHY) == DOWN else 200
        length = (b"content-length", b"%d" % len(body))
        page.set(status, (JSON, length, NO_STORE), body)


class Kept:
    """Answers of the routes by path and query, the newest of a bounded number."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pages: OrderedDict[tuple[str, bytes], Page] = OrderedDict()

    def get(self, path: str, query: bytes, now_ns: int) -> Page | None:
        """Return an answer that is still fresh at a monotonic time."""
        page = self._pages.get((path, query))
        if page is None:
            return None
        replica = self._world.replica
        fresh = now_ns - page.built_ns <= FRESH_NS and page.version == replica.version
        return page if fresh and page.replica is replica else None

    def put(
        self, scope: Any, headers: list[tuple[bytes, bytes]], body: bytes, made: tuple[int, int]
    ) -> None:
        """Keep an answer that was asked for at (monotonic time, version of the replica)."""
        replica = self._world.replica
        if len(body) > KEPT_BYTES_MAX or made[1] != replica.version:
            return
        page = Page()
        page.set(200, (*headers, NO_STORE), body)
        page.built_ns, page.version = made
        page.replica = replica
        key = scope["path"], scope["query_string"]
        self._pages[key] = page
        self._pages.move_to_end(key)
        if len(self._pages) > KEPT_PAGES:
            self._pages.popitem(last=False)
