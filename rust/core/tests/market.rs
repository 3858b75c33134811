//! Time, gaps, outliers, equity and triggers, seen from outside.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod support;

use support::{MINUTE_NS, SECOND_NS, START_NS, pipeline, pipeline_of, record, records, take};
use utb_core::{EngineEvent, LogKind, Pipeline};
use utb_types::{EventKind, Source, Timeframe, TriggerKind};

fn counters(pipeline: &Pipeline) -> serde_json::Value {
    serde_json::from_slice(&pipeline.counters_json().unwrap()).unwrap()
}

fn bars(pipeline: &mut Pipeline) -> Vec<utb_core::BarRecord> {
    bytemuck::allocation::pod_collect_to_vec(&pipeline.drain(LogKind::Bars))
}

#[test]
fn test_silent_bar_closes_by_timer_at_its_end_and_grace() {
    let mut pipeline = pipeline();
    pipeline.log(&[LogKind::Bars]);
    pipeline.on_record(&record(START_NS, 0, 10.0, 1.0));
    let due_ns = START_NS + 5 * MINUTE_NS + SECOND_NS / 2;
    pipeline.advance_to(due_ns - 1);
    assert!(bars(&mut pipeline).is_empty());
    pipeline.advance_to(due_ns);
    let closed = bars(&mut pipeline);
    assert_eq!((closed.len(), closed[0].ts_ns, closed[0].ohlc), (1, START_NS, [10.0; 4]));
}

#[test]
fn test_event_of_another_instrument_runs_the_timers_but_not_the_own_close() {
    let mut pipeline = pipeline();
    pipeline.log(&[LogKind::Bars]);
    pipeline.on_record(&record(START_NS, 0, 10.0, 1.0));
    pipeline.on_record(&record(START_NS, 1, 20.0, 1.0));
    let end_ns = START_NS + 5 * MINUTE_NS;
    pipeline.on_record(&record(end_ns, 1, 21.0, 1.0));
    assert_eq!(bars(&mut pipeline).iter().map(|it| it.instrument).collect::<Vec<_>>(), [1]);
    pipeline.on_record(&record(end_ns + SECOND_NS, 1, 21.0, 1.0));
    assert_eq!(bars(&mut pipeline).iter().map(|it| it.instrument).collect::<Vec<_>>(), [0]);
}

#[test]
fn test_silence_repeats_the_close_up_to_the_gap_limit_then_the_warm_up_restarts() {
    let mut pipeline = pipeline();
    pipeline.log(&[LogKind::Bars]);
    pipeline.on_record(&record(START_NS + MINUTE_NS, 0, 10.0, 1.0));
    pipeline.advance_to(START_NS + 60 * MINUTE_NS);
    // 15 minutes after the event is 16 past: bars that end at 5, 10 and 15 close, and the 15m bar.
    let closed = bars(&mut pipeline);
    assert_eq!(closed.len(), 4);
    assert_eq!((closed[1].ohlc, closed[1].volume.to_bits()), ([10.0; 4], 0.0_f64.to_bits()));
    let late_ns = START_NS + 61 * MINUTE_NS;
    pipeline.on_record(&record(late_ns, 0, 50.0, 1.0));
    let restarted =
        EngineEvent::WarmUpRestarted { ts_ns: late_ns, instrument: 0, gap_ns: 60 * MINUTE_NS };
    assert_eq!(take(&mut pipeline), [restarted]);
    assert_eq!(pipeline.mark(0).unwrap().price.to_bits(), 50.0_f64.to_bits());
}

#[test]
fn test_gap_of_exactly_the_limit_is_none() {
    let mut pipeline = pipeline();
    pipeline.on_record(&record(START_NS, 0, 10.0, 1.0));
    pipeline.on_record(&record(START_NS + 15 * MINUTE_NS, 0, 10.0, 1.0));
    assert_eq!(take(&mut pipeline), []);
    pipeline.on_record(&record(START_NS + 30 * MINUTE_NS + 1, 0, 10.0, 1.0));
    assert_eq!(take(&mut pipeline).len(), 1);
}

