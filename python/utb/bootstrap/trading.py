"""The trading process: one pushed session, its feeds, its seam, from start to stop."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from utb.adapters.clocks import SystemClock
from utb.adapters.seam.client import socket_path
from utb.adapters.seam.server import SeamServer
from utb.bootstrap.assembly import PushedSession
from utb.bootstrap.healthwatch import HealthWatch
from utb.bootstrap.publisher import About, Publisher
from utb.bootstrap.session import rare_collections
from utb.bootstrap.shell import Shell
from utb.config.schema import Config
from utb.errors import UtbError
from utb.node.result import RunResult

SECOND_NS: Final = 1_000_000_000

Drive = Callable[[Shell], Awaitable[None]]
"""Pushes items into the shell until the market's end, which it tells, or until cancelled."""


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """Where a trading process has its items from."""

    drive: Drive
    now_ns: Callable[[], int] | None
    """Present simulated time; None: the wall's."""
    stale_after_ns: int
    """Age of a price above which its instrument takes no entries."""
    span_ns: tuple[int, int] | None
    """Start and end, where there is an end."""


async def trade(
    config: Config,
    pushed: PushedSession,
    market: Market,
    *,
    keep: bool = False,
    on_end: Callable[[RunResult], None] | None = None,
) -> RunResult:
    """Run until the market's end, a shutdown or a signal; everything is stored and closed.

    Args:
        config: The checked configuration.
        pushed: The session, not resumed yet.
        market: Where its items come from.
        keep: Go on answering readers after the market's end, until a shutdown.
        on_end: Told what the run came to as soon as the market is over.

    Raises:
        UtbError: What stopped the session against its will.
    """
    clock = SystemClock()
    session, started_ns = pushed.session, clock.elapsed_ns()
    try:
        with rare_collections():
            shell, server = _put_together(config, pushed, market, clock)
            _resume(pushed, shell, market)
            await server.listen(socket_path(pushed.journal.path.parent))
            driving = asyncio.ensure_future(market.drive(shell))
            stopped = asyncio.ensure_future(shell.wait())
            _stop_on_signals(shell)
            try:
                await _until_market_or_stop(stopped, driving)
                if shell.finished and on_end is not None:
                    session.runner.drain()
                    on_end(session.result((clock.elapsed_ns() - started_ns) / SECOND_NS))
                if not keep or not shell.finished:
                    shell.stop()
                await stopped
                await _end(driving)
                shell.finish()
            finally:
                # After an error nothing more is written: the next start meets the journal again
                await _end(driving)
                shell.close()
                await server.close()
            return session.result((clock.elapsed_ns() - started_ns) / SECOND_NS)
    finally:
        session.close()


def _put_together(
    config: Config, pushed: PushedSession, market: Market, clock: SystemClock
) -> tuple[Shell, SeamServer]:
    session, engine = pushed.session, pushed.session.engine
    runner = session.runner
    publisher = Publisher(
        About(
            mode=runner.wiring.mode,
            simulated_time=market.now_ns is not None,
            instruments=session.instruments,
            journal=pushed.journal.path.resolve(),
            timeframe=config.strategies.timeframe,
            span_ns=market.span_ns,
        ),
        runner,
        engine,
        pushed.journal,
        wall_ns=clock.now_ns,
    )
    watch = HealthWatch(
        session.instruments,
        engine,
        stale_after_ns=market.stale_after_ns,
        now_ns=market.now_ns or clock.now_ns,
        elapsed_ns=clock.elapsed_ns if market.now_ns is None else None,
    )
    shell = Shell(runner, pushed.journal, pushed.tape, publisher, watch)
    server = SeamServer(publisher.hello, shell.on_command)
    publisher.attach(server)
    engine.log(bars=True, equity=True, votes=True, ticks=True, stages=True)
    runner.wiring.note_stage = engine.note_stage
    runner.wiring.drain = publisher.store_logs
    return shell, server


def _resume(pushed: PushedSession, shell: Shell, market: Market) -> None:
    """Bring the session to where its journal and tape end, then let it begin."""
    session = pushed.session
    session.resumed = session.runner.resume()
    shell.start(None if market.now_ns is not None else SystemClock().now_ns)
    for item in pushed.tape.items(session.runner.session.at_item):
        session.runner.take(item)
    session.runner.replay_commands()
    shell.know_health()
    if market.now_ns is None:
        # Before the first timer: what was stale all the while takes no entries
        shell.check_health(SystemClock().now_ns())


async def _until_market_or_stop(
    stopped: asyncio.Future[None], driving: asyncio.Future[None]
) -> None:
    """Return when the market is over or the session is to stop, whatever comes first."""
    await asyncio.wait((stopped, driving), return_when=asyncio.FIRST_COMPLETED)
    if driving.done() and not stopped.done():
        try:
            driving.result()
        except BaseExceptionGroup as group:
            raise _spoken(group) from group


def _spoken(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error of a group that has a sentence and an exit code; the group if none has."""
    ours: BaseException | None = group.split(UtbError)[0]
    while isinstance(ours, BaseExceptionGroup):
        ours = ours.exceptions[0]
    return group if ours is None else ours


async def _end(driving: asyncio.Future[None]) -> None:
    """Cancel what drives the session, and return when it has ended; its error was told."""
    driving.cancel()
    await asyncio.wait((driving,))


def _stop_on_signals(shell: Shell) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, shell.stop)
