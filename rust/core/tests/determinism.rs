//! The same data gives the same events and the same state, whichever way it comes in.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod support;

use proptest::prelude::*;
use support::{
    BONK, MINUTE_NS, SECOND_NS, SOL, START_NS, pipeline, pipeline_of, price_frame, records, take,
};
use utb_core::{EngineEvent, Pipeline, Replay, encode};
use utb_types::{EventRecord, Side, Source, Timeframe};

const FIVE_NS: i64 = 5 * MINUTE_NS;

fn feed(pipeline: &mut Pipeline, records: &[EventRecord]) -> Vec<EngineEvent> {
    for record in records {
        pipeline.on_record(record);
    }
    take(pipeline)
}

/// Bytes, so that the absent and the not-a-number compare, too.
fn wire(events: &[EngineEvent]) -> Option<Vec<u8>> {
    encode(events)
}

/// A recorded event as the frame of its source's forming bar.
fn frame(record: &EventRecord) -> String {
    let mint = if record.instrument == 0 { SOL } else { BONK };
    let open_ns = record.ts_ns - record.ts_ns.rem_euclid(FIVE_NS);
    price_frame(mint, "5m", open_ns / SECOND_NS, record.price, record.volume)
}

fn decisions(events: &[EngineEvent]) -> usize {
    events.iter().filter(|event| matches!(event, EngineEvent::Decision(_))).count()
}

#[test]
fn test_frames_and_records_of_the_same_bars_give_equal_events_and_equal_marks() {
    for evaluate in ["close", "tick"] {
        let records = records(11, 1_500);
        let mut by_record = pipeline_of("birdeye", evaluate, Timeframe::M5);
        let mut by_frame = pipeline_of("birdeye", evaluate, Timeframe::M5);
        let expected = feed(&mut by_record, &records);
        for record in &records {
            by_frame.ingest(Source::Birdeye, frame(record).as_bytes(), record.ts_recv_ns);
        }
        let found = take(&mut by_frame);
        assert!(decisions(&expected) > 20, "{} decisions", decisions(&expected));
        assert_eq!(wire(&found), wire(&expected));
        assert_eq!(by_frame.mark(1), by_record.mark(1));
        assert_eq!(by_frame.features(0).map(|it| it.1), by_record.features(0).map(|it| it.1));
    }
}

#[test]
fn test_replay_in_pieces_gives_the_events_of_single_records() {
    let records = records(12, 1_200);
    let mut single = pipeline();
    let expected = feed(&mut single, &records);
    let replay = Replay::new(bytemuck::cast_slice(&records)).unwrap();
    let mut pieces = pipeline();
    let (mut next, mut found) = (0, Vec::new());
    while next < replay.len() {
        let until_ns = records[(next + 97).min(records.len() - 1)].ts_recv_ns;
        next = replay.advance(&mut pieces, next, until_ns, None).unwrap();
        found.extend(take(&mut pieces));
    }
    assert_eq!(wire(&found), wire(&expected));
    assert_eq!(pieces.save().unwrap(), single.save().unwrap());
}

#[test]
fn test_replay_stops_after_the_first_record_of_the_stop_instrument() {
    let records = records(13, 4);
    let replay = Replay::new(bytemuck::cast_slice(&records)).unwrap();
    let mut pipeline = pipeline();
    let last_ns = records.last().unwrap().ts_recv_ns;
    assert_eq!(replay.advance(&mut pipeline, 0, last_ns, Some(1)).unwrap(), 2);
    assert_eq!(replay.advance(&mut pipeline, 2, records[4].ts_recv_ns, None).unwrap(), 6);
    assert_eq!(replay.advance(&mut pipeline, 6, last_ns, None).unwrap(), records.len());
}

#[test]
fn test_replay_of_broken_records_names_the_record() {
    let mut broken = records(14, 2);
    broken[3].kind = 9;
    let error = Replay::new(bytemuck::cast_slice(&broken)).unwrap_err().to_string();
    assert_eq!(error, "kind is 9 in record 3, must be 0 or 1");
    broken[3].kind = 0;
    broken[5].ts_recv_ns = 0;
    assert!(Replay::new(bytemuck::cast_slice(&broken)).is_err());
    assert!(Replay::new(&[0; 65]).unwrap_err().to_string().contains("multiple of 64"));
    let mut stranger = records(14, 2);
    stranger[0].instrument = 7;
    let replay = Replay::new(bytemuck::cast_slice(&stranger)).unwrap();
    let error = replay.advance(&mut pipeline(), 0, i64::MAX / 2, None).unwrap_err();
    assert_eq!(error.to_string(), "instrument is 7, must be below 2");
}

