"""A pushed session over the generated market, in this process or in one of its own."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from devtrade import InProcessFeed

from utb import bootstrap
from utb.adapters.seam.client import SeamClient, socket_path
from utb.bootstrap import RunOptions, sources
from utb.bootstrap.assembly import PushedSession, assemble_pushed
from utb.bootstrap.shell import Shell
from utb.bootstrap.trading import Market, trade
from utb.config.schema import Config
from utb.domain.names import TradingMode
from utb.node.result import RunResult

DEVTRADE = str(Path(__file__).parents[1] / "tools" / "devtrade.py")

Visit = Callable[[SeamClient], Awaitable[None]]


def config() -> Config:
    return bootstrap.load_config(None)[0]


def pushed_of(state: Path, hours: int) -> tuple[PushedSession, InProcessFeed, tuple[int, int]]:
    source = sources.generated(config(), RunOptions(hours=hours))
    pushed = assemble_pushed(config(), state, source, TradingMode.PAPER)
    return pushed, InProcessFeed(source.drawn, 1e9), source.span_ns


async def run(
    state: Path,
    hours: int,
    visit: Visit | None = None,
    drive: Callable[[Shell], Awaitable[None]] | None = None,
    *,
    keep: bool = False,
) -> RunResult:
    """Run a session to its end; a visitor reads and commands it over its socket."""
    pushed, feed, span_ns = pushed_of(state, hours)
    market = Market(
        drive=drive or feed.drive,
        now_ns=lambda: feed.now_ns,
        stale_after_ns=60_000_000_000,
        span_ns=span_ns,
    )
    running = asyncio.ensure_future(trade(config(), pushed, market, keep=keep))
    if visit is not None:
        while not socket_path(state).exists():  # noqa: ASYNC110 - until it listens
            await asyncio.sleep(0)
        async with await SeamClient.open(socket_path(state), reader="test") as client:
            await visit(client)
    return await running


def command(state: Path, hours: int, speed: float = 1e9) -> list[str]:
    """Return the command line of the same session as a process."""
    options = ["--state", str(state), "--hours", str(hours), "--speed", str(speed)]
    return [sys.executable, DEVTRADE, *options]
