//! Rate of change.

use serde::{Deserialize, Serialize};
use utb_types::Value;

use crate::ring::Ring;

/// Change over 10 bars, percent; absent for the first 10 closes.
///
/// Source: TA-Lib `TA_ROC`: 100 * (close / close 10 bars ago - 1).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Roc {
    before: Ring<10>,
}

impl Roc {
    /// Takes a close > 0 and returns the change.
    #[inline]
    pub fn update(&mut self, close: f64) -> Value {
        let change = self.peek(close);
        self.before.push(close);
        change
    }

    /// Returns what [`Roc::update`] would.
    #[inline]
    pub fn peek(&self, close: f64) -> Value {
        change(&self.before, close)
    }
}

/// Returns the change from the close 10 bars ago, of which `before` holds at least ten.
#[inline]
pub(super) fn change<const N: usize>(before: &Ring<N>, close: f64) -> Value {
    before.back(10).map_or(Value::ABSENT, |then| Value::new((close / then - 1.0) * 100.0))
}

#[cfg(test)]
mod tests {
    use super::Roc;

    #[test]
    fn roc_compares_with_the_close_ten_bars_ago() {
        let mut roc = Roc::default();
        for step in 0..10_u32 {
            assert_eq!(roc.update(2.0 + f64::from(step)).get(), None);
        }
        assert_eq!(roc.update(3.0).get(), Some(50.0));
        assert_eq!(roc.peek(1.5).get(), Some(-50.0));
    }
}
