"""The runner: one total order, whatever form the market comes in."""

from collections.abc import Iterable

import msgspec
import pytest
from fake_core import FakeCore, Tick
from session import (
    START_NS,
    STEP_NS,
    blocks,
    config_of,
    frames,
    instruments_of,
    make,
    market,
    records_of,
)

from utb.adapters.venues.simulated import SimulatedVenue
from utb.domain.orders import Submission
from utb.domain.records import FillBooked, OrderState, Record
from utb.node.runner import Runner
from utb.ports.journal import Snapshot
from utb.storage.memory import MemoryJournal


def test_session_trades_and_ends_flat() -> None:
    runner = make(frames(market()))
    runner.run()
    book = runner.wiring.trader.book
    reasons = {trade.exit_reason for trade in book.trades}
    assert {"STOP", "TARGET", "SELL", "END"} <= reasons
    assert book.positions == {}
    assert book.pending == {}


def test_session_twice_gives_the_same_hash() -> None:
    first, second = make(frames(market())), make(frames(market()))
    first.run()
    second.run()
    assert first.wiring.journal.journal_hash() == second.wiring.journal.journal_hash()


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_session_on_blocks_of_records_equals_the_one_on_frames(size: int) -> None:
    one, other = make(frames(market())), make(blocks(market(), size))
    one.run()
    other.run()
    assert records_of(one) == records_of(other)
    assert one.wiring.journal.journal_hash() == other.wiring.journal.journal_hash()


class Spy:
    """A journal and a venue that write down who was called, in order."""

    def __init__(self) -> None:
        self.log: list[str] = []


class SpyJournal(MemoryJournal):
    def __init__(self, spy: Spy) -> None:
        super().__init__()
        self._spy = spy

    def append(self, records: Iterable[Record]) -> int:
        records = list(records)
        for record in records:
            if isinstance(record, OrderState) and record.status == "SENT":
                self._spy.log.append(f"append {record.intent_id}")
        return super().append(records)

    def sync(self) -> None:
        self._spy.log.append("sync")


class SpyVenue(SimulatedVenue):
    spy: Spy

    def submit(self, submission: Submission, now_ns: int) -> None:
        self.spy.log.append(f"submit {submission.intent.intent_id}")
        super().submit(submission, now_ns)


def test_submission_comes_after_its_record_is_synced() -> None:
    spy, core, config = Spy(), FakeCore(), config_of()
    venue = SpyVenue.from_config(config, instruments_of(config), core, seed=7)
    assert isinstance(venue, SpyVenue)
    venue.spy = spy
    make(frames(market()), journal=SpyJournal(spy), core=core, venue=venue).run()
    submits = [at for at, entry in enumerate(spy.log) if entry.startswith("submit")]
    assert len(submits) > 10
    for at in submits:
        intent = spy.log[at].split()[1]
        appended = spy.log.index(f"append {intent}")
        assert "sync" in spy.log[appended:at]


def test_every_submission_is_a_new_intent() -> None:
    runner = make(frames(market()))
    runner.run()
    states = [r for r in records_of(runner) if isinstance(r, OrderState)]
    sent = [r.intent_id for r in states if r.status == "SENT"]
    assert len(sent) == len(set(sent))


def test_fill_uses_the_last_price_at_landing_not_a_later_one() -> None:
    """A decision at t with the closing price 100; the next price comes 20 minutes later.

    The event that closed the bar (101) is the first after the decision, so the fill is at about
    101, within 4 bps of pool fee and the impact, not at the later 150.
    """
    rows = [
        (START_NS, Tick(0, 100.0)),
        (START_NS + STEP_NS, Tick(0, 100.0)),
        (START_NS + 2 * STEP_NS, Tick(0, 100.2, "BUY", 0, 97.0, 110.0)),
        (START_NS + 3 * STEP_NS, Tick(0, 103.0)),
    ]
    runner = make(frames(rows))
    runner.run()
    fill = next(r.fill for r in records_of(runner) if isinstance(r, FillBooked))
    price = fill.quote_raw / fill.base_raw * 1e3
    assert fill.ts_ns < START_NS + 3 * STEP_NS
    assert price == pytest.approx(100.2, rel=2e-3)


def test_records_survive_their_encoding() -> None:
    runner = make(frames(market(60)))
    runner.run()
    from utb.storage.encoding import decode_record, encode_record

    for record in records_of(runner):
        again = decode_record(encode_record(record))
        assert again == record
        assert msgspec.msgpack.encode(again) == msgspec.msgpack.encode(record)


class SnapshotPlaces(MemoryJournal):
    def __init__(self) -> None:
        super().__init__()
        self.places: list[int] = []

    def save_snapshot(self, snapshot: Snapshot) -> bool:
        self.places.append(snapshot.position.items)
        return super().save_snapshot(snapshot)


class MachineClock:
    """Stands still until the runner comes to an item, then jumps past the gap."""

    def __init__(self, moves_at: int) -> None:
        self._moves_at = moves_at
        self.now_ns = 0

    def on_progress(self, runner: Runner) -> None:
        if runner.session.items == self._moves_at:
            self.now_ns = 250_000_000


def test_snapshot_that_is_due_waits_until_the_machines_clock_has_moved_on() -> None:
    always = SnapshotPlaces()
    make(frames(market(200)), journal=always, snapshots=True).run()
    first, second = always.places[:2]
    assert len(always.places) > 2
    clock, rarely = MachineClock(second + 10), SnapshotPlaces()
    runner = make(frames(market(200)), journal=rarely, snapshots=True)
    runner.wiring.stopwatch_ns = lambda: clock.now_ns
    runner.wiring.observers = (clock,)
    runner.run()
    # The second is due from its place on, and taken where a quarter of a second has passed
    assert rarely.places == [first, second + 10]
    assert rarely.journal_hash() == always.journal_hash()
