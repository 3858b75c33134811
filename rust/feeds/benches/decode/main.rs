//! Decoding of each kind of message against sonic-rs typed structs that read the same fields.
//!
//! `cargo bench -p utb-feeds --bench decode -- [--json FILE] [--only KIND]` prints one JSON row per kind:
//! nanoseconds per message (median of interleaved batches), their ratio, and the bar it must meet.

mod messages;
mod peer;

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::time::Instant;

use utb_feeds::{Item, Scratch, decode};
use utb_types::Source;

/// Distinct messages per kind: fewer would let the branch predictor learn them by heart.
const MESSAGES: usize = 4096;
/// Rounds over all messages of a kind.
const ROUNDS: usize = 30;
/// Messages timed at once, ours and the peer's alternately: short, so that an interruption by
/// another process spoils few samples of either.
const BATCH: usize = 128;

/// One kind of message.
struct Kind {
    name: &'static str,
    source: Source,
    message: fn(u64) -> String,
    peer: fn(&[u8]) -> f64,
    bar: f64,
}

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)
    };
    let mut rows = String::new();
    for kind in kinds() {
        if value("--only").is_some_and(|only| only != kind.name) {
            continue;
        }
        let row = measure(&kind);
        rows.push_str(&row);
        writeln!(std::io::stdout(), "{}", row.trim_end())?;
    }
    if let Some(path) = value("--json") {
        let body = rows.trim_end().replace('\n', ",\n");
        std::fs::write(path, format!("[\n{body}\n]\n"))?;
    }
    Ok(())
}

fn kinds() -> Vec<Kind> {
    let kind = |name, source, message, peer, bar| Kind { name, source, message, peer, bar };
    vec![
        kind(
            "dexscreener_pair",
            Source::DexScreener,
            messages::pair_frame as fn(u64) -> String,
            peer::pairs as fn(&[u8]) -> f64,
            0.5,
        ),
        kind("dexscreener_30_pairs", Source::DexScreener, messages::pairs_frame, peer::pairs, 0.5),
        kind("birdeye_price", Source::Birdeye, messages::price_frame, peer::price, 0.7),
        kind("birdeye_ohlcv", Source::Birdeye, messages::ohlcv_frame, peer::ohlcv, 0.5),
        kind("birdeye_txs", Source::Birdeye, messages::swap_frame, peer::swap, 0.5),
        kind("account_vault", Source::Helius, messages::vault_frame, peer::vault, 0.5),
    ]
}

fn measure(kind: &Kind) -> String {
    let messages: Vec<Vec<u8>> =
        (0..MESSAGES as u64).map(|seed| (kind.message)(seed).into_bytes()).collect();
    let mut scratch = Scratch::with_capacity(64);
    let mut ours_ns = Vec::with_capacity(ROUNDS * MESSAGES / BATCH);
    let mut peer_ns = Vec::with_capacity(ROUNDS * MESSAGES / BATCH);
    let mut ours = |message: &[u8]| {
        let count = decode(kind.source, black_box(message), &mut scratch, keep);
        assert!(count.is_ok(), "{}: {count:?}", kind.name);
    };
    let mut theirs = |message: &[u8]| {
        black_box((kind.peer)(black_box(message)));
    };
    for round in 0..=ROUNDS {
        for batch in messages.chunks(BATCH) {
            // Whoever comes first also brings the messages into the cache.
            let (first, second) = if round % 2 == 0 {
                let first = per_message(batch, &mut ours);
                (first, per_message(batch, &mut theirs))
            } else {
                let second = per_message(batch, &mut theirs);
                (per_message(batch, &mut ours), second)
            };
            // The first round warms up.
            if round > 0 {
                ours_ns.push(first);
                peer_ns.push(second);
            }
        }
    }
    let (ours, theirs) = (median(ours_ns), median(peer_ns));
    let ratio = ours / theirs;
    let mut row = String::new();
    let _ = writeln!(
        row,
        "{{\"name\": \"{}\", \"ours_ns\": {ours:.1}, \"peer_ns\": {theirs:.1}, \
         \"ratio\": {ratio:.3}, \"bar\": {}, \"pass\": {}}}",
        kind.name,
        kind.bar,
        ratio <= kind.bar
    );
    row
}

/// Takes an item as a reader would; a refused one would make the figure meaningless.
fn keep(item: &Item<'_>) {
    assert!(!matches!(item, Item::Rejected(_)), "{item:?}");
    black_box(item);
}

/// Returns nanoseconds per message of a batch.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#[expect(clippy::cast_precision_loss, reason = "a count far below 2^53")]
fn per_message(batch: &[Vec<u8>], read: &mut dyn FnMut(&[u8])) -> f64 {
    let start = Instant::now();
    for message in batch {
        read(message);
    }
    start.elapsed().as_secs_f64() * 1e9 / batch.len() as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
