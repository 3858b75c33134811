//! Donchian channel.

use serde::{Deserialize, Serialize};
use utb_types::Value;

use crate::ring::Ring;

const PERIOD: usize = 20;

/// Highest high and lowest low of the 20 bars before a bar; absent until there are 20.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Donchian {
    highs: Ring<PERIOD>,
    lows: Ring<PERIOD>,
    highest: Value,
    lowest: Value,
}

impl Donchian {
    /// Takes a bar's high and low and returns (highest, lowest) of the 20 bars before it.
    #[inline]
    pub fn update(&mut self, high: f64, low: f64) -> (Value, Value) {
        let channel = self.peek();
        let (high_left, low_left) = (self.highs.back(PERIOD), self.lows.back(PERIOD));
        self.highs.push(high);
        self.lows.push(low);
        if !self.highs.is_full() {
            return channel;
        }
        self.highest = extreme(&self.highs, self.highest, high_left, |left, right| left >= right);
        self.lowest = extreme(&self.lows, self.lowest, low_left, |left, right| left <= right);
        channel
    }

    /// Returns what [`Donchian::update`] would: the bar itself is not part of its channel.
    #[inline]
    pub const fn peek(&self) -> (Value, Value) {
        (self.highest, self.lowest)
    }
}

/// Returns the extreme of a full ring from the one before its newest number entered and `left` left.
///
/// Only when the extreme itself left, without being beaten, are all numbers looked at.
#[inline]
fn extreme(
    ring: &Ring<PERIOD>,
    before: Value,
    left: Option<f64>,
    beats: impl Fn(f64, f64) -> bool,
) -> Value {
    let (Some(newest), Some(best), Some(left)) = (ring.back(1), before.get(), left) else {
        return scanned(ring, beats);
    };
    if beats(newest, best) {
        return Value::new(newest);
    }
    if beats(left, best) { scanned(ring, beats) } else { before }
}

#[cold]
fn scanned(ring: &Ring<PERIOD>, beats: impl Fn(f64, f64) -> bool) -> Value {
    let best = ring.newest(PERIOD).reduce(|best, next| if beats(next, best) { next } else { best });
    Value::from(best)
}

#[cfg(test)]
mod tests {
    use super::Donchian;

    #[test]
    fn donchian_excludes_the_bar_itself_and_forgets_after_twenty() {
        let mut donchian = Donchian::default();
        donchian.update(9.0, 1.0);
        for _ in 0..19 {
            assert_eq!(donchian.update(5.0, 4.0).0.get(), None);
        }
        let (highest, lowest) = donchian.update(100.0, 0.5);
        assert_eq!((highest.get(), lowest.get()), (Some(9.0), Some(1.0)));
        let (highest, lowest) = donchian.update(5.0, 4.0);
        assert_eq!((highest.get(), lowest.get()), (Some(100.0), Some(0.5)));
    }
}