/// Nothing before the cut may depend on what comes after it.
#[test]
fn test_events_of_a_truncated_recording_are_a_prefix() {
    let records = records(15, 1_000);
    let whole = feed(&mut pipeline(), &records);
    for cut in [17, 900, 2_500, 3_999] {
        let part = feed(&mut pipeline(), &records[..cut]);
        assert_eq!(wire(&part), wire(&whole[..part.len()]));
    }
}

const ARMED: &str = r#"{"position_id":7,"instrument":0,"entry_price":100.0,"stop":90.0,
    "target":150.0,"lead":2,"risk_per_unit":10.0,"round_trip_cost":0.2,"partial_done":false,
    "highest":100.0,"partial_enabled":true,"trailing_active":true}"#;
const PORTFOLIO: &str =
    r#"{"cash":1000.0,"holdings":[[0,5.0],[1,1000.0]],"peak":1500.0,"max_drawdown":0.15}"#;
const WHALE: &str =
    r#"{"kind":"whale","buys_usd":9e6,"sells_usd":1e6,"wallets":9,"outflow_usd":1e6}"#;

/// A run with everything in it; stops at `cut` to save into a fresh pipeline.
fn run(records: &[EventRecord], cut: Option<usize>) -> (Option<Vec<u8>>, Vec<u8>) {
    let fresh = || pipeline_of("birdeye", "tick", Timeframe::M5);
    let (mut pipeline, mut events) = (fresh(), Vec::new());
    for (place, record) in records.iter().enumerate() {
        if Some(place) == cut {
            let state = pipeline.save().unwrap();
            pipeline = fresh();
            pipeline.load(&state).unwrap();
        }
        if place == 400 {
            pipeline.arm(ARMED.as_bytes()).unwrap();
            pipeline.set_portfolio(PORTFOLIO.as_bytes()).unwrap();
            pipeline.set_context(0, WHALE.as_bytes(), record.ts_ns).unwrap();
        }
        if place % 2 == 0 {
            pipeline.on_record(record);
        } else {
            pipeline.ingest(Source::Birdeye, frame(record).as_bytes(), record.ts_recv_ns);
        }
        events.extend(take(&mut pipeline));
    }
    (wire(&events), pipeline.save().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn test_save_and_load_anywhere_continue_bit_for_bit(seed in 0_u64..1_000, cut in 1_usize..2_400) {
        let records = records(seed, 300);
        let (expected, end) = run(&records, None);
        let (found, reached) = run(&records, Some(cut.min(records.len() - 1)));
        prop_assert_eq!(found, expected);
        prop_assert_eq!(reached, end);
    }
}

#[test]
fn test_load_of_another_build_or_set_says_what_differs() {
    let mut pipeline = pipeline();
    feed(&mut pipeline, &records(16, 50));
    let state = pipeline.save().unwrap();
    let mut other = pipeline_of("dexscreener", "close", Timeframe::M5);
    assert!(other.load(&state).unwrap_err().to_string().starts_with("state fingerprint is "));
    let mut version = state.clone();
    version[4] = 99;
    let error = pipeline.load(&version).unwrap_err().to_string();
    assert_eq!(error, "state version is 99, must be 2");
    let mut flipped = state.clone();
    *flipped.last_mut().unwrap() ^= 1;
    assert!(pipeline.load(&flipped).unwrap_err().to_string().starts_with("state checksum is "));
    assert!(pipeline.load(&state[..20]).is_err() && pipeline.load(&[]).is_err());
    // Nothing changed by the refused ones, and changed weights are no obstacle.
    assert_eq!(pipeline.save().unwrap(), state);
    pipeline.set_params(support::params("tick").as_bytes()).unwrap();
    pipeline.load(&state).unwrap();
}

#[test]
fn test_decisions_stand_at_closes_of_the_strategy_timeframe() {
    let mut pipeline = pipeline();
    let events = feed(&mut pipeline, &records(17, 1_500));
    let mut seen = 0;
    for event in &events {
        let EngineEvent::Decision(decision) = event else { continue };
        let view = &decision.view;
        assert_eq!((view.ts_ns - START_NS) % (15 * MINUTE_NS), 0);
        assert_eq!(view.bar_open_ns + 15 * MINUTE_NS, view.ts_ns);
        assert_eq!(decision.params_version, 3);
        assert!(view.side != Side::Hold && view.consensus >= 0.55 - 1e-9);
        seen += 1;
    }
    assert!(seen > 10);
}