#[test]
fn test_outlier_late_and_invalid_items_are_counted_and_change_nothing() {
    let mut pipeline = pipeline();
    let now_ns = START_NS + 10 * MINUTE_NS;
    pipeline.on_record(&record(now_ns, 0, 10.0, 1.0));
    let state = |pipeline: &Pipeline| (pipeline.mark(0), pipeline.features(0));
    let before = state(&pipeline);
    let bad = [
        record(now_ns + 1, 0, 30.1, 1.0),
        record(now_ns + 1, 0, 3.3, 1.0),
        record(now_ns - 1, 0, 10.0, 1.0),
        record(now_ns + 1, 0, -1.0, 1.0),
        record(now_ns + 1, 0, f64::NAN, 1.0),
        record(now_ns + 1, 0, 10.0, -1.0),
        record(now_ns + 1, 9, 10.0, 1.0),
    ];
    for record in &bad {
        pipeline.on_record(record);
    }
    assert_eq!(state(&pipeline), before);
    let items = &counters(&pipeline)["items"]["recorded"];
    assert_eq!((&items["accepted"], &items["late"]), (&1.into(), &1.into()));
    let rejected = serde_json::json!({"outlier": 2, "range": 3, "unknown_instrument": 1});
    assert_eq!(items["rejected"], rejected);
    // Exactly the factor passes.
    pipeline.on_record(&record(now_ns + 2, 0, 30.0, 1.0));
    assert_eq!(pipeline.mark(0).unwrap().events, 2);
}

#[test]
fn test_late_item_inside_the_forming_bar_moves_high_and_volume_only() {
    let mut pipeline = pipeline();
    pipeline.log(&[LogKind::Bars]);
    pipeline.on_record(&record(START_NS + 60 * SECOND_NS, 0, 10.0, 1.0));
    pipeline.on_record(&record(START_NS + 30 * SECOND_NS, 0, 12.0, 2.0));
    assert_eq!(pipeline.mark(0).unwrap().price.to_bits(), 10.0_f64.to_bits());
    pipeline.on_record(&record(START_NS + 5 * MINUTE_NS, 0, 10.0, 1.0));
    let closed = bars(&mut pipeline);
    assert_eq!(
        (closed[0].ohlc, closed[0].volume.to_bits()),
        ([10.0, 12.0, 10.0, 10.0], 3.0_f64.to_bits())
    );
}

#[test]
fn test_secondary_source_checks_the_price_and_moves_nothing() {
    let mut pipeline = pipeline();
    pipeline.on_record(&record(START_NS, 0, 100.0, 1.0));
    for price in [101.9, 102.1] {
        let mut other = record(START_NS + 1, 0, price, 5.0);
        other.source = Source::Helius as u16;
        pipeline.on_record(&other);
        other.kind = EventKind::Check as u16;
        pipeline.on_record(&other);
    }
    assert_eq!(pipeline.mark(0).unwrap().events, 1);
    let items = &counters(&pipeline)["items"]["helius"];
    assert_eq!((&items["checked"], &items["diverged"]), (&4.into(), &2.into()));
}

#[test]
fn test_record_with_a_slot_seen_before_is_a_duplicate() {
    let mut pipeline = pipeline();
    let mut swap = record(START_NS, 0, 100.0, 1.0);
    (swap.slot, swap.index) = (5, 1);
    pipeline.on_record(&swap);
    pipeline.on_record(&swap);
    swap.index = 2;
    pipeline.on_record(&swap);
    let items = &counters(&pipeline)["items"]["recorded"];
    assert_eq!((&items["accepted"], &items["duplicate"]), (&2.into(), &1.into()));
}

