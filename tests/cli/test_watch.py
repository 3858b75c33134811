"""A trading process watched over the seam."""

import asyncio
import io
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console

from utb.cli.panel import Panel, PositionLine, Status
from utb.cli.watch import Watch, follow
from utb.ledger.book import Book
from utb.simnet import profiles
from utb.storage.journal import FILE_NAME
from utb.storage.readers import read_records

DEVTRADE = Path(__file__).parents[1] / "tools" / "devtrade.py"
LAST_S = 50.0


def started(command: list[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


async def watched(state: Path, watch: Watch) -> list[Status]:
    """Follow until the market is over; return what the panel would have shown."""
    shown: list[Status] = []
    over = asyncio.Event()

    def on_news(news: Watch) -> None:
        status = news.status("footer")
        if status is not None:
            shown.append(status)
        if news.pulse is not None and news.pulse.finished:
            over.set()

    following = asyncio.create_task(follow(state, watch, on_news, reader="test"))
    async with asyncio.timeout(LAST_S):
        await over.wait()
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following
    return shown


@pytest.mark.slow
def test_watch_across_a_crash_ends_with_the_journals_fold(tmp_path: Path) -> None:
    command = [sys.executable, str(DEVTRADE), "--state", str(tmp_path), "--hours", "60", "--keep"]
    watch = Watch()

    async def whole() -> list[Status]:
        following = asyncio.create_task(watched(tmp_path, watch))
        with started(command) as first:
            while watch.seq < 20 and not following.done():  # noqa: ASYNC110 - of a process
                await asyncio.sleep(0.005)
            first.kill()
        with started(command) as second:
            try:
                return await following
            finally:
                second.terminate()

    shown = asyncio.run(whole())
    instruments = tuple(profiles.instruments())
    book = Book(instruments)
    last = 0
    for seq, _, record in read_records(tmp_path / FILE_NAME, 0, watch.seq):
        book.apply(record)
        last = seq
    assert watch.seq == last > 20
    assert shown[-1].trades == len(book.trades) > 0
    assert shown[-1].positions == ()
    assert shown[-1].done == pytest.approx(1.0, abs=0.01)
    assert shown[-1].equity is not None
    assert set(shown[-1].holds) == {instrument.symbol for instrument in instruments}
    drawn(shown[-1])
    line = PositionLine(
        symbol="SOL-USDC", lead="breakout", entry=100.0, price=101.0, stop=95.0, target=None
    )
    drawn(replace(shown[-1], positions=(line,)))


def drawn(status: Status) -> None:
    """Draw a status and see that it says the essential."""
    console = Console(width=100, record=True, force_terminal=True, file=io.StringIO())
    panel = Panel(console)
    with panel:
        panel.draw(status)
    text = console.export_text()
    assert "equity" in text
    assert "footer" in text
    for line in status.positions:
        assert line.symbol in text
