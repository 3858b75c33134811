//! What others see: views, the log of prices, and the time the stages take.
#![allow(missing_docs, clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::atomic::{AtomicU64, Ordering};

use support::{MINUTE_NS, SECOND_NS, SOL, START_NS, pipeline, pipeline_of, price_frame, records};
use utb_core::{EngineEvent, LogKind, NO_INSTRUMENT, Pipeline, StageRecord};
use utb_types::{EventRecord, Source, Timeframe};

const START_S: i64 = START_NS / SECOND_NS;

fn view(pipeline: &Pipeline) -> serde_json::Value {
    serde_json::from_slice(&pipeline.view_json(0).unwrap()).unwrap()
}

fn near(found: &serde_json::Value, expected: f64) -> bool {
    (found.as_f64().unwrap() - expected).abs() < 1e-12
}

#[test]
fn test_view_of_an_instrument_is_readable_before_and_after_its_first_price() {
    let mut pipeline = pipeline();
    assert!(view(&pipeline)["price"].is_null() && view(&pipeline)["forming"].is_null());
    assert!(view(&pipeline)["evaluation"].is_null());
    for record in &records(22, 100) {
        pipeline.on_record(record);
    }
    let after = view(&pipeline);
    assert!(after["price"].is_number() && after["features"]["15m"]["rsi14"].is_number());
    assert_eq!(after["votes"].as_array().unwrap().len(), 8);
    assert!(pipeline.view_json(2).is_err());
}

/// The numbers of a decision's event are those of the view right after it, whether a bar closed or
/// a tick decided; a decision at a close may be followed by a look at the tick itself.
#[test]
fn test_view_shows_the_numbers_of_the_latest_evaluation() {
    for evaluate in ["close", "tick"] {
        let mut pipeline = pipeline_of("birdeye", evaluate, Timeframe::M5);
        let (mut decisions, mut holds) = (0, 0);
        for record in records(11, 1_500).iter().filter(|record| record.instrument == 0) {
            pipeline.on_record(record);
            let decided = pipeline.events().iter().rev().find_map(|event| match event {
                EngineEvent::Decision(decision) => Some(decision.clone()),
                _ => None,
            });
            pipeline.clear_events();
            let seen = view(&pipeline);
            let evaluation = &seen["evaluation"];
            if let Some(decision) = decided
                && (evaluate == "close" || evaluation["hold"].is_null())
            {
                decisions += 1;
                let made = &decision.view;
                assert!(evaluation["hold"].is_null());
                assert_eq!(evaluation["lead"], made.lead.name());
                assert_eq!(evaluation["side"], evaluation["leaning"]);
                assert_eq!(evaluation["ts_ns"], made.ts_ns);
                assert!(near(&evaluation["consensus"], made.consensus));
                assert!(near(&evaluation["confidence"], made.confidence));
                assert!(near(&evaluation["participation"], made.participation));
                for (vote, weight) in seen["votes"].as_array().unwrap().iter().zip(made.weights) {
                    assert!(near(&vote["weight"], weight));
                }
            } else if evaluation["hold"] == "LOW_CONSENSUS" {
                holds += 1;
                let consensus = evaluation["consensus"].as_f64().unwrap();
                assert!(consensus < evaluation["min_consensus"].as_f64().unwrap());
                assert!(evaluation["lead"].is_null() && evaluation["side"] == "HOLD");
            } else if evaluation["hold"] == "NO_VOTES" {
                assert!(evaluation["consensus"].is_null());
                assert!(near(&evaluation["participation"], 0.0));
            }
        }
        assert!(decisions > 10 && holds > 10, "{decisions} decisions, {holds} holds");
    }
}

#[test]
fn test_view_says_what_each_condition_compared() {
    let mut pipeline = pipeline();
    for record in &records(22, 400) {
        pipeline.on_record(record);
    }
    let seen = view(&pipeline);
    let adx = &seen["votes"][2]["conditions"][1];
    assert_eq!(
        (&adx["name"], &adx["op"], &adx["limit"]),
        (&"adx".into(), &">".into(), &15.0.into())
    );
    // The last bar of the strategy timeframe closed with the last features of its series.
    assert_eq!(adx["value"], seen["features"]["15m"]["adx14"]);
    let held = adx["value"].as_f64().unwrap() > 15.0;
    assert_eq!(adx["held"], held);
    let either = &seen["votes"][1]["conditions"][0];
    assert_eq!(either["name"], "band_or_rsi");
    assert!(either["op"].is_null() && either["value"].is_null() && either["limit"].is_null());
}

fn ticks(pipeline: &mut Pipeline) -> Vec<EventRecord> {
    bytemuck::allocation::pod_collect_to_vec(&pipeline.drain(LogKind::Ticks))
}

