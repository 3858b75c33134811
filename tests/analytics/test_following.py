"""`utb analytics` beside a trading process that publishes, comes and goes."""

import asyncio
import os
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from story import INSTRUMENTS, START_NS, opening, round_trip, story, write_journal

from process import Analytics, Trader, needs_chdb
from utb.domain.seam import Rows
from utb.engine.records import BAR_DTYPE, EQUITY_DTYPE, EVENT_DTYPE, VOTE_DTYPE
from utb.storage.clickhouse import durable
from utb.storage.clickhouse.lane import STAGE_DTYPE
from utb.storage.clickhouse.records import Projector
from utb.storage.journal import SqliteJournal
from utb.storage.readers import read_records

pytestmark = [needs_chdb, pytest.mark.timeout(3_000)]

KILLS = 50 if os.environ.get("UTB_LONG") else 4
QUICK = ("--set", "analytics.flush_ms=20")


async def publish(journal: SqliteJournal, stop: asyncio.Event) -> None:
    """Make trades durable, a few a second, until told to stop."""
    for number in count():
        if stop.is_set():
            return
        journal.append(round_trip(number, START_NS + number * 3 * 86_400 * 10**9))
        journal.sync()
        await asyncio.sleep(0.02)


def sequences(analytics: Analytics) -> dict[str, list[int]]:
    return {
        table.name: [
            int(row[0]) for row in analytics.rows(f"SELECT seq FROM utb.{table.name} ORDER BY seq")
        ]
        for table in durable.DURABLE
    }


def expected(journal: Path) -> dict[str, list[int]]:
    batch = Projector(INSTRUMENTS).rows(read_records(journal, 0))
    return {table.name: [row[0] for row in batch.get(table.name, ())] for table in durable.DURABLE}


async def test_kill_9_at_any_moment_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """The trading process publishes all the while; it also goes away once, and comes back."""
    journal = write_journal(tmp_path, iter(opening()))
    trader = Trader(journal)
    await trader.listen()
    stop = asyncio.Event()
    publishing = asyncio.create_task(publish(journal, stop))
    for number in range(KILLS):
        analytics = await asyncio.to_thread(Analytics, tmp_path, *QUICK)
        await asyncio.sleep(0.05 + 0.37 * (number % 5))
        await asyncio.to_thread(analytics.kill)
        if number == 1:
            await trader.server.close()
            trader = Trader(journal)
            await trader.listen()
    stop.set()
    await publishing
    analytics = await asyncio.to_thread(Analytics, tmp_path, *QUICK)
    await asyncio.to_thread(
        analytics.wait_for, "SELECT max(seq) FROM utb.events", journal.durable_seq
    )
    found = await asyncio.to_thread(sequences, analytics)
    assert found == expected(journal.path)
    assert await asyncio.to_thread(analytics.stop) == 0
    await trader.server.close()
    journal.close()


def lane() -> list[Rows]:
    """Return flat rows of every kind, some of them lost or damaged."""
    ticks = np.zeros(4, EVENT_DTYPE)
    ticks["ts_ns"] = ticks["ts_recv_ns"] = START_NS + np.array([0, 1, 2, 3]) * 10**9
    ticks["price"], ticks["volume"] = [2.0, 5.0, 1.0, 3.0], [1.0, 2.0, np.nan, 4.0]
    ticks["source"], ticks["instrument"][3] = 1, 99
    bars = np.zeros(2, BAR_DTYPE)
    bars["ts_ns"], bars["close"], bars["volume"] = [0, START_NS], [1.0, 2.0], np.nan
    votes = np.zeros(1, VOTE_DTYPE)
    votes["ts_ns"], votes["strategy"], votes["side"], votes["exits"] = START_NS, 6, 2, 1
    votes["buy"], votes["stop"], votes["target"] = [0, 1, 2, 2], np.nan, 1.5
    equity = np.array([(START_NS, 100_000.5)], EQUITY_DTYPE)
    stages = np.zeros(100, STAGE_DTYPE)
    stages["ts_ns"], stages["ns"], stages["stage"] = START_NS, np.arange(1, 101) * 1_000, 1
    return [
        Rows(kind="ticks", rows=ticks.tobytes(), dropped=7),
        Rows(kind="bars", rows=bars.tobytes()),
        Rows(kind="votes", rows=votes.tobytes()),
        Rows(kind="equity", rows=equity.tobytes()),
        Rows(kind="stages", rows=stages.tobytes()),
        Rows(kind="bars", rows=b"cut short"),
        Rows(kind="unheard of", rows=b""),
    ]


