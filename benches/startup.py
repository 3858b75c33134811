"""From the start of `utb run` to `/health` saying HEALTHY: a price feed is connected and fresh.

The sources are a stand-in with the wall's clock, on loopback, up before the start; a network would
add its round trips. Dominated by Python's imports, so the processor time beside it is the steadier
figure.
"""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from common import Row, median, options, write

BAR_S = 5.0
KEYS = {"BIRDEYE_API_KEY": "bench", "HELIUS_API_KEY": "bench"}
UTB = [sys.executable, "-m", "utb"]


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def stand_in(state: Path) -> tuple["subprocess.Popen[bytes]", list[str]]:
    """Start the stand-in; return it and the settings that point at it."""
    ports = ["--http-port", "0", "--ws-port", "0"]
    process = subprocess.Popen(
        [*UTB, "simnet", "--wall", "--state", str(state), *ports],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    file = state / "run" / "simnet.json"
    while not file.exists():
        time.sleep(0.05)
    addresses = json.loads(file.read_text())
    chosen = (f"{key}={value}" for key, value in addresses.items() if key.startswith("api."))
    return process, [part for text in chosen for part in ("--set", text)]


def seconds_to_healthy(state: Path, settings: list[str]) -> float:
    """Start `utb run`, wait until it is healthy, and stop it."""
    port, analytics = free_port(), free_port()
    command = [*UTB, "run", "--state", str(state), "--port", str(port), *settings]
    began = time.monotonic()
    process = subprocess.Popen(
        [*command, "--set", f"analytics.port={analytics}"],
        env={**os.environ, **KEYS},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not healthy(port):
            if process.poll() is not None or time.monotonic() - began > 60:
                raise RuntimeError(f"utb run is not healthy (exit code {process.poll()})")
            time.sleep(0.02)
        return time.monotonic() - began
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def healthy(port: int) -> bool:
    """Return whether `/health` says so."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
            return b"HEALTHY" in answer.read()
    except OSError:
        return False


def main() -> None:
    """Measure and print the row."""
    rounds = 1 if options(__doc__).smoke else 3
    with tempfile.TemporaryDirectory() as name:
        process, settings = stand_in(Path(name) / "simnet")
        states = (Path(name) / f"state{number}" for number in range(rounds))
        taken = [seconds_to_healthy(state, settings) for state in states]
        process.terminate()
        process.wait()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    value = median(taken)
    row: Row = {
        "name": f"`utb run` to a healthy feed connection (processor {used.ru_utime:.1f} s in all)",
        "value": value,
        "unit": "s",
        "bar": f"<= {BAR_S:g} s",
        "pass": value <= BAR_S,
    }
    write([row])


if __name__ == "__main__":
    main()
