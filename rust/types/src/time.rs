//! Time: `ts_ns` is an `i64` of nanoseconds since the Unix epoch, UTC, everywhere.

use serde::{Deserialize, Serialize};

/// Number of timeframes.
pub const TIMEFRAME_COUNT: usize = 6;

/// Nanoseconds in a minute.
const MINUTE_NS: i64 = 60_000_000_000;

/// Length of a bar. Bars are aligned to UTC, labelled by their open time, closed on the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Timeframe {
    /// One minute.
    #[serde(rename = "1m")]
    M1 = 0,
    /// Five minutes.
    #[serde(rename = "5m")]
    M5 = 1,
    /// Fifteen minutes.
    #[serde(rename = "15m")]
    M15 = 2,
    /// One hour.
    #[serde(rename = "1h")]
    H1 = 3,
    /// Four hours.
    #[serde(rename = "4h")]
    H4 = 4,
    /// One day.
    #[serde(rename = "1d")]
    D1 = 5,
}

impl Timeframe {
    /// All timeframes, finest first; the position is the discriminant.
    pub const ALL: [Self; TIMEFRAME_COUNT] =
        [Self::M1, Self::M5, Self::M15, Self::H1, Self::H4, Self::D1];

    /// Returns the length in nanoseconds.
    #[inline]
    pub const fn span_ns(self) -> i64 {
        let minutes = match self {
            Self::M1 => 1,
            Self::M5 => 5,
            Self::M15 => 15,
            Self::H1 => 60,
            Self::H4 => 240,
            Self::D1 => 1440,
        };
        minutes * MINUTE_NS
    }

    /// Returns the open time of the bar that holds `ts_ns`.
    #[inline]
    pub const fn open_ns(self, ts_ns: i64) -> i64 {
        ts_ns - ts_ns.rem_euclid(self.span_ns())
    }

    /// Returns the position in [`Timeframe::ALL`].
    #[inline]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Returns the timeframe of a span, or `None` if no timeframe has that length.
    pub fn from_span_ns(span_ns: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|timeframe| timeframe.span_ns() == span_ns)
    }

    /// Returns the name used in configuration: `1m`, `5m`, `15m`, `1h`, `4h`, `1d`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::M1 => "1m",
            Self::M5 => "5m",
            Self::M15 => "15m",
            Self::H1 => "1h",
            Self::H4 => "4h",
            Self::D1 => "1d",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Timeframe;

    #[test]
    fn open_of_a_time_inside_a_bar_is_its_left_edge() {
        let noon = 1_704_110_400_000_000_000; // 2024-01-01T12:00:00Z
        assert_eq!(Timeframe::M5.open_ns(noon + 299_999_999_999), noon);
        assert_eq!(Timeframe::M5.open_ns(noon + 300_000_000_000), noon + 300_000_000_000);
        assert_eq!(Timeframe::D1.open_ns(noon), noon - 12 * 3_600_000_000_000);
    }
}
