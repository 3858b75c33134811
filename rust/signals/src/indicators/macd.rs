//! Moving average convergence/divergence.

use serde::{Deserialize, Serialize};

const FAST: u32 = 12;
const SLOW: u32 = 26;
const SIGNAL: u32 = 9;

/// Closes until the first signal.
const FIRST: u32 = SLOW + SIGNAL - 1;

/// MACD, its signal line and their difference, in price units; NaN while absent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MacdLines {
    /// Fast minus slow mean.
    pub macd: f64,
    /// Exponential mean of `macd`, 9 bars.
    pub signal: f64,
    /// `macd` - `signal`.
    pub histogram: f64,
    /// The slow mean, which is the exponential mean over 26 bars; there before the others.
    pub slow: f64,
}

/// MACD(12, 26, 9) as TA-Lib seeds it; absent until there is a signal, on the 34th close.
///
/// Both means start on the 26th close: the slow one with the mean of all 26, the fast one with
/// that of the last 12; the signal starts with the mean of the first nine differences.
///
/// Source: TA-Lib `TA_MACD` with an unstable period of 0.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Macd {
    fast: f64,
    slow: f64,
    signal: f64,
    count: u32,
}

impl Macd {
    /// Takes a close and returns the lines.
    #[inline]
    pub fn update(&mut self, close: f64) -> MacdLines {
        if self.count < FIRST {
            let macd = self.warm_up(close);
            let signal = if macd.is_nan() { f64::NAN } else { self.signal };
            let slow = if self.count < SLOW { f64::NAN } else { self.slow };
            return MacdLines { macd, signal, histogram: macd - signal, slow };
        }
        let macd = self.advance(close);
        self.signal += (macd - self.signal) * weight(SIGNAL);
        let signal = self.signal;
        MacdLines { macd, signal, histogram: macd - signal, slow: self.slow }
    }

    /// Returns what [`Macd::update`] would.
    #[inline]
    pub fn peek(&self, close: f64) -> MacdLines {
        let mut copy = *self;
        copy.update(close)
    }

    #[inline]
    fn advance(&mut self, close: f64) -> f64 {
        self.fast += (close - self.fast) * weight(FAST);
        self.slow += (close - self.slow) * weight(SLOW);
        self.fast - self.slow
    }

    /// Returns the MACD, NaN until there is a signal.
    #[cold]
    fn warm_up(&mut self, close: f64) -> f64 {
        self.count += 1;
        if self.count < SLOW {
            self.slow += close;
            if self.count > SLOW - FAST {
                self.fast += close;
            }
            return f64::NAN;
        }
        let macd = if self.count == SLOW {
            self.slow = (self.slow + close) / f64::from(SLOW);
            self.fast = (self.fast + close) / f64::from(FAST);
            self.fast - self.slow
        } else {
            self.advance(close)
        };
        self.signal += macd;
        if self.count < FIRST {
            return f64::NAN;
        }
        self.signal /= f64::from(SIGNAL);
        macd
    }
}

#[inline]
fn weight(period: u32) -> f64 {
    2.0 / (f64::from(period) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::Macd;

    #[test]
    fn macd_of_a_straight_line_is_half_the_difference_of_the_periods() {
        // A mean over n bars lags a line of slope 1 by (n - 1)/2: 12.5 - 5.5 = 7, from the seed on.
        let mut macd = Macd::default();
        for step in 0..33_u32 {
            assert!(macd.update(f64::from(step)).macd.is_nan());
        }
        let lines = macd.update(33.0);
        assert!((lines.macd - 7.0).abs() < 1e-12);
        assert!((lines.signal - 7.0).abs() < 1e-12);
        assert!(lines.histogram.abs() < 1e-12);
    }
}
