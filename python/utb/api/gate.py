"""The door: who may come in, how often, from where, with how much, before any route is looked for.

Hot reads are answered here from bytes that are already encoded.
"""

import asyncio
from typing import Any, Final

import structlog
from litestar.types import ASGIApp, Receive, Send

from utb.api.errors import ApiError, Code, invalid, not_found
from utb.api.hot import JSON, NO_STORE, Hot, Kept
from utb.api.keys import ANYONE, Caller
from utb.api.keys import Scope as KeyScope
from utb.api.limits import Failures, RateLimit
from utb.api.origins import Origins
from utb.api.paths import is_plain, needs, open_to_all, unlimited
from utb.api.world import World
from utb.config.schema import Server

HOSTS_SEEN_MAX: Final = 64
OK: Final = 200
HEADER_BYTES_MAX: Final = 16_384
TARGET_BYTES_MAX: Final = 4_096
DELAYED_MAX: Final = 32
"""Answers to wrong keys that wait at a time, a small part of all connections."""
SOCKET_PATH: Final = "/ws"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
SECURITY_HEADERS: Final = ((b"x-content-type-options", b"nosniff"), NO_STORE)
log = structlog.get_logger()


class _GoneError(Exception):
    """The caller left inside its request: there is nothing to do, and nobody to tell."""


