//! What a strategy remembers of the closed bars before the one it looks at.

use serde::{Deserialize, Serialize};
use utb_types::{PatternSignal, TfFeatures, Value};

/// Bars of MACD minus signal kept; `trend_confirmation_periods` reaches no further back.
pub const MACD_BARS: usize = 16;

/// Closed bars of the strategy timeframe before the current one, per instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    previous: TfFeatures,
    /// MACD minus signal, newest first.
    histograms: [Value; MACD_BARS],
    /// Price target of the newest bullish pattern; absent if that one defines none.
    bullish_target: Value,
    /// Price target of the newest bearish pattern.
    bearish_target: Value,
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

    /// Remembers the targets of patterns that this bar completed, after it has been evaluated.
    pub fn push_patterns(&mut self, bullish: &PatternSignal, bearish: &PatternSignal) {
        for (target, signal) in
            [(&mut self.bullish_target, bullish), (&mut self.bearish_target, bearish)]
        {
            if signal.strength.is_present() && signal.age_bars == 0 {
                *target = signal.target;
            }
        }
    }

    /// Returns the targets of the newest bullish and bearish pattern before the current bar.
    #[inline]
    pub fn pattern_targets(&self) -> (Value, Value) {
        (self.bullish_target, self.bearish_target)
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
