"""From the call that sends a signed transaction to its bytes at the other process.

Ours over the warm connections of `adapters/chain/senders.py`, plain and encrypted, beside httpx,
which asks everything else. The other process stamps a request when its first bytes are read (of an
encrypted one: decrypted); both read the machine's monotonic clock.
"""

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import statistics
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import httpx
import numpy as np
import uvloop

from common import Row, options, write
from utb.adapters.chain.senders import Senders
from utb.adapters.clocks import SystemClock
from utb.adapters.net.endpoint import Endpoint
from utb.adapters.net.redact import Redactor
from utb.adapters.rpc.place import RpcPlace
from utb.adapters.rpc.wiring import RpcWiring
from utb.adapters.timers import WallTimer
from utb.config.load import parse_text

CLOCK = SystemClock()
TRANSACTION = bytes(range(256)) * 4
SIGNATURE = "1" * 64
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"ok"'
PAUSE_S = 0.002
BAR = 0.5
"""Of httpx's p50 in the same run: the reason why sends have connections of their own."""
NAME = "rpc.bench"
SETTINGS = "[senders.rpc]\nper_second = 10000\n[senders.jito]\nenabled = false\n"


class Peer:
    """The other process; its stamps come through a pipe."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self.stamps, out = os.pipe()
        os.set_blocking(self.stamps, False)
        self.pid = os.fork()
        if self.pid == 0:
            os.setpgrp()
            serve(listener, tls, out)
        listener.close()
        os.close(out)

    def arrived_ns(self) -> int | None:
        """Return the next stamp, if there is one."""
        with contextlib.suppress(BlockingIOError):
            return int(struct.unpack("<q", os.read(self.stamps, 8))[0])
        return None

    def end(self) -> None:
        """End it and its children."""
        os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def serve(listener: socket.socket, tls: ssl.SSLContext | None, out: int) -> None:
    """Take connections, each in a process of its own; never returns."""
    while True:
        taken, _ = listener.accept()
        if os.fork() == 0:
            with contextlib.suppress(OSError):
                answer(taken if tls is None else tls.wrap_socket(taken, server_side=True), out)
            os._exit(0)


def answer(connection: socket.socket, out: int) -> None:
    """Answer the requests of one connection."""
    pending = b""
    while data := connection.recv(65_536):
        came_ns = time.perf_counter_ns()
        pending += data
        if pending.endswith(b"]}"):
            os.write(out, struct.pack("<q", came_ns))
            connection.sendall(ANSWER)
            pending = b""


async def arrival_us(peer: Peer, began_ns: int) -> float:
    """Return the microseconds until the stamp that is awaited."""
    while (came_ns := peer.arrived_ns()) is None:  # noqa: ASYNC110 - a pipe that is polled
        await asyncio.sleep(PAUSE_S)
    return (came_ns - began_ns) / 1e3


async def ours(peer: Peer, scheme: str, rounds: int) -> list[float]:
    """Return microseconds from `send` to the arrival."""
    config = parse_text(SETTINGS)
    wiring = RpcWiring(
        clock=CLOCK,
        timer=WallTimer(),
        elapsed_ns=CLOCK.elapsed_ns,
        stopwatch_ns=CLOCK.elapsed_ns,
        draws=lambda number: np.random.default_rng(number).random,
        redactor=Redactor(),
        settings=config.rpc,
    )
    at = Endpoint(setting="bench", scheme=scheme, host="localhost", port=peer.port, path="")
    place = RpcPlace(name="bench", http=at, socket=at, requests_per_second=1_000)
    senders = Senders([place], config.senders, wiring)
    task = asyncio.ensure_future(senders.run())
    while not senders.view(NAME).ready:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(PAUSE_S)
    found = []
    for _ in range(rounds):
        began_ns = time.perf_counter_ns()
        senders.send(NAME, TRANSACTION, SIGNATURE, first=True)
        found.append(await arrival_us(peer, began_ns))
    task.cancel()
    await asyncio.wait({task})
    return found


async def library(peer: Peer, scheme: str, rounds: int) -> list[float]:
    """Return the same of httpx over a kept connection."""
    found = []
    body = b'{"jsonrpc":"2.0","id":1,"method":"sendTransaction","params":["%b"]}' % (b"A" * 1_368)
    async with httpx.AsyncClient(verify=ssl.create_default_context()) as client:
        for _ in range(rounds):
            began_ns = time.perf_counter_ns()
            await client.post(f"{scheme}://localhost:{peer.port}/", content=body)
            found.append(await arrival_us(peer, began_ns))
            await asyncio.sleep(PAUSE_S)
    return found


def certificate(folder: Path) -> ssl.SSLContext:
    """Make a certificate of this machine's own, trust it, and return the other side's context."""
    key, chain = folder / "key.pem", folder / "chain.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-keyout", str(key), "-out", str(chain), "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(command, check=True, capture_output=True)
    os.environ["SSL_CERT_FILE"] = str(chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    return context


def row(what: str, mine: list[float], theirs: list[float]) -> Row:
    """Return a row of the table."""
    ordered, reference = statistics.quantiles(mine, n=100), statistics.median(theirs)
    value = ordered[49] / reference
    name = (
        f"send to the other process, {what}: p50 {ordered[49]:.1f} us, p99 {ordered[98]:.1f} us, "
        f"httpx p50 {reference:.0f} us"
    )
    return {"name": name, "value": value, "unit": "x", "bar": f"<= {BAR}x", "pass": value <= BAR}


def main() -> None:
    """Measure plain and encrypted."""
    arguments = options(__doc__)
    rounds = 100 if arguments.smoke else 2_000
    found = []
    with tempfile.TemporaryDirectory() as folder:
        tls = certificate(Path(folder))
        for what, scheme, context in (("plain", "http", None), ("encrypted", "https", tls)):
            peer = Peer(context)
            try:
                mine = uvloop.run(ours(peer, scheme, rounds))
                theirs = uvloop.run(library(peer, scheme, max(100, rounds // 10)))
            finally:
                peer.end()
            found.append(row(what, mine, theirs))
    write(found)


if __name__ == "__main__":
    main()