fn arm(pipeline: &mut Pipeline, stop: f64, target: f64) {
    let document = format!(
        r#"{{"position_id":7,"instrument":0,"entry_price":100.0,"stop":{stop:?},
        "target":{target:?},"lead":null,"risk_per_unit":{:?},"round_trip_cost":0.2,
        "partial_done":false,"highest":100.0,"partial_enabled":false,"trailing_active":false}}"#,
        100.0 - stop
    );
    pipeline.arm(document.as_bytes()).unwrap();
}

#[test]
fn test_stop_fires_once_until_released() {
    let mut pipeline = pipeline();
    pipeline.on_record(&record(START_NS, 0, 100.0, 1.0));
    arm(&mut pipeline, 95.0, 120.0);
    pipeline.on_record(&record(START_NS + 1, 0, 95.01, 1.0));
    assert_eq!(take(&mut pipeline), []);
    let fired = |pipeline: &mut Pipeline, ts_ns, price| {
        pipeline.on_record(&record(ts_ns, 0, price, 1.0));
        take(pipeline)
    };
    let expected = |ts_ns, price| EngineEvent::Fired {
        ts_ns,
        instrument: 0,
        position_id: 7,
        kind: TriggerKind::Stop,
        price,
        level: utb_types::Value::new(95.0),
        fraction: 1.0,
    };
    assert_eq!(fired(&mut pipeline, START_NS + 2, 94.0), [expected(START_NS + 2, 94.0)]);
    assert_eq!(fired(&mut pipeline, START_NS + 3, 93.0), []);
    assert!(pipeline.release(7));
    assert_eq!(fired(&mut pipeline, START_NS + 4, 93.5), [expected(START_NS + 4, 93.5)]);
    assert!(pipeline.disarm(7) && !pipeline.disarm(7));
    assert_eq!(fired(&mut pipeline, START_NS + 5, 92.0), []);
}

#[test]
fn test_partial_that_is_not_enabled_never_fires_and_leaves_the_stop() {
    let mut pipeline = pipeline();
    arm(&mut pipeline, 95.0, 120.0);
    for (step, price) in (0..).zip([100.0, 106.0, 111.0, 119.0]) {
        pipeline.on_record(&record(START_NS + step, 0, price, 1.0));
    }
    assert_eq!(take(&mut pipeline), []);
}

#[test]
fn test_arm_of_nonsense_names_the_field() {
    let mut pipeline = pipeline();
    let error = |text: &str, pipeline: &mut Pipeline| {
        pipeline.arm(text.as_bytes()).unwrap_err().to_string()
    };
    assert!(error("{}", &mut pipeline).starts_with("position is not valid: missing field"));
    let document = r#"{"position_id":7,"instrument":5,"entry_price":100.0,"stop":95.0,
        "target":null,"lead":null,"risk_per_unit":5.0,"round_trip_cost":0.2,"partial_done":false,
        "highest":100.0,"partial_enabled":false,"trailing_active":false}"#;
    assert_eq!(error(document, &mut pipeline), "instrument is 5, must be below 2");
    let lead = document
        .replace("\"instrument\":5", "\"instrument\":1")
        .replace("\"lead\":null", "\"lead\":8");
    assert_eq!(error(&lead, &mut pipeline), "lead is 8, must be in 0..8, or null");
}

