//! Histograms of durations: cumulative ones, and percentiles of the last minute or so.

/// Number of bounded buckets of [`StageSummary::buckets`].
pub const BOUND_COUNT: usize = 20;

/// Upper bounds of the buckets, nanoseconds; `STAGE_BOUNDS_NS` of `utb.domain.seam`.
pub const BOUNDS_NS: [u32; BOUND_COUNT] = [
    250,
    500,
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    1_000_000_000,
];

/// Slices of the rolling window, and their length: a minute or so.
const SLICES: usize = 8;
const SLICE_COUNT: i64 = 8;
const SLICE_NS: i64 = 8_000_000_000;
/// Buckets of a sixteenth of a power of two: exact below 32, then at most 1/16 wide.
const SUB_BITS: u32 = 4;
const FINE: usize = 29 << SUB_BITS;

/// Durations of one stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageSummary {
    /// Durations since the log was made.
    pub count: u64,
    /// Their sum.
    pub sum_ns: u64,
    /// The longest.
    pub max_ns: u32,
    /// Median of the last minute or so, at most 1/16 too high; 0 if there was nothing.
    pub p50_ns: u32,
    /// Percentile 99 of the same.
    pub p99_ns: u32,
    /// How many were at or below each of [`BOUNDS_NS`].
    pub buckets: [u64; BOUND_COUNT],
}

/// The histograms of one stage.
#[derive(Clone, Debug)]
pub(crate) struct Durations {
    /// By bucket, the last one without a bound.
    counts: [u64; BOUND_COUNT + 1],
    sum_ns: u64,
    max_ns: u32,
    /// Number (time / length) of each slice of the window.
    numbers: [i64; SLICES],
    slices: Vec<[u32; FINE]>,
}

impl Durations {
    pub(crate) fn new() -> Self {
        Self {
            counts: [0; BOUND_COUNT + 1],
            sum_ns: 0,
            max_ns: 0,
            numbers: [i64::MIN; SLICES],
            slices: vec![[0; FINE]; SLICES],
        }
    }

    /// Counts one, at a time that may be anything.
    #[inline]
    pub(crate) fn add(&mut self, ts_ns: i64, duration_ns: u32) {
        // Counting all bounds has no branch to mispredict.
        let above: u8 = BOUNDS_NS.iter().map(|bound| u8::from(duration_ns > *bound)).sum();
        if let Some(count) = self.counts.get_mut(usize::from(above)) {
            *count += 1;
        }
        self.sum_ns = self.sum_ns.wrapping_add(u64::from(duration_ns));
        self.max_ns = self.max_ns.max(duration_ns);
        let slice = ts_ns.div_euclid(SLICE_NS);
        let place = place_of(slice);
        let (Some(number), Some(counts)) =
            (self.numbers.get_mut(place), self.slices.get_mut(place))
        else {
            return;
        };
        if *number != slice {
            *number = slice;
            counts.fill(0);
        }
        if let Some(count) = counts.get_mut(fine(duration_ns)) {
            *count = count.wrapping_add(1);
        }
    }

    /// Returns the figures, those of the window up to `latest_ns`.
    pub(crate) fn summary(&self, latest_ns: i64) -> StageSummary {
        let mut buckets = [0; BOUND_COUNT];
        let mut count = 0;
        for (bucket, number) in buckets.iter_mut().zip(&self.counts) {
            count += number;
            *bucket = count;
        }
        let mut window = [0_u64; FINE];
        let latest = latest_ns.div_euclid(SLICE_NS);
        let first = latest.saturating_sub(SLICE_COUNT - 1);
        for (number, counts) in self.numbers.iter().zip(&self.slices) {
            if (first..=latest).contains(number) {
                window.iter_mut().zip(counts).for_each(|(sum, count)| *sum += u64::from(*count));
            }
        }
        StageSummary {
            count: self.counts.iter().sum(),
            sum_ns: self.sum_ns,
            max_ns: self.max_ns,
            p50_ns: percentile(&window, 50).min(self.max_ns),
            p99_ns: percentile(&window, 99).min(self.max_ns),
            buckets,
        }
    }
}

/// The place of a slice in the window.
#[inline]
fn place_of(slice: i64) -> usize {
    usize::try_from(slice.rem_euclid(SLICE_COUNT)).unwrap_or(0)
}

/// The bucket of a duration.
#[inline]
fn fine(duration_ns: u32) -> usize {
    let shift = (u32::BITS - 1 - SUB_BITS) - (duration_ns | 1 << SUB_BITS).leading_zeros();
    ((shift << SUB_BITS) + (duration_ns >> shift)) as usize
}

/// The longest duration of a bucket.
fn longest(bucket: usize) -> u32 {
    let bucket = u32::try_from(bucket).unwrap_or(u32::MAX);
    let Some(shift) = (bucket >> SUB_BITS).checked_sub(1) else { return bucket };
    let mantissa = u64::from((bucket & ((1 << SUB_BITS) - 1)) + (1 << SUB_BITS));
    u32::try_from(((mantissa + 1) << shift) - 1).unwrap_or(u32::MAX)
}

fn percentile(window: &[u64; FINE], percent: u64) -> u32 {
    let total: u64 = window.iter().sum();
    let rank = (total * percent).div_ceil(100).max(1);
    let mut seen = 0;
    let reached = window.iter().position(|count| {
        seen += count;
        seen >= rank
    });
    reached.map_or(0, longest)
}

#[cfg(test)]
mod tests {
    use super::{FINE, fine, longest};

    #[test]
    fn test_fine_bucket_holds_its_durations_to_a_sixteenth() {
        for duration in (0..4_000_000_000_u32).step_by(999_983).chain(0..100).chain([u32::MAX]) {
            let top = longest(fine(duration));
            assert!(fine(duration) < FINE);
            assert!(duration <= top, "{duration} in a bucket up to {top}");
            assert!(u64::from(top) <= u64::from(duration) + u64::from(duration) / 16);
        }
    }
}
