//! Cost of a frame beyond its decoding, and of a recorded bar.
//!
//! `cargo bench -p utb-core --bench pipeline -- [--json FILE] [--smoke]` prints the rows and writes
//! them. Frames are timed one by one, so that percentiles are those of single frames; what the
//! decoder alone takes for the same frames, timed the same way, is taken off.

#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;
use std::io::Write as _;
use std::time::Instant;

use serde_json::{Value, json};
use support::{MINUTE_NS, SECOND_NS, SOL, START_NS, USDC, params, price_frame, records};
use utb_core::{Pipeline, Replay, StageLog, StageRecord};
use utb_feeds::{Scratch, decode};
use utb_types::{Source, Timeframe};

/// Distinct frames per row: fewer would let the branch predictor learn them by heart.
const FRAMES: usize = 8192;
/// Frames before the first timed one: past the longest warm-up.
const WARM_UP: usize = 700;
const MILLISECOND_NS: i64 = SECOND_NS / 1000;

type Frame = (Vec<u8>, i64);

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let smoke = arguments.iter().any(|argument| argument == "--smoke");
    let crowd = if smoke { 1_000 } else { 10_000 };
    let (tick, one) = tick_row("frame to indicators and triggers", "close", 0.5);
    let mut rows = vec![tick, closing_row(), tick_row("evaluate = tick frame", "tick", 1.0).0];
    rows.push(json!({"name": "frame, decoding and all", "value": one / 1e3, "unit": "us p50"}));
    rows.extend(crowd_rows(crowd, one));
    rows.push(replay_row(if smoke { 10_000 } else { 50_000 }));
    rows.extend(latency_rows());
    for row in &rows {
        writeln!(std::io::stdout(), "{row}")?;
    }
    if let Some(at) = arguments.iter().position(|argument| argument == "--json")
        && let Some(path) = arguments.get(at + 1)
    {
        std::fs::write(path, Value::from(rows).to_string())?;
    }
    Ok(())
}

fn instrument(index: usize, mint: &str, timeframe: &str) -> Value {
    json!({
        "index": index, "symbol": format!("T{index}-USDC"), "base_mint": mint,
        "quote_mint": USDC, "base_decimals": 9, "quote_decimals": 6, "primary": "birdeye",
        "timeframe": timeframe, "pair_address": null,
    })
}

fn pipeline(evaluate: &str, instruments: Vec<Value>, input: Timeframe) -> Option<Pipeline> {
    let instruments = Value::from(instruments).to_string();
    Pipeline::new(params(evaluate).as_bytes(), instruments.as_bytes(), input).ok()
}

/// A price that wanders and never repeats.
#[expect(clippy::cast_precision_loss, reason = "a step number")]
fn price(step: usize) -> f64 {
    let angle = step as f64;
    100.0 + 8.0 * (angle * 0.013).sin() + 3.0 * (angle * 0.171).sin() + 0.01 * (angle * 0.9).cos()
}

