//! What RSI, ATR and ADX share: Wilder's smoothing over 14 bars and TA-Lib's test for zero.

/// Wilder's period.
pub(super) const PERIOD: u32 = 14;

/// 1 / period.
pub(super) const SHARE: f64 = 1.0 / 14.0;

/// TA-Lib's `TA_EPSILON`.
const EPSILON: f64 = 1e-14;

/// Returns Wilder's mean after one more number.
#[inline]
pub(super) fn smoothed(mean: f64, number: f64) -> f64 {
    (mean * f64::from(PERIOD - 1) + number) * SHARE
}

/// Returns Wilder's running sum after one more number: loses 1/14 and gains the number.
#[inline]
pub(super) fn accumulated(sum: f64, number: f64) -> f64 {
    sum - sum * SHARE + number
}

/// Returns whether a price difference >= 0 counts as zero at a price.
///
/// TA-Lib's `TA_IS_ZERO` is below 1e-14, whatever the unit. For prices below 1 the bound shrinks
/// with the price: else a token priced at 1e-12 would have an RSI of 0 whatever it does.
#[inline]
pub(super) fn is_zero(difference: f64, price: f64) -> bool {
    difference < EPSILON * if price < 1.0 { price } else { 1.0 }
}

/// Returns whether a percentage >= 0 counts as zero (`TA_IS_ZERO`).
#[inline]
pub(super) fn is_zero_percent(percent: f64) -> bool {
    percent < EPSILON
}
