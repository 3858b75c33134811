"""HTTP requests to one source, within its budget; every failure is a value.

httpx asks; here are the limits it has none for (bytes of a body, time of a whole answer, which may
be simulated), and what its errors mean. Nothing is asked for that is not needed: no redirects, no
compression, no cookies, no proxy. A POST here is a question in its body and changes nothing: it may
be asked twice.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final, cast
from urllib.parse import quote, urlencode

import httpx
import msgspec

from utb.adapters.net.budget import RateBudget
from utb.adapters.net.course import Course
from utb.adapters.net.endpoint import Endpoint
from utb.adapters.net.quantiles import Quantiles
from utb.adapters.net.redact import Redactor
from utb.errors import TransientError
from utb.ports.clock import Clock
from utb.ports.livefeed import Timer

BODY_BYTES_MAX: Final = 4 * 1024 * 1024
"""Longest body: the core's own limit of a frame."""

CONNECTIONS_MAX: Final = 4
"""Connections of one source: polls, a fallback and a warm-up at the same time."""

IDLE_SECONDS_MAX: Final = 60.0
"""How long a connection is kept without a request, by the wall."""

TARGETS_MAX: Final = 64
"""Addresses that are kept made up: those of polls come again and again."""

_UNREACHED: Final = frozenset({"unreachable", "timeout", "closed"})
_OK: Final = range(200, 300)
_REDIRECTS: Final = range(300, 400)
_TRY_LATER: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_DENIED: Final = frozenset({401, 403})

_CUT_SHORT: Final = ("Server disconnected", "peer closed connection")
_ENDLESS: Final = "Receive buffer too long"
"""How httpcore and h11 begin their texts; nothing else tells these errors apart."""

# They log addresses and headers, which hold keys.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class _Answer(msgspec.Struct, frozen=True):
    """A whole answer."""

    status: int
    headers: httpx.Headers
    body: bytes


class _Question(msgspec.Struct, frozen=True):
    """What is asked."""

    method: str
    url: httpx.URL
    headers: httpx.Headers
    body: bytes | None = None

    def request(self, course: Course) -> httpx.Request:
        """Return it as the library's own, followed by `course`."""
        return httpx.Request(
            self.method,
            self.url,
            headers=self.headers,
            content=self.body,
            extensions={"trace": course.note},
        )


class _Broken(msgspec.Struct, frozen=True):
    """Why there is no answer."""

    reason: str
    """Short name to count it under."""
    sentence: str
    unused: bool = False
    """A kept connection was closed before the answer began: a fresh one may serve."""


class Body(msgspec.Struct, frozen=True):
    """A good answer."""

    payload: bytes
    ts_recv_ns: int


class Failure(msgspec.Struct, frozen=True):
    """A request without a good answer."""

    reason: str
    """Short name to count it under, for example `http_429`."""
    sentence: str
    """For a person; holds no key."""
    transient: bool
    """Whether the same request may succeed later."""
    status: int | None = None
    retry_after_s: float | None = None
    """What the source asked for, when it did."""

    @property
    def unreached(self) -> bool:
        """Return whether no whole answer came at all."""
        return self.reason in _UNREACHED

    def as_error(self, source: str) -> TransientError:
        """Return it as an exception, for callers that cannot go on."""
        return TransientError(source, self.sentence, retry_after_s=self.retry_after_s)


class HttpWiring(msgspec.Struct, frozen=True, kw_only=True):
    """What a client is made of beside its address."""

    clock: Clock
    timer: Timer
    stopwatch_ns: Callable[[], int]
    """The machine's monotonic clock, for round trips."""
    budget: RateBudget
    redactor: Redactor
    timeout_s: float
    headers: Mapping[str, str] = {}
    """Of every request; may hold the key."""
    connections_max: int = CONNECTIONS_MAX


