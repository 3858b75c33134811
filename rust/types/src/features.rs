//! Indicator values as the strategies read them: produced by `signals::indicators`.

use serde::{Deserialize, Serialize};

use crate::Value;

/// Indicators of one timeframe at its last closed bar (or with the forming bar peeked in).
///
/// TA-Lib's conventions; every value is absent before its warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TfFeatures {
    /// Open time of that bar, nanoseconds; 0 before the first bar.
    pub open_ns: i64,
    /// Bars seen since the last warm-up restart, this one included.
    pub bars: u64,
    /// Close of that bar.
    pub close: Value,
    /// High of that bar.
    pub high: Value,
    /// Low of that bar.
    pub low: Value,
    /// Volume of that bar, base units.
    pub volume: Value,
    /// Simple means of the close over 20, 50 and 200 bars.
    pub sma20: Value,
    /// See `sma20`.
    pub sma50: Value,
    /// See `sma20`.
    pub sma200: Value,
    /// Exponential mean of the close, 12 bars, seeded with their simple mean.
    pub ema12: Value,
    /// Exponential mean of the close, 26 bars.
    pub ema26: Value,
    /// Wilder's RSI, 14 bars, 0..100.
    pub rsi14: Value,
    /// MACD 12/26, seeded as TA-Lib's MACD(12, 26, 9): absent until the signal is there.
    pub macd: Value,
    /// Signal line, 9 bars.
    pub macd_signal: Value,
    /// MACD minus signal.
    pub macd_histogram: Value,
    /// Bollinger bands of 20 bars, 2 population standard deviations.
    pub bollinger_upper: Value,
    /// See `bollinger_upper`; equals `sma20`.
    pub bollinger_lower: Value,
    /// Wilder's ADX, 14 bars, 0..100.
    pub adx14: Value,
    /// +DI, 14 bars.
    pub plus_di14: Value,
    /// -DI, 14 bars.
    pub minus_di14: Value,
    /// Wilder's average true range, 14 bars, quote units.
    pub atr14: Value,
    /// Population standard deviation of the last 20 log returns.
    pub volatility: Value,
    /// `volatility` / mean of its last 100 values (this one included).
    pub volatility_ratio: Value,
    /// Mean volume of the 20 bars before this one.
    pub volume_mean20: Value,
    /// Volume of this bar / `volume_mean20`; absent if that mean is 0 or absent.
    pub volume_ratio: Value,
    /// Rate of change over 10 bars, percent (TA-Lib ROC).
    pub roc10: Value,
    /// Highest high of the 20 bars before this one.
    pub donchian_high: Value,
    /// Lowest low of the 20 bars before this one.
    pub donchian_low: Value,
}

/// Nearest swing levels around the last close of the strategy timeframe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Levels {
    /// Highest level at or below the close.
    pub support: Value,
    /// Touches of `support`.
    pub support_rank: u32,
    /// Lowest level above the close.
    pub resistance: Value,
    /// Touches of `resistance`.
    pub resistance_rank: u32,
}

/// The strongest pattern of one direction within the last 3 closed bars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PatternSignal {
    /// Index into `signals::patterns::NAMES`; meaningless when `strength` is absent.
    pub pattern: u8,
    /// Strength 0..1; absent when there is no such pattern.
    pub strength: Value,
    /// Bars since it completed (0 = on this bar).
    pub age_bars: u32,
    /// Highest price of the pattern.
    pub high: Value,
    /// Lowest price of the pattern.
    pub low: Value,
    /// The pattern's own price target, if it defines one.
    pub target: Value,
    /// Whether a close after completion went beyond its high (bullish) or low (bearish).
    pub confirmed: bool,
}

/// Statistics of the instrument's own log price over the last `stat_window_bars` closed bars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StatFeatures {
    /// (log close - mean) / population standard deviation; absent if that is 0.
    pub z: Value,
    /// Mean of the log close.
    pub mean_log: Value,
    /// Population standard deviation of the log close.
    pub std_log: Value,
    /// Probability, under the AR(1) fitted to the log close, that `reversion_horizon_bars` from
    /// now it is less than half as far from its mean as now; 0 if the coefficient is >= 1.
    pub reversion_probability: Value,
}