/// Frames of one instrument, one every `step_ns`, in forming bars of a minute.
fn frames(count: usize, step_ns: i64) -> Vec<Frame> {
    let mut ts_ns = START_NS;
    (0..count)
        .map(|step| {
            ts_ns += step_ns;
            let open_s = (ts_ns - ts_ns.rem_euclid(MINUTE_NS)) / SECOND_NS;
            #[expect(clippy::cast_precision_loss, reason = "a second's share of a minute")]
            let volume = 1.0 + (ts_ns.rem_euclid(MINUTE_NS) / MILLISECOND_NS) as f64 * 0.37;
            (price_frame(SOL, "1m", open_s, price(step), volume).into_bytes(), ts_ns)
        })
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn each_ns(frames: &[Frame], mut work: impl FnMut(&Frame)) -> Vec<f64> {
    let timed = frames.iter().map(|frame| {
        let start = Instant::now();
        work(black_box(frame));
        start.elapsed().as_secs_f64() * 1e9
    });
    let mut taken: Vec<f64> = timed.collect();
    taken.sort_by(f64::total_cmp);
    taken
}

fn percentile(sorted: &[f64], percent: usize) -> f64 {
    sorted.get(sorted.len() * percent / 100).copied().unwrap_or(f64::NAN)
}

/// Percentile 50 of the decoder alone on these frames.
fn decode_ns(frames: &[Frame]) -> f64 {
    let mut scratch = Scratch::with_capacity(64);
    let taken = each_ns(frames, |(payload, _)| {
        let count = decode(Source::Birdeye, payload, &mut scratch, |item| {
            black_box(item);
        });
        black_box(count.is_ok());
    });
    percentile(&taken, 50)
}

fn row(name: &str, value: f64, unit: &str, (bar, most): (&str, f64)) -> Value {
    json!({"name": name, "value": value, "unit": unit, "bar": bar, "pass": value <= most})
}

/// Times frames through a pipeline after a warm-up; returns (beyond decoding, whole) p50 in ns.
fn timed(pipeline: &mut Pipeline, frames: &[Frame], warm_up: usize) -> (f64, f64) {
    let (before, timed) = frames.split_at_checked(warm_up).unwrap_or_default();
    let feed = |pipeline: &mut Pipeline, (payload, ts_ns): &Frame| {
        pipeline.ingest(Source::Birdeye, payload, *ts_ns);
        black_box(pipeline.events().len());
        pipeline.clear_events();
    };
    for frame in before {
        feed(pipeline, frame);
    }
    let taken = each_ns(timed, |frame| feed(pipeline, frame));
    let whole = percentile(&taken, 50);
    (whole - decode_ns(timed), whole)
}

fn tick_row(name: &str, evaluate: &str, most_us: f64) -> (Value, f64) {
    let instruments = vec![instrument(0, SOL, "15m")];
    let Some(mut pipeline) = pipeline(evaluate, instruments, Timeframe::M1) else {
        return (Value::Null, f64::NAN);
    };
    // Past the warm-up of 15m bars with frames a quarter of a minute apart, then 20 ms apart.
    let slow = frames(60 * 15 * 60, MINUTE_NS / 4);
    for (payload, ts_ns) in &slow {
        pipeline.ingest(Source::Birdeye, payload, *ts_ns);
        pipeline.clear_events();
    }
    let offset_ns = slow.last().map_or(0, |last| last.1 - START_NS);
    let armed = r#"{"position_id":1,"instrument":0,"entry_price":100.0,"stop":50.0,"target":200.0,
        "lead":0,"risk_per_unit":50.0,"round_trip_cost":0.2,"partial_done":false,"highest":112.0,
        "partial_enabled":true,"trailing_active":false}"#;
    let held = br#"{"cash":1000.0,"holdings":[[0,5.0]],"peak":1500.0,"max_drawdown":0.9}"#;
    let ready = pipeline.arm(armed.as_bytes()).is_ok() && pipeline.set_portfolio(held).is_ok();
    let fast: Vec<Frame> = frames(FRAMES + WARM_UP, 20 * MILLISECOND_NS)
        .into_iter()
        .map(|(payload, ts_ns)| shifted(&payload, ts_ns, offset_ns))
        .collect();
    let (beyond, whole) = timed(&mut pipeline, &fast, WARM_UP);
    let bar = format!("<= {most_us} us beyond decoding");
    let us = if ready { beyond / 1e3 } else { f64::NAN };
    (row(name, us, "us p50", (&bar, most_us)), whole)
}

/// The same frame later, by whole minutes.
fn shifted(payload: &[u8], ts_ns: i64, offset_ns: i64) -> Frame {
    let offset_ns = offset_ns - offset_ns.rem_euclid(MINUTE_NS) + MINUTE_NS;
    let open_s = |ts_ns: i64| (ts_ns - ts_ns.rem_euclid(MINUTE_NS)) / SECOND_NS;
    let text = String::from_utf8_lossy(payload);
    let later = ts_ns + offset_ns;
    let moved = text.replace(&open_s(ts_ns).to_string(), &open_s(later).to_string());
    (moved.into_bytes(), later)
}

/// Every frame closes a bar of the strategy timeframe: eight votes, the ensemble, the triggers.
fn closing_row() -> Value {
    let instruments = vec![instrument(0, SOL, "1m")];
    let Some(mut pipeline) = pipeline("close", instruments, Timeframe::M1) else {
        return Value::Null;
    };
    let frames = frames(FRAMES + WARM_UP, MINUTE_NS);
    let (beyond, _) = timed(&mut pipeline, &frames, WARM_UP);
    row("bar-closing frame", beyond / 1e3, "us p50", ("<= 2 us beyond decoding", 2.0))
}

