"""From a frame's bytes at the socket to a signed transaction's bytes at the sending socket.

The whole live system on the simulated chain: one process is the source of prices, one simnet with
its chain, one the signer; this one is the trading process with core, risk gate, tape, journal,
venue and senders. Each order is made by one frame of its own price, alone: a position is bought by
a command and settled, then a price below its stop is sent, and the exit it brings is timed from
just before the frame is written in the source's process to the return of the write of the first
transaction. The command that buys goes through the risk gate; it is timed from its arrival.

Measured twice: with journal on the disk and the signer's process, and with both in this process
(journal in memory-backed files, signer as a library). The disk's own fdatasync is timed beside the
first, and a bare signature beside both: an order waits for one of each, and both tell how busy the
machine is.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import picows
import uvloop
from msgspec.structs import replace
from solders.keypair import Keypair

from common import Row, options, write
from live_world import SYMBOL, World, apart
from live_world import alone as in_process
from utb.bootstrap.assembly import PushedSession, assemble_pushed
from utb.bootstrap.onchain import OnChain
from utb.bootstrap.shell import Shell
from utb.bootstrap.sources import Source
from utb.bootstrap.trading import Market, trade
from utb.cli.demonstration import KEYS
from utb.config import secrets
from utb.config.load import resolve
from utb.domain import commands as cmd
from utb.domain.names import Side, TradingMode

BIRDEYE = 1
MINUTE_NS = 60_000_000_000
WARM_FRAMES = 12_000
"""Seconds of prices before the first order: 200 bars, and more than any indicator needs."""
STEP_NS = 1_000_000_000
DISK_BYTES = 4_096
MESSAGE = bytes(range(256)) * 2
PAIR = Keypair.from_seed(bytes(range(32)))
PAUSE_S = 0.02
SETTLED_S = 30.0
BARS_US = {"whole system": (1_000.0, 10_000.0), "without journal and signer process": (150.0, None)}


# The source: a process of its own


class _Source(picows.WSListener):  # type: ignore[misc]
    """Sends back each frame it gets, alone, and then when it began to write it."""

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        payload = frame.get_payload_as_bytes()

        def send() -> None:
            began_ns = time.perf_counter_ns()
            transport.send(picows.WSMsgType.TEXT, payload)
            transport.send(picows.WSMsgType.TEXT, b"T%d" % began_ns)

        asyncio.get_running_loop().call_later(PAUSE_S, send)


async def source(port: int) -> None:
    """Serve prices until killed."""
    server = await picows.ws_create_server(lambda _: _Source(), "127.0.0.1", port)
    await server.serve_forever()


# The trading process


class Stamps:
    """When bytes were handed to a sending socket."""

    def __init__(self, chain: OnChain) -> None:
        self._senders = chain._senders  # noqa: SLF001 - what is measured ends there
        self._send = self._senders.send
        self.sent_ns: int | None = None
        self._senders.send = self._stamped  # type: ignore[method-assign]

    def _stamped(self, name: str, transaction: bytes, signature: str, *, first: bool) -> Any:
        sent = self._send(name, transaction, signature, first=first)
        if first and self.sent_ns is None:
            self.sent_ns = time.perf_counter_ns()
        return sent

    async def since_us(self, began_ns: Callable[[], int | None]) -> float:
        """Return the microseconds from a beginning to the first write; both may be to come."""
        until_s = time.monotonic() + SETTLED_S
        while (sent := self.sent_ns) is None or (began := began_ns()) is None:
            if time.monotonic() > until_s:
                raise SystemExit("no transaction was sent for an order")
            await asyncio.sleep(0.001)
        return (sent - began) / 1e3


class _Prices(picows.WSListener):  # type: ignore[misc]
    """The trading process's end of the source."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.now_ns = 0
        self.began_ns: int | None = None

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        payload = frame.get_payload_as_memoryview()
        if payload[0] == 0x54:
            self.began_ns = int(bytes(payload[1:]))
        else:
            self.take(payload)

    def take(self, payload: bytes | memoryview) -> None:
        self.now_ns += STEP_NS
        self._shell.on_frame(BIRDEYE, payload, self.now_ns)