WANTED: dict[str, Any] = {
    "SELECT symbol, kind, source, price, volume FROM ticks ORDER BY ts": [
        ["SOL-USDC", "price", "birdeye", 2, 1],
        ["SOL-USDC", "price", "birdeye", 5, 2],
        ["SOL-USDC", "price", "birdeye", 1, None],
    ],
    "SELECT symbol, open, high, low, close, volume, ticks FROM bars_1m": [
        ["SOL-USDC", 2, 5, 1, 1, 3, 3]
    ],
    "SELECT timeframe, close, volume, ts_ns > 0 FROM bars ORDER BY ts": [
        ["1m", 1, None, 0],
        ["1m", 2, None, 1],
    ],
    "SELECT strategy, side, buy, sell, stop, target, exit_long, exit_short FROM votes": [
        ["pattern_recognition", "SELL", "-FTT", "----", None, 1.5, True, False]
    ],
    "SELECT equity FROM equity_curve": [[100_000.5]],
    "SELECT stage, count, max_ns, p50_ns BETWEEN 49000 AND 52000 FROM latency_1m": [
        ["decide", 100, 100_000, 1]
    ],
    "SELECT kind, cause, sum(rows) FROM lane_drops GROUP BY kind, cause ORDER BY kind, cause": [
        ["bars", "damaged", 1],
        ["ticks", "damaged", 1],
        ["ticks", "trade", 7],
        ["unheard of", "damaged", 1],
    ],
}


async def test_second_lane_is_stored_and_its_losses_counted(tmp_path: Path) -> None:
    journal = write_journal(tmp_path, iter(opening()))
    trader = Trader(journal)
    await trader.listen()
    analytics = await asyncio.to_thread(Analytics, tmp_path, *QUICK)
    await trader.attached()
    for message in lane():
        trader.server.publish(message)
    await asyncio.to_thread(
        analytics.wait_for, "SELECT count() FROM utb.lane_drops WHERE kind = 'unheard of'", 1
    )
    for query, rows in WANTED.items():
        assert await asyncio.to_thread(analytics.rows, query) == rows, query
    assert await asyncio.to_thread(analytics.stop) == 0
    await trader.server.close()
    journal.close()


async def test_store_is_served_and_filled_without_a_trading_process(tmp_path: Path) -> None:
    """Once it knows the instruments, the journal's file is enough."""
    journal = write_journal(tmp_path, islice(story(4), 20))
    trader = Trader(journal)
    await trader.listen()
    analytics = await asyncio.to_thread(Analytics, tmp_path, *QUICK)
    await asyncio.to_thread(analytics.wait_for, "SELECT max(seq) FROM utb.events", 20)
    await trader.server.close()
    await asyncio.to_thread(analytics.kill)
    journal.append(islice(story(4), 20, None))
    journal.close()
    analytics = await asyncio.to_thread(Analytics, tmp_path, *QUICK)
    await asyncio.to_thread(
        analytics.wait_for, "SELECT max(seq) FROM utb.events", journal.durable_seq
    )
    assert await asyncio.to_thread(sequences, analytics) == expected(journal.path)
    assert await asyncio.to_thread(analytics.stop) == 0


def forget(state_dir: Path) -> None:
    for path in state_dir.glob("journal.sqlite*"):
        path.unlink()


async def test_store_of_another_journal_is_refused(tmp_path: Path) -> None:
    journal = write_journal(tmp_path, story(1))
    trader = Trader(journal)
    await trader.listen()
    analytics = await asyncio.to_thread(Analytics, tmp_path, *QUICK)
    await asyncio.to_thread(
        analytics.wait_for, "SELECT max(seq) FROM utb.events", journal.durable_seq
    )
    await asyncio.to_thread(analytics.stop)
    await trader.server.close()
    journal.close()
    forget(tmp_path)
    write_journal(tmp_path, islice(story(4), 1, None)).close()
    analytics = await asyncio.to_thread(Analytics, tmp_path, *QUICK)
    assert await asyncio.to_thread(analytics.process_wait, 30.0)
    assert analytics.process.returncode == 2
    assert "of another journal (record" in analytics.log()
    if analytics.process.stderr is not None:
        analytics.process.stderr.close()
