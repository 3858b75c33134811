//! Time of `Pipeline::ingest` over given frames, for `benches/ingest.py`, which times the same
//! frames from Python.
//!
//! `cargo bench -p utb-core --bench ingest -- FOLDER ROUNDS` reads `params.json`,
//! `instruments.json` and `frames.bin` (per frame: i64 time, u32 length, payload; little-endian)
//! and prints the least of the rounds, in nanoseconds per frame.

use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use utb_core::Pipeline;
use utb_types::{Source, Timeframe};

type Frame = (i64, Vec<u8>);

fn main() -> std::io::Result<()> {
    // Cargo passes `--bench` itself.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let [folder, rounds] = arguments.as_slice() else {
        return writeln!(std::io::stdout(), "usage: ingest FOLDER ROUNDS");
    };
    let folder = Path::new(folder);
    let params = std::fs::read(folder.join("params.json"))?;
    let instruments = std::fs::read(folder.join("instruments.json"))?;
    let frames = split(&std::fs::read(folder.join("frames.bin"))?);
    let rounds: usize = rounds.parse().map_err(std::io::Error::other)?;
    let taken = (0..rounds.max(1))
        .map(|_| round_ns(&params, &instruments, &frames))
        .collect::<Result<Vec<f64>, std::io::Error>>()?;
    let least = taken.into_iter().fold(f64::INFINITY, f64::min);
    writeln!(std::io::stdout(), "{least}")
}

/// Feeds all frames into a fresh pipeline; returns nanoseconds per frame.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#[expect(clippy::cast_precision_loss, reason = "some thousand frames")]
fn round_ns(params: &[u8], instruments: &[u8], frames: &[Frame]) -> std::io::Result<f64> {
    let mut pipeline =
        Pipeline::new(params, instruments, Timeframe::M1).map_err(std::io::Error::other)?;
    let start = Instant::now();
    for (ts_ns, payload) in frames {
        pipeline.ingest(Source::Birdeye, payload, *ts_ns);
        black_box(pipeline.events().len());
        pipeline.clear_events();
    }
    Ok(start.elapsed().as_secs_f64() * 1e9 / frames.len() as f64)
}

fn split(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Some((ts_ns, rest)) = bytes.split_first_chunk::<8>()
        && let Some((length, rest)) = rest.split_first_chunk::<4>()
    {
        let ts_ns = i64::from_le_bytes(*ts_ns);
        let length = u32::from_le_bytes(*length) as usize;
        let (payload, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        frames.push((ts_ns, payload.to_vec()));
        bytes = rest;
    }
    frames
}
