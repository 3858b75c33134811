//! What a strategy remembers of the closed bars before the one it looks at.

use serde::{Deserialize, Serialize};
use utb_types::{TfFeatures, Value};

/// Bars of MACD minus signal kept; `trend_confirmation_periods` reaches no further back.
pub const MACD_BARS: usize = 16;

/// Closed bars of the strategy timeframe before the current one, per instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    previous: TfFeatures,
    /// MACD minus signal, newest first.
    histograms: [Value; MACD_BARS],
}

impl Memory {
    /// Returns a memory of no bar.
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers a closed bar, after it has been evaluated.
    pub fn push(&mut self, closed: &TfFeatures) {
        self.previous = *closed;
        self.histograms.rotate_right(1);
        if let Some(newest) = self.histograms.first_mut() {
            *newest = closed.macd_histogram;
        }
    }

    /// Forgets everything: the warm-up starts again.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Features of the closed bar before the current one; all absent if there is none.
    #[inline]
    pub fn previous(&self) -> &TfFeatures {
        &self.previous
    }

    /// MACD minus signal of the closed bars before the current one, newest first.
    #[inline]
    pub fn histograms(&self) -> &[Value; MACD_BARS] {
        &self.histograms
    }
}

/// Whether `value` went from >= `level` to < `level`; false if either is absent.
#[inline]
pub(super) fn crossed_below(previous: Value, value: Value, level: f64) -> bool {
    previous.or_nan() >= level && value.or_nan() < level
}

/// Whether `value` went from <= `level` to > `level`; false if either is absent.
#[inline]
pub(super) fn crossed_above(previous: Value, value: Value, level: f64) -> bool {
    previous.or_nan() <= level && value.or_nan() > level
}

#[cfg(test)]
mod tests {
    use utb_types::{TfFeatures, Value};

    use super::{MACD_BARS, Memory, crossed_above, crossed_below};

    #[test]
    fn test_memory_keeps_newest_first_and_drops_the_oldest() {
        let mut memory = Memory::new();
        for bar in 0..=MACD_BARS {
            let histogram = Value::new(f64::from(u32::try_from(bar).unwrap()));
            memory.push(&TfFeatures { macd_histogram: histogram, ..TfFeatures::default() });
        }
        assert_eq!(memory.histograms()[0], Value::new(16.0));
        assert_eq!(memory.histograms()[MACD_BARS - 1], Value::new(1.0));
        assert_eq!(memory.previous().macd_histogram, Value::new(16.0));
        memory.reset();
        assert_eq!(memory, Memory::new());
    }

    #[test]
    fn test_cross_needs_both_values_and_counts_the_level_as_the_old_side() {
        let (at, under, over) = (Value::new(50.0), Value::new(49.9), Value::new(50.1));
        assert!(crossed_below(at, under, 50.0));
        assert!(!crossed_below(under, under, 50.0));
        assert!(!crossed_below(over, at, 50.0));
        assert!(!crossed_below(Value::ABSENT, under, 50.0));
        assert!(crossed_above(at, over, 50.0));
        assert!(!crossed_above(at, Value::ABSENT, 50.0));
    }
}
