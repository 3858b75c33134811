"""A small bot for tests of the stand-in world: takes schedules, and merges the sources by them."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Self

import httpx
import msgspec
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from utb.domain.clock import (
    BIRDEYE,
    CONTEXT,
    DEXSCREENER,
    END,
    HELIUS,
    ITEM_HEADER,
    TIME,
    Entry,
    FromClock,
    Join,
    Market,
    Ready,
    Schedule,
    Taken,
    ToClock,
)
from utb.ports.feed import ContextUpdate, FeedItem, Frame

Addresses = dict[str, str]


class Line(WSListener):
    """One WebSocket connection whose messages wait until somebody takes them."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: deque[tuple[bytes, bool]] = deque()
        self.pongs = 0
        self.closed = asyncio.Event()
        self.close_reason = b""
        self._more = asyncio.Event()
        self.transport: WSTransport | None = None

    @classmethod
    async def open(cls, url: str) -> "Line":
        transport, listener = await ws_connect(cls, url, max_frame_size=16 * 1024 * 1024)
        assert isinstance(listener, Line)
        listener.transport = transport
        return listener

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type in (WSMsgType.TEXT, WSMsgType.BINARY):
            binary = frame.msg_type == WSMsgType.BINARY
            self.messages.append((frame.get_payload_as_bytes(), binary))
        elif frame.msg_type == WSMsgType.PONG:
            self.pongs += 1
        elif frame.msg_type == WSMsgType.CLOSE:
            self.close_reason = frame.get_close_message() or b""
            transport.disconnect()
        self._more.set()

    def on_ws_disconnected(self, _transport: WSTransport) -> None:
        self.closed.set()
        self._more.set()

    async def take(self) -> bytes:
        while not self.messages:
            if self.closed.is_set():
                raise ConnectionError("closed")
            self._more.clear()
            await asyncio.wait_for(self._more.wait(), 10)
        return self.messages.popleft()[0]

    async def take_or_lose(self) -> bytes | None:
        """Return the next message, or None if the connection was lost with it."""
        try:
            return await self.take()
        except ConnectionError:
            return None

    def send(self, message: object) -> None:
        assert self.transport is not None
        self.transport.send(WSMsgType.TEXT, msgspec.json.encode(message))

    def ping(self) -> None:
        assert self.transport is not None
        self.transport.send_ping(b"x")

    async def ask(self, message: object) -> Any:
        self.send(message)
        return msgspec.json.decode(await self.take())

    async def pong(self) -> None:
        """Ping, and return when it is answered: all that was said before is met then."""
        before = self.pongs
        self.ping()
        while self.pongs == before:
            self._more.clear()
            await asyncio.wait_for(self._more.wait(), 10)

    def close(self) -> None:
        assert self.transport is not None
        self.transport.disconnect()


async def birdeye(at: Addresses, market: Market) -> Line:
    """Subscribe to every price and every trade."""
    line = await Line.open(at["api.birdeye.ws_url"])
    chart = market.finest if market.finest.endswith("m") else market.finest.upper()
    mints = [one.base_mint for one in market.instruments]
    prices = " OR ".join(
        f"(address = {m} AND chartType = {chart} AND currency = usd)" for m in mints
    )
    trades = " OR ".join(f"(address = {m} AND txsType = swap)" for m in mints)
    for kind, query in (("SUBSCRIBE_PRICE", prices), ("SUBSCRIBE_TXS", trades)):
        line.send({"type": kind, "data": {"queryType": "complex", "query": query}})
    return line


async def helius(at: Addresses, market: Market, *, answered: bool = True) -> Line:
    """Subscribe to every account; `answered`: wait for the answers."""
    line = await Line.open(at["api.helius.ws_url"])
    for number, account in enumerate(market.accounts):
        params = [account.key, {"encoding": "base64", "commitment": "processed"}]
        request = {"jsonrpc": "2.0", "id": number, "method": "accountSubscribe", "params": params}
        line.send(request)
        if answered:
            await line.take()
    return line


@dataclass
class Bot:
    """Joined, with its feeds connected."""

    at: Addresses
    clock: Line
    market: Market
    http: httpx.AsyncClient
    lines: dict[int, Line]
    items: list[FeedItem] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    """Of polls that were not answered 200; 0: the connection was cut."""
    ended: bool = False
    cursor: int = 0

    @classmethod
    async def join(cls, at: Addresses, cursor: int = 0) -> Self:
        clock = await Line.open(at["clock"])
        say(clock, Join(cursor=cursor))
        market = msgspec.msgpack.decode(await clock.take(), type=FromClock)
        assert isinstance(market, Market)
        lines = {BIRDEYE: await birdeye(at, market), HELIUS: await helius(at, market)}
        return cls(at, clock, market, httpx.AsyncClient(), lines, cursor=cursor)

    def ready(self) -> None:
        say(self.clock, Ready())

    async def step(self) -> Schedule:
        """Take one schedule."""
        schedule = msgspec.msgpack.decode(await self.clock.take(), type=FromClock)
        assert isinstance(schedule, Schedule)
        for entry in schedule.entries:
            await self.meet(entry)
        say(self.clock, Taken(cursor=self.cursor))
        return schedule

    async def run(self, *, until: int | None = None) -> list[FeedItem]:
        """Take schedules until the end, or until so many items came."""
        while not self.ended and (until is None or len(self.items) < until):
            await self.step()
        return self.items

    async def meet(self, entry: Entry) -> None:
        self.entries.append(entry)
        if entry.kind == END:
            self.ended = True
        elif entry.kind == CONTEXT:
            self.items.append(ContextUpdate(entry.instrument, entry.payload, entry.ts_ns))
        elif entry.kind == DEXSCREENER:
            await self.poll(entry)
        elif entry.kind != TIME:
            payload = await self.lines[entry.kind].take_or_lose()
            if payload is not None:
                self.items.append(Frame(entry.kind, payload, entry.ts_ns))
        self.cursor = max(self.cursor, entry.index + 1)

    async def poll(self, entry: Entry) -> None:
        pools = "a,b"
        try:
            answer = await self.http.get(
                f"{self.at['api.dexscreener.base_url']}/pairs/solana/{pools}",
                headers={ITEM_HEADER: str(entry.index)},
            )
        except httpx.TransportError:
            self.statuses.append(0)
            return
        if answer.status_code == 200:
            self.items.append(Frame(DEXSCREENER, answer.content, entry.ts_ns))
        else:
            self.statuses.append(answer.status_code)

    async def fault(self, source: str, kind: str, seconds: float, **more: object) -> Any:
        body = {"source": source, "kind": kind, "seconds": seconds, **more}
        answer = await self.http.post(self.at["faults"], json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def faults(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = (await self.http.get(self.at["faults"])).json()["faults"]
        return told

    async def close(self) -> None:
        await self.http.aclose()
        for line in (self.clock, *self.lines.values()):
            line.close()
            await line.closed.wait()


def say(clock: Line, message: ToClock) -> None:
    """Send a message on `/clock`."""
    assert clock.transport is not None
    clock.transport.send(WSMsgType.BINARY, msgspec.msgpack.encode(message))
