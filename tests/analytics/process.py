"""Starts `utb analytics` as a process of its own, asks it, and publishes to it."""

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from story import INSTRUMENTS, START_NS

from utb.adapters.seam.client import socket_path
from utb.adapters.seam.server import SeamServer
from utb.domain.commands import Accepted, Command
from utb.domain.names import TradingMode
from utb.domain.seam import SEAM_VERSION, Hello, Records
from utb.storage.journal import SqliteJournal

ROOT = Path(__file__).resolve().parents[2]
START_S = 40.0
"""The engine opens in half a second on a warm disk, and much later on a cold or busy one."""

needs_chdb = pytest.mark.skipif(
    importlib.util.find_spec("chdb") is None,
    reason="the embedded store needs the optional package chdb",
)


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "CLICKHOUSE_URL"}
    return {**kept, "PYTHONPATH": str(ROOT / "python"), **more}


def utb(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "utb", *arguments],
        capture_output=True,
        text=True,
        env=environment(**more),
        timeout=START_S,
        check=False,
    )


class Analytics:
    """A running `utb analytics`."""

    def __init__(self, state_dir: Path, *arguments: str, **more: str) -> None:
        self.state_dir = state_dir
        status = state_dir / "run" / "analytics.json"
        status.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "utb",
                "analytics",
                "--state",
                str(state_dir),
                "--port",
                "0",
                *arguments,
            ],
            stderr=subprocess.PIPE,
            env=environment(**more),
        )
        deadline = time.monotonic() + START_S
        while not status.exists():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, "does not start"
            self.process_wait(0.02)
        self.url = str(msgspec.json.decode(status.read_bytes())["url"])

    def process_wait(self, seconds: float) -> bool:
        """Return whether the process ended within so many seconds."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def log(self) -> str:
        stream = self.process.stderr
        return "" if stream is None else stream.read().decode()

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1].strip("/"))

    def ask(self, sql: str, **parameters: str) -> httpx.Response:
        return httpx.post(
            self.url, params=parameters, content=sql.encode(), timeout=START_S, trust_env=False
        )

    def rows(self, sql: str) -> list[list[Any]]:
        answer = self.ask(sql, default_format="JSONCompactEachRow")
        assert answer.status_code == 200, answer.text
        return msgspec.json.Decoder(list[Any]).decode_lines(answer.content)

    def wait_for(self, sql: str, wanted: Any) -> None:
        """Return when a query's single value is `wanted`."""
        deadline = time.monotonic() + START_S
        found: Any = None
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log()
            answer = self.ask(sql, default_format="JSONCompactEachRow")
            if answer.status_code == 200:
                found = msgspec.json.decode(answer.content.splitlines()[0])[0]
                if found == wanted:
                    return
            self.process_wait(0.05)
        raise AssertionError(f"{sql}: {found!r} in place of {wanted!r}")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        if self.process.stderr is not None:
            self.process.stderr.close()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(START_S)
        if self.process.stderr is not None:
            self.process.stderr.close()
        return code


@contextmanager
def running(state_dir: Path, *arguments: str, **more: str) -> Iterator[Analytics]:
    analytics = Analytics(state_dir, *arguments, **more)
    try:
        yield analytics
    finally:
        if analytics.process.poll() is None:
            analytics.kill()
        elif analytics.process.stderr is not None:
            analytics.process.stderr.close()


class Trader:
    """The trading process's end of the seam over a journal: what is durable is published."""

    def __init__(self, journal: SqliteJournal) -> None:
        self._journal = journal
        self.server = SeamServer(self._hello, self._command)
        journal.on_durable = self._durable

    async def listen(self) -> None:
        path = socket_path(self._journal.path.parent)
        path.parent.mkdir(parents=True, exist_ok=True)
        await self.server.listen(path)

    async def attached(self) -> None:
        """Return when somebody reads."""
        async with asyncio.timeout(START_S):
            while not self.server.has_readers:  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.02)

    def _hello(self) -> Hello:
        return Hello(
            version=SEAM_VERSION,
            session="test",
            mode=TradingMode.PAPER,
            simulated_time=True,
            instruments=INSTRUMENTS,
            seq=self._journal.durable_seq,
            journal=str(self._journal.path),
            started_wall_ns=START_NS,
            timeframe="15m",
            span_ns=None,
        )

    def _command(self, command: Command, reply: Any) -> None:
        reply(Accepted(command_id=command.command_id, seq=self._journal.durable_seq))

    def _durable(self, rows: list[tuple[int, int, str, bytes]]) -> None:
        self.server.publish_records(
            Records(
                first_seq=rows[0][0],
                wall_ns=rows[-1][1],
                payloads=tuple(row[3] for row in rows),
            )
        )


@contextmanager
def published(journal: SqliteJournal) -> Iterator[None]:
    """Listen as the trading process of a journal that does not grow any more."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    trader = Trader(journal)
    try:
        asyncio.run_coroutine_threadsafe(trader.listen(), loop).result(START_S)
        yield
    finally:
        asyncio.run_coroutine_threadsafe(trader.server.close(), loop).result(START_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
