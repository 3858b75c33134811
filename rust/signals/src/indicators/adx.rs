//! Average directional movement index.

use serde::{Deserialize, Serialize};

use super::Motion;
use super::wilder::{PERIOD, SHARE, accumulated, is_zero, is_zero_percent, smoothed};

/// Motions until the directional indicators are there.
const FIRST_DIRECTION: u32 = PERIOD;

/// Motions until the ADX is there.
const FIRST: u32 = 2 * PERIOD - 1;

/// ADX and the directional indicators, 0..100; NaN while absent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Directional {
    /// ADX.
    pub adx: f64,
    /// +DI.
    pub plus: f64,
    /// -DI.
    pub minus: f64,
}

impl Directional {
    pub(super) const ABSENT: Self = Self { adx: f64::NAN, plus: f64::NAN, minus: f64::NAN };
}

/// Wilder's ADX, +DI and -DI over 14 bars.
///
/// The running sums start with 13 motions; the 14th is already smoothed in and gives the first
/// directional indicators (bar 15). The ADX starts as the mean of the first 14 indices (bar 28).
/// A window without any range has indicators of 0 and leaves the ADX as it was.
///
/// Source: TA-Lib `TA_ADX`, `TA_PLUS_DI`, `TA_MINUS_DI` with an unstable period of 0.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Adx {
    plus: f64,
    minus: f64,
    range: f64,
    /// The sum of the indices while warming up, then the ADX.
    level: f64,
    count: u32,
}

impl Adx {
    /// Takes the motion from the bar before and returns the indices.
    #[inline]
    pub fn update(&mut self, motion: &Motion) -> Directional {
        if self.count < FIRST {
            let (plus, minus) = self.warm_up(motion);
            let adx = if self.count < FIRST { f64::NAN } else { self.level };
            return Directional { adx, plus, minus };
        }
        let (plus, minus) = self.directions(motion);
        if let Some(index) = index(plus, minus) {
            self.level = smoothed(self.level, index);
        }
        Directional { adx: self.level, plus, minus }
    }

    /// Returns what [`Adx::update`] would.
    #[inline]
    pub fn peek(&self, motion: &Motion) -> Directional {
        let mut copy = *self;
        copy.update(motion)
    }

    #[inline]
    fn directions(&mut self, motion: &Motion) -> (f64, f64) {
        self.plus = accumulated(self.plus, motion.plus);
        self.minus = accumulated(self.minus, motion.minus);
        self.range = accumulated(self.range, motion.true_range);
        if is_zero(self.range, motion.close) {
            return (0.0, 0.0);
        }
        let percent = 100.0 / self.range;
        (self.plus * percent, self.minus * percent)
    }

    /// Returns the directional indicators, NaN until they are there.
    #[cold]
    fn warm_up(&mut self, motion: &Motion) -> (f64, f64) {
        self.count += 1;
        if self.count < FIRST_DIRECTION {
            self.plus += motion.plus;
            self.minus += motion.minus;
            self.range += motion.true_range;
            return (f64::NAN, f64::NAN);
        }
        let (plus, minus) = self.directions(motion);
        self.level += index(plus, minus).unwrap_or(0.0);
        if self.count == FIRST {
            self.level *= SHARE;
        }
        (plus, minus)
    }
}

/// Returns the directional index, `None` if there is no direction at all.
#[inline]
fn index(plus: f64, minus: f64) -> Option<f64> {
    let total = plus + minus;
    if is_zero_percent(total) { None } else { Some(100.0 * ((minus - plus).abs() / total)) }
}

#[cfg(test)]
mod tests {
    use super::Adx;
    use crate::indicators::Motion;

    #[test]
    fn adx_of_an_unbroken_rise_is_100() {
        let mut adx = Adx::default();
        let motion = Motion { plus: 1.0, minus: 0.0, true_range: 2.0, close: 100.0 };
        for count in 1..27 {
            let directional = adx.update(&motion);
            assert!(directional.adx.is_nan());
            assert_eq!(directional.plus.is_nan(), count < 14);
        }
        let directional = adx.update(&motion);
        assert_eq!((directional.adx, directional.minus), (100.0, 0.0));
        assert!((directional.plus - 50.0).abs() < 1e-12);
    }
}
