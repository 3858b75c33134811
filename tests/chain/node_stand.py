"""RPC endpoints on the loopback that behave as they are told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from picows import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    ws_create_server,
)

from utb.adapters.clocks import SimulatedClock, SystemClock
from utb.adapters.net.endpoint import Endpoint
from utb.adapters.rpc.place import RpcPlace, redactor
from utb.adapters.rpc.pool import RpcPool
from utb.adapters.rpc.wiring import RpcWiring
from utb.adapters.timers import SimulatedTimer, WallTimer
from utb.config.load import parse_text
from utb.config.schema import Config
from utb.config.table import Secret

CLOCK = SystemClock()
CANARY = "canary-77e0c1d4-rpc"
GENESIS = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"
BLOCKHASH = "EkSnNWid2cvwEVnVx9aBqawnmiCNiDgp3gUdkDPTKN1N"


@dataclass
class Raw:
    """Bytes to answer with instead of an answer."""

    data: bytes
    then_close: bool = False


class Silence:
    """No answer at all."""


def status(code: int, body: bytes = b"{}", **headers: str) -> Raw:
    lines = {"Content-Length": str(len(body)), **headers}
    told = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return Raw(f"HTTP/1.1 {code} X\r\n{told}\r\n".encode() + body)


def refusal(code: int, message: str, data: object = None) -> dict[str, object]:
    return {"__error__": {"code": code, "message": message, "data": data}}


@dataclass
class Node:
    """One endpoint: how far it is, and what it does to questions."""

    name: str = "a"
    slot: int = 1_000
    height: int = 900
    finalized_slot: int = 968
    finalized_height: int = 868
    genesis: str = GENESIS
    delay_s: float = 0.0
    fault: "Raw | Silence | None" = None
    """Answers everything, when there is one."""
    answers: dict[str, Callable[[list[Any]], object]] = field(default_factory=dict)
    asked: list[tuple[str, list[Any]]] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    """Heads and bodies as they came."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    connections: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    peers: list["Peer"] = field(default_factory=list)
    subscribed: dict[int, tuple[str, list[Any], "Peer"]] = field(default_factory=dict)
    acknowledges: bool = True
    pongs: bool = True
    refuses: str = ""
    last_number: int = 0
    http_url: str = ""
    ws_url: str = ""

    def count(self, method: str) -> int:
        return sum(name == method for name, _ in self.asked)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                self.changed.clear()
                await self.changed.wait()

    def on(self, method: str, value: object, *, slot: int | None = None) -> None:
        """Answer a method with a value; with a slot: in a context."""
        result = value if slot is None else {"context": {"slot": slot}, "value": value}
        self.answers[method] = lambda _params: result

    def result(self, method: str, params: list[Any]) -> object:
        if method in self.answers:
            return self.answers[method](params)
        if method == "getEpochInfo":
            final = params[0]["commitment"] == "finalized"
            return {
                "absoluteSlot": self.finalized_slot if final else self.slot,
                "blockHeight": self.finalized_height if final else self.height,
                "epoch": 7,
            }
        context = {"slot": self.slot, "apiVersion": "2.0.18"}
        if method == "getLatestBlockhash":
            value = {"blockhash": BLOCKHASH, "lastValidBlockHeight": self.height + 150}
            return {"context": context, "value": value}
        if method == "getSignatureStatuses":
            return {"context": context, "value": [None] * len(params[0])}
        plain = {
            "getGenesisHash": self.genesis,
            "getHealth": "ok",
            "getRecentPrioritizationFees": [],
            "getMinimumBalanceForRentExemption": 890_880,
            "getSignaturesForAddress": [],
        }
        return plain.get(method, refusal(-32601, "Method not found"))

    # Notices

    def tick(self, slots: int = 1) -> None:
        """Go on by some slots and tell."""
        self.slot += slots
        self.height += slots
        self.finalized_slot += slots
        self.finalized_height += slots
        note = {"parent": self.slot - 1, "root": self.finalized_slot, "slot": self.slot}
        self.tell("slot", note)

    def tell(self, kind: str, result: object) -> int:
        """Tell everybody who subscribed to a kind; return how many that were."""
        told = 0
        for number, (subscribed, _, peer) in list(self.subscribed.items()):
            if subscribed == kind and peer.transport is not None:
                params = {"subscription": number, "result": result}
                peer.say({"jsonrpc": "2.0", "method": f"{kind}Notification", "params": params})
                told += 1
        return told

    def topics(self, kind: str) -> list[str]:
        return [
            params[0] for subscribed, params, _ in self.subscribed.values() if subscribed == kind
        ]

    def cut(self) -> None:
        """Break every connection."""
        for peer in self.peers:
            peer.cut()
        for writer in self.writers:
            writer.transport.abort()


