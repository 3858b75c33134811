"""One endpoint's WebSocket: its subscriptions, and slots, which tell that it is alive."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, Final, Protocol

import msgspec

from utb.adapters.net.backoff import Backoff
from utb.adapters.net.websocket import RECONNECT_SECONDS_MIN, SocketWiring, WebSocket
from utb.adapters.rpc.answers import Problem, SlotNote
from utb.adapters.rpc.place import RpcPlace
from utb.adapters.rpc.topics import Notice, OnNotice, SlotNotice, Topic
from utb.adapters.rpc.wiring import RpcWiring

ACKNOWLEDGE_SECONDS: Final = 5.0
"""Time a subscription has to be answered in before it is tried elsewhere."""

UNANSWERED_MAX: Final = 10_000
"""Requests whose answers are waited for on one connection."""


class _Params(msgspec.Struct):
    subscription: int
    result: msgspec.Raw


class _Incoming(msgspec.Struct):
    """A notice (`params`), or the answer to a request (`id`)."""

    params: _Params | None = None
    id: int | None = None
    result: int | bool | None = None
    error: Problem | None = None


_INCOMING: Final = msgspec.json.Decoder(_Incoming)
_SLOT: Final = msgspec.json.Decoder(SlotNote)


@lru_cache(64)
def _decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape)


class Subscription:
    """Something a subscriber is told about, on whichever endpoint it is just now."""

    def __init__(
        self,
        topic: Topic,
        on_notice: OnNotice,
        silent_s: float | None,
        leave: Callable[["Subscription"], None],
    ) -> None:
        self.topic = topic
        self.on_notice = on_notice
        self.silent_s = silent_s
        """Silence after which another endpoint is tried; None: it may be silent."""
        self.patience = 1
        """How many times `silent_s` it may be silent: grows while nothing comes from anywhere."""
        self.line: Line | None = None
        self.number: int | None = None
        """The endpoint's own, once it has answered."""
        self.request = 0
        """The line's own number of the request that asked for it."""
        self.refused_by: Line | None = None
        self.since_ns = 0
        """When it was asked for, or was heard of last."""
        self.moves = 0
        self.over = False
        self._leave = leave

    @property
    def endpoint(self) -> str | None:
        """Return the name of the endpoint it is on; None: on none."""
        return None if self.line is None else self.line.name

    def cancel(self) -> None:
        """Want no more notices."""
        if not self.over:
            self._leave(self)


class LineOwner(Protocol):
    """Who places subscriptions on lines."""

    def on_line_open(self, line: "Line") -> None:
        """Learn that a line can take subscriptions."""
        ...

    def on_line_closed(self, line: "Line", sentence: str) -> None:
        """Learn that a line is gone, and why."""
        ...

    def on_slot(self, notice: SlotNotice) -> None:
        """Learn an endpoint's slot."""
        ...

    def on_refused(self, line: "Line", subscription: Subscription, sentence: str) -> None:
        """Learn that an endpoint does not take a subscription."""
        ...

    def on_over(self, subscription: Subscription) -> None:
        """Learn that a subscription has brought its only notice."""
        ...