class Bench:
    """Orders, one after the other."""

    def __init__(self, shell: Shell, prices: _Prices, stamps: Stamps, price: float) -> None:
        self._shell, self._prices, self._stamps = shell, prices, stamps
        self._book = lambda: shell.runner.wiring.trader.book
        self._price = price
        self._count = 0
        self.entries: list[float] = []
        self.exits: list[float] = []
        self.disk: list[float] = []
        self.signature: list[float] = []

    def frame(self, price: float) -> bytes:
        """Return a frame of the next second."""
        second = (self._prices.now_ns + STEP_NS) // 1_000_000_000
        mint = "So11111111111111111111111111111111111111112"
        value, minute = repr(price), second - second % 60
        return (
            f'{{"type":"PRICE_DATA","data":{{"o":{value},"h":{value},"l":{value},"c":{value},'
            f'"eventType":"ohlcv","type":"1m","unixTime":{minute},"v":{second % 60 + 1}.5,'
            f'"symbol":"SOL","address":"{mint}"}}}}'
        ).encode()

    def warm(self, start_ns: int) -> None:
        """Let the indicators see an hour of prices around the pool's."""
        self._prices.now_ns = start_ns
        for number in range(WARM_FRAMES):
            self._prices.take(self.frame(self._price * (1 + 0.0005 * ((number * 7) % 11 - 5))))

    async def beside(self, file: int) -> None:
        """Time what the machine itself takes now: a durable write, a bare signature."""
        os.write(file, bytes(DISK_BYTES))
        began_ns = time.perf_counter_ns()
        os.fdatasync(file)
        self.disk.append((time.perf_counter_ns() - began_ns) / 1e3)
        await asyncio.sleep(PAUSE_S)
        began_ns = time.perf_counter_ns()
        PAIR.sign_message(MESSAGE)
        self.signature.append((time.perf_counter_ns() - began_ns) / 1e3)
        await asyncio.sleep(PAUSE_S)

    async def settled(self) -> None:
        """Wait until nothing is on its way."""
        until_s = time.monotonic() + SETTLED_S
        while self._book().pending or self._book().provisional:
            if time.monotonic() > until_s:
                raise SystemExit(f"not settled: {self._book().pending}")
            await asyncio.sleep(PAUSE_S)
        await asyncio.sleep(PAUSE_S)

    async def cycle(self) -> None:
        """Buy by a command and sell by a stop; both timed."""
        self._count += 1
        price = self._price * (1 + 0.0001 * (self._count % 9))
        self._prices.take(self.frame(price))
        size = 0.5 + 0.01 * (self._count % 37)
        answers: list[cmd.Answer] = []
        order = cmd.Trade(
            command_id=f"bench-{self._count}",
            issued_by="bench",
            instrument=0,
            side=Side.BUY,
            size_base_raw=round(size * 1e9),
            stop=price * 0.98,
            target=price * 2,
        )
        self._stamps.sent_ns = None
        began_ns = time.perf_counter_ns()
        self._shell.on_command(order, answers.append)
        if any(isinstance(answer, cmd.Refusal) for answer in answers):
            raise SystemExit(f"not taken: {answers}")
        self.entries.append(await self._stamps.since_us(lambda: began_ns))
        await self.settled()
        if not self._book().positions:
            return
        self._stamps.sent_ns = self._prices.began_ns = None
        fired = self.frame(price * (0.979 - 0.0001 * (self._count % 7)))
        self._prices.transport.send(picows.WSMsgType.TEXT, fired)
        self.exits.append(await self._stamps.since_us(lambda: self._prices.began_ns))
        await self.settled()