class Peer(WSListener):
    """The server's side of one WebSocket."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self.node = node
        self.transport: WSTransport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        self.node.peers.append(self)
        self.node.changed.set()

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002 - picows' own
        self.transport = None
        node = self.node
        node.subscribed = {n: held for n, held in node.subscribed.items() if held[2] is not self}
        node.changed.set()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        node = self.node
        if frame.msg_type == WSMsgType.PING:
            if node.pongs:
                transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()
        elif frame.msg_type == WSMsgType.TEXT:
            self.take(msgspec.json.decode(frame.get_payload_as_bytes()))
        node.changed.set()

    def take(self, request: dict[str, Any]) -> None:
        node, method = self.node, str(request["method"])
        if method.endswith("Unsubscribe"):
            node.subscribed.pop(request["params"][0], None)
            self.say({"jsonrpc": "2.0", "id": request["id"], "result": True})
            return
        kind = method.removesuffix("Subscribe")
        if kind == node.refuses:
            problem = {"code": -32601, "message": f"no {kind} here {CANARY}"}
            self.say({"jsonrpc": "2.0", "id": request["id"], "error": problem})
            return
        if not node.acknowledges and kind != "slot":
            return
        node.last_number += 1
        node.subscribed[node.last_number] = (kind, request["params"], self)
        self.say({"jsonrpc": "2.0", "id": request["id"], "result": node.last_number})

    def say(self, message: object) -> None:
        if self.transport is not None:
            self.transport.send(WSMsgType.TEXT, msgspec.json.encode(message))

    def cut(self) -> None:
        if self.transport is not None:
            self.transport.underlying_transport.abort()


async def _read_request(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return head, await reader.readexactly(length)


@asynccontextmanager
async def serving(node: Node) -> AsyncIterator[Node]:
    """Serve a node over HTTP and WebSocket."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        node.connections += 1
        node.writers.append(writer)
        try:
            while True:
                head, body = await _read_request(reader)
                node.requests.append(head + body)
                asked: dict[str, Any] = {"method": "GET", "id": 0}
                if body:
                    asked = msgspec.json.decode(body)
                node.asked.append((asked["method"], asked.get("params", [])))
                node.changed.set()
                await _answer(node, asked, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def upgrade(_request: WSUpgradeRequest) -> WSListener:
        return Peer(node)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    sockets = await ws_create_server(upgrade, "127.0.0.1", 0, enable_auto_pong=False)
    node.http_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    node.ws_url = f"ws://127.0.0.1:{sockets.sockets[0].getsockname()[1]}"
    try:
        yield node
    finally:
        server.close()
        sockets.close()
        # Twice: one that came a moment ago is accepted only now.
        for _ in range(2):
            node.cut()
            await asyncio.sleep(0.01)


async def _answer(node: Node, asked: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    if node.delay_s:
        await asyncio.sleep(node.delay_s)
    fault = node.fault
    if isinstance(fault, Silence):
        return
    if isinstance(fault, Raw):
        writer.write(fault.data)
        if fault.then_close:
            writer.close()
        return
    result = node.result(asked["method"], asked.get("params", []))
    if isinstance(result, Raw):
        writer.write(result.data)
        return
    answer: dict[str, object] = {"jsonrpc": "2.0", "id": asked["id"]}
    if isinstance(result, dict) and "__error__" in result:
        answer["error"] = result["__error__"]
    else:
        answer["result"] = result
    writer.write(status(200, msgspec.json.encode(answer)).data)


# The other side


def config_with(text: str = "") -> Config:
    return parse_text(text)


FAST = """
[rpc]
heights_seconds = 0.05
blockhash_seconds = 0.05
fees_seconds = 0.06
status_ms = 50
timeout_seconds = 1.0
requests_per_second = 10000
history_per_second = 10000
"""


def wiring_of(
    text: str = FAST,
    *,
    places: Sequence[RpcPlace] = (),
    world: "World | None" = None,
    heartbeat_s: float = 15.0,
) -> RpcWiring:
    clock = CLOCK if world is None else world.clock
    elapsed_ns = CLOCK.elapsed_ns if world is None else world.clock.now_ns
    return RpcWiring(
        clock=clock,
        timer=WallTimer() if world is None else world.timer,
        elapsed_ns=elapsed_ns,
        stopwatch_ns=CLOCK.elapsed_ns,
        draws=lambda number: np.random.default_rng([7, number]).random,
        redactor=redactor(places),
        settings=config_with(text).rpc,
        heartbeat_s=heartbeat_s,
        reconnect_s_max=0.6,
    )


def place_of(node: Node, *, rate: int = 10_000) -> RpcPlace:
    return RpcPlace(
        name=node.name,
        http=Endpoint.of(node.http_url, "rpc.endpoints[0].url"),
        socket=Endpoint.of(node.ws_url, "rpc.endpoints[0].ws_url"),
        query=(("api-key", Secret(CANARY)),),
        secrets=(Secret(CANARY),),
        requests_per_second=rate,
    )


@asynccontextmanager
async def running(*works: Awaitable[None]) -> AsyncIterator[None]:
    """Run something beside the test, and end it; an error of it is the test's."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled():
                task.result()


@asynccontextmanager
async def pool_of(
    *nodes: Node,
    text: str = FAST,
    world: "World | None" = None,
    rate: int = 10_000,
    heartbeat_s: float = 15.0,
) -> AsyncIterator[RpcPool]:
    """Serve nodes and run a pool over them, when it knows the chain of each."""
    async with AsyncExitStack() as stack:
        for node in nodes:
            await stack.enter_async_context(serving(node))
        places = [place_of(node, rate=rate) for node in nodes]
        wiring = wiring_of(text, places=places, world=world, heartbeat_s=heartbeat_s)
        pool = RpcPool(places, wiring)
        stack.push_async_callback(pool.close)
        await pool.check_genesis()
        await stack.enter_async_context(running(pool.run()))
        yield pool


async def settled(holds: Callable[[], bool]) -> None:
    """Wait until something holds, at most ten seconds."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.005)


class World:
    """Simulated time that jumps to whatever is due next, as soon as all is at rest."""

    def __init__(self) -> None:
        self.clock = SimulatedClock(1_700_000_000_000_000_000)
        self.timer = SimulatedTimer(self.clock)

    async def run_for(self, seconds: float) -> None:
        """Let so much simulated time pass."""
        until_ns = self.clock.now_ns() + round(seconds * 1e9)
        async with asyncio.timeout(30):
            while self.clock.now_ns() < until_ns:
                for _ in range(5):
                    await asyncio.sleep(0)
                if self.timer.at_rest:
                    self.timer.run_due(min(until_ns, self.timer.next_due_ns))
