"""Real processes for the tests of the API: a trading process, and `utb serve` beside it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
START_S = 45.0
STOP_S = 10.0


class Process:
    """One child process with its output in files."""

    def __init__(self, folder: Path, name: str, *arguments: str) -> None:
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            self.child = subprocess.Popen(
                [sys.executable, *arguments], cwd=ROOT, stdout=log, stderr=log, env=environment()
            )

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it and return its exit code."""
        if self.child.poll() is None:
            self.child.send_signal(number)
            try:
                self.child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.child.kill()
        return self.child.wait(STOP_S)


class Bot:
    """A served state directory."""

    def __init__(self, state: Path, trade: Process | None, serve: Process) -> None:
        self.state = state
        self.trade = trade
        self.serve = serve
        self._reach()

    def _reach(self) -> None:
        self.address: str = wait(self._address, f"serve did not listen: {self.serve.log}")
        self.port = int(self.address.rpartition(":")[2])
        self.http = httpx.Client(base_url=self.address, timeout=20.0)

    def serve_again(self, folder: Path) -> None:
        """Stop the server and start another one, which knows nothing of the first."""
        self.http.close()
        self.serve.stop()
        self.serve = start_serve(folder, self.state)
        self._reach()
        wait(lambda: self.http.get("/health").status_code == 200, f"not healthy: {self.serve.log}")

    def _address(self) -> str | None:
        if self.serve.child.poll() is not None:
            raise AssertionError(self.serve.log.read_text())
        path = self.state / "run" / "serve.json"
        told = json.loads(path.read_text()) if path.exists() else {}
        return told["address"] if told.get("pid") == self.serve.child.pid else None

    def get(self, path: str, **params: Any) -> Any:
        """Return the JSON of a page that must answer 200."""
        response = self.http.get(path, params=params)
        assert response.status_code == 200, response.text
        return response.json()

    def close(self) -> None:
        self.http.close()
        for process in (self.serve, self.trade):
            if process is not None:
                process.stop()


class Keyed:
    """A server with keys: one per scope, and one that has expired."""

    def __init__(self, bot: Bot, keys: dict[str, str]) -> None:
        self.bot = bot
        self.keys = keys


def environment() -> dict[str, str]:
    """Return the environment of a child: this source tree, no configuration of the user's."""
    return {**os.environ, "PYTHONPATH": str(ROOT / "python")}


def wait(look: Callable[[], Any], complaint: str, limit_s: float = START_S) -> Any:
    """Return the first true value of `look`."""
    end = time.monotonic() + limit_s
    while not (found := look()):
        if time.monotonic() > end:
            raise AssertionError(complaint)
        time.sleep(0.05)
    return found


def start_serve(folder: Path, state: Path, *arguments: str) -> Process:
    """Start `utb serve` on any free port."""
    common = ("-m", "utb", "serve", "--state", str(state), "--port", "0")
    return Process(folder, "serve", *common, *arguments)


def start_trade(folder: Path, state: Path, *arguments: str) -> Process:
    """Start a trading process on the generated market."""
    script = str(ROOT / "tests" / "tools" / "devtrade.py")
    return Process(folder, "trade", script, "--state", str(state), *arguments)


def start_bot(folder: Path, *, speed: int = 14_400) -> Bot:
    """Start both, and return when the bot is healthy."""
    state = folder / "state"
    more = ("--hours", "5000", "--speed", str(speed), "--keep")
    trade = start_trade(folder, state, *more)
    serve = start_serve(folder, state)
    try:
        bot = Bot(state, trade, serve)
        wait(lambda: bot.http.get("/health").status_code == 200, f"not healthy: {trade.log}")
    except BaseException:
        serve.stop()
        trade.stop()
        raise
    return bot


def traded(bot: Bot) -> Any:
    """Return the bot's closed trades once there are some."""
    return wait(lambda: bot.get("/api/v1/trades")["trades"], "no trade was closed")


def buy_something(bot: Bot) -> dict[str, Any]:
    """Buy what the gate lets us buy, and return the answer."""
    last = ""

    def bought() -> dict[str, Any] | None:
        nonlocal last
        for row in bot.get("/api/v1/instruments")["instruments"]:
            if row["price"] is None:
                continue
            size = round(500.0 / row["price"], 5)
            body = {"symbol": row["symbol"], "side": "BUY", "size": size}
            response = bot.http.post("/api/v1/trade", json=body)
            last = response.text
            if response.status_code == 201 and response.json()["status"] == "FILLED":
                return {**response.json(), "asked": size}
        return None

    found: dict[str, Any] = wait(bought, f"nothing could be bought: {last}", 50.0)
    return found
