"""The engine from Python: frames, records, logs, state."""

import msgspec
import numpy as np
import pytest
from engine_cases import (
    BIRDEYE,
    MINUTE_NS,
    SOL,
    START_NS,
    config,
    engine,
    frames,
    params,
    records,
    run,
    walk,
)

from utb.domain.engine import (
    ArmedPosition,
    DayClosed,
    DecisionMade,
    EngineEvent,
    EquityFloorHit,
    TriggerFired,
)
from utb.domain.names import STRATEGIES
from utb.engine import Bars, RecordedEvents, explode, merge
from utb.errors import InvariantError, UsageError

BARS = 3_000


@pytest.fixture(scope="module")
def block() -> bytes:
    return records(BARS)


def test_replay_and_frames_give_equal_events(block: bytes) -> None:
    by_record, by_frame = engine(), engine()
    expected = run(by_record, block)
    found = []
    for number, (payload, ts_ns) in enumerate(frames(block)):
        view = memoryview(payload) if number % 2 else payload
        found += by_frame.ingest(BIRDEYE, view, ts_ns)
    decisions = [event for event in expected if isinstance(event, DecisionMade)]
    assert len(decisions) > 5
    assert found == expected
    assert by_frame.mark(SOL) == by_record.mark(SOL)
    assert by_frame.features(SOL) == by_record.features(SOL)


def test_one_call_per_frame_equals_two(block: bytes) -> None:
    """Without the price at a bar's open, the bar before closes by timer, before the next frame."""
    two, one = engine(), engine()
    expected: list[EngineEvent] = []
    found: list[EngineEvent] = []
    not_taken = 0
    for number, (payload, ts_ns) in enumerate(frames(block)):
        if number % 4 == 0:
            continue
        while events := two.advance_to(ts_ns):
            expected += events
        expected += two.ingest(BIRDEYE, payload, ts_ns)
        while (answer := one.ingest_at(BIRDEYE, memoryview(payload), ts_ns)) is not None:
            taken, events = answer
            found += events
            not_taken += not taken
            if taken:
                break
    assert sum(isinstance(event, DecisionMade) for event in expected) > 5
    assert not_taken > 5
    assert found == expected
    assert one.save() == two.save()


def test_view_of_a_payload_is_read_or_refused_and_a_long_one_is_counted() -> None:
    core = engine()
    for payload in (bytes(9 << 20), memoryview(bytes(9 << 20)), memoryview(b"{")):
        assert core.ingest(BIRDEYE, payload, START_NS) == []
    counts = core.counters()["items"]["birdeye"]
    assert (counts["frames"], sum(counts["rejected"].values())) == (3, 3)
    with pytest.raises(ValueError, match="payload is not contiguous"):
        core.ingest(BIRDEYE, memoryview(b"{}{}")[::2], START_NS)


def test_decision_is_what_the_domain_declares(block: bytes) -> None:
    decision = next(event for event in run(engine(), block) if isinstance(event, DecisionMade))
    assert decision.side in {"BUY", "SELL"}
    assert len(decision.votes) == len(STRATEGIES)
    assert [len(vote.conditions) for vote in decision.votes] == [4, 3, 4, 3, 3, 4, 3, 3]
    assert set("".join(vote.conditions for vote in decision.votes)) <= set("TF-")
    assert decision.bar_open_ns + 15 * MINUTE_NS == decision.ts_ns
    assert decision.features.atr is not None
    assert decision.params_version == 1


def test_save_and_load_continue_as_if_uninterrupted(block: bytes) -> None:
    whole = engine()
    expected = run(whole, block)
    cut_ns = START_NS + 1_234 * 5 * MINUTE_NS
    first = engine()
    found = run(first, block, cut_ns)
    second = engine()
    second.load(first.save())
    replay: RecordedEvents = second.replay(block)
    at = next(i for i in range(len(replay)) if replay.ts_recv_ns(i) > cut_ns)
    while at < len(replay):
        at, events = replay.advance(at, replay.ts_recv_ns(len(replay) - 1))
        found += events
    assert found == expected
    assert second.save() == whole.save()


def test_load_of_a_broken_state_is_a_usage_error(block: bytes) -> None:
    core = engine()
    run(core, block[: 64 * 400])
    state = core.save()
    with pytest.raises(UsageError, match="checksum is"):
        core.load(state[:-1])
    with pytest.raises(UsageError, match="fingerprint is"):
        engine("15m").load(state)


def test_logs_hold_each_closed_bar_and_eight_votes_per_strategy_bar(block: bytes) -> None:
    core = engine()
    core.set_portfolio(cash=100.0, holdings=((SOL, 2.0),), peak=0.0, max_drawdown=None)
    core.log(bars=True, equity=True, votes=True)
    run(core, block)
    bars, votes, equity = core.drain_bars(), core.drain_votes(), core.drain_equity()
    source = walk(BARS)
    five = bars[bars["timeframe"] == 1]
    # The last bar is still forming at its last nanosecond.
    assert len(five) == BARS - 1
    for name in ("open", "high", "low", "close", "volume"):
        np.testing.assert_array_equal(five[name], getattr(source, name)[:-1])
    fifteen = bars[bars["timeframe"] == 2]
    assert len(votes) == len(STRATEGIES) * len(fifteen)
    np.testing.assert_array_equal(votes["ts_ns"][::8], fifteen["ts_ns"])
    np.testing.assert_array_equal(equity["ts_ns"][:3], START_NS + np.arange(1, 4) * 15 * MINUTE_NS)
    assert equity["equity"][0] == 100.0 + 2.0 * source.close[2]
    assert len(core.drain_bars()) == 0


