"""What the feeds cost: a message from the socket's callback to the sink, and an HTTP request.

Each beside the bare thing in the same process: the same frames into a picows listener that only
counts them, and the same requests through httpx. Processor time of the process, the server's part
(the same for both) included.
"""

import asyncio
import time

import httpx
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect, ws_create_server

from common import Row, median, options, price_frames, write
from utb.adapters.feeds.birdeye import Birdeye
from utb.adapters.feeds.dexscreener import DexScreener
from utb.adapters.feeds.live import build_feeds, wall_wiring
from utb.adapters.net.http import Body
from utb.config.instruments import instruments
from utb.config.load import parse_text
from utb.config.secrets import Secrets
from utb.config.table import Secret
from utb.domain.seam import FeedHealth

BAR_NS = 5_000.0
HTTP_BAR = 1.3
BLOCK = 2_000
PAIRS = b'{"schemaVersion":"1.0.0","pairs":[' + b" " * 1500 + b"]}"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PAIRS) + PAIRS


class Counted:
    """A sink that counts frames; a block of them wakes who waits."""

    def __init__(self) -> None:
        self.frames = 0
        self.full = asyncio.Event()

    def on_frame(self, source: int, payload: bytes | memoryview, ts_recv_ns: int) -> None:
        self.frames += 1
        if self.frames % BLOCK == 0:
            self.full.set()

    def on_context(self, instrument: int, payload: bytes, ts_ns: int) -> None:
        raise AssertionError

    def on_bind(self, source: int, key: str, instrument: int, role: str) -> None:
        raise AssertionError

    def on_feed(self, health: FeedHealth) -> None:
        """Do nothing: the status is no part of this."""


class Bare(WSListener):  # type: ignore[misc]
    """A listener that does the least."""

    def __init__(self, counted: Counted) -> None:
        super().__init__()
        self._counted = counted

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self._counted.on_frame(1, frame.get_payload_as_memoryview(), 0)


class Speaker(WSListener):  # type: ignore[misc]
    """The server's side of a connection."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport


class Web(asyncio.Protocol):
    """An HTTP server with one answer."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(ANSWER)  # type: ignore[attr-defined]


async def frames_ns(rounds: int) -> tuple[float, float]:
    """Return nanoseconds a frame through the feed and through the bare listener."""
    speakers: list[Speaker] = []
    came = asyncio.Semaphore(0)

    def accept(_request: object) -> Speaker:
        speakers.append(Speaker())
        came.release()
        return speakers[-1]

    server = await ws_create_server(accept, "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    config = parse_text(f'[api.birdeye]\nws_url = "{url}"\n')
    through, bare = Counted(), Counted()
    secrets = Secrets(birdeye_api_key=Secret("bench-key"))
    feeds = build_feeds(config, secrets, instruments(config), wall_wiring(config, through))
    (feed,) = [one for one in feeds if isinstance(one, Birdeye)]
    running = asyncio.ensure_future(feed.run())
    await came.acquire()
    await ws_connect(lambda: Bare(bare), url)
    await came.acquire()
    bodies, _ = price_frames(BLOCK)
    costs: dict[Counted, list[float]] = {through: [], bare: []}
    for _ in range(rounds):
        for counted, speaker in zip((through, bare), speakers, strict=True):
            counted.full.clear()
            began = time.process_time_ns()
            for body in bodies:
                speaker.transport.send(WSMsgType.TEXT, body)
            await counted.full.wait()
            costs[counted].append((time.process_time_ns() - began) / BLOCK)
    running.cancel()
    await asyncio.wait({running})
    server.close()
    return median(costs[through]), median(costs[bare])


async def requests_us(rounds: int) -> tuple[float, float]:
    """Return microseconds a request through the feed's client and through httpx."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Web, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/latest/dex"
    config = parse_text(f'[api.dexscreener]\nbase_url = "{url}"\nrate_limit = 1000000\n')
    feeds = build_feeds(config, Secrets(), instruments(config), wall_wiring(config, Counted()))
    ours: list[float] = []
    theirs: list[float] = []
    (poller,) = [one for one in feeds if isinstance(one, DexScreener)]
    failed = 0
    async with httpx.AsyncClient() as client:
        for _ in range(rounds):
            began = time.process_time_ns()
            for number in range(200):
                failed += not isinstance(await poller.poll(number), Body)
            ours.append((time.process_time_ns() - began) / 200_000)
            began = time.process_time_ns()
            for _ in range(200):
                failed += (await client.get(f"{url}/tokens/x")).status_code != 200
            theirs.append((time.process_time_ns() - began) / 200_000)
    if failed:
        raise SystemExit(f"{failed} requests failed")
    poller.reconnect()
    server.close()
    return median(ours), median(theirs)


async def run(rounds: int) -> list[Row]:
    """Measure both."""
    feed_ns, bare_ns = await frames_ns(rounds)
    ours_us, httpx_us = await requests_us(rounds)
    return [
        {
            "name": "frame, socket callback to sink, above a bare listener",
            "value": feed_ns - bare_ns,
            "unit": "ns",
            "bare_ns": bare_ns,
            "bar": f"<= {BAR_NS:.0f} ns",
            "pass": feed_ns - bare_ns <= BAR_NS,
        },
        {
            "name": "HTTP request of a poll against httpx",
            "value": ours_us / httpx_us,
            "unit": "x",
            "ours_us": ours_us,
            "httpx_us": httpx_us,
            "bar": f"<= {HTTP_BAR}x",
            "pass": ours_us / httpx_us <= HTTP_BAR,
        },
    ]


if __name__ == "__main__":
    write(uvloop.run(run(8 if options(__doc__).smoke else 40)))
