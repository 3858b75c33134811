"""Birdeye: forming bars and swaps over its WebSocket, REST prices while that is down, history.

Source of the formats: docs.birdeye.so (WebSocket, `/defi/multi_price`, `/defi/ohlcv`). Of its
messages only swaps carry a time of their own, in whole seconds; a forming bar carries its open.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final

import msgspec

from utb.adapters.feeds.silence import Silence
from utb.adapters.feeds.vitals import Vitals
from utb.adapters.feeds.wiring import FeedWiring
from utb.adapters.net.http import Body, Failure, HttpClient
from utb.adapters.net.websocket import SocketOwner, WebSocket
from utb.domain.market import Instrument
from utb.domain.seam import FeedHealth
from utb.ports.feed import Frame
from utb.ports.livefeed import History

NAME: Final = "birdeye"
SOURCE: Final = 1

TOKENS_MAX: Final = 100
"""Tokens of one connection, and addresses of one `multi_price` call; docs.birdeye.so."""

BARS_MAX: Final = 1_000
"""Bars of one `ohlcv` answer; docs.birdeye.so."""

HEADERS: Final = {
    "Origin": "ws://public-api.birdeye.so",
    "Sec-WebSocket-Protocol": "echo-protocol",
}
"""What its WebSocket wants to see in a handshake; docs.birdeye.so."""

_TYPES: Final = {"1m": "1m", "5m": "5m", "15m": "15m", "1h": "1H", "4h": "4H", "1d": "1D"}
_SPANS_S: Final = {"1m": 60, "5m": 300, "15m": 900, "1h": 3600, "4h": 14_400, "1d": 86_400}
_CONTROLS: Final = tuple(
    f'{{"type":"{kind}"'.encode() for kind in ("WELCOME", "PONG", "SUBSCRIBED", "ACK")
)
_ERROR: Final = b'{"type":"ERROR"'
_HEAD: Final = max(len(head) for head in _CONTROLS)
_SWAP: Final = b'{"type":"TXS_DATA","data":{"blockUnixTime":'
_SECOND: Final = slice(len(_SWAP), len(_SWAP) + 10)

Opener = Callable[[SocketOwner], WebSocket]


class _Said(msgspec.Struct):
    """A message or an error of the source, with its text wherever it puts it."""

    message: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


class Birdeye:
    """The instruments whose bars Birdeye makes."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        client: HttpClient,
        opener: Opener,
        wiring: FeedWiring,
        retries: tuple[int, float] = (3, 1.0),
    ) -> None:
        """Connect to nothing yet.

        Args:
            instruments: To subscribe to; others may be asked for in `history`.
            client: For REST, with the key in its headers.
            opener: Makes a connection for an owner, with the key in its address.
            wiring: What all feeds share.
            retries: Of a history request: how often, and the first wait in seconds.
        """
        self._client = client
        self._wiring = wiring
        self._retries = retries
        self._vitals = Vitals(NAME, wiring)
        self._connections = [
            _Connection(self, instruments[at : at + TOKENS_MAX], opener)
            for at in range(0, len(instruments), TOKENS_MAX)
        ]
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

    @property
    def vitals(self) -> Vitals:
        """Return the feed's status and counters."""
        return self._vitals

    @property
    def wiring(self) -> FeedWiring:
        """Return what all feeds share."""
        return self._wiring

    async def run(self) -> None:
        """Keep every connection, and poll prices over REST for those that are down."""
        self._vitals.watch()
        try:
            async with asyncio.TaskGroup() as tasks:
                for connection in self._connections:
                    tasks.create_task(connection.socket.run())
                    tasks.create_task(self._fall_back(connection))
        finally:
            self._vitals.unwatch()
            await self._client.close()

    def take(self, payload: bytes | memoryview, ts_recv_ns: int) -> None:
        """Hand a frame to the sink."""
        vitals = self._vitals
        vitals.on_item(ts_recv_ns)
        self._silence.heard()
        if payload[: len(_SWAP)] == _SWAP:
            self._time(payload[_SECOND], ts_recv_ns)
        self._wiring.sink.on_frame(SOURCE, payload, ts_recv_ns)

    def refused(self, reason: str) -> None:
        """Count what never reached the sink."""
        self._vitals.reject(reason)

    def health(self, now_ns: int) -> FeedHealth:  # noqa: ARG002 - the port's own argument
        """Return how the feed is."""
        client = self._client
        return self._vitals.health(
            reconnects=sum(one.socket.reconnects for one in self._connections),
            requests=client.requests,
            round_trips=client.round_trips,
        )

    def reconnect(self) -> None:
        """Drop the connections and connect anew at once."""
        self._client.renew()
        for connection in self._connections:
            connection.socket.reconnect()

    async def history(self, instrument: Instrument, timeframe: str, count: int) -> History:
        """Return the last `count` closed bars as `/defi/ohlcv` bodies, oldest first."""
        span_s = _SPANS_S[timeframe]
        end_s = self._wiring.clock.now_ns() // (span_s * 1_000_000_000) * span_s
        frames: list[Frame] = []
        for first in range(count, 0, -BARS_MAX):
            until_s = end_s - max(0, first - BARS_MAX) * span_s
            query = {
                "address": instrument.base_mint,
                "type": _TYPES[timeframe],
                "time_from": str(end_s - first * span_s),
                "time_to": str(until_s - 1),
            }
            outcome = await self._persistently("/defi/ohlcv", query)
            if isinstance(outcome, Failure):
                return History(tuple(frames), f"{instrument.symbol}: {outcome.sentence}")
            frames.append(Frame(SOURCE, outcome.payload, outcome.ts_recv_ns))
        return History(tuple(frames))

    # Leaves

    def _time(self, digits: bytes | memoryview, ts_recv_ns: int) -> None:
        text = bytes(digits)
        if text.isdigit():
            self._vitals.on_latency(ts_recv_ns - int(text) * 1_000_000_000)

    async def _persistently(self, path: str, query: dict[str, str]) -> Body | Failure:
        """Ask, and ask again as often as configured."""
        again, first_s = self._retries
        backoff = self._wiring.backoff(SOURCE, first_s)
        outcome = await self._client.get(path, query)
        while again and isinstance(outcome, Failure) and outcome.transient:
            self._vitals.reject(outcome.reason)
            await self._wiring.timer.sleep(backoff.next())
            outcome = await self._client.get(path, query)
            again -= 1
        return outcome

    async def _fall_back(self, connection: "_Connection") -> None:
        """Poll prices while the connection is down."""
        wiring = self._wiring
        query = {"list_address": ",".join(connection.mints)}
        backoff = wiring.backoff(SOURCE, wiring.settings.poll_seconds)
        wait_s = wiring.settings.poll_seconds
        while True:
            await connection.down.wait()
            # A connection that comes back at once needs no help.
            await wiring.timer.sleep(wait_s)
            if not connection.down.is_set():
                continue
            outcome = await self._client.get("/defi/multi_price", query)
            if not connection.down.is_set():
                continue
            if isinstance(outcome, Body):
                wait_s = wiring.settings.poll_seconds
                backoff.reset()
                self.take(outcome.payload, wiring.turns.stamp_ns())
            else:
                wait_s = backoff.next()
                self._vitals.reject(outcome.reason)
                if not outcome.transient:
                    self._vitals.lost(outcome.sentence)

    def _resubscribe(self) -> None:
        for connection in self._connections:
            if connection.socket.connected:
                connection.on_open()

    def _reconnect(self, silent_s: float) -> None:
        for connection in self._connections:
            connection.socket.drop(f"connected, but no data for {silent_s:.0f} s")


