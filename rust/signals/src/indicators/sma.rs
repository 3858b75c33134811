//! Simple moving average.

use serde::{Deserialize, Serialize};
use utb_types::Value;

use crate::ring::Ring;
use crate::window::WindowMean;

/// Mean of the last `N` numbers, in their units; absent until there are `N`.
///
/// Within 2.4e-10 of the exact mean whatever came before, a few units of the last place on prices.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sma<const N: usize> {
    before: Ring<N>,
    window: WindowMean,
}

impl<const N: usize> Sma<N> {
    /// Takes a number >= 0 and returns the mean.
    #[inline]
    pub fn update(&mut self, number: f64) -> Value {
        let mean = self.window.advance(&self.before, N, number);
        self.before.push(number);
        Value::new(mean)
    }

    /// Returns what [`Sma::update`] would.
    #[inline]
    pub fn peek(&self, number: f64) -> Value {
        let mut window = self.window;
        Value::new(window.advance(&self.before, N, number))
    }
}

#[cfg(test)]
mod tests {
    use super::Sma;

    #[test]
    fn sma_before_its_period_is_absent() {
        let mut sma = Sma::<3>::default();
        assert_eq!((sma.update(1.0).get(), sma.update(2.0).get()), (None, None));
        assert_eq!(sma.peek(6.0).get(), Some(3.0));
        assert_eq!(sma.update(6.0).get(), Some(3.0));
        assert_eq!(sma.update(1.0).get(), Some(3.0));
    }

    #[test]
    fn sma_of_alternating_1_and_1e9_is_their_exact_mean() {
        let mut sma = Sma::<20>::default();
        let mut last = None;
        for step in 0..10_001 {
            last = sma.update(if step % 2 == 0 { 1.0 } else { 1e9 }).get();
        }
        // Ten of each: (10 + 1e10) / 20.
        assert_eq!(last, Some(500_000_000.5));
    }
}