class Line:
    """The connection and what is subscribed on it."""

    def __init__(self, place: RpcPlace, number: int, wiring: RpcWiring, owner: LineOwner) -> None:
        """Connect to nothing yet."""
        self.name = place.name
        self._wiring = wiring
        self._owner = owner
        self._socket = WebSocket(
            place.socket,
            self,
            SocketWiring(
                timer=wiring.timer,
                elapsed_ns=wiring.elapsed_ns,
                stopwatch_ns=wiring.stopwatch_ns,
                backoff=Backoff(
                    RECONNECT_SECONDS_MIN, wiring.reconnect_s_max, wiring.draws(number)
                ),
                redactor=wiring.redactor,
                heartbeat_s=wiring.heartbeat_s,
                query=place.revealed_query(),
            ),
        )
        self._asked: dict[int, tuple[str, Subscription | None]] = {}
        """Requests without an answer, by id: kind and subscription; None: of the slots."""
        self._by_number: dict[int, Subscription] = {}
        self.held: dict[Subscription, None] = {}
        """What is on this line, asked for or running; a dict keeps the order."""
        self._last_id = 0
        self._slots: int | None = None
        self.slot_ns = 0
        """When the last slot came, or the connection was opened."""
        self.malformed = 0
        self.trouble = ""
        """Why there is no connection, or was none last."""

    @property
    def connected(self) -> bool:
        """Return whether it can take subscriptions."""
        return self._socket.connected

    @property
    def reconnects(self) -> int:
        """Return how often it was connected anew."""
        return self._socket.reconnects

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        await self._socket.run()

    def add(self, subscription: Subscription) -> None:
        """Subscribe at once; the connection is open."""
        subscription.line = self
        subscription.number = None
        subscription.since_ns = self._wiring.elapsed_ns()
        self.held[subscription] = None
        topic = subscription.topic
        if len(self._asked) >= UNANSWERED_MAX:
            # An endpoint that acknowledges nothing: what it might still say is not waited for.
            del self._asked[next(iter(self._asked))]
        subscription.request = self._request(f"{topic.kind}Subscribe", topic.params)
        self._asked[subscription.request] = (topic.kind, subscription)

    def remove(self, subscription: Subscription) -> None:
        """Unsubscribe; a notice under way is not handed over."""
        self.held.pop(subscription, None)
        number, subscription.number = subscription.number, None
        subscription.line = None
        if number is not None and self._by_number.pop(number, None) is not None:
            self._request(f"{subscription.topic.kind}Unsubscribe", (number,))

    def drop(self, sentence: str) -> None:
        """Cut a connection that says nothing; another one is opened."""
        self._socket.drop(sentence)

    # The connection's owner

    def on_open(self) -> None:
        """Ask for slots, and offer the line."""
        self._forget()
        self.slot_ns = self._wiring.elapsed_ns()
        self._asked[self._request("slotSubscribe", ())] = ("slot", None)
        self._owner.on_line_open(self)

    def on_message(self, payload: memoryview) -> None:
        """Hand a notice to its subscriber; take answers."""
        try:
            incoming = _INCOMING.decode(payload)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            self.malformed += 1
            return
        if incoming.params is not None:
            self._notice(incoming.params)
        elif incoming.id is not None:
            self._answered(incoming)

    def on_refused(self, reason: str) -> None:  # noqa: ARG002 - the socket's own argument
        """Count what was thrown away."""
        self.malformed += 1

    def on_broken(self, reason: str) -> None:
        """Keep the reason until the sentence comes."""
        self.trouble = reason

    async def on_closed(self, sentence: str, mark: AbstractContextManager[None]) -> None:  # noqa: ARG002 - the socket's own argument
        """Give the subscriptions away."""
        self.trouble = sentence
        self._forget()
        self._owner.on_line_closed(self, sentence)

    # Leaves

    def _request(self, method: str, params: tuple[Any, ...]) -> int:
        self._last_id += 1
        request = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}
        self._socket.send(msgspec.json.encode(request))
        return self._last_id

    def _answered(self, incoming: _Incoming) -> None:
        kind, subscription = self._asked.pop(incoming.id or 0, ("", None))
        if not kind:
            return
        number = incoming.result
        refused = incoming.error is not None or isinstance(number, bool) or number is None
        if subscription is None:
            self._slots = None if refused else number
        elif subscription.line is not self or subscription.request != incoming.id:
            # It was cancelled or moved before the endpoint answered.
            if not refused:
                self._request(f"{kind}Unsubscribe", (number,))
        elif refused or number is None:
            self.remove(subscription)
            said = "" if incoming.error is None else f": {incoming.error.message}"
            what = self._socket.clean(f"{self.name} refuses to subscribe to {kind}{said}")
            self._owner.on_refused(self, subscription, what)
        else:
            subscription.number = number
            self._by_number[number] = subscription

    def _notice(self, params: _Params) -> None:
        try:
            if params.subscription == self._slots:
                slot = _SLOT.decode(params.result)
                self.slot_ns = self._wiring.elapsed_ns()
                self._owner.on_slot(SlotNotice(self.name, slot.slot, slot.root, slot.parent))
                return
            subscription = self._by_number.get(params.subscription)
            if subscription is None:
                return
            found = _decoder(subscription.topic.shape).decode(params.result)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            self.malformed += 1
            return
        subscription.since_ns = self._wiring.elapsed_ns()
        subscription.patience = 1
        if subscription.topic.once:
            # The endpoint has ended it by itself.
            self._by_number.pop(params.subscription)
            subscription.number = None
            self.held.pop(subscription, None)
            subscription.line = None
            self._owner.on_over(subscription)
        topic = subscription.topic
        subscription.on_notice(Notice(self.name, topic, found.context.slot, found.value))

    def _forget(self) -> None:
        self._asked.clear()
        self._by_number.clear()
        self._slots = None
        for subscription in self.held:
            subscription.number = None
