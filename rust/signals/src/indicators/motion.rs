//! What moved between two bars: the input of ATR and ADX.

use utb_types::Bar;

use crate::window::larger;

/// Directional movement and true range from one bar to the next, in price units, >= 0.
///
/// Source: Wilder (1978), chapters 3 and 4.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Motion {
    /// Rise of the high, if it is above 0 and above the fall of the low; else 0.
    pub plus: f64,
    /// Fall of the low, if it is above 0 and above the rise of the high; else 0.
    pub minus: f64,
    /// Largest of high - low, |high - previous close| and |low - previous close|.
    pub true_range: f64,
    /// Close of the later bar: the scale for the test of zero.
    pub close: f64,
}

/// What of a bar the next [`Motion`] needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Extremes {
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
}

impl From<&Bar> for Extremes {
    fn from(bar: &Bar) -> Self {
        Self { high: bar.high, low: bar.low, close: bar.close }
    }
}

impl Motion {
    /// Returns the motion from `previous` to `bar`.
    #[inline]
    pub fn between(previous: Extremes, bar: &Bar) -> Self {
        let rise = bar.high - previous.high;
        let fall = previous.low - bar.low;
        Self {
            // Two plain selections each: a short circuit would be a branch that guesses wrong.
            plus: larger(if rise > fall { rise } else { 0.0 }, 0.0),
            minus: larger(if fall > rise { fall } else { 0.0 }, 0.0),
            true_range: larger(
                bar.high - bar.low,
                larger((bar.high - previous.close).abs(), (bar.low - previous.close).abs()),
            ),
            close: bar.close,
        }
    }
}

#[cfg(test)]
mod tests {
    use utb_types::{Bar, Value};

    use super::{Extremes, Motion};

    #[test]
    fn motion_of_a_gap_up_is_all_plus_and_reaches_to_the_previous_close() {
        let previous = Extremes { high: 10.0, low: 8.0, close: 9.0 };
        let bar = Bar {
            open_ns: 0,
            open: 12.0,
            high: 13.0,
            low: 11.0,
            close: 12.5,
            volume: Value::ABSENT,
        };
        let motion = Motion::between(previous, &bar);
        assert_eq!((motion.plus, motion.minus, motion.true_range), (3.0, 0.0, 4.0));
    }
}
