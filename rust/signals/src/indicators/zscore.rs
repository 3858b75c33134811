//! Rolling z-score.

use serde::{Deserialize, Serialize};
use utb_types::Value;

use crate::window::WindowSpread;

/// Distance of the newest of the last 20 numbers from their mean, in population standard
/// deviations; absent until there are 20, and if they are all equal.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Zscore {
    window: WindowSpread,
}

impl Zscore {
    /// Takes a number and returns its score.
    #[inline]
    pub fn update(&mut self, number: f64) -> Value {
        score(number, self.window.update(number))
    }

    /// Returns what [`Zscore::update`] would.
    #[inline]
    pub fn peek(&self, number: f64) -> Value {
        score(number, self.window.peek(number))
    }
}

#[inline]
fn score(number: f64, (mean, deviation): (f64, f64)) -> Value {
    if deviation > 0.0 { Value::new((number - mean) / deviation) } else { Value::ABSENT }
}

#[cfg(test)]
mod tests {
    use super::Zscore;

    #[test]
    fn zscore_of_the_outlier_among_twenty_is_the_root_of_nineteen() {
        // Nineteen 1 and one 21: (21 - 2) / sqrt(19).
        let mut zscore = Zscore::default();
        for _ in 0..19 {
            assert_eq!(zscore.update(1.0).get(), None);
        }
        assert!((zscore.peek(21.0).get().unwrap() - 19.0_f64.sqrt()).abs() < 1e-14);
        assert_eq!(zscore.update(1.0).get(), None);
    }
}