/// Many instruments round robin, past their first hour; `one` is the p50 of one instrument, ns.
fn crowd_rows(count: usize, one: f64) -> Vec<Value> {
    let mint = |index: usize| format!("Mint{index:040}");
    let instruments = (0..count).map(|index| instrument(index, &mint(index), "15m")).collect();
    let Some(mut pipeline) = pipeline("close", instruments, Timeframe::M1) else {
        return Vec::new();
    };
    let round = |start_ns: i64, number: usize| -> Vec<Frame> {
        let frame = |index: usize| {
            let ts_ns = start_ns + i64::try_from(index).unwrap_or(0) * 1_000_000;
            let open_s = (ts_ns - ts_ns.rem_euclid(MINUTE_NS)) / SECOND_NS;
            let value = price(index * 7 + number);
            (price_frame(&mint(index), "1m", open_s, value, value * 0.3).into_bytes(), ts_ns)
        };
        (0..count).map(frame).collect()
    };
    // Seven rounds 12 minutes apart pass a whole hour: every ring is allocated.
    let mut start_ns = START_NS;
    for number in 0..7 {
        for (payload, ts_ns) in round(start_ns, number) {
            pipeline.ingest(Source::Birdeye, &payload, ts_ns);
        }
        pipeline.clear_events();
        start_ns += 12 * MINUTE_NS;
    }
    let mut taken = Vec::new();
    for number in 7..13 {
        let frames = round(start_ns, number);
        taken.extend(each_ns(&frames, |(payload, ts_ns)| {
            pipeline.ingest(Source::Birdeye, payload, *ts_ns);
        }));
        pipeline.clear_events();
        start_ns += 10 * SECOND_NS;
    }
    taken.sort_by(f64::total_cmp);
    let (middle, high) = (percentile(&taken, 50), percentile(&taken, 99));
    let name = format!("{count} instruments round robin");
    vec![
        row(&format!("{name}: memory"), resident_mib(), "MiB", ("<= 1024 MiB", 1024.0)),
        row(&format!("{name}: p99 / p50 of one"), high / one, "x", ("<= 10x", 10.0)),
        json!({"name": format!("{name}: p50"), "value": middle / 1e3, "unit": "us"}),
    ]
}

/// Memory of this process by the kernel's account, MiB; absent elsewhere.
fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib / 1024.0)
}

/// Two instruments under the template's ensemble rules: those of the tests decide far more often.
fn template_pipeline() -> Option<Pipeline> {
    let params = params("close")
        .replace("\"min_consensus\":0.55", "\"min_consensus\":0.65")
        .replace("\"min_confidence\":0.3", "\"min_confidence\":0.6")
        .replace("\"min_participation\":0.05", "\"min_participation\":0.2");
    let instruments = support::instruments("birdeye");
    Pipeline::new(params.as_bytes(), instruments.as_bytes(), Timeframe::M5).ok()
}

/// Recorded 5m bars, four events each, strategies and ensemble at each 15m close.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#[expect(clippy::cast_precision_loss, reason = "a count of bars")]
fn replay_row(bars: usize) -> Value {
    let recorded = records(5, bars);
    let until_ns = recorded.last().map_or(0, |last| last.ts_recv_ns);
    let Ok(replay) = Replay::new(bytemuck::cast_slice(&recorded)) else { return Value::Null };
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let Some(mut pipeline) = template_pipeline() else { return Value::Null };
        let (start, mut next) = (Instant::now(), 0);
        while next < replay.len() {
            match replay.advance(&mut pipeline, next, until_ns, None) {
                Ok(reached) => next = reached,
                Err(_) => return Value::Null,
            }
            pipeline.clear_events();
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    let rate = 2.0 * bars as f64 / best / 1e6;
    json!({"name": "replay of recorded 5m bars", "value": rate, "unit": "M bars/s",
        "bar": ">= 1 M bars/s", "pass": rate >= 1.0})
}

/// Least time of many rounds per call of `work`, ns.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#[expect(clippy::cast_precision_loss, reason = "a count of calls")]
fn least_ns(mut work: impl FnMut(usize)) -> f64 {
    let rounds = (0..200).map(|_| {
        let start = Instant::now();
        (0..FRAMES).for_each(&mut work);
        start.elapsed().as_secs_f64() * 1e9 / FRAMES as f64
    });
    rounds.fold(f64::INFINITY, f64::min)
}

/// One record of a latency (ring and histograms), and beside it one look at the clock.
#[expect(clippy::disallowed_methods, reason = "what the clock costs")]
fn latency_rows() -> [Value; 2] {
    let mut log = StageLog::default();
    log.switch(Some(|| 0));
    // Durations all over the buckets, in an order that cannot be learned.
    let mut draw = 1_u32;
    let durations: Vec<u32> = (0..FRAMES)
        .map(|_| {
            draw = draw.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (draw >> 8) >> (draw & 15)
        })
        .collect();
    let mut ts_ns = START_NS;
    let record = least_ns(|number| {
        ts_ns += 100_000;
        let duration_ns = durations.get(number).copied().unwrap_or(0);
        let record = StageRecord { ts_ns, duration_ns, stage: 1, source: 1, instrument: 7 };
        black_box(log.note(black_box(record)).is_ok());
    });
    let clock = least_ns(|_| {
        black_box(Instant::now());
    });
    [
        row("latency record, clock apart", record, "ns", ("<= 25 ns", 25.0)),
        json!({"name": "one look at the clock", "value": clock, "unit": "ns"}),
    ]
}