def test_positions_fire_and_equity_falls_through_its_floor(block: bytes) -> None:
    core = engine()
    half = 64 * 4 * 1_000
    run(core, block[:half])
    mark = core.mark(SOL)
    assert mark is not None
    position = ArmedPosition(
        position_id=9,
        instrument=SOL,
        entry_price=mark.price,
        stop=mark.price * 0.999,
        target=mark.price * 1.001,
        lead=None,
        risk_per_unit=mark.price * 0.001,
        round_trip_cost=mark.price * 0.002,
        partial_done=False,
        highest=mark.price,
    )
    core.arm(position)
    core.set_portfolio(cash=0.0, holdings=((SOL, 1.0),), peak=mark.price * 2, max_drawdown=0.1)
    events = run(core, block[half : half + 64 * 4 * 400])
    fired = [event for event in events if isinstance(event, TriggerFired)]
    assert [event.position_id for event in fired] == [9]
    assert fired[0].kind in {"STOP", "TARGET"}
    assert sum(isinstance(event, EquityFloorHit) for event in events) == 1
    assert all(event.day >= 19_723 for event in events if isinstance(event, DayClosed))


def test_refusals_name_field_value_and_expectation() -> None:
    core = engine()
    with pytest.raises(UsageError, match="instrument is 99, expected below 9"):
        core.set_context(99, msgspec.json.encode({"kind": "venue", "price": 1.0}), 0)
    with pytest.raises(UsageError, match="context is not valid, expected"):
        core.set_context(0, b"{}", 0)
    with pytest.raises(UsageError, match="role is x"):
        core.bind(2, "1", 0, "x")
    with pytest.raises(InvariantError, match="params is not valid"):
        core.set_params(b"{}")
    with pytest.raises(InvariantError, match="max_drawdown is 2"):
        core.set_portfolio(cash=0.0, holdings=(), peak=0.0, max_drawdown=2.0)
    with pytest.raises(ValueError, match="source is 9, must be in"):
        core.ingest(9, b"{}", 0)
    with pytest.raises(UsageError, match="finest is 2m"):
        engine("2m")


def test_correlation_of_an_instrument_with_itself_is_one_shrunk(block: bytes) -> None:
    core = engine()
    assert core.correlation(SOL, 1) is None
    other = explode(walk(BARS), span_ns=5 * MINUTE_NS, instrument=1)
    run(core, merge([block, other]))
    # 3000 bars hold 249 whole closed hours (the 250th is forming): 248 returns, x 248/(248 + 10).
    assert core.correlation(SOL, 1) == pytest.approx(248 / 258, rel=1e-9)


def test_merge_keeps_time_and_instrument_order(block: bytes) -> None:
    other = explode(walk(10), span_ns=5 * MINUTE_NS, instrument=1)
    replay = engine().replay(merge([other, block[: 64 * 40]]))
    assert [replay.instrument(i) for i in range(6)] == [0, 1, 0, 1, 0, 1]
    with pytest.raises(UsageError, match="sorted by ts_recv_ns"):
        merge([block[64:128] + block[:64]])


def test_explode_refuses_what_is_no_bar() -> None:
    bars = walk(3)
    broken = Bars(
        ts_ns=bars.ts_ns,
        open=bars.open,
        high=bars.low,
        low=bars.high,
        close=bars.close,
        volume=bars.volume,
    )
    with pytest.raises(UsageError, match=r"bar is .* in row 0, expected"):
        explode(broken, span_ns=5 * MINUTE_NS, instrument=0)


def test_params_follow_the_configuration() -> None:
    settings = config()
    document = msgspec.json.decode(params(settings, version=5))
    assert document["version"] == 5
    assert document["thresholds"]["min_momentum_strength"] == 0.7
    assert "whale_min_transaction_size" not in document["thresholds"]
    assert document["ensemble"]["min_confidence"] == settings.trading.min_confidence
    assert document["exits"]["flash_crash_window_ns"] == 300 * 10**9
    assert document["feeds"]["max_gap_ns"] == 900 * 10**9
    assert document["risk"] == {"correlation_min_samples": 60, "correlation_shrink": 10.0}


def test_view_and_counters_are_readable(block: bytes) -> None:
    core = engine()
    events = run(core, block)
    counters, view = core.counters(), core.view(SOL)
    decisions = sum(isinstance(event, DecisionMade) for event in events)
    assert counters["evaluations"] == sum(counters["holds_by_reason"].values()) + decisions
    assert counters["items"]["recorded"]["accepted"] == len(block) // 64
    assert [vote["strategy"] for vote in view["votes"]] == list(STRATEGIES)
    assert view["features"]["15m"]["rsi14"] is not None
    assert len(core.diversity()) == len(STRATEGIES)