class _Connection:
    """Up to a hundred tokens on one WebSocket."""

    def __init__(self, feed: Birdeye, instruments: Sequence[Instrument], opener: Opener) -> None:
        self._feed = feed
        self.mints = tuple(one.base_mint for one in instruments)
        self.down = asyncio.Event()
        self.socket = opener(self)

    def on_open(self) -> None:
        """Subscribe: a later message of one kind replaces the earlier one."""
        chart = _TYPES[self._feed.wiring.chart]
        prices = " OR ".join(
            f"(address = {mint} AND chartType = {chart} AND currency = usd)" for mint in self.mints
        )
        swaps = " OR ".join(f"address = {mint}" for mint in self.mints)
        for kind, query in (("SUBSCRIBE_PRICE", prices), ("SUBSCRIBE_TXS", swaps)):
            message = {"type": kind, "data": {"queryType": "complex", "query": query}}
            self.socket.send(msgspec.json.encode(message))
        self.down.clear()
        self._feed.vitals.reached()

    def on_message(self, payload: memoryview) -> None:
        """Offer a frame; what is about the connection itself ends here."""
        head = bytes(payload[:_HEAD])
        if head.startswith(_CONTROLS):
            return
        if head.startswith(_ERROR):
            self._refused(bytes(payload))
            return
        self._feed.wiring.turns.offer(self._feed, payload)

    def on_refused(self, reason: str) -> None:
        """Let what was thrown away have its turn."""
        self._feed.wiring.turns.refuse(self._feed, reason)

    def on_broken(self, reason: str) -> None:
        """Count it."""
        self._feed.vitals.failed(reason)

    async def on_closed(self, sentence: str, mark: AbstractContextManager[None]) -> None:
        """Note that the connection is gone, after the frames it brought."""
        await self._feed.wiring.turns.passed(SOURCE, mark)
        self.down.set()
        self._feed.vitals.lost(sentence)

    def _refused(self, message: bytes) -> None:
        vitals = self._feed.vitals
        vitals.reject("subscription_refused")
        try:
            said = msgspec.json.decode(message, type=_Said)
        except msgspec.MsgspecError:
            said = _Said("an error without a text")
        text = said.message or bytes(said.data).decode("utf-8", "replace")
        vitals.troubled(self.socket.clean(f"birdeye refuses the subscription: {text}"))
