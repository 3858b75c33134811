//! Average true range.

use serde::{Deserialize, Serialize};
use utb_types::Value;

use super::Motion;
use super::wilder::{PERIOD, smoothed};

/// Wilder's average true range over 14 bars, price units; absent until there are 14 motions, which
/// is on the 15th bar.
///
/// Source: TA-Lib `TA_ATR` with an unstable period of 0: the seed is the mean of the first 14.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Atr {
    /// The sum while warming up, then the mean.
    level: f64,
    count: u32,
}

impl Atr {
    /// Takes the motion from the bar before and returns the average.
    #[inline]
    pub fn update(&mut self, motion: &Motion) -> Value {
        Value::new(self.step(motion))
    }

    /// Returns what [`Atr::update`] would.
    #[inline]
    pub fn peek(&self, motion: &Motion) -> Value {
        let mut copy = *self;
        copy.update(motion)
    }

    /// Does [`Atr::update`]; NaN while absent.
    #[inline]
    pub(super) fn step(&mut self, motion: &Motion) -> f64 {
        if self.count >= PERIOD {
            self.level = smoothed(self.level, motion.true_range);
            return self.level;
        }
        self.warm_up(motion)
    }

    #[cold]
    fn warm_up(&mut self, motion: &Motion) -> f64 {
        self.count += 1;
        self.level += motion.true_range;
        if self.count < PERIOD {
            return f64::NAN;
        }
        self.level /= f64::from(PERIOD);
        self.level
    }
}

#[cfg(test)]
mod tests {
    use super::Atr;
    use crate::indicators::Motion;

    #[test]
    fn atr_is_seeded_with_the_mean_of_fourteen_and_then_takes_a_fourteenth() {
        let mut atr = Atr::default();
        let motion = |true_range| Motion { plus: 0.0, minus: 0.0, true_range, close: 1.0 };
        for _ in 0..13 {
            assert_eq!(atr.update(&motion(1.0)).get(), None);
        }
        assert_eq!(atr.update(&motion(15.0)).get(), Some(2.0));
        // (2 * 13 + 30) / 14.
        assert!((atr.update(&motion(30.0)).get().unwrap() - 4.0).abs() < 1e-14);
    }
}