class Gate:
    """ASGI middleware in front of the routes."""

    def __init__(self, app: ASGIApp, world: World, server: Server, hot: Hot) -> None:
        """Stand in front of `app`."""
        self._app = app
        self._world = world
        self._hot = hot
        self._kept = Kept(world)
        self._hosts = frozenset(host.lower().encode() for host in server.allowed_hosts)
        self._origins = Origins(server.origins)
        self._body_max = server.body_bytes_max
        self._limit = RateLimit(server.rate_limit_per_minute)
        self._limits = b"limit=%d, remaining=%%d, reset=%%d" % server.rate_limit_per_minute
        self._is_open = not world.keys
        self._hosts_seen: set[bytes] = set()
        """Host headers that passed the check, a bounded number."""
        self._failures = Failures()
        self._delayed = 0
        """Answers to wrong keys that wait."""
        self._elapsed_ns = world.clock.elapsed_ns

    async def __call__(self, scope: Any, receive: Receive, send: Any) -> None:
        """Let one request or connection in, or answer it here."""
        kind = scope["type"]
        if kind == "http":
            if scope["method"] == "HEAD":
                scope, send = {**scope, "method": "GET"}, _without_body(send)
            if self._is_open and scope["method"] == "GET":
                # The same checks as below, without what only other requests need
                began_ns = self._elapsed_ns()
                path, query = scope["path"], scope["query_string"]
                page = None if query else self._hot.get(path, began_ns)
                if page is None:
                    page = self._kept.get(path, query, began_ns)
                if page is not None and self._is_plain(scope):
                    client = scope["client"]
                    name = client[0] if client else "local"
                    left, wait_s = self._limit.take(name, began_ns)
                    if left >= 0:
                        # Read before the next await, so one list serves every request
                        page.headers[-1] = (b"ratelimit", self._limits % (left, wait_s))
                        await send(page.head)
                        await send(page.body)
                        self._world.traffic.add(page.status, self._elapsed_ns() - began_ns)
                        return
            await self._http(scope, receive, send)
        elif kind == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_plain(self, scope: Any) -> bool:
        """Return whether a request has one Host that was let in before, and nothing unusual.

        Unusual are long headers, and the Origin of a site that may have to be told something.
        """
        host, size = None, 0
        for name, value in scope["headers"]:
            size += len(value)
            if name == b"host":
                if host is not None:
                    return False
                host = value
            elif name == b"origin" and self._origins:
                return False
        return host in self._hosts_seen and size < HEADER_BYTES_MAX // 2

    async def _http(self, scope: Any, receive: Receive, send: Any) -> None:
        began_ns = self._elapsed_ns()
        method, path = scope["method"], scope["path"]
        extra: Any = ()
        try:
            headers = self._headers(scope)
            self._check_host(headers)
            extra = permission = self._origins.permission(headers)
            _check_path(scope)
            if told := self._origins.preflight(method, headers):
                # A browser asks without a key
                extra = (*permission, *told, *self._take_turn(scope, None))
                await _answer(send, 204, b"", extra)
                self._world.traffic.add(204, self._elapsed_ns() - began_ns)
                return
            caller = await self._caller(scope, headers, path)
            if not unlimited(path):
                extra = (*permission, *self._take_turn(scope, caller))
            if caller is not None:
                scope["utb.caller"] = caller
                self._check_scope(caller, method, path)
            if method not in _SAFE:
                self._origins.check(headers)
                receive = await self._body(scope, receive, headers)
            elif method == "GET":
                query = scope["query_string"]
                page = None if query else self._hot.get(path, began_ns)
                if page is None:
                    page = self._kept.get(path, query, began_ns)
                if page is not None:
                    await send({**page.head, "headers": [*page.headers[:-1], *extra]})
                    await send(page.body)
                    self._world.traffic.add(page.status, self._elapsed_ns() - began_ns)
                    return
        except ApiError as error:
            await self._refuse(send, error, path, extra)
            self._world.traffic.add(error.status, self._elapsed_ns() - began_ns)
            return
        except _GoneError:
            log.warning("API_GONE", path=path)
            return
        await self._pass(scope, receive, send, (extra, began_ns))

    async def _pass(self, scope: Any, receive: Receive, send: Send, how: tuple[Any, int]) -> None:
        extra, began_ns = how
        traffic = self._world.traffic
        is_read = scope["method"] == "GET" and scope["path"].startswith("/api/")
        made = began_ns, self._world.replica.version
        head: Any = None

        async def counted(message: Any) -> None:
            nonlocal head
            if message["type"] == "http.response.start":
                status = message["status"]
                if is_read and status == OK:
                    head = list(message["headers"])
                told = [_with_head(header) for header in message["headers"]]
                named = {name for name, _ in told}
                added = (*SECURITY_HEADERS, *extra)
                more = (header for header in added if header[0] not in named)
                message["headers"] = [*told, *more]
                traffic.add(status, self._elapsed_ns() - began_ns)
                if status >= 400:  # noqa: PLR2004 - errors
                    log.warning("API_ERROR", path=scope["path"], status=status)
            elif head is not None and not message.get("more_body"):
                self._kept.put(scope, head, message.get("body", b""), made)
            await send(message)

        await self._app(scope, receive, counted)

    async def _websocket(self, scope: Any, receive: Receive, send: Send) -> None:
        extra: Any = ()
        try:
            headers = self._headers(scope)
            self._check_host(headers)
            _check_path(scope)
            if scope["path"].rstrip("/") != SOCKET_PATH:
                raise not_found("page", scope["path"])
            self._origins.check(headers)
            if not self._world.keys:
                scope["utb.caller"] = ANYONE
            elif b"x-api-key" in headers:
                scope["utb.caller"] = await self._caller(scope, headers, scope["path"])
            extra = self._take_turn(scope, scope.get("utb.caller"))
        except ApiError as error:
            await receive()
            if "websocket.http.response" in scope.get("extensions", ()):
                await self._refuse(send, error, scope["path"], extra, kind="websocket.http")
                return
            self._count(error, scope["path"])
            # Before the handshake is accepted, a close is an answer 403
            await send({"type": "websocket.close", "code": 1008, "reason": error.message})
            return
        await self._app(scope, receive, send)

    def _headers(self, scope: Any) -> dict[bytes, bytes]:
        headers: dict[bytes, bytes] = {}
        size = 0
        for name, value in scope["headers"]:
            size += len(name) + len(value)
            if name == b"host" and name in headers:
                raise invalid("Host", None, "one Host header")
            headers[name] = value
        if size > HEADER_BYTES_MAX:
            message = f"Headers of {size} bytes, at most {HEADER_BYTES_MAX}"
            details = {"limit": HEADER_BYTES_MAX}
            raise ApiError(Code.PAYLOAD_TOO_LARGE, message, details, status=431)
        target = len(scope["raw_path"]) + len(scope["query_string"])
        if target > TARGET_BYTES_MAX:
            message = f"An address of {target} bytes, at most {TARGET_BYTES_MAX}"
            details = {"limit": TARGET_BYTES_MAX}
            raise ApiError(Code.PAYLOAD_TOO_LARGE, message, details, status=414)
        return headers

    def _check_host(self, headers: dict[bytes, bytes]) -> None:
        """Refuse a foreign name: a page elsewhere may have pointed its own name at us."""
        host = headers.get(b"host", b"")
        if host in self._hosts_seen:
            return
        if _name(host) in self._hosts:
            if len(self._hosts_seen) < HOSTS_SEEN_MAX:
                self._hosts_seen.add(host)
        else:
            shown = host.decode("latin-1")
            details = {"field": "Host", "value": shown[:200], "expected": "server.allowed_hosts"}
            raise ApiError(Code.FORBIDDEN, "This host name is not served", details)

    async def _caller(self, scope: Any, headers: dict[bytes, bytes], path: str) -> Caller | None:
        """Return who asks; None where nobody needs to say."""
        if not self._world.keys:
            return ANYONE
        key = headers.get(b"x-api-key")
        caller = None
        if key is not None:
            caller = self._world.keys.find(key.decode("latin-1"), self._world.clock.now_ns())
        if caller is not None:
            self._failures.clear(_address(scope))
        elif not open_to_all(path):
            await self._turn_away(scope, given=key is not None)
        return caller

    async def _turn_away(self, scope: Any, *, given: bool) -> None:
        """Refuse whoever has no valid key.

        Its address is counted first, so that keys cannot be tried without end. A wrong key waits
        for its answer; only so many do at a time, for each holds a connection.

        Raises:
            ApiError: Always.
        """
        self._take_turn(scope, None)
        details = {"header": "X-API-Key"}
        if not given:
            raise ApiError(Code.UNAUTHORIZED, "A key is needed", details)
        delay_s = self._failures.delay_s(_address(scope))
        if self._delayed >= DELAYED_MAX:
            raise _too_many("Too many wrong keys", DELAYED_MAX, 2, {})
        self._delayed += 1
        try:
            await asyncio.sleep(delay_s)
        finally:
            self._delayed -= 1
        raise ApiError(Code.UNAUTHORIZED, "The key is not valid", details)

    def _check_scope(self, caller: Caller, method: str, path: str) -> None:
        wanted: KeyScope = needs(method, path)
        if wanted not in caller.scopes and not open_to_all(path):
            message = f"This key may not {wanted}"
            raise ApiError(Code.FORBIDDEN, message, {"scope": wanted})

    def _take_turn(self, scope: Any, caller: Caller | None) -> Any:
        anonymous = caller is None or caller is ANYONE
        name = _address(scope) if anonymous or caller is None else f"key {caller.name}"
        left, wait_s = self._limit.take(name, self._elapsed_ns())
        shown = self._limits % (max(left, 0), wait_s)
        if left < 0:
            told = {"ratelimit": shown.decode()}
            raise _too_many("Too many requests", self._limit.per_minute, wait_s, told)
        return ((b"ratelimit", shown),)

    async def _body(self, scope: Any, receive: Receive, headers: dict[bytes, bytes]) -> Receive:
        """Read the whole body, within its limit, and return what gives it again.

        Raises:
            ApiError: If it is too large, shorter than it says, or no JSON.
            _GoneError: If the caller leaves before its end: half a request must not be acted on.
        """
        text = headers.get(b"content-length", b"")
        said = int(text) if text.isdigit() else 0
        if said > self._body_max:
            raise self._too_large(said)
        body = bytearray()
        is_whole = False
        while not is_whole:
            message: Any = await receive()
            if message["type"] == "http.disconnect":
                raise _GoneError
            body += message.get("body", b"")
            if len(body) > self._body_max:
                raise self._too_large(len(body))
            is_whole = not message.get("more_body")
        if len(body) < said:
            raise invalid("body", f"{len(body)} bytes", f"{said} bytes, as Content-Length says")
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if body and kind != b"application/json":
            shown = kind.decode("latin-1")
            details = {"field": "Content-Type", "value": shown, "expected": "application/json"}
            message_text = "A body must be JSON"
            raise ApiError(Code.INVALID_PARAMETER, message_text, details, status=415)
        scope["utb.body"] = bytes(body)
        given = False

        async def again() -> Any:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        return again

    def _too_large(self, size: int) -> ApiError:
        message = f"A body of {size} bytes, at most {self._body_max}"
        return ApiError(Code.PAYLOAD_TOO_LARGE, message, {"limit": self._body_max})

    def _count(self, error: ApiError, path: str) -> None:
        self._world.traffic.errors_by_code[error.code] += 1
        log.warning("API_ERROR", path=path, status=error.status, code=error.code)

    async def _refuse(
        self, send: Send, error: ApiError, path: str, extra: Any, kind: str = "http"
    ) -> None:
        self._count(error, path)
        headers = tuple((k.encode(), v.encode()) for k, v in error.headers.items())
        await _answer(send, error.status, error.body, (*extra, *headers), kind)


