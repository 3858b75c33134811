"""The same inputs give the same journal: again, on a loaded machine, and by the other path."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tapes import DATA, LONG, constructed, needs_data

from utb.bootstrap import RunOptions, assemble, build_backtest, build_demo
from utb.bootstrap.sources import of_bars
from utb.config.load import defaults
from utb.domain.names import TradingMode
from utb.node.result import RunResult
from utb.simnet.profiles import PROFILES

HOURS = 48
NAMES = ("SOL", "BTC", "ETH", "BONK", "WIF", "JTO")
BUSY = "while True: sum(range(1000))"


@contextmanager
def loaded_machine(processes: int = 3) -> Iterator[None]:
    """Keep more processes busy than a small machine has cores."""
    busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def once() -> RunResult:
    return build_demo(defaults(), RunOptions(hours=HOURS)).run()


def test_two_runs_give_the_same_journal(once: RunResult) -> None:
    again = build_demo(defaults(), RunOptions(hours=HOURS)).run()
    assert again.journal_hash == once.journal_hash
    assert (again.trades, again.fees, again.equity) == (once.trades, once.fees, once.equity)
    assert len(again.trades) > 3


def test_loaded_machine_gives_the_same_journal(once: RunResult) -> None:
    with loaded_machine():
        loaded = build_demo(defaults(), RunOptions(hours=HOURS)).run()
    assert loaded.journal_hash == once.journal_hash


def test_another_seed_gives_another_journal(once: RunResult) -> None:
    other = build_demo(defaults(), RunOptions(hours=HOURS, seed=8)).run()
    assert other.journal_hash != once.journal_hash


@needs_data
def test_demo_on_six_recorded_markets_equals_the_backtest() -> None:
    """The demo takes frames through the decoders, the backtest records inside the core."""
    prices = tuple(str(DATA / f"binance_{name}USDT_5m_2024H1.parquet") for name in NAMES)
    options = RunOptions(prices=prices, hours=None if LONG else 400)
    demo = build_demo(defaults(), options).run()
    backtest = build_backtest(defaults(), options).run()
    assert demo.journal_hash == backtest.journal_hash
    assert (demo.trades, demo.equity) == (backtest.trades, backtest.equity)
    assert len(demo.trades) > 10


def test_demo_on_constructed_recordings_equals_the_backtest() -> None:
    config = defaults()
    bars = constructed(*(profile.symbol for profile in PROFILES), days=60 if LONG else 12)
    demo, backtest = (
        assemble(config, RunOptions(), of_bars(config, bars, frames=frames), mode).run()
        for frames, mode in ((True, TradingMode.PAPER), (False, TradingMode.BACKTEST))
    )
    assert demo.journal_hash == backtest.journal_hash
    assert (demo.trades, demo.equity) == (backtest.trades, backtest.equity)
    assert len(demo.trades) > 10