#[test]
fn test_tick_log_holds_the_prices_that_were_applied() {
    let mut pipeline = pipeline_of("birdeye", "close", Timeframe::M1);
    let recv_ns = START_NS + 61 * SECOND_NS;
    let frame = price_frame(SOL, "1m", START_S, 100.0, 5.0);
    pipeline.ingest(Source::Birdeye, frame.as_bytes(), recv_ns);
    assert!(ticks(&mut pipeline).is_empty());
    pipeline.log(&[LogKind::Ticks]);
    // A price three times the last one is an outlier, and is not applied.
    for (minute, price) in [(1, 101.0), (1, 400.0), (2, 102.0)] {
        let frame = price_frame(SOL, "1m", START_S + 60 * minute, price, 5.0);
        let ts_ns = START_NS + minute * MINUTE_NS + 70 * SECOND_NS;
        pipeline.ingest(Source::Birdeye, frame.as_bytes(), ts_ns);
    }
    let found = ticks(&mut pipeline);
    assert_eq!(found.iter().map(|it| it.price).collect::<Vec<_>>(), [101.0, 102.0]);
    let first = found[0];
    assert_eq!((first.instrument, first.kind, first.source), (0, 0, 1));
    assert_eq!(first.ts_ns, START_NS + 2 * MINUTE_NS - 1);
    assert_eq!(first.ts_recv_ns, START_NS + MINUTE_NS + 70 * SECOND_NS);
    assert!((first.volume - 5.0).abs() < 1e-12 && first.liquidity.is_nan());
    assert!(ticks(&mut pipeline).is_empty());
}

/// The log takes 2^18 prices; the last seven find no room.
#[test]
fn test_tick_log_that_nobody_drains_is_bounded_and_counts() {
    let mut pipeline = pipeline();
    pipeline.log(&[LogKind::Ticks]);
    let record = records(22, 1)[0];
    let most = 1 << 18;
    for number in 0..most + 7 {
        pipeline.on_record(&EventRecord { ts_ns: record.ts_ns + number, ..record });
    }
    assert_eq!(pipeline.log_dropped(LogKind::Ticks), 7);
    assert_eq!(pipeline.log_dropped(LogKind::Bars), 0);
    let found = ticks(&mut pipeline);
    assert_eq!(i64::try_from(found.len()).unwrap(), most);
}

static NOW_NS: AtomicU64 = AtomicU64::new(0);

fn clock() -> u64 {
    NOW_NS.fetch_add(100, Ordering::Relaxed)
}

fn stages(pipeline: &mut Pipeline) -> Vec<StageRecord> {
    bytemuck::allocation::pod_collect_to_vec(&pipeline.stages_mut().drain())
}

/// The clock steps by 100 ns at each look: at the start, at the first item, at the end.
#[test]
fn test_stages_of_a_frame_are_timed_by_the_clock_that_was_given() {
    let mut pipeline = pipeline_of("birdeye", "close", Timeframe::M1);
    let frame = price_frame(SOL, "1m", START_S, 100.0, 5.0);
    pipeline.ingest(Source::Birdeye, frame.as_bytes(), START_NS);
    assert!(stages(&mut pipeline).is_empty());
    pipeline.stages_mut().switch(Some(clock));
    pipeline.ingest(Source::Birdeye, frame.as_bytes(), START_NS + 1);
    pipeline.ingest(Source::Birdeye, b"garbage", START_NS + 2);
    let record = |ts_ns, duration_ns, stage, instrument| StageRecord {
        ts_ns,
        duration_ns,
        stage,
        source: 1,
        instrument,
    };
    let expected = [
        record(START_NS + 1, 100, 0, 0),
        record(START_NS + 1, 200, 1, 0),
        record(START_NS + 2, 100, 1, NO_INSTRUMENT),
    ];
    assert_eq!(stages(&mut pipeline), expected);
    let [decoding, whole, ..] = pipeline.stages().summaries();
    assert_eq!((decoding.count, whole.count, whole.max_ns), (1, 2, 200));
    pipeline.stages_mut().switch(None);
    pipeline.ingest(Source::Birdeye, frame.as_bytes(), START_NS + 3);
    assert!(stages(&mut pipeline).is_empty());
}

/// Neither what is logged nor what is timed is part of the state.
#[test]
fn test_logs_do_not_change_the_state() {
    let (mut silent, mut watched) = (pipeline(), pipeline());
    watched.log(&LogKind::ALL);
    watched.stages_mut().switch(Some(clock));
    for record in &records(22, 300) {
        silent.on_record(record);
        watched.on_record(record);
    }
    assert_eq!(silent.save().unwrap(), watched.save().unwrap());
}
