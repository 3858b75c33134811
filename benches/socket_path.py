"""Frame on the socket to its decision answered on the same socket, against a bare echo.

This process is the source: it sends a frame over a loopback WebSocket and waits for the answer,
in blocks of one and of the other in turn. One other process is a bare picows client that sends
back what it gets; the other is the trading process's own shell (tape, core, trader, journal, seam)
behind the same kind of client, which answers when the frame is decided. `serve`, `analytics` and
ten dashboards read the trading process meanwhile.
"""

import asyncio
import contextlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import picows
import uvloop
import websockets

from common import Row, options, price_frames, write
from utb import bootstrap
from utb.adapters.clocks import SystemClock
from utb.adapters.seam.client import socket_path
from utb.bootstrap.assembly import assemble_pushed
from utb.bootstrap.shell import Shell
from utb.bootstrap.sources import Source
from utb.bootstrap.trading import Market, trade
from utb.config.instruments import instruments
from utb.domain.names import TradingMode

BIRDEYE = 1
FRAMES = 8192
BLOCK = 250
DASHBOARDS = 10
BAR_P50, BAR_P99 = 1.2, 1.5
READING = "with serve, analytics, ten dashboards"
FROZEN = "with all of them frozen"
SERVE_PORT, ANALYTICS_PORT = 18_080, 18_123


# The source


class _Source(picows.WSListener):  # type: ignore[misc]
    """One connection of the source: a frame out, its answer in."""

    def __init__(self) -> None:
        self.answered: asyncio.Future[int] | None = None

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if self.answered is not None and not self.answered.done():
            self.answered.set_result(time.perf_counter_ns())

    async def round_trip(self, payload: bytes) -> int:
        self.answered = asyncio.get_running_loop().create_future()
        began = time.perf_counter_ns()
        self.transport.send(picows.WSMsgType.TEXT, payload)
        return await self.answered - began


async def measure(state: Path, rounds: int, crowd: str) -> dict[str, list[float]]:
    """Return the round trips in microseconds."""
    connected: dict[str, _Source] = {}

    def accept(request: picows.WSUpgradeRequest) -> _Source:
        return connected.setdefault(request.path.decode().strip("/"), _Source())

    server = await picows.ws_create_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    frames, _ = price_frames(FRAMES)
    script = [sys.executable, __file__, "--child"]
    children = [start([*script, name, str(port), str(state)]) for name in ("echo", "trade")]
    try:
        while len(connected) < 2 or not socket_path(state).exists():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        if crowd:
            readers = start_readers(state)
            children += readers
            await asyncio.sleep(8)
            for reader in readers if crowd == FROZEN else ():
                reader.send_signal(signal.SIGSTOP)
        taken: dict[str, list[float]] = {"echo": [], "trade": []}
        for number in range(rounds):
            block = [frames[(number * BLOCK + step) % FRAMES] for step in range(BLOCK)]
            for name in ("echo", "trade"):
                taken[name] += [await connected[name].round_trip(one) / 1e3 for one in block]
                await asyncio.sleep(0.01)
        return taken
    finally:
        for child in children:
            child.send_signal(signal.SIGCONT)
            child.terminate()
        for child in children:
            child.wait()
        server.close()


def start(command: list[str]) -> "subprocess.Popen[bytes]":
    """Start a process whose output nobody reads."""
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def start_readers(state: Path) -> list["subprocess.Popen[bytes]"]:
    """Start the processes that read the trading process."""
    utb, place = [sys.executable, "-m", "utb"], ["--state", str(state)]
    return [
        start([*utb, "serve", *place, "--port", str(SERVE_PORT)]),
        start([*utb, "analytics", *place, "--port", str(ANALYTICS_PORT)]),
        start([sys.executable, __file__, "--child", "dashboards", "0", str(state)]),
    ]


# The other ends


async def echo(port: int) -> None:
    """Send back what comes."""

    class Echo(picows.WSListener):  # type: ignore[misc]
        def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
            transport.send(picows.WSMsgType.TEXT, frame.get_payload_as_memoryview())

    transport, _ = await picows.ws_connect(Echo, f"ws://127.0.0.1:{port}/echo")
    await transport.wait_disconnected()


class _Deciding(picows.WSListener):  # type: ignore[misc]
    """The trading process's end: decide, then answer."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._now_ns = price_frames(2)[1].tolist()[0]

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        payload = frame.get_payload_as_memoryview()
        self._now_ns += 100_000_000
        self._shell.on_frame(BIRDEYE, payload, self._now_ns)
        transport.send(picows.WSMsgType.TEXT, payload)


async def decide(port: int, state: Path) -> None:
    """Run a trading process whose only feed is the source."""
    config, _ = bootstrap.load_config(None)
    source = Source(
        instruments=instruments(config)[:1],
        feed=None,
        finest="1m",
        identity="bench",
        span_ns=(0, 0),
    )

    async def drive(shell: Shell) -> None:
        made = _Deciding(shell)
        transport, _ = await picows.ws_connect(lambda: made, f"ws://127.0.0.1:{port}/trade")
        await transport.wait_disconnected()

    clock = SystemClock()
    pushed = assemble_pushed(config, state, source, TradingMode.PAPER)
    market = Market(drive=drive, now_ns=clock.now_ns, stale_after_ns=1 << 62, span_ns=None)
    await trade(config, pushed, market)


async def dashboards() -> None:
    """Read the API's socket as ten browsers do."""
    body = (
        '{"action":"subscribe","channels":["trades","positions","performance","alerts","market"]}'
    )

    async def one() -> None:
        while True:
            with contextlib.suppress(OSError, websockets.WebSocketException):
                url = f"ws://127.0.0.1:{SERVE_PORT}/ws"
                async with websockets.connect(url, origin=None) as socket:
                    await socket.send(body)
                    async for _ in socket:
                        continue
            await asyncio.sleep(0.2)

    await asyncio.gather(*(one() for _ in range(DASHBOARDS)))


def quantile(values: list[float], share: float) -> float:
    """Return a quantile."""
    return statistics.quantiles(values, n=1000)[round(share * 1000) - 1]


def rows(taken: dict[str, list[float]], what: str) -> list[Row]:
    """Return the rows of one measurement."""
    found = []
    for name, share, bar in (("p50", 0.5, BAR_P50), ("p99", 0.99, BAR_P99)):
        ours, bare = quantile(taken["trade"], share), quantile(taken["echo"], share)
        found.append(
            {
                "name": f"socket to decision, {what}, {name}: {ours:.1f} us, echo {bare:.1f} us",
                "value": ours / bare,
                "unit": "x",
                "bar": bar,
                "pass": ours / bare <= bar,
            }
        )
    return found


def main() -> None:
    """Measure alone and in the crowd."""
    if sys.argv[1:2] == ["--child"]:
        role, port, state = sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
        with contextlib.suppress(KeyboardInterrupt):
            if role == "echo":
                uvloop.run(echo(port))
            elif role == "trade":
                uvloop.run(decide(port, state))
            else:
                uvloop.run(dashboards())
        return
    arguments = options(__doc__)
    rounds = 8 if arguments.smoke else 80
    found = []
    for crowd in ("", READING, FROZEN):
        with tempfile.TemporaryDirectory() as name:
            taken = uvloop.run(measure(Path(name), rounds, crowd))
        found += rows(taken, crowd or "alone")
    write(found)


if __name__ == "__main__":
    main()
