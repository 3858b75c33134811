"""What a display and the second lane take from the engine: views, prices, durations."""

import numpy as np
import pytest
from engine_cases import BIRDEYE, MINUTE_NS, SOL, START_NS, engine, frames, records, run

from utb.domain.names import CONDITIONS, STRATEGIES, Stage
from utb.domain.seam import STAGE_BOUNDS_NS

BARS = 1_000


@pytest.fixture(scope="module")
def block() -> bytes:
    return records(BARS)


def test_view_carries_weights_numbers_and_limits(block: bytes) -> None:
    core = engine()
    run(core, block)
    view = core.view(SOL)
    assert sum(vote["weight"] for vote in view["votes"]) == pytest.approx(1.0)
    for vote, names in zip(view["votes"], CONDITIONS, strict=True):
        assert tuple(condition["name"] for condition in vote["conditions"]) == names
        for condition in vote["conditions"]:
            assert set(condition) == {"name", "held", "op", "value", "limit"}
    adx = view["votes"][STRATEGIES.index("trend_following")]["conditions"][1]
    assert (adx["op"], adx["limit"]) == (">", 25.0)
    assert adx["held"] is (adx["value"] > 25.0)
    evaluation = view["evaluation"]
    assert evaluation["min_consensus"] == 0.65
    assert set(evaluation) >= {"consensus", "confidence", "participation", "lead", "leaning"}


def test_ticks_are_the_prices_that_were_applied(block: bytes) -> None:
    core = engine()
    core.log(ticks=True)
    sent = frames(block)[:100]
    for payload, ts_ns in sent:
        core.ingest(BIRDEYE, payload, ts_ns)
    ticks = core.drain_ticks()
    source = np.frombuffer(block, dtype=ticks.dtype)[:100]
    np.testing.assert_array_equal(ticks["ts_recv_ns"], source["ts_recv_ns"])
    np.testing.assert_array_equal(ticks["price"], source["price"])
    assert set(ticks["source"]) == {BIRDEYE}
    assert len(core.drain_ticks()) == 0
    assert core.log_dropped() == {"bars": 0, "equity": 0, "stages": 0, "ticks": 0, "votes": 0}


def test_frames_are_timed_while_the_stage_log_is_on(block: bytes) -> None:
    core = engine()
    first, second, third, *_ = frames(block)
    core.ingest(BIRDEYE, first[0], first[1])
    core.log(stages=True)
    core.ingest(BIRDEYE, second[0], second[1])
    core.log()
    core.ingest(BIRDEYE, third[0], third[1])
    rows = core.drain_stages()
    assert rows["stage"].tolist() == [Stage.DECODE, Stage.DECIDE]
    assert rows["ts_ns"].tolist() == [second[1]] * 2
    assert rows["source"].tolist() == [BIRDEYE] * 2
    assert rows["instrument"].tolist() == [SOL] * 2
    assert 0 < rows["duration_ns"][0] < rows["duration_ns"][1] < 1_000_000_000


def test_stages_of_the_caller_are_counted_by_the_bounds_of_the_seam() -> None:
    core = engine()
    core.record_stage(Stage.FILL, START_NS, 1)
    core.log(stages=True)
    for bound in STAGE_BOUNDS_NS:
        core.record_stage(Stage.JOURNAL, START_NS, bound, source=2, instrument=3)
    core.record_stage(Stage.JOURNAL, START_NS, 1 << 40)
    names = [stage.stage for stage in core.stages()]
    assert names == [stage.name.lower() for stage in Stage]
    journal = core.stages()[Stage.JOURNAL]
    assert journal.buckets == tuple(range(1, len(STAGE_BOUNDS_NS) + 1))
    assert journal.count == len(STAGE_BOUNDS_NS) + 1
    assert journal.max_ns == (1 << 32) - 1
    assert journal.sum_ns == sum(STAGE_BOUNDS_NS) + (1 << 32) - 1
    # Of 21 durations the 11th is the median: 500 us, to a sixteenth.
    assert 500_000 <= journal.p50_ns <= 500_000 * 17 / 16
    assert core.stages()[Stage.FILL].count == 0
    rows = core.drain_stages()
    assert (rows["source"][0], rows["instrument"][0]) == (2, 3)
    assert (rows["source"][-1], rows["instrument"][-1]) == (255, 65535)


def test_percentiles_forget_what_is_older_than_a_minute() -> None:
    core = engine()
    core.log(stages=True)
    core.record_stage(Stage.SUBMIT, START_NS, 1_000_000)
    core.record_stage(Stage.SUBMIT, START_NS + 2 * MINUTE_NS, 10)
    submit = core.stages()[Stage.SUBMIT]
    assert (submit.count, submit.p50_ns, submit.p99_ns) == (2, 10, 10)


def test_unknown_stage_is_refused() -> None:
    with pytest.raises(ValueError, match="stage is 7, must be below 7"):
        engine()._pipeline.record_stage(7, 0, 0, 0, 0)
