"""A small session around the fake core: two instruments, a scripted market, the real node."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import msgspec
from fake_core import BAR_NS, SECOND_NS, FakeCore, Tick

from utb.adapters.venues.simulated import SimulatedVenue
from utb.config.instruments import instruments as configured
from utb.config.load import parse_text
from utb.config.schema import Config
from utb.domain.market import Instrument
from utb.domain.names import TradingMode
from utb.domain.records import Record
from utb.node.runner import Runner
from utb.node.trader import Trader
from utb.node.wiring import Wiring
from utb.ports.feed import FeedItem, Frame, Records
from utb.ports.journal import ResumableJournal
from utb.ports.venue import SimulatedWorld
from utb.storage.journal import SqliteJournal
from utb.storage.memory import MemoryJournal

START_NS = 1_700_000_100 * SECOND_NS
STEP_NS = 20 * SECOND_NS
EMPTY = ""


def config_of(text: str = EMPTY) -> Config:
    return parse_text(text)


def instruments_of(config: Config) -> tuple[Instrument, ...]:
    return configured(config)[:2]


def params_of(version: int, rows: tuple[tuple[float, ...], ...]) -> bytes:
    return msgspec.json.encode([version, rows])


class ListFeed:
    def __init__(self, items: list[FeedItem]) -> None:
        self._items = items

    def items(self, start: int) -> Iterator[FeedItem]:
        yield from self._items[start:]


Row = tuple[int, Tick]


def frames(rows: list[Row]) -> list[FeedItem]:
    return [Frame(3, msgspec.msgpack.encode(tick), ts_ns) for ts_ns, tick in rows]


def blocks(rows: list[Row], size: int) -> list[FeedItem]:
    return [
        Records(msgspec.msgpack.encode(rows[at : at + size])) for at in range(0, len(rows), size)
    ]


def market(steps: int = 400) -> list[Row]:
    """Return waves with an entry every 23 steps and a SELL now and then.

    SOL moves +-6 around 100 and BTC +-3 % around 50,000, so that stops, targets and partial
    exits all occur; three days pass when `steps` is 400 and a tick comes every 20 minutes.
    """
    rows: list[Row] = []
    for step in range(steps):
        ts_ns = START_NS + step * 60 * STEP_NS
        wave = (step * 37 % 41) / 41 - 0.5 + 3.0 * ((step // 7 % 5) / 5 - 0.4)
        for instrument, base, unit in ((0, 100.0, 2.0), (1, 50_000.0, 600.0)):
            price = base + unit * wave
            decide = ""
            if step > 2 and step % 23 == 5 * instrument:
                decide = "BUY"
            elif step % 61 == 40 + instrument:
                decide = "SELL"
            tick = Tick(instrument, price, decide, step % 8, price - 1.6 * unit, price + 1.9 * unit)
            rows.append((ts_ns + instrument, tick))
    return rows


def make(
    items: list[FeedItem],
    *,
    config: Config | None = None,
    journal: ResumableJournal | None = None,
    core: FakeCore | None = None,
    venue: SimulatedWorld | None = None,
    snapshots: bool = False,
) -> Runner:
    config = config or config_of()
    instruments = instruments_of(config)
    core = core or FakeCore()
    wiring = Wiring(
        core=core,
        trader=Trader(config, instruments, params_of),
        journal=journal if journal is not None else MemoryJournal(),
        venue=venue or SimulatedVenue.from_config(config, instruments, core, seed=7),
        feed=ListFeed(items),
        snapshot_every_ns=4 * BAR_NS * 10 if snapshots else None,
        # A second between two readings: every snapshot that is due is taken
        stopwatch_ns=count(0, 1_000_000_000).__next__,
        mode=TradingMode.PAPER,
    )
    return Runner(wiring)


def sqlite(path: Path, digest: str = "ab") -> SqliteJournal:
    return SqliteJournal(path, options_digest=digest, wall_ns=lambda: 0, synchronous="NORMAL")


def records_of(runner: Runner) -> list[Record]:
    return [record for _, record in runner.wiring.journal.records(0)]