#[test]
fn test_tighten_raises_the_stop_to_the_atr_below_the_last_price() {
    let mut pipeline = pipeline();
    let records = records(21, 200);
    for record in &records {
        pipeline.on_record(record);
    }
    take(&mut pipeline);
    let mark = pipeline.mark(0).unwrap();
    let atr = pipeline.atr(0).get().unwrap();
    arm(&mut pipeline, mark.price * 0.5, mark.price * 3.0);
    take(&mut pipeline);
    pipeline.tighten(None, 1.5).unwrap();
    let events = take(&mut pipeline);
    let [EngineEvent::Moved { stop, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert!((stop - (mark.price - 1.5 * atr)).abs() < 1e-9);
    pipeline.tighten(Some(0), 3.0).unwrap();
    assert_eq!(take(&mut pipeline), []);
    assert!(pipeline.tighten(Some(2), 1.0).is_err() && pipeline.tighten(None, 0.0).is_err());
}

#[test]
fn test_equity_follows_marks_and_tells_the_floor_and_the_day() {
    let mut pipeline = pipeline();
    pipeline.log(&[LogKind::Equity]);
    pipeline
        .set_portfolio(br#"{"cash":1000,"holdings":[[0,10]],"peak":1500,"max_drawdown":0.04}"#)
        .unwrap();
    assert_eq!(pipeline.equity(), None);
    let last_ns = START_NS + 24 * 60 * MINUTE_NS - 1;
    pipeline.on_record(&record(last_ns, 0, 100.0, 1.0));
    assert_eq!(pipeline.equity(), Some((2000.0, 2000.0)));
    pipeline.on_record(&record(last_ns + 1, 0, 91.0, 1.0));
    let events = take(&mut pipeline);
    let day =
        EngineEvent::DayClosed { ts_ns: last_ns + 1, day: 19_723, equity: 2000.0, peak: 2000.0 };
    let floor = EngineEvent::EquityFloor {
        ts_ns: last_ns + 1,
        equity: 1910.0,
        floor: 1920.0,
        peak: 2000.0,
    };
    assert_eq!(events, [day, floor]);
    let rows: Vec<utb_core::EquityRecord> =
        bytemuck::allocation::pod_collect_to_vec(&pipeline.drain(LogKind::Equity));
    assert_eq!(rows, [utb_core::EquityRecord { ts_ns: last_ns + 1, equity: 2000.0 }]);
    // Told once, also after a new portfolio, until equity is back.
    pipeline
        .set_portfolio(br#"{"cash":1000,"holdings":[[0,10]],"peak":2000,"max_drawdown":0.04}"#)
        .unwrap();
    pipeline.on_record(&record(last_ns + 2, 0, 90.5, 1.0));
    assert_eq!(take(&mut pipeline), []);
    pipeline.on_record(&record(last_ns + 3, 0, 93.0, 1.0));
    pipeline.on_record(&record(last_ns + 4, 0, 91.0, 1.0));
    assert_eq!(take(&mut pipeline).len(), 1);
}

#[test]
fn test_flash_crash_names_the_fall() {
    let mut pipeline = pipeline();
    pipeline.on_record(&record(START_NS, 1, 100.0, 1.0));
    pipeline.on_record(&record(START_NS + SECOND_NS, 1, 80.0, 1.0));
    let events = take(&mut pipeline);
    let [EngineEvent::FlashCrash { instrument: 1, fall, limit, .. }] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert!((fall - 0.2).abs() < 1e-12 && (limit - 0.1).abs() < 1e-12);
}

#[test]
fn test_params_that_cannot_change_in_a_run_are_refused() {
    let mut pipeline = pipeline_of("birdeye", "close", Timeframe::M1);
    let changed =
        support::params("close").replace("\"stat_window_bars\":60", "\"stat_window_bars\":61");
    let error = pipeline.set_params(changed.as_bytes()).unwrap_err().to_string();
    assert_eq!(error, "stat_window_bars is 61, must be 60 until the next start");
    assert!(pipeline.set_params(b"{}").is_err());
    pipeline.set_params(support::params("tick").as_bytes()).unwrap();
}

#[test]
fn test_strategy_timeframe_finer_than_the_input_is_refused() {
    let (params, instruments) = (support::params("close"), support::instruments("birdeye"));
    let error =
        Pipeline::new(params.as_bytes(), instruments.as_bytes(), Timeframe::H1).unwrap_err();
    let text = "timeframe is 15m, must be 1h or coarser, the bar size of SOL-USDC's input";
    assert_eq!(error.to_string(), text);
}
