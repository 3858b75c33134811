//! Bollinger bands.

use serde::{Deserialize, Serialize};

use crate::window::WindowSpread;

/// Width of a band in standard deviations (Bollinger's own).
const DEVIATIONS: f64 = 2.0;

/// The bands, in price units; NaN while absent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bands {
    /// Middle plus two population standard deviations.
    pub upper: f64,
    /// Simple mean of the last 20 closes.
    pub middle: f64,
    /// Middle minus two population standard deviations.
    pub lower: f64,
}

/// Bollinger bands of 20 closes; absent until there are 20.
///
/// Source: TA-Lib `TA_BBANDS`, but with the squares taken around a close of the window instead of
/// around 0: a constant has bands of width exactly 0, and nothing drifts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Bollinger {
    window: WindowSpread,
}

impl Bollinger {
    /// Takes a close and returns the bands.
    #[inline]
    pub fn update(&mut self, close: f64) -> Bands {
        bands(self.window.update(close))
    }

    /// Returns what [`Bollinger::update`] would.
    #[inline]
    pub fn peek(&self, close: f64) -> Bands {
        bands(self.window.peek(close))
    }
}

#[inline]
fn bands((middle, deviation): (f64, f64)) -> Bands {
    let width = DEVIATIONS * deviation;
    Bands { upper: middle + width, middle, lower: middle - width }
}

#[cfg(test)]
mod tests {
    use super::Bollinger;

    #[test]
    fn bands_of_a_constant_have_no_width() {
        let mut bollinger = Bollinger::default();
        for _ in 0..19 {
            assert!(bollinger.update(0.1).upper.is_nan());
        }
        let bands = bollinger.update(0.1);
        assert_eq!((bands.upper, bands.lower), (0.1, 0.1));
    }

    #[test]
    fn bands_of_one_outlier_in_twenty() {
        // Nineteen 1 and one 21: mean 2, variance (19 * 1 + 361) / 20 = 19.
        let mut bollinger = Bollinger::default();
        for _ in 0..19 {
            bollinger.update(1.0);
        }
        let upper = bollinger.peek(21.0).upper;
        assert!((upper - (2.0 + 2.0 * 19.0_f64.sqrt())).abs() < 1e-14);
    }
}