async def _answer(send: Any, status: int, body: bytes, extra: Any, kind: str = "http") -> None:
    content = (JSON, (b"content-length", b"%d" % len(body))) if body else ()
    await send(
        {
            "type": f"{kind}.response.start",
            "status": status,
            "headers": [*content, *SECURITY_HEADERS, *extra],
        }
    )
    await send({"type": f"{kind}.response.body", "body": body})


def _without_body(send: Any) -> Any:
    """Return a `send` that leaves out what HEAD does not want."""

    async def head(message: Any) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return head


def _too_many(message: str, limit: int, wait_s: int, headers: dict[str, str]) -> ApiError:
    details = {"limit": limit, "retry_after": wait_s}
    headers = headers | {"retry-after": str(wait_s)}
    return ApiError(Code.API_RATE_LIMIT, message, details, headers=headers)


def _with_head(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """Return a header; where one says that GET is allowed, HEAD is as well."""
    name, value = header
    if name.lower() != b"allow":
        return header
    methods = {method.strip() for method in value.split(b",")}
    return name, b", ".join(sorted(methods | ({b"HEAD"} if b"GET" in methods else set())))


def _check_path(scope: Any) -> None:
    if not is_plain(scope["path"], scope["raw_path"]):
        raise not_found("page", scope["path"])


def _name(host: bytes) -> bytes:
    """Return a Host header's name without its port."""
    host = host.lower()
    if host.startswith(b"["):
        return host.partition(b"]")[0] + b"]"
    return host.partition(b":")[0]


def _address(scope: Any) -> str:
    client = scope.get("client")
    return str(client[0]) if client else "local"
