//! What a source's items must be compared with: the forming bar seen, the trades seen, the pool.

use serde::{Deserialize, Serialize};
use utb_types::{Timeframe, Value};

use crate::pool::Pool;

/// Trades remembered per instrument; a repeat older than that is not noticed.
const RECENT: usize = 256;

/// Volume of one forming bar as the source counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct BarSeen {
    open_ns: i64,
    end_ns: i64,
    volume: f64,
}

/// Turns the running volume of the source's forming bar into volumes of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Forming {
    newest: BarSeen,
    before: BarSeen,
}

impl Forming {
    /// Returns the volume since the last update of the same bar, >= 0.
    ///
    /// A volume that falls (the source corrected itself) adds nothing until it passes its highest.
    /// Of a bar before the last two it is not known what was seen: absent.
    pub(crate) fn since(&mut self, open_ns: i64, timeframe: Timeframe, volume: f64) -> Value {
        let end_ns = open_ns + timeframe.span_ns();
        if open_ns > self.newest.open_ns {
            self.before = self.newest;
            self.newest = BarSeen { open_ns, end_ns, volume: 0.0 };
        }
        let seen = if open_ns == self.newest.open_ns {
            &mut self.newest
        } else if open_ns == self.before.open_ns {
            &mut self.before
        } else {
            return Value::ABSENT;
        };
        let added = (volume - seen.volume).max(0.0);
        seen.volume = seen.volume.max(volume);
        Value::new(added)
    }

    /// Returns whether the running volume of a bar that was seen covers a time, so that what
    /// other items say about volume must not be added to it.
    pub(crate) const fn covers(&self, ts_ns: i64) -> bool {
        self.newest.open_ns <= ts_ns && ts_ns < self.newest.end_ns
    }
}

/// Turns sampled 5-minute values into volumes of events.
///
/// The volumes of a 5m bar's events add up to its last sample: its 5-minute value (USD) at the
/// bar's end / price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rolling {
    open_ns: i64,
    counted: f64,
    sampled: bool,
    /// Open time of the last bar before this one that had a sample.
    sampled_before_ns: i64,
}

impl Rolling {
    /// Returns what an event adds to the forming 5m bar's volume; may be negative.
    pub(crate) fn since(&mut self, ts_ns: i64, sample_base: Value) -> Value {
        let open_ns = Timeframe::M5.open_ns(ts_ns);
        if open_ns > self.open_ns {
            let before_ns = if self.sampled { self.open_ns } else { self.sampled_before_ns };
            *self = Self { open_ns, sampled_before_ns: before_ns, ..Self::default() };
        }
        let Some(sample) = sample_base.get().filter(|_| open_ns == self.open_ns) else {
            return Value::new(0.0);
        };
        let added = sample - self.counted;
        self.counted = sample;
        self.sampled = true;
        Value::new(added)
    }

    /// Returns whether the 5m bar that opened then had a sample.
    pub(crate) const fn sampled(&self, open_ns: i64) -> bool {
        (self.sampled && self.open_ns == open_ns) || self.sampled_before_ns == open_ns
    }
}

/// Keys of the last trades.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recent {
    keys: Vec<u64>,
    next: usize,
}

impl Recent {
    /// Returns whether a key is new, and remembers it.
    pub(crate) fn insert(&mut self, key: u64) -> bool {
        if self.keys.contains(&key) {
            return false;
        }
        if self.keys.len() < RECENT {
            if self.keys.capacity() == 0 {
                self.keys.reserve_exact(RECENT);
            }
            self.keys.push(key);
        } else if let Some(slot) = self.keys.get_mut(self.next) {
            *slot = key;
            self.next = (self.next + 1) % RECENT;
        }
        true
    }
}

/// Per instrument.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct FeedState {
    pub(crate) forming: Forming,
    pub(crate) rolling: Rolling,
    pub(crate) recent: Recent,
    /// Time of the last spot quote, nanoseconds.
    pub(crate) quote_ns: i64,
    pub(crate) pool: Option<Box<Pool>>,
}

#[cfg(test)]
mod tests {
    use utb_types::{Timeframe, Value};

    use super::{Forming, RECENT, Recent, Rolling};

    const MINUTE_NS: i64 = 60_000_000_000;

    #[test]
    fn test_forming_volume_is_the_growth_of_the_running_one() {
        let mut forming = Forming::default();
        let mut take =
            |minute: i64, volume| forming.since(minute * MINUTE_NS, Timeframe::M1, volume).get();
        assert_eq!(take(1, 0.0), Some(0.0));
        assert_eq!(take(1, 5.0), Some(5.0));
        assert_eq!(take(1, 3.0), Some(0.0));
        assert_eq!(take(1, 7.0), Some(2.0));
        assert_eq!(take(2, 4.0), Some(4.0));
        // The bar before is corrected, one before that is forgotten.
        assert_eq!(take(1, 8.0), Some(1.0));
        assert_eq!(take(0, 8.0), None);
    }

    #[test]
    fn test_forming_covers_its_own_span_only() {
        let mut forming = Forming::default();
        forming.since(MINUTE_NS, Timeframe::M1, 1.0);
        assert!(forming.covers(MINUTE_NS) && forming.covers(2 * MINUTE_NS - 1));
        assert!(!forming.covers(2 * MINUTE_NS) && !forming.covers(MINUTE_NS - 1));
    }

    #[test]
    fn test_rolling_volumes_add_up_to_the_last_sample_of_each_bar() {
        let mut rolling = Rolling::default();
        let mut take = |minute: i64, sample: Option<f64>| {
            rolling.since(minute * MINUTE_NS, Value::from(sample)).get().unwrap()
        };
        let bar = [take(5, Some(10.0)), take(6, None), take(7, Some(8.0)), take(9, Some(12.0))];
        assert!((bar.iter().sum::<f64>() - 12.0).abs() < 1e-12);
        assert_eq!(take(10, Some(3.0)).to_bits(), 3.0_f64.to_bits());
        assert!(rolling.sampled(10 * MINUTE_NS) && rolling.sampled(5 * MINUTE_NS));
        rolling.since(15 * MINUTE_NS, Value::ABSENT);
        rolling.since(20 * MINUTE_NS, Value::ABSENT);
        assert!(rolling.sampled(10 * MINUTE_NS) && !rolling.sampled(15 * MINUTE_NS));
    }

    #[test]
    fn test_recent_forgets_the_oldest_beyond_its_size() {
        let mut recent = Recent::default();
        for key in 0..=RECENT as u64 {
            assert!(recent.insert(key));
        }
        assert!(!recent.insert(1) && !recent.insert(RECENT as u64));
        assert!(recent.insert(0));
    }
}
