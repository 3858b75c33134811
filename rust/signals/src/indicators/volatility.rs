//! Rolling volatility.

use serde::{Deserialize, Serialize};
use utb_types::Value;

use super::sma::Sma;
use crate::window::WindowSpread;

/// Values whose mean the ratio compares with.
const RATIO_PERIOD: usize = 100;

/// Volatility and its ratio to its own recent mean.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct VolatilityLevel {
    /// Population standard deviation of the last 20 log returns, >= 0, per bar.
    pub volatility: Value,
    /// `volatility` / mean of its last 100 values, this one included; absent if that mean is 0.
    pub ratio: Value,
}

/// Population standard deviation of the last 20 log returns (on the 21st close) and its ratio to
/// the mean of its last 100 values (on the 120th close).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Volatility {
    previous: Value,
    window: WindowSpread,
    mean: Sma<RATIO_PERIOD>,
}

impl Volatility {
    /// Takes a close > 0 and returns the level.
    #[inline]
    pub fn update(&mut self, close: f64) -> VolatilityLevel {
        let log_return = self.log_return(close);
        self.previous = Value::new(close);
        let Some(log_return) = log_return else { return VolatilityLevel::default() };
        let (_, volatility) = self.window.update(log_return);
        if volatility.is_nan() {
            return VolatilityLevel::default();
        }
        level(volatility, self.mean.update(volatility))
    }

    /// Returns what [`Volatility::update`] would.
    #[inline]
    pub fn peek(&self, close: f64) -> VolatilityLevel {
        let Some(log_return) = self.log_return(close) else { return VolatilityLevel::default() };
        let (_, volatility) = self.window.peek(log_return);
        if volatility.is_nan() {
            return VolatilityLevel::default();
        }
        level(volatility, self.mean.peek(volatility))
    }

    #[inline]
    fn log_return(&self, close: f64) -> Option<f64> {
        self.previous.get().map(|previous| libm::log(close / previous))
    }
}

#[inline]
fn level(volatility: f64, mean: Value) -> VolatilityLevel {
    let volatility = Value::new(volatility);
    VolatilityLevel { volatility, ratio: ratio(volatility, mean) }
}

/// Returns number / mean, absent if either is or the mean is 0.
#[inline]
pub(super) fn ratio(number: Value, mean: Value) -> Value {
    match (number.get(), mean.get()) {
        (Some(number), Some(mean)) if mean > 0.0 => Value::new(number / mean),
        _ => Value::ABSENT,
    }
}

#[cfg(test)]
mod tests {
    use super::Volatility;

    #[test]
    fn volatility_of_doubling_and_halving_is_the_log_of_two() {
        let mut volatility = Volatility::default();
        for step in 0..20 {
            let close = if step % 2 == 0 { 1.0 } else { 2.0 };
            assert_eq!(volatility.update(close).volatility.get(), None);
        }
        // Ten returns of +ln 2 and ten of -ln 2: mean 0, deviation ln 2.
        let level = volatility.update(1.0).volatility.get().unwrap();
        assert!((level - std::f64::consts::LN_2).abs() < 1e-15);
    }

    #[test]
    fn volatility_ratio_of_a_constant_is_absent_and_of_a_steady_swing_is_one() {
        let (mut flat, mut swing) = (Volatility::default(), Volatility::default());
        let mut last = swing.peek(1.0);
        for step in 0..120 {
            assert_eq!(last.ratio.get(), None);
            assert_eq!(flat.update(3.0).ratio.get(), None);
            last = swing.update(if step % 2 == 0 { 1.0 } else { 2.0 });
        }
        assert!((last.ratio.get().unwrap() - 1.0).abs() < 1e-14);
    }
}
