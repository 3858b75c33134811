//! Relative strength index.

use serde::{Deserialize, Serialize};
use utb_types::Value;

use super::wilder::{PERIOD, SHARE, is_zero, smoothed};
use crate::window::larger;

/// Wilder's RSI over 14 bars, 0..100; absent for the first 14 closes; 0 when nothing moved.
///
/// Source: TA-Lib `TA_RSI`; Wilder (1978), New Concepts in Technical Trading Systems, ch. 6.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Rsi {
    previous: f64,
    /// Mean gain; while warming up, its sum.
    gain: f64,
    /// Mean loss; while warming up, its sum.
    loss: f64,
    count: u32,
}

impl Rsi {
    /// Takes a close and returns the index.
    #[inline]
    pub fn update(&mut self, close: f64) -> Value {
        Value::new(self.step(close))
    }

    /// Returns what [`Rsi::update`] would.
    #[inline]
    pub fn peek(&self, close: f64) -> Value {
        let mut copy = *self;
        copy.update(close)
    }

    /// Does [`Rsi::update`]; NaN while absent.
    #[inline]
    pub(super) fn step(&mut self, close: f64) -> f64 {
        let change = close - self.previous;
        self.previous = close;
        if self.count <= PERIOD {
            return self.warm_up(change);
        }
        self.gain = smoothed(self.gain, larger(change, 0.0));
        self.loss = smoothed(self.loss, larger(-change, 0.0));
        self.index()
    }

    #[cold]
    fn warm_up(&mut self, change: f64) -> f64 {
        self.count += 1;
        if self.count == 1 {
            return f64::NAN;
        }
        self.gain += larger(change, 0.0);
        self.loss += larger(-change, 0.0);
        if self.count <= PERIOD {
            return f64::NAN;
        }
        self.gain *= SHARE;
        self.loss *= SHARE;
        self.index()
    }

    #[inline]
    fn index(&self) -> f64 {
        let moved = self.gain + self.loss;
        if is_zero(moved, self.previous) {
            return 0.0;
        }
        100.0 * (self.gain / moved)
    }
}

#[cfg(test)]
mod tests {
    use super::Rsi;

    #[test]
    fn rsi_of_a_constant_is_zero() {
        let mut rsi = Rsi::default();
        let indices: Vec<_> = (0..16).map(|_| rsi.update(5.0).get()).collect();
        assert_eq!(indices[13], None);
        assert_eq!(&indices[14..], &[Some(0.0), Some(0.0)]);
    }

    #[test]
    fn rsi_of_a_tiny_price_is_the_same_as_scaled_up() {
        let (mut tiny, mut unit) = (Rsi::default(), Rsi::default());
        for step in 0..40_u32 {
            let close = 1.0 + f64::from(step * 7 % 5) * 0.01;
            let (small, large) = (tiny.update(close * 1e-12).get(), unit.update(close).get());
            assert_eq!(small.is_some(), large.is_some());
            if let (Some(small), Some(large)) = (small, large) {
                assert!((small - large).abs() < 1e-9, "{small} {large}");
            }
        }
    }
}
