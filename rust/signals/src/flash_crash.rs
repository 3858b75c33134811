//! Flash crashes: a fall from the highest price of a trailing window.

use serde::{Deserialize, Serialize};

/// Parts of the window whose highest prices are kept.
const BUCKETS: usize = 20;
const BUCKETS_NS: i64 = 20;

/// Share of the fall that has to be made good before the detector is armed again.
const RECOVERY: f64 = 0.5;

/// Watches one instrument; a tick costs a few comparisons, a new bucket one pass over the window.
///
/// The window is cut into 20 parts, so it looks back at least `window_ns` and at most 5% further:
/// it may see a crash a little too early, never too late.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlashCrash {
    /// Highest price per bucket, a ring by bucket number; 0 = no price.
    highs: [f64; BUCKETS],
    /// Number of the current bucket (time / bucket length); `i64::MIN` before the first price.
    bucket: i64,
    /// Highest price of the current bucket.
    high: f64,
    /// Highest price of the buckets before it.
    high_before: f64,
    /// When it fired, if it has not been armed since.
    fired_ns: Option<i64>,
}

impl Default for FlashCrash {
    fn default() -> Self {
        Self::new()
    }
}

impl FlashCrash {
    /// Returns a detector that has seen no price.
    pub const fn new() -> Self {
        Self {
            highs: [0.0; BUCKETS],
            bucket: i64::MIN,
            high: 0.0,
            high_before: 0.0,
            fired_ns: None,
        }
    }

    /// Takes a price and returns whether a crash begins: price <= highest x (1 - `fall`).
    ///
    /// True once per crash: again only after half of the fall was made good, or after another
    /// window (a market that goes on crashing renews its cooling-off). A price from before the
    /// current bucket counts as of that bucket. A change of `window_ns` starts anew.
    #[inline]
    pub fn on_price(&mut self, ts_ns: i64, price: f64, fall: f64, window_ns: i64) -> bool {
        let usable = price.is_finite() && price > 0.0 && fall > 0.0 && window_ns >= BUCKETS_NS;
        if !usable {
            return false;
        }
        let bucket = ts_ns.div_euclid(window_ns / BUCKETS_NS);
        if bucket > self.bucket {
            self.advance(bucket);
        }
        self.high = self.high.max(price);
        let peak = self.high.max(self.high_before);
        if let Some(fired_ns) = self.fired_ns {
            let recovered = price > peak * (1.0 - RECOVERY * fall);
            if recovered || ts_ns.saturating_sub(fired_ns) >= window_ns {
                self.fired_ns = None;
            }
        }
        let crashed = self.fired_ns.is_none() && price <= peak * (1.0 - fall);
        if crashed {
            self.fired_ns = Some(ts_ns);
        }
        crashed
    }

    /// Returns the highest price of the window; 0 before the first one.
    pub const fn highest(&self) -> f64 {
        self.high.max(self.high_before)
    }

    /// Forgets all prices, after a gap.
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// Starts a bucket: the one in hand enters the ring, those older than the window leave it.
    fn advance(&mut self, bucket: i64) {
        let passed = bucket.saturating_sub(self.bucket);
        if passed > BUCKETS_NS {
            self.highs = [0.0; BUCKETS];
        } else {
            let mut slot = usize::try_from(self.bucket.rem_euclid(BUCKETS_NS)).unwrap_or(0);
            let mut high = self.high;
            for _ in 0..passed {
                if let Some(kept) = self.highs.get_mut(slot) {
                    *kept = high;
                }
                high = 0.0;
                slot = if slot + 1 >= BUCKETS { 0 } else { slot + 1 };
            }
        }
        self.bucket = bucket;
        self.high = 0.0;
        self.high_before =
            self.highs.iter().fold(0.0, |most, &high| if high > most { high } else { most });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::FlashCrash;

    const SECOND: i64 = 1_000_000_000;
    const WINDOW: i64 = 300 * SECOND;

    fn feed(detector: &mut FlashCrash, seconds: i64, price: f64) -> bool {
        detector.on_price(seconds * SECOND, price, 0.10, WINDOW)
    }

    #[test]
    fn test_flash_crash_at_exactly_the_fall_fires_once() {
        let mut detector = FlashCrash::new();
        assert!(!feed(&mut detector, 0, 100.0));
        assert!(!feed(&mut detector, 60, 90.01));
        assert!(feed(&mut detector, 61, 90.0));
        assert!(!feed(&mut detector, 62, 85.0));
    }

    #[test]
    fn test_flash_crash_fires_again_after_recovery() {
        let mut detector = FlashCrash::new();
        feed(&mut detector, 0, 100.0);
        assert!(feed(&mut detector, 10, 89.0));
        assert!(!feed(&mut detector, 20, 95.0));
        assert!(!feed(&mut detector, 21, 89.0), "95 is exactly half of the fall");
        assert!(!feed(&mut detector, 22, 95.1));
        assert!(feed(&mut detector, 23, 89.0));
    }

    #[test]
    fn test_flash_crash_that_goes_on_fires_again_after_a_window() {
        let mut detector = FlashCrash::new();
        feed(&mut detector, 0, 100.0);
        assert!(feed(&mut detector, 10, 89.0));
        assert!(!feed(&mut detector, 309, 75.0));
        assert!(feed(&mut detector, 310, 75.0));
    }

    #[test]
    fn test_flash_crash_slow_fall_is_none() {
        let mut detector = FlashCrash::new();
        for step in 0..200 {
            let price = 100.0 * 0.99_f64.powi(step);
            assert!(!feed(&mut detector, i64::from(step) * 40, price), "step {step}");
        }
    }

    #[test]
    fn test_flash_crash_high_before_the_window_is_forgotten() {
        let mut detector = FlashCrash::new();
        feed(&mut detector, 0, 100.0);
        assert!(!feed(&mut detector, 316, 80.0));
        feed(&mut detector, 3_000, 100.0);
        assert!(feed(&mut detector, 3_300, 80.0), "exactly one window ago still counts");
    }

    #[test]
    fn test_flash_crash_ignores_what_is_no_price() {
        let mut detector = FlashCrash::new();
        feed(&mut detector, 0, 100.0);
        for price in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(!feed(&mut detector, 1, price));
        }
        assert!(!detector.on_price(2 * SECOND, 1.0, 0.1, 0));
        assert!(feed(&mut detector, 2, 50.0));
    }

    proptest! {
        /// Against the definition: the first fire is never later than the exact window's, and not
        /// without a fall from a high of the window and one bucket.
        #[test]
        fn test_flash_crash_is_between_exact_windows(
            steps in proptest::collection::vec((0_i64..60, 0.93..1.05_f64), 1..200),
        ) {
            let (mut detector, mut seen, mut now, mut price) =
                (FlashCrash::new(), Vec::new(), 0_i64, 100.0);
            for (wait, factor) in steps {
                now += wait * SECOND;
                price *= factor;
                seen.push((now, price));
                let high = |span: i64| seen.iter().filter(|(ts, _)| now - ts <= span)
                    .map(|(_, price)| *price).fold(0.0, f64::max);
                let fired = detector.on_price(now, price, 0.10, WINDOW);
                if fired {
                    prop_assert!(price <= high(WINDOW + WINDOW / 20) * 0.9);
                    return Ok(());
                }
                prop_assert!(price > high(WINDOW) * 0.9);
            }
        }
    }
}
