"""Where signed bytes go: RPC endpoints, Jito, Helius Sender. Sending never waits.

What a sender answers is counted and decides nothing: whether a transaction landed is read from the
chain. Formats: solana.com/docs/rpc, docs.jito.wtf, helius.dev/docs/sending-transactions/sender.
"""

import asyncio
from base64 import b64encode
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from utb.adapters.chain.courier import Courier, CourierWiring, Parcel, Sent
from utb.adapters.chain.tips import HELIUS_TIP_ACCOUNTS, JITO_TIP_ACCOUNTS
from utb.adapters.net.backoff import Backoff
from utb.adapters.net.endpoint import Endpoint
from utb.adapters.net.reply import Reply
from utb.adapters.rpc.answers import Problem
from utb.adapters.rpc.place import RpcPlace
from utb.adapters.rpc.wiring import RpcWiring
from utb.config.schema import Senders as SendersConfig

RPC: Final = "rpc."
"""Begins the names of the RPC endpoints' senders."""
JITO: Final = "jito"
JITO_BUNDLE: Final = "jito_bundle"
HELIUS: Final = "helius"

RECONNECT_SECONDS_MIN: Final = 0.25
RECONNECT_SECONDS_MAX: Final = 10.0
_HOLD_SECONDS: Final = 1.0
"""Left alone after HTTP 429 without `Retry-After`."""
_TOO_MANY: Final = 429
_OK: Final = range(200, 300)
_SECOND_NS: Final = 1_000_000_000
_DRAWS_FROM: Final = 1_000

_OPTIONS: Final = b'",{"encoding":"base64","skipPreflight":true,"maxRetries":0}]}'
_JITO_OPTIONS: Final = b'",{"encoding":"base64"}]}'
_BUNDLE_OPTIONS: Final = b'"],{"encoding":"base64"}]}'


class _Accepted(msgspec.Struct):
    result: Any = None
    error: Problem | None = None


class SenderView(msgspec.Struct, frozen=True, kw_only=True):
    """A sender as the one who chooses sees it."""

    name: str
    protected: bool
    """Whether nobody but the relay sees the transaction before it landed."""
    tip_accounts: tuple[str, ...]
    """One of which a transaction over it pays; empty: none is needed."""
    tip_lamports_min: int
    ready: bool
    """Whether a connection is open and free."""
    trouble: str
    counts: dict[str, int]
    """Results so far: accepted, dropped, rpc_-32002, http_429, timeout, ..."""


class _Gate:
    """So many a second; shared by senders that one limit is for."""

    def __init__(self, per_second: int, elapsed_ns: Callable[[], int]) -> None:
        self._per_second = per_second
        self._elapsed_ns = elapsed_ns
        self._passed: deque[int] = deque(maxlen=per_second)
        self._held_until_ns = 0

    def passes(self, *, first: bool) -> bool:
        """Count one more; a re-broadcast only if the limit has room."""
        now_ns = self._elapsed_ns()
        full = len(self._passed) == self._per_second and now_ns - self._passed[0] < _SECOND_NS
        if not first and (full or now_ns < self._held_until_ns):
            return False
        self._passed.append(now_ns)
        return True

    def hold(self, seconds: float) -> None:
        """Let no re-broadcast pass for so long."""
        self._held_until_ns = self._elapsed_ns() + round(seconds * _SECOND_NS)


class _Sender(msgspec.Struct, frozen=True, kw_only=True):
    """One way to send."""

    name: str
    courier: Courier
    gate: _Gate
    head: bytes
    """Up to the number of `Content-Length`."""
    before: bytes
    """Of the body, up to the transaction in base64."""
    after: bytes
    protected: bool = False
    tip_accounts: tuple[str, ...] = ()
    tip_lamports_min: int = 0

    def request(self, transaction: bytes) -> bytes:
        text = b64encode(transaction)
        length = len(self.before) + len(text) + len(self.after)
        return b"%b%d\r\n\r\n%b%b%b" % (self.head, length, self.before, text, self.after)


