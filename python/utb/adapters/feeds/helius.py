"""Helius: accounts of pools and their vaults over Solana's own WebSocket API.

Source of the messages: solana.com/docs/rpc/websocket, `accountSubscribe`. A notification carries
the slot, no time.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final

import msgspec

from utb.adapters.feeds.silence import Silence
from utb.adapters.feeds.vitals import Vitals
from utb.adapters.feeds.wiring import FeedWiring
from utb.adapters.net.websocket import SocketOwner, WebSocket
from utb.domain.clock import Account
from utb.domain.market import Instrument
from utb.domain.seam import FeedHealth
from utb.ports.livefeed import History

NAME: Final = "helius"
SOURCE: Final = 2

NO_HISTORY: Final = "accounts have no history of prices: indicators warm up from live prices"

_NOTIFICATION: Final = b'{"jsonrpc":"2.0","method":'


class _Problem(msgspec.Struct):
    code: int
    message: str = ""


class _Reply(msgspec.Struct):
    """The answer to a request; a notification has no id."""

    id: int | None = None
    result: int | bool | None = None
    error: _Problem | None = None


class Helius:
    """The accounts of pools that make bars."""

    def __init__(
        self,
        accounts: Sequence[Account],
        opener: Callable[[SocketOwner], WebSocket],
        wiring: FeedWiring,
    ) -> None:
        """Connect to nothing yet.

        Args:
            accounts: To subscribe to.
            opener: Makes the connection for its owner, with the key in its address.
            wiring: What all feeds share.
        """
        self._accounts = tuple(accounts)
        self._wiring = wiring
        self._vitals = Vitals(NAME, wiring)
        self._socket = opener(self)
        self._asked: dict[int, Account] = {}
        """Requests without an answer yet, by id."""
        self._subscriptions: dict[int, Account] = {}
        self._last_id = 0
        self._waiting: AbstractContextManager[None] | None = None
        self._silence = Silence(self._resubscribe, self._reconnect)
        self._vitals.on_silent = self._silence.on_silent

    @property
    def name(self) -> str:
        """Return the source's name."""
        return NAME

    @property
    def source(self) -> int:
        """Return the source's number in the core."""
        return SOURCE

    async def run(self) -> None:
        """Keep the connection and its subscriptions."""
        self._vitals.watch()
        try:
            await self._socket.run()
        finally:
            self._vitals.unwatch()

    def take(self, payload: bytes | memoryview, ts_recv_ns: int) -> None:
        """Hand a frame to the sink."""
        self._vitals.on_item(ts_recv_ns)
        self._silence.heard()
        self._wiring.sink.on_frame(SOURCE, payload, ts_recv_ns)

    def refused(self, reason: str) -> None:
        """Count what never reached the sink."""
        self._vitals.reject(reason)

    def health(self, now_ns: int) -> FeedHealth:  # noqa: ARG002 - the port's own argument
        """Return how the feed is."""
        socket = self._socket
        return self._vitals.health(reconnects=socket.reconnects, round_trips=socket.pongs)

    def reconnect(self) -> None:
        """Drop the connection and connect anew at once."""
        self._socket.reconnect()

    async def history(self, instrument: Instrument, timeframe: str, count: int) -> History:  # noqa: ARG002 - the port's own arguments
        """Return nothing: accounts have no past."""
        return History((), NO_HISTORY)

    # The connection's owner

    def on_open(self) -> None:
        """Subscribe to every account; simulated time waits for the answers."""
        self._settled()
        self._asked.clear()
        self._subscriptions.clear()
        self._waiting = self._wiring.timer.busy()
        self._waiting.__enter__()
        self._vitals.reached()
        for account in self._accounts:
            config = {"encoding": "base64", "commitment": "confirmed"}
            self._request("accountSubscribe", [account.key, config], account)

    def on_message(self, payload: memoryview) -> None:
        """Offer a notification, and what cannot be read; take answers."""
        if bytes(payload[: len(_NOTIFICATION)]) == _NOTIFICATION or not self._is_reply(payload):
            self._wiring.turns.offer(self, payload)

    def on_refused(self, reason: str) -> None:
        """Let what was thrown away have its turn."""
        self._wiring.turns.refuse(self, reason)

    def on_broken(self, reason: str) -> None:
        """Count it."""
        self._vitals.failed(reason)

    async def on_closed(self, sentence: str, mark: AbstractContextManager[None]) -> None:
        """Note that the connection is gone, after the frames it brought."""
        self._settled()
        await self._wiring.turns.passed(SOURCE, mark)
        self._vitals.lost(sentence)

    # Leaves

    def _request(self, method: str, params: list[object], account: Account | None) -> None:
        self._last_id += 1
        if account is not None:
            self._asked[self._last_id] = account
        request = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}
        self._socket.send(msgspec.json.encode(request))

    def _is_reply(self, payload: memoryview) -> bool:
        try:
            reply = msgspec.json.decode(payload, type=_Reply)
        except msgspec.MsgspecError:
            return False
        if reply.id is None and reply.error is None:
            return False
        account = self._asked.pop(reply.id or 0, None)
        if reply.error is not None:
            self._refused(reply.error, account)
        elif account is not None and isinstance(reply.result, int):
            self._subscriptions[reply.result] = account
            key = str(reply.result)
            self._wiring.sink.on_bind(SOURCE, key, account.instrument, account.role)
        if not self._asked:
            self._settled()
        return True

    def _refused(self, problem: _Problem, account: Account | None) -> None:
        self._vitals.reject("subscription_refused")
        what = "the request" if account is None else f"{account.role} {account.key}"
        said = f"helius refuses {what}: {problem.message} ({problem.code})"
        self._vitals.troubled(self._socket.clean(said))

    def _settled(self) -> None:
        """Let simulated time go on: nothing is asked any more."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.__exit__(None, None, None)

    def _resubscribe(self) -> None:
        """Replace every subscription: pings are answered, but nothing comes."""
        for subscription in self._subscriptions:
            self._request("accountUnsubscribe", [subscription], None)
        if self._socket.connected:
            self.on_open()

    def _reconnect(self, silent_s: float) -> None:
        self._socket.drop(f"connected, but no data for {silent_s:.0f} s")
