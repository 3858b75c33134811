//! Mean volume.

use serde::{Deserialize, Serialize};
use utb_types::Value;

use super::volatility::ratio;
use crate::ring::Ring;
use crate::window::WindowMean;

const PERIOD: usize = 20;

/// Volume against its recent mean.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct VolumeLevel {
    /// Mean volume of the 20 bars before, base units; absent if one of them has none.
    pub mean: Value,
    /// Volume of this bar / `mean`; absent if either is, or the mean is 0.
    pub ratio: Value,
}

/// Mean volume of the 20 bars before a bar, and the bar's ratio to it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct VolumeMean {
    /// NaN where a bar had no volume: it spoils every mean it is in, and none after it.
    before: Ring<PERIOD>,
    window: WindowMean,
}

impl VolumeMean {
    /// Takes the volume of a bar, >= 0 or absent.
    #[inline]
    pub fn update(&mut self, volume: Value) -> VolumeLevel {
        let level = self.peek(volume);
        self.window.advance(&self.before, PERIOD, volume.or_nan());
        self.before.push(volume.or_nan());
        level
    }

    /// Returns what [`VolumeMean::update`] would.
    #[inline]
    pub fn peek(&self, volume: Value) -> VolumeLevel {
        let mean = Value::new(self.window.mean(PERIOD));
        VolumeLevel { mean, ratio: ratio(volume, mean) }
    }
}

#[cfg(test)]
mod tests {
    use utb_types::Value;

    use super::VolumeMean;

    #[test]
    fn volume_mean_is_of_the_bars_before_and_absent_while_one_is_unknown() {
        let mut mean = VolumeMean::default();
        for _ in 0..19 {
            assert_eq!(mean.update(Value::new(2.0)).mean.get(), None);
        }
        assert_eq!(mean.update(Value::new(22.0)).mean.get(), None);
        // (19 * 2 + 22) / 20 = 3.
        let level = mean.update(Value::ABSENT);
        assert_eq!((level.mean.get(), level.ratio.get()), (Some(3.0), None));
        for _ in 0..20 {
            assert_eq!(mean.update(Value::new(1.0)).mean.get(), None);
        }
        assert_eq!(mean.peek(Value::new(4.0)).ratio.get(), Some(4.0));
    }

    #[test]
    fn volume_ratio_to_a_mean_of_zero_is_absent() {
        let mut mean = VolumeMean::default();
        for _ in 0..20 {
            mean.update(Value::new(0.0));
        }
        let level = mean.peek(Value::new(1.0));
        assert_eq!((level.mean.get(), level.ratio.get()), (Some(0.0), None));
    }
}
