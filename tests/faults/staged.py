"""`utb simnet` and `utb trade` as processes of their own, seen from outside."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np

from utb.adapters.seam.client import SeamClient, socket_path
from utb.domain import commands as cmd
from utb.domain.names import BreakerKind
from utb.domain.records import Breaker, FeedState, Record
from utb.domain.seam import FeedHealth, Pulse, Records
from utb.engine import BAR_DTYPE
from utb.errors import TransientError
from utb.storage.encoding import decode_record
from utb.storage.journal import FILE_NAME
from utb.storage.readers import read_records
from utb.storage.schema import bar_bytes, open_read_only

PATIENCE_S = 90.0
KEYS = {"BIRDEYE_API_KEY": "demo", "HELIUS_API_KEY": "demo"}
ADDRESSES = ("dexscreener.base_url", "birdeye.base_url", "birdeye.ws_url", "helius.ws_url")


@dataclass(frozen=True)
class Fault:
    """A fault, by market items."""

    source: str
    kind: str
    cursor: int | None
    seconds: float
    value: float | None = None


@dataclass
class Stage:
    """Both processes while they run, and what trade said so far."""

    state: Path
    at: dict[str, str]
    simnet: subprocess.Popen[bytes]
    trade: subprocess.Popen[bytes]
    seam: SeamClient
    pulse: Pulse | None = None
    records: list[Record] = field(default_factory=list)
    given: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self) -> None:
        """Keep what trade says, until it ends."""
        try:
            async for message in self.seam:
                if isinstance(message, Pulse):
                    self.pulse = message
                elif isinstance(message, Records):
                    self.records += [decode_record(one) for one in message.payloads]
                else:
                    continue
                self._news.set()
        except TransientError:
            self._news.set()

    async def until(self, question: Callable[[], Any]) -> Any:
        """Return the answer as soon as there is one."""
        async with asyncio.timeout(PATIENCE_S):
            while not (answer := question()):
                assert self.trade.poll() is None, self.complaints()
                self._news.clear()
                await self._news.wait()
        return answer

    async def until_end(self) -> Pulse:
        """Return the first pulse after the market's end."""
        await self.until(lambda: self.pulse is not None and self.pulse.finished)
        assert self.pulse is not None
        return self.pulse

    @property
    def now_ns(self) -> int:
        """Return the market's time as far as trade told it."""
        told = 0 if self.pulse is None else self.pulse.ts_ns
        return max(told, self.records[-1].ts_ns if self.records else 0)

    async def give(self, kind: type[cmd.Command], **fields: Any) -> cmd.Answer:
        self.given += 1
        return await self.seam.give(kind(command_id=f"{self.given}", issued_by="test", **fields))

    async def ask(self, fault: Fault) -> None:
        async with httpx.AsyncClient() as client:
            await post(client, self.at["faults"], fault)

    async def end_faults(self) -> None:
        async with httpx.AsyncClient() as client:
            (await client.delete(self.at["faults"])).raise_for_status()

    async def did(self) -> list[dict[str, Any]]:
        async with httpx.AsyncClient() as client:
            told: list[dict[str, Any]] = (await client.get(self.at["faults"])).json()["faults"]
            return told

    def unhealthy(self, instrument: int | None, *, active: bool) -> Breaker | None:
        """Return the last word of the guard of health about an instrument, if it is this."""
        found = [
            one
            for one in self.records
            if isinstance(one, Breaker)
            and one.kind is BreakerKind.UNHEALTHY
            and one.instrument == instrument
        ]
        return found[-1] if found and found[-1].active is active else None

    def complaints(self) -> list[str]:
        """Return what trade logged that is an error, or no log line at all."""
        lines = (self.state / "errors").read_text().splitlines()
        return [line for line in lines if '"level":"ERROR"' in line or not line.startswith("{")]

    def rss_bytes(self) -> int:
        pages = Path(f"/proc/{self.trade.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Outcome:
    """What both came to."""

    feeds: dict[str, FeedHealth]
    core: dict[str, dict[str, Any]]
    records: list[Record]
    did: list[dict[str, Any]]
    summary: dict[str, Any]
    journal: Path

    def states(self, source: str) -> list[FeedState]:
        return [r for r in self.records if isinstance(r, FeedState) and r.source == source]

    def unhealthy(self) -> list[Breaker]:
        """Return what the guard of health said."""
        kind = BreakerKind.UNHEALTHY
        return [r for r in self.records if isinstance(r, Breaker) and r.kind is kind]

    def bars(self) -> list[bytes]:
        """Return the stored bars, in an order of their own."""
        database = open_read_only(self.journal)
        try:
            return rows_of(bar_bytes(database.execute("SELECT * FROM bars")))
        finally:
            database.close()


def rows_of(bars: bytes) -> list[bytes]:
    return sorted(row.tobytes() for row in np.frombuffer(bars, dtype=BAR_DTYPE))


@asynccontextmanager
async def staged(
    folder: Path,
    hours: int,
    faults: Sequence[Fault] = (),
    *,
    speed: float | None = None,
    settings: Sequence[str] = (),
) -> AsyncIterator[Stage]:
    """Start both with the faults asked for, and end them whatever happens."""
    state = folder / "trade"
    state.mkdir(parents=True)
    paced = () if speed is None else ("--speed", f"{speed:g}")
    served = ("--http-port", "0", "--ws-port", "0", "--hours", f"{hours}", *paced)
    simnet = start(folder / "simnet", "simnet", *served)
    trade = None
    try:
        at = await addresses(folder / "simnet", simnet)
        async with httpx.AsyncClient() as client:
            for fault in faults:
                await post(client, at["faults"], fault)
        options = [f"api.{name}={at[f'api.{name}']}" for name in ADDRESSES] + list(settings)
        given = [part for option in options for part in ("--set", option)]
        trade = start(state, "trade", "--clock", at["clock"], "--keep", "--json", *given)
        async with await attach(state, trade) as seam:
            stage = Stage(state, at, simnet, trade, seam)
            following = asyncio.create_task(stage.follow())
            try:
                yield stage
            finally:
                following.cancel()
    finally:
        for process in (trade, simnet):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()


async def run(
    folder: Path,
    hours: int,
    faults: Sequence[Fault] = (),
    visit: Callable[[Stage], Awaitable[None]] | None = None,
    **how: Any,
) -> Outcome:
    """Run to the market's end, and see that trade comes there and stops in order."""
    async with staged(folder, hours, faults, **how) as stage:
        if visit is not None:
            await visit(stage)
        pulse = await stage.until_end()
        did = await stage.did()
        assert isinstance(await stage.give(cmd.Shutdown), cmd.Accepted)
        code = await asyncio.to_thread(stage.trade.wait, PATIENCE_S)
        assert (code, stage.complaints()) == (0, [])
        assert stage.simnet.poll() is None
    summary = msgspec.json.decode((stage.state / "output").read_bytes())
    assert summary["finished"]
    journal = stage.state / FILE_NAME
    return Outcome(
        feeds={feed.source: feed for feed in pulse.feeds},
        core=summary["feeds"],
        records=[record for _, _, record in read_records(journal, 0)],
        did=did,
        summary=summary,
        journal=journal,
    )


def start(state: Path, *words: str) -> subprocess.Popen[bytes]:
    state.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "utb", words[0], "--state", str(state), *words[1:]]
    with (state / "output").open("wb") as output, (state / "errors").open("wb") as errors:
        return subprocess.Popen(command, stdout=output, stderr=errors, env=os.environ | KEYS)


async def addresses(state: Path, simnet: subprocess.Popen[bytes]) -> dict[str, str]:
    """Return where simnet listens, once it does."""
    path = state / "run" / "simnet.json"
    while not path.exists():
        assert simnet.poll() is None, (state / "errors").read_text()
        await asyncio.sleep(0.01)
    told: dict[str, str] = msgspec.json.decode(path.read_bytes())
    return told


async def attach(state: Path, trade: subprocess.Popen[bytes]) -> SeamClient:
    """Return a connection to trade, once it listens."""
    while True:
        assert trade.poll() is None, (state / "errors").read_text()[-3000:]
        try:
            return await SeamClient.open(socket_path(state), reader="faults")
        except TransientError:
            await asyncio.sleep(0.01)


async def post(client: httpx.AsyncClient, url: str, fault: Fault) -> None:
    asked = {"source": fault.source, "kind": fault.kind, "seconds": fault.seconds}
    body = {**asked, "cursor": fault.cursor, "value": fault.value}
    answer = await client.post(url, json=body)
    assert answer.status_code == httpx.codes.CREATED, answer.text