async def measured(made: World, *, alone: bool, cycles: int) -> Bench:
    """Run the trading process and return what it took."""
    sealed = secrets.sealed_environment(KEYS | made.live.environment)
    variables = secrets.read(environ=sealed)
    config = resolve(made.live.config, variables, made.settings).config
    tables = tuple(table for table in config.instruments if table.symbol == SYMBOL)
    config = replace(config, instruments=tables)
    found: list[Bench] = []
    with ExitStack() as resources:
        chain = await (in_process if alone else apart)(config, variables, made, resources)
        place = Source(
            instruments=made.instruments, feed=None, finest="1m", identity="bench", span_ns=(0, 0)
        )
        pushed: PushedSession = assemble_pushed(
            config, made.state, place, TradingMode.LIVE, chain=chain.side
        )
        held: list[_Prices] = []

        async def drive(shell: Shell) -> None:
            prices = _Prices(shell)
            held.append(prices)
            carrying = asyncio.ensure_future(
                chain.drive(shell, pushed.journal, lambda: prices.now_ns)
            )
            try:
                await chain.until_ready()
                await picows.ws_connect(lambda: prices, f"ws://127.0.0.1:{made.source}/")
                bench = Bench(shell, prices, Stamps(chain), made.price)
                found.append(bench)
                bench.warm(made.start_ns)
                with (made.state / "disk").open("wb", buffering=0) as file:
                    for _ in range(cycles):
                        await bench.cycle()
                        await bench.beside(file.fileno())
            finally:
                carrying.cancel()
                await asyncio.wait((carrying,))
            shell.stop()

        market = Market(
            drive=drive,
            now_ns=lambda: held[0].now_ns if held else made.start_ns,
            stale_after_ns=1 << 62,
            span_ns=None,
        )
        await trade(config, pushed, market)
    return found[0]


def quantiles(values: list[float]) -> tuple[float, float]:
    """Return p50 and p99; of few values the greatest is the p99."""
    ordered = statistics.quantiles(values, n=100, method="inclusive")
    return ordered[49], ordered[98]


def rows(
    what: str,
    taken: dict[str, list[float]],
    disk: tuple[float, float] | None,
    signature: tuple[float, float],
) -> list[Row]:
    """Return the rows of one measurement; no verdict where the disk alone takes longer."""
    found = []
    for name, values in taken.items():
        for number, quantile in enumerate(("p50", "p99")):
            value, bar = quantiles(values)[number], BARS_US[what][number]
            more = f", a bare signature {signature[number]:.0f} us"
            more += "" if disk is None else f", fdatasync {disk[number]:.0f} us"
            row: Row = {
                "name": f"{name}, {what}, {quantile} of {len(values)}{more}",
                "value": value,
                "unit": "us",
            }
            if bar is not None:
                allowed = disk is None or disk[number] < bar
                row["bar"] = f"<= {bar:g} us" + ("" if allowed else ", which the disk forbids")
                row["pass"] = value <= bar if allowed else None
            found.append(row)
    return found


def main() -> None:
    """Measure both forms."""
    if sys.argv[1:2] == ["--child"]:
        with suppress(KeyboardInterrupt):
            uvloop.run(source(int(sys.argv[2])))
        return
    arguments = options(__doc__)
    cycles = 5 if arguments.smoke else 40
    found: list[Row] = []
    memory = Path("/dev/shm")  # noqa: S108 - memory-backed files
    for what, alone in zip(BARS_US, (False, True), strict=True):
        place = str(memory) if alone and memory.is_dir() else None
        with tempfile.TemporaryDirectory(dir=place) as folder:
            state = Path(folder)
            with World(state, __file__, alone=alone) as made:
                bench = uvloop.run(measured(made, alone=alone, cycles=cycles))
        taken = {
            "frame's bytes to sent exit": bench.exits,
            "buy's command to sent entry": bench.entries,
        }
        disk = None if alone else quantiles(bench.disk)
        found += rows(what, taken, disk, quantiles(bench.signature))
    write(found)


if __name__ == "__main__":
    main()
