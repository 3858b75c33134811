//! The one clock of the compiled part: it times stages, and nothing that decides sees it.

use std::sync::OnceLock;
use std::time::Instant;

/// Returns monotonic nanoseconds since the first call.
#[expect(clippy::disallowed_methods, reason = "durations of stages; they never reach a decision")]
pub(crate) fn monotonic_ns() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let elapsed = START.get_or_init(Instant::now).elapsed();
    elapsed.as_secs() * 1_000_000_000 + u64::from(elapsed.subsec_nanos())
}