class HttpClient:
    """Requests to one source over kept connections."""

    def __init__(self, endpoint: Endpoint, wiring: HttpWiring) -> None:
        """Connect to nothing yet."""
        self._endpoint = endpoint
        self._wiring = wiring
        self._places = asyncio.Semaphore(wiring.connections_max)
        self._tls = ssl.create_default_context()
        self._http = self._make_client()
        self._stale = False
        """Whether its connections are to be closed before anything else is asked."""
        own = {"User-Agent": "utb", "Accept": "application/json", "Accept-Encoding": "identity"}
        self._headers = httpx.Headers(own | dict(wiring.headers))
        self._url = lru_cache(TARGETS_MAX)(self._make_url)
        self.requests = 0
        self.round_trips = Quantiles()

    async def get(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Body | Failure:
        """Ask once, when the budget allows it.

        Args:
            path: Below the base address, beginning with a slash.
            query: Parameters; may hold the key.
            headers: Of this request alone.
        """
        await self._wiring.budget.acquire()
        return await self.get_granted(path, query, headers)

    def granted(self) -> bool:
        """Take a grant of the budget for `get_granted`, if there is one at once."""
        return self._wiring.budget.try_acquire()

    async def get_granted(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Body | Failure:
        """Ask once; the caller has the budget's grant already."""
        url = self._url(path, tuple((query or {}).items()))
        return await self._once(_Question("GET", url, self._with(headers)))

    async def post_granted(
        self, path: str, body: bytes, query: Mapping[str, str] | None = None
    ) -> Body | Failure:
        """Ask once with a body of JSON; the caller has the budget's grant already.

        Args:
            path: Below the base address; empty for the address itself.
            body: JSON.
            query: Parameters; may hold the key.
        """
        url = self._url(path, tuple((query or {}).items()))
        headers = self._with({"Content-Type": "application/json"})
        return await self._once(_Question("POST", url, headers, body))

    def held_seconds(self) -> float:
        """Return how long the source still wants to be left alone; 0 when it does not."""
        return self._wiring.budget.held_seconds()

    def renew(self) -> None:
        """Use no connection of before any more: the next request connects."""
        self._stale = True

    async def close(self) -> None:
        """Close the connections; a later request connects anew."""
        self.renew()
        await self._http.aclose()

    # Asking

    async def _once(self, question: _Question) -> Body | Failure:
        wiring = self._wiring
        with wiring.timer.busy():
            async with self._places:
                self.requests += 1
                started_ns = wiring.stopwatch_ns()
                outcome = await self._exchange(question)
                if isinstance(outcome, _Answer):
                    self.round_trips.add(wiring.stopwatch_ns() - started_ns)
        return self._judge(outcome)

    async def _exchange(self, question: _Question) -> _Answer | _Broken:
        """Ask, and once more if a kept connection turned out to be closed."""
        outcome = await self._ask(question)
        unused = isinstance(outcome, _Broken) and outcome.unused
        # The request may have arrived all the same: another one needs a grant of its own.
        if unused and self._wiring.budget.try_acquire():
            self.requests += 1
            outcome = await self._ask(question)
        return outcome

    async def _ask(self, question: _Question) -> _Answer | _Broken:
        client, timeout_s = await self._current(), self._wiring.timeout_s
        place = self._endpoint
        course = Course(self._wiring.timer, timeout_s)
        request = question.request(course)
        try:
            async with course.limit:
                return await self._receive(client, request)
        except TimeoutError:
            sentence = f"{place.authority} did not answer within {timeout_s:g} s"
            return _Broken("timeout", sentence)
        except httpx.ConnectTimeout:
            return _Broken("unreachable", place.unreachable(TimeoutError()))
        except httpx.ConnectError as error:
            return _Broken("unreachable", place.unreachable(_cause(error)))
        except httpx.TransportError as error:
            return _broken(error, unused=course.kept and not course.answered)
        finally:
            course.end()

    async def _receive(
        self, client: httpx.AsyncClient, request: httpx.Request
    ) -> _Answer | _Broken:
        """Read an answer that is bounded: its head by h11, its body here."""
        answer = await client.send(request, stream=True)
        try:
            headers = answer.headers
            if headers.get("content-encoding", "identity") != "identity":
                return _Broken("encoded", "the answer is compressed, which was not asked for")
            length = headers.get("content-length", "0")
            if length.isdecimal() and int(length) > BODY_BYTES_MAX:
                return _oversized()
            body = bytearray()
            # It is a generator, though httpx says less: closed here, not some time later.
            parts = cast("AsyncGenerator[bytes, None]", answer.aiter_raw())
            async with aclosing(parts) as chunks:
                async for chunk in chunks:
                    body += chunk
                    if len(body) > BODY_BYTES_MAX:
                        return _oversized()
            return _Answer(answer.status_code, headers, bytes(body))
        finally:
            await answer.aclose()

    def _make_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            verify=self._tls,
            trust_env=False,
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            limits=httpx.Limits(
                max_connections=self._wiring.connections_max, keepalive_expiry=IDLE_SECONDS_MAX
            ),
            # Of connecting, half for encryption; `Course` sets that of the answer.
            timeout=httpx.Timeout(None, connect=self._wiring.timeout_s / 2),
        )

    async def _current(self) -> httpx.AsyncClient:
        while self._stale:
            self._stale = False
            old, self._http = self._http, self._make_client()
            await old.aclose()
        return self._http

    def _with(self, headers: Mapping[str, str] | None) -> httpx.Headers:
        if not headers:
            return self._headers
        every = self._headers.copy()
        every.update(headers)
        return every

    def _make_url(self, path: str, query: tuple[tuple[str, str], ...]) -> httpx.URL:
        place = self._endpoint
        target = place.path + quote(path, safe="/,:@")
        if query:
            target += "?" + urlencode(query)
        return httpx.URL(f"{place.scheme}://{place.authority}{target}")

    # Judging answers

    def _judge(self, outcome: _Answer | _Broken) -> Body | Failure:
        host = self._endpoint.authority
        if isinstance(outcome, _Broken):
            told = outcome.reason in {"unreachable", "timeout"}
            sentence = outcome.sentence if told else f"{host}: {outcome.sentence}"
            transient = outcome.reason not in {"oversized", "encoded"}
            return Failure(outcome.reason, self._wiring.redactor.clean(sentence), transient)
        if outcome.status in _OK:
            return Body(outcome.body, self._wiring.clock.now_ns())
        wait_s = self._retry_after(outcome)
        if wait_s is not None and outcome.status in _TRY_LATER:
            self._wiring.budget.hold(wait_s)
        return Failure(
            reason=f"http_{outcome.status}",
            sentence=self._sentence(outcome, wait_s),
            transient=outcome.status in _TRY_LATER,
            status=outcome.status,
            retry_after_s=wait_s,
        )

    def _sentence(self, answer: _Answer, wait_s: float | None) -> str:
        host, status = self._endpoint.authority, answer.status
        if status in _DENIED:
            return f"{host} refuses the key (HTTP {status}); check the key and its plan"
        if status in _REDIRECTS:
            return f"{host} redirects elsewhere (HTTP {status}); check {self._endpoint.setting}"
        said = answer.body[:256].decode("utf-8", "replace").strip()
        wait = "" if wait_s is None else f", asks to wait {wait_s:g} s"
        text = f": {said}" if said else ""
        return self._wiring.redactor.clean(f"{host} answers HTTP {status}{wait}{text}")

    def _retry_after(self, answer: _Answer) -> float | None:
        """Return the seconds of a `Retry-After` in either form; None without a readable one."""
        text = answer.headers.get("retry-after", "").strip()
        if text.isdecimal() and text.isascii():
            return float(text[:9])
        when = _http_date_s(text)
        if when is None:
            return None
        # Counted from the source's own clock, where it tells it: ours may be off.
        now_s = _http_date_s(answer.headers.get("date", ""))
        if now_s is None:
            now_s = self._wiring.clock.now_ns() / 1e9
        return max(0.0, when - now_s)


def _http_date_s(text: str) -> float | None:
    """Return an HTTP date as seconds since the epoch; None if it is none."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        return None


def _broken(error: httpx.TransportError, *, unused: bool) -> _Broken:
    text = str(error)
    if isinstance(error, httpx.NetworkError) or text.startswith(_CUT_SHORT):
        sentence = "the connection was closed before the answer was whole"
        return _Broken("closed", sentence, unused)
    if text.startswith(_ENDLESS):
        return _Broken("oversized", "the head of the answer does not end")
    return _Broken("not_http", "the answer is not HTTP")


def _oversized() -> _Broken:
    return _Broken("oversized", f"the answer is longer than {BODY_BYTES_MAX:,} bytes")


def _cause(error: httpx.ConnectError) -> OSError:
    """Return the operating system's error at the bottom of a failed connection."""
    found: OSError = ConnectionResetError()
    # httpcore hides the cause of its own error from tracebacks, but keeps it as the context.
    link = None if error.__cause__ is None else error.__cause__.__context__
    while link is not None:
        if isinstance(link, OSError):
            found = link
        link = link.__cause__
        if isinstance(link, BaseExceptionGroup):
            # Several addresses, each of which failed.
            link = link.exceptions[0]
    return found
