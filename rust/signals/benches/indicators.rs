//! Cost of one closed bar through the indicator set, against other Rust libraries.
//!
//! The set is SMA 20/50/200, EMA 12/26, RSI 14, MACD(12, 26, 9), Bollinger 20, ADX 14 and ATR 14.
//! All candidates run in turn over the same bars, round after round, in one process; quoted is the
//! median. `cargo bench -p utb-signals -- [--json OUT] [--rounds N]`.

#[path = "indicators/peers.rs"]
mod peers;

use std::hint::black_box;
use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;
use utb_signals::indicators::{FusedSet, Series};
use utb_types::{Bar, Value};

use crate::peers::{Kand, Ta, Yata};

/// Distinct bars, so that branch prediction cannot learn them by heart.
const BARS: usize = 8192;

/// Bars before the first timed one: past the longest warm-up.
const WARM_UP: usize = 512;

/// Least ratio of the best peer that computes the same set to ours.
const BAR: f64 = 2.0;

type Tick = Box<dyn FnMut(&[Bar])>;

struct Candidate {
    name: &'static str,
    set: &'static str,
    tick: Tick,
    rounds_ns: Vec<f64>,
}

impl Candidate {
    /// Wraps a step; the loop over the bars is inside, so that the call costs nothing per bar.
    fn new(name: &'static str, set: &'static str, mut step: impl FnMut(&Bar) + 'static) -> Self {
        let tick = Box::new(move |bars: &[Bar]| bars.iter().for_each(&mut step));
        Self { name, set, tick, rounds_ns: Vec::new() }
    }

    fn median_ns(&self) -> f64 {
        let mut rounds = self.rounds_ns.clone();
        rounds.sort_by(f64::total_cmp);
        rounds.get(rounds.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

/// A random walk from a fixed linear congruential generator (Knuth's MMIX constants).
fn walk(count: usize) -> Vec<Bar> {
    let mut state: u64 = 1;
    let mut uniform = move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(state >> 32).unwrap_or_default()) / f64::from(u32::MAX)
    };
    let mut close = 100.0;
    let mut bars = Vec::with_capacity(count);
    for open_ns in (0..).step_by(60_000_000_000).take(count) {
        let open = close;
        close *= 1.0 + (uniform() - 0.5) * 0.01;
        let high = f64::max(open, close) * (1.0 + uniform() * 0.002);
        let low = f64::min(open, close) * (1.0 - uniform() * 0.002);
        let volume = Value::new(1_000.0 * uniform());
        bars.push(Bar { open_ns, open, high, low, close, volume });
    }
    bars
}

fn candidates() -> Vec<Candidate> {
    let (mut fused, mut fewer) = (FusedSet::<true>::default(), FusedSet::<false>::default());
    let (mut series, mut peeked) = (Series::new(), Series::new());
    for bar in &walk(WARM_UP) {
        peeked.update(bar);
    }
    let (mut kand, mut yata, mut ta) = (Kand::default(), Yata::default(), Ta::default());
    vec![
        Candidate::new("utb fused set", "set", move |bar| {
            black_box(&fused.update(bar));
        }),
        Candidate::new("kand", "set", move |bar| kand.step(bar)),
        Candidate::new("yata", "set", move |bar| yata.step(bar)),
        Candidate::new("utb without ADX", "set without ADX", move |bar| {
            black_box(&fewer.update(bar));
        }),
        Candidate::new("ta", "set without ADX", move |bar| ta.step(bar)),
        Candidate::new("utb whole series, update", "all", move |bar| {
            series.update(bar);
            black_box(series.features());
        }),
        Candidate::new("utb whole series, peek", "all", move |bar| {
            black_box(&peeked.peek(bar));
        }),
    ]
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn measure(candidates: &mut [Candidate], rounds: usize) {
    let bars = walk(WARM_UP + BARS);
    let (warm_up, timed) = bars.split_at(WARM_UP);
    for candidate in &mut *candidates {
        (candidate.tick)(warm_up);
        (candidate.tick)(timed);
    }
    for _ in 0..rounds {
        for candidate in &mut *candidates {
            let start = Instant::now();
            (candidate.tick)(timed);
            let total_ns = start.elapsed().as_secs_f64() * 1e9;
            candidate.rounds_ns.push(total_ns / f64::from(u32::try_from(BARS).unwrap_or(1)));
        }
    }
}

/// Returns best peer / ours of a set, if it has peers.
fn ratio(candidates: &[Candidate], set: &str) -> Option<f64> {
    let of_set = candidates.iter().filter(|candidate| candidate.set == set);
    let (ours, peers): (Vec<_>, Vec<_>) =
        of_set.partition(|candidate| candidate.name.starts_with("utb"));
    let best = peers.iter().map(|peer| peer.median_ns()).min_by(f64::total_cmp)?;
    Some(best / ours.first()?.median_ns())
}

#[expect(clippy::print_stdout, reason = "the table is what a benchmark is run for")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut output, mut rounds) = (None::<PathBuf>, 201);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => output = arguments.next().map(PathBuf::from),
            "--smoke" => rounds = 21,
            "--rounds" => rounds = arguments.next().ok_or("--rounds needs a number")?.parse()?,
            _ => {}
        }
    }
    let mut candidates = candidates();
    measure(&mut candidates, rounds);
    let mut rows = Vec::new();
    for candidate in &candidates {
        let median_ns = candidate.median_ns();
        let (name, set) = (candidate.name, candidate.set);
        rows.push(json!({"name": format!("{name}, {set}"), "value": median_ns, "unit": "ns"}));
    }
    if let Some(ratio) = ratio(&candidates, "set") {
        rows.push(json!({
            "name": "indicator set per tick, best Rust peer / ours", "value": ratio, "unit": "x",
            "bar": format!(">= {BAR} x"), "pass": ratio >= BAR,
        }));
    }
    // No bar: `ta` has no ADX, so it computes another set.
    if let Some(ratio) = ratio(&candidates, "set without ADX") {
        let name = "indicator set without ADX, best Rust peer / ours";
        rows.push(json!({"name": name, "value": ratio, "unit": "x"}));
    }
    for row in &rows {
        println!("{row}");
    }
    if let Some(path) = output {
        std::fs::write(path, serde_json::to_string_pretty(&rows)?)?;
    }
    Ok(())
}
