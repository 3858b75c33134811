"""Other sites' pages: which of them are served, and what their browsers are told of it."""

from collections.abc import Sequence
from typing import Final

from utb.api.errors import ApiError, Code

Headers = dict[bytes, bytes]

_VARY: Final = (b"vary", b"Origin")
_MAY_READ: Final = (b"access-control-expose-headers", b"RateLimit, Retry-After")
_MAY_ASK: Final = (
    (b"access-control-allow-methods", b"GET, HEAD, POST"),
    (b"access-control-allow-headers", b"Content-Type, X-API-Key, Idempotency-Key"),
    (b"access-control-max-age", b"600"),
)


class Origins:
    """The sites of `server.origins`."""

    def __init__(self, listed: Sequence[str]) -> None:
        self._listed = frozenset(origin.lower().encode() for origin in listed)

    def __bool__(self) -> bool:
        return bool(self._listed)

    def check(self, headers: Headers) -> None:
        """Refuse what another site's page asks for: browsers name it.

        Raises:
            ApiError: If it is neither our own page nor one of a listed site.
        """
        origin = headers.get(b"origin")
        if origin is None:
            return
        own = origin.lower().partition(b"://")[2]
        if own == headers.get(b"host", b"").lower() or origin.lower() in self._listed:
            return
        shown = origin.decode("latin-1")
        details = {"field": "Origin", "value": shown[:200], "expected": "server.origins"}
        raise ApiError(Code.FORBIDDEN, "Requests of this origin are not served", details)

    def permission(self, headers: Headers) -> tuple[tuple[bytes, bytes], ...]:
        """Return the headers by which a browser lets a listed site read an answer; none for others.

        The site itself is named, never all of them.
        """
        origin = headers.get(b"origin", b"")
        if origin.lower() not in self._listed:
            return ()
        return ((b"access-control-allow-origin", origin), _VARY, _MAY_READ)

    def preflight(self, method: str, headers: Headers) -> tuple[tuple[bytes, bytes], ...]:
        """Return what else a browser is told that asks first for a listed site; none otherwise."""
        asks = method == "OPTIONS" and b"access-control-request-method" in headers
        return _MAY_ASK if asks and headers.get(b"origin", b"").lower() in self._listed else ()