class Senders:
    """All ways to send, by name."""

    def __init__(
        self, places: Sequence[RpcPlace], settings: SendersConfig, wiring: RpcWiring
    ) -> None:
        """Connect to nothing yet.

        Args:
            places: The RPC endpoints.
            settings: Which senders there are, their limits and tips.
            wiring: Time.
        """
        self._settings = settings
        self._wiring = wiring
        self._counts: dict[str, Counter[str]] = {}
        self._couriers: list[Courier] = []
        self._by_name: dict[str, _Sender] = {}
        if settings.rpc.enabled:
            for place in places:
                self._add_rpc(place)
        if settings.jito.enabled:
            self._add_jito()
        if settings.helius.enabled:
            self._add_helius()

    async def run(self) -> None:
        """Keep the connections open and warm until cancelled."""
        async with asyncio.TaskGroup() as group:
            for courier in self._couriers:
                group.create_task(courier.run())

    def names(self, *, protected: bool) -> tuple[str, ...]:
        """Return the senders of protected orders, or those of all others."""
        return tuple(s.name for s in self._by_name.values() if s.protected == protected)

    def view(self, name: str) -> SenderView:
        """Return a sender by its name.

        Raises:
            KeyError: If there is none of that name.
        """
        sender = self._by_name[name]
        return SenderView(
            name=name,
            protected=sender.protected,
            tip_accounts=sender.tip_accounts,
            tip_lamports_min=sender.tip_lamports_min,
            ready=sender.courier.free > 0,
            trouble=sender.courier.trouble,
            counts=dict(self._counts[name]),
        )

    def views(self) -> tuple[SenderView, ...]:
        """Return all senders."""
        return tuple(self.view(name) for name in self._by_name)

    def send(self, name: str, transaction: bytes, signature: str, *, first: bool) -> Sent:
        """Send signed bytes; when it returns `SENT` they are in the socket.

        Args:
            name: Of the sender; one that is no longer configured counts as `unknown`.
            transaction: Signed, as it goes over the wire.
            signature: In base58, to compare answers with.
            first: Whether this sender gets it for the first time: never left out for a limit.
        """
        sender = self._by_name.get(name)
        if sender is None:
            self._counts.setdefault(name, Counter())["unknown"] += 1
            return Sent.DROPPED
        if not sender.gate.passes(first=first):
            self._counts[name]["dropped"] += 1
            return Sent.DROPPED
        request = sender.request(transaction)
        return sender.courier.send(name, signature, request, first=first)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how often what came of a send, by sender."""
        return {name: dict(counter) for name, counter in self._counts.items()}

    # Results

    def _on_reply(self, parcel: Parcel, reply: Reply) -> None:
        kind = _kind(parcel, reply)
        self._counts[parcel.name][kind] += 1
        if reply.status == _TOO_MANY:
            self._by_name[parcel.name].gate.hold(reply.retry_after_s or _HOLD_SECONDS)

    def _on_failure(self, parcel: Parcel, reason: str) -> None:
        if parcel.name:
            self._counts[parcel.name][reason] += 1

    # Making them

    def _add_rpc(self, place: RpcPlace) -> None:
        target = _target(place.http, "", place.revealed_query())
        warm = _post(target, place.http, b'{"jsonrpc":"2.0","id":1,"method":"getHealth"}')
        self._add(
            _Sender(
                name=RPC + place.name,
                courier=self._courier(place.http, warm),
                gate=self._gate(self._settings.rpc.per_second),
                head=_head(target, place.http),
                before=b'{"jsonrpc":"2.0","id":1,"method":"sendTransaction","params":["',
                after=_OPTIONS,
            )
        )

    def _add_jito(self) -> None:
        jito = self._settings.jito
        place = Endpoint.of(jito.url, "senders.jito.url")
        target = _target(place, "/api/v1/getTipAccounts", {})
        ask = b'{"jsonrpc":"2.0","id":1,"method":"getTipAccounts","params":[]}'
        courier = self._courier(place, _post(target, place, ask))
        gate = self._gate(jito.per_second)
        query = {"bundleOnly": "true"} if jito.bundle_only else {}
        single = _Sender(
            name=JITO,
            courier=courier,
            gate=gate,
            head=_head(_target(place, "/api/v1/transactions", query), place),
            before=b'{"jsonrpc":"2.0","id":1,"method":"sendTransaction","params":["',
            after=_JITO_OPTIONS,
            protected=jito.bundle_only,
            tip_accounts=JITO_TIP_ACCOUNTS,
            tip_lamports_min=jito.tip_lamports_min,
        )
        self._add(single)
        if jito.bundles:
            bundle = msgspec.structs.replace(
                single,
                name=JITO_BUNDLE,
                head=_head(_target(place, "/api/v1/bundles", {}), place),
                before=b'{"jsonrpc":"2.0","id":1,"method":"sendBundle","params":[["',
                after=_BUNDLE_OPTIONS,
                protected=True,
            )
            self._add(bundle)

    def _add_helius(self) -> None:
        helius = self._settings.helius
        place = Endpoint.of(helius.url, "senders.helius.url")
        ping = _lines("GET", _target(place, "/ping", {}), place) + b"\r\n"
        self._add(
            _Sender(
                name=HELIUS,
                courier=self._courier(place, ping),
                gate=self._gate(helius.per_second),
                head=_head(_target(place, "/fast", {}), place),
                before=b'{"jsonrpc":"2.0","id":1,"method":"sendTransaction","params":["',
                after=_OPTIONS,
                tip_accounts=HELIUS_TIP_ACCOUNTS,
                tip_lamports_min=helius.tip_lamports_min,
            )
        )

    def _add(self, sender: _Sender) -> None:
        self._by_name[sender.name] = sender
        self._counts[sender.name] = Counter()

    def _gate(self, per_second: int) -> _Gate:
        return _Gate(per_second, self._wiring.elapsed_ns)

    def _courier(self, place: Endpoint, warm_request: bytes) -> Courier:
        wiring = self._wiring
        draw = wiring.draws(_DRAWS_FROM + len(self._couriers))
        courier = Courier(
            place,
            CourierWiring(
                timer=wiring.timer,
                elapsed_ns=wiring.elapsed_ns,
                backoff=Backoff(RECONNECT_SECONDS_MIN, RECONNECT_SECONDS_MAX, draw),
                timeout_s=self._settings.timeout_seconds,
                keep_warm_s=self._settings.keep_warm_seconds,
                warm_request=warm_request,
                on_reply=self._on_reply,
                on_failure=self._on_failure,
            ),
        )
        self._couriers.append(courier)
        return courier


def _kind(parcel: Parcel, reply: Reply) -> str:
    """Return the short name an answer is counted under."""
    if reply.status not in _OK:
        return f"http_{reply.status}"
    try:
        # Helius Sender may answer with the signature alone.
        found = msgspec.json.decode(reply.body, type=_Accepted | str)
    except (msgspec.MsgspecError, RecursionError):
        return "not_understood"
    if isinstance(found, _Accepted) and found.error is not None:
        return f"rpc_{found.error.code}"
    result = found.result if isinstance(found, _Accepted) else found
    if not isinstance(result, str):
        return "not_understood"
    known = result == parcel.signature or parcel.name == JITO_BUNDLE
    return "accepted" if known else "other_signature"


def _target(place: Endpoint, path: str, query: dict[str, str]) -> str:
    found = (place.path + path) or "/"
    return f"{found}?{urlencode(query)}" if query else found


def _lines(method: str, target: str, place: Endpoint) -> bytes:
    head = f"{method} {target} HTTP/1.1\r\nHost: {place.authority}\r\nUser-Agent: utb\r\n"
    return (head + "Accept: application/json\r\n").encode("ascii")


def _head(target: str, place: Endpoint) -> bytes:
    return _lines("POST", target, place) + b"Content-Type: application/json\r\nContent-Length: "


def _post(target: str, place: Endpoint, body: bytes) -> bytes:
    return b"%b%d\r\n\r\n%b" % (_head(target, place), len(body), body)
