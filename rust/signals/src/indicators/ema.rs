//! Exponential moving average.

use serde::{Deserialize, Serialize};
use utb_types::Value;

/// Exponential mean with weight 2/(`N` + 1), seeded with the simple mean of the first `N` numbers.
///
/// Source: TA-Lib `TA_EMA` with an unstable period of 0.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Ema<const N: u32> {
    /// The sum while warming up, then the mean.
    level: f64,
    count: u32,
}

impl<const N: u32> Ema<N> {
    /// Takes a number and returns the mean; absent until there are `N`.
    #[inline]
    pub fn update(&mut self, number: f64) -> Value {
        Value::new(self.step(number))
    }

    /// Returns what [`Ema::update`] would.
    #[inline]
    pub fn peek(&self, number: f64) -> Value {
        let mut copy = *self;
        copy.update(number)
    }

    /// Does [`Ema::update`]; NaN while absent.
    #[inline]
    pub(super) fn step(&mut self, number: f64) -> f64 {
        if self.count >= N {
            self.level += (number - self.level) * (2.0 / (f64::from(N) + 1.0));
            return self.level;
        }
        self.warm_up(number)
    }

    #[cold]
    fn warm_up(&mut self, number: f64) -> f64 {
        self.count += 1;
        self.level += number;
        if self.count < N {
            return f64::NAN;
        }
        self.level /= f64::from(N);
        self.level
    }
}

#[cfg(test)]
mod tests {
    use super::Ema;

    #[test]
    fn ema_is_seeded_with_the_simple_mean() {
        let mut ema = Ema::<3>::default();
        assert_eq!((ema.update(1.0).get(), ema.update(2.0).get()), (None, None));
        assert_eq!(ema.update(6.0).get(), Some(3.0));
        // 3 + (5 - 3) * 2/4.
        assert_eq!(ema.peek(5.0).get(), Some(4.0));
        assert_eq!(ema.update(5.0).get(), Some(4.0));
    }
}
