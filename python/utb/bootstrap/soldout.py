"""The end of a simulated market that was traded on the chain: everything is sold and settled."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

import structlog

from utb.adapters.clocks import SystemClock
from utb.bootstrap.shell import Shell
from utb.domain.commands import Answer, CloseAll
from utb.errors import InvariantError

log = structlog.get_logger()

LOOK_S: Final = 0.05
SELL_S: Final = 90.0
"""Longest wait for the last sales: a blockhash's life, and some."""
NS_PER_S: Final = 1_000_000_000


async def first(wanted: Coroutine[Any, Any, None], beside: "asyncio.Future[None]") -> None:
    """Wait for something while `beside` runs, whose end is an error.

    Raises:
        UtbError: What ended `beside`.
    """
    waiting = asyncio.ensure_future(wanted)
    try:
        await asyncio.wait((waiting, beside), return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            beside.result()
            raise InvariantError("the chain's side of the session ended by itself")
        await waiting
    finally:
        waiting.cancel()


async def sell_all(shell: Shell) -> None:
    """Sell every position of a market that is over, and wait until all is settled.

    What cannot be sold within `SELL_S` stays open, and the outcome says so.
    """
    trader = shell.runner.wiring.trader
    answers: list[Answer] = []
    command = CloseAll(command_id=f"end-{shell.runner.now_ns}", issued_by="system")
    if trader.book.positions:
        shell.on_command(command, answers.append)
    clock = SystemClock()
    until_ns = clock.elapsed_ns() + round(SELL_S * NS_PER_S)
    while trader.book.positions or trader.book.pending or trader.book.provisional:
        if clock.elapsed_ns() > until_ns:
            log.warning(
                "not_all_sold",
                positions=len(trader.book.positions),
                on_their_way=len(trader.book.pending),
                unsettled=len(trader.book.provisional),
            )
            return
        await asyncio.sleep(LOOK_S)
