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
        self.highs.push(high);
        self.lows.push(low);
        if self.highs.is_full() {
            self.highest = Value::new(lanes(self.highs.slots(), f64::max));
            self.lowest = Value::new(lanes(self.lows.slots(), f64::min));
        }
        channel
    }

    /// Returns what [`Donchian::update`] would: the bar itself is not part of its channel.
    #[inline]
    pub const fn peek(&self) -> (Value, Value) {
        (self.highest, self.lowest)
    }
}

/// Returns the extreme of all numbers, in four interleaved lanes.
#[inline]
fn lanes(numbers: &[f64; PERIOD], better: impl Fn(f64, f64) -> f64) -> f64 {
    let (quads, _) = numbers.as_chunks::<4>();
    let mut best = quads.first().copied().unwrap_or_default();
    for quad in quads {
        for (best, &number) in best.iter_mut().zip(quad) {
            *best = better(*best, number);
        }
    }
    let [first, second, third, fourth] = best;
    better(better(first, third), better(second, fourth))
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
