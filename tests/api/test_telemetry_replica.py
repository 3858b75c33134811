"""The replica folds to what the trading process is, whatever order the pieces come in."""

from pathlib import Path

import msgspec
import pytest

from utb import bootstrap
from utb.bootstrap import RunOptions, build_demo
from utb.domain.market import Instrument
from utb.domain.names import OrderStatus
from utb.domain.records import (
    HISTORY,
    HISTORY_SHORT,
    FeedState,
    FillBooked,
    FillReverted,
    Record,
    Refused,
)
from utb.errors import InvariantError
from utb.node.recovery import fold
from utb.node.result import RunResult
from utb.storage.readers import read_equity, read_records
from utb.telemetry.alerts import Category, Severity
from utb.telemetry.performance import Performance
from utb.telemetry.replica import Replica

Run = tuple[RunResult, Path, tuple[Instrument, ...], list[tuple[int, Record]]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished demo of a hundred hours with its journal."""
    state = tmp_path_factory.mktemp("demo")
    config, _ = bootstrap.load_config(None)
    session = build_demo(config, RunOptions(hours=100, state_dir=state))
    instruments = session.instruments
    result = session.run()
    journal = state / "journal.sqlite"
    records = [(seq, record) for seq, _, record in read_records(journal, 0)]
    return result, journal, instruments, records


@pytest.fixture
def replica(run: Run) -> Replica:
    _, journal, instruments, records = run
    folded = Replica(instruments)
    folded.equity.add_rows(read_equity(journal))
    for seq, record in records:
        folded.apply(seq, record)
    return folded


def test_replica_is_the_state_a_restart_would_bring_back(replica: Replica, run: Run) -> None:
    _, _, instruments, records = run
    state = fold((record for _, record in records), instruments)
    assert replica.book.cash_quote_raw == state.cash_quote_raw
    assert replica.book.sol_lamports == state.sol_lamports
    assert replica.operator is state.operator
    assert replica.weights is not None
    assert replica.weights.rows == state.weights
    assert {b.kind for b in state.breakers} == {kind for kind, _ in replica.breakers}


def test_figures_are_those_of_the_run(replica: Replica, run: Run) -> None:
    result = run[0]
    figures = Performance().figures(replica)
    assert figures.total_trades == len(result.trades)
    assert figures.total_pnl == pytest.approx(sum(t.pnl_quote_raw for t in result.trades) / 1e6)
    assert replica.refusals_by_code == {k: v for k, v in result.refusals_by_code.items() if v}


def test_largest_drawdown_is_never_below_the_present_one(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two points of the curve equity may fall further, and be up again at the next one."""
    performance = Performance()
    before = performance.figures(replica).max_drawdown
    assert before is not None
    monkeypatch.setattr(Replica, "present_drawdown", before + 0.01)
    assert performance.figures(replica).max_drawdown == before + 0.01
    monkeypatch.setattr(Replica, "present_drawdown", 0.0)
    assert performance.figures(replica).max_drawdown == before + 0.01


def test_every_fill_is_an_order_a_marker_and_an_alert(replica: Replica, run: Run) -> None:
    fills = [record for _, record in run[3] if isinstance(record, FillBooked)]
    assert [record for _, record in replica.fills] == fills
    alerts = [a for a in replica.alerts if a.category is Category.TRADE and "side" in a.data]
    assert len(alerts) == len(fills)
    for booked in fills:
        order = replica.orders.get(booked.fill.intent_id)
        assert order is not None
        assert order.fill == booked
        assert order.is_over


def test_story_spans_a_position_from_its_decision_on(replica: Replica, run: Run) -> None:
    trade = run[0].trades[0]
    story = replica.story(trade.position_id)
    assert story is not None
    assert story.intents[0] == trade.intent_id
    decided = [seq for seq, d in replica.decisions if d.intent_id == trade.intent_id]
    if decided:
        assert story.first_seq == decided[0]
    assert story.first_seq < story.last_seq


def test_gap_or_repeat_in_the_records_is_an_error(run: Run) -> None:
    _, _, instruments, records = run
    fresh = Replica(instruments)
    fresh.apply(*records[0])
    with pytest.raises(InvariantError, match="record 1 came after record 1"):
        fresh.apply(*records[0])
    with pytest.raises(InvariantError, match="record 3 came after record 1"):
        fresh.apply(*records[2])


def test_replica_stays_bounded(run: Run) -> None:
    """More refusals than are kept: the newest stay, the count knows all."""
    _, _, instruments, records = run
    refused = next(record for _, record in records if isinstance(record, Refused))
    fresh = Replica(instruments)
    for seq in range(1, 2_001):
        fresh.apply(seq, refused)
    assert len(fresh.refusals) == 500
    assert fresh.refusals_by_code[refused.code] == 2_000
    assert fresh.refusals[-1][0] == 2_000


@pytest.mark.parametrize(
    ("state", "severity"), [(HISTORY, Severity.INFO), (HISTORY_SHORT, Severity.WARNING)]
)
def test_warm_up_alerts_as_it_went_and_is_no_state_of_its_feed(
    run: Run, state: str, severity: Severity
) -> None:
    fresh = Replica(run[2])
    said = [("FRESH", "connected"), (state, "SOL-USDC: 3 answers")]
    records = [FeedState(ts_ns=1, source="birdeye", state=s, reason=r) for s, r in said]
    alerts = [fresh.apply(seq, record).alert for seq, record in enumerate(records, 1)]
    assert [alert.severity for alert in alerts if alert is not None] == [Severity.INFO, severity]
    assert fresh.feeds == {"birdeye": records[0]}


def test_fill_that_vanished_is_no_marker_and_its_order_is_on_its_way(run: Run) -> None:
    _, _, instruments, records = run
    replica = Replica(instruments)
    seq = 0
    for seq, record in records:
        if isinstance(record, FillBooked):
            break
        replica.apply(seq, record)
    else:
        pytest.fail("the run has no fill")
    fill = msgspec.structs.replace(record.fill, provisional=True, signature="one")
    replica.apply(seq, msgspec.structs.replace(record, fill=fill))
    assert [booked.fill for _, booked in replica.fills] == [fill]
    replica.apply(
        seq + 1,
        FillReverted(
            ts_ns=record.ts_ns,
            intent_id=fill.intent_id,
            signature="one",
            status=OrderStatus.UNKNOWN,
            reason="fork",
        ),
    )
    order = replica.orders.get(fill.intent_id)
    assert order is not None
    assert (order.status, order.fill, order.is_over) == (OrderStatus.UNKNOWN, None, False)
    assert list(replica.fills) == []
    assert replica.book.positions == {}
