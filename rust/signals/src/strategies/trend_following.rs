//! Trend following: stacked means, a strong ADX and a young MACD cross.
//!
//! SELL mirror: `sma_stack` SMA20 < SMA50 < SMA200; `adx` the same; `macd_cross` MACD - signal went
//! from >= 0 to < 0; `above_sma20` close < SMA20. Leaves a short when SMA20 > SMA50, or MACD crosses
//! above its signal while ADX falls.
//!
//! The excess of `sma_stack` is that of the smaller of its two gaps; the one of `macd_cross` is MACD
//! minus signal now, in ATR.

use utb_types::{Params, Side, Value, Vote};

use super::condition::{Opinion, Test};
use super::memory::{crossed_above, crossed_below};
use super::{Exits, Inputs, MACD_BARS};

#[inline]
pub(super) fn vote(inputs: &Inputs<'_>, params: &Params) -> Vote {
    let (tf, limits, scales) = (inputs.tf, &params.thresholds, &params.scales);
    let (close, sma20) = (tf.close.or_nan(), tf.sma20.or_nan());
    let gaps = [sma20 - tf.sma50.or_nan(), tf.sma50.or_nan() - tf.sma200.or_nan()];
    let stack_scale = scales.sma_stack * close;
    let atr = tf.atr14.or_nan();
    let adx = Test::above(tf.adx14.or_nan(), limits.trend_adx, scales.adx);
    let previous = inputs.memory.previous();
    let adx_falls = tf.adx14.or_nan() < previous.adx14.or_nan();
    let (macd_before, macd) = (previous.macd_histogram, tf.macd_histogram);
    let opinion = Opinion {
        buy: [
            stack(gaps, stack_scale),
            adx,
            macd_cross(inputs, params, 1.0),
            Test::above(close, sma20, scales.atr * atr),
        ],
        sell: [
            stack(gaps.map(|gap| -gap), stack_scale),
            adx,
            macd_cross(inputs, params, -1.0),
            Test::below(close, sma20, scales.atr * atr),
        ],
        exit_long: gaps.first().is_some_and(|gap| *gap < 0.0)
            || (crossed_below(macd_before, macd, 0.0) && adx_falls),
        exit_short: gaps.first().is_some_and(|gap| *gap > 0.0)
            || (crossed_above(macd_before, macd, 0.0) && adx_falls),
    };
    opinion.vote(tf.close, |side| exits(side, inputs, params), |_, strength| strength)
}

/// SMA50 -/+ 0.5 ATR and entry +/- 3 ATR.
pub(super) fn exits(side: Side, inputs: &Inputs<'_>, params: &Params) -> Exits {
    let (tf, rules) = (inputs.tf, &params.exits);
    let atr = tf.atr14.or_nan();
    let around = Exits::around(side, tf.close, 0.0, rules.trend_target_atr * atr);
    let sign = if side == Side::Buy { -1.0 } else { 1.0 };
    Exits { stop: Value::new(tf.sma50.or_nan() + sign * rules.trend_stop_atr * atr), ..around }
}

/// Both gaps > 0; missing if either is, which `min` would hide.
#[inline]
fn stack([first, second]: [f64; 2], scale: f64) -> Test {
    let known = first.is_finite() && second.is_finite();
    if known { Test::above(first.min(second), 0.0, scale) } else { Test::missing() }
}

/// Whether `sign` x (MACD - signal) went from <= 0 to > 0 on this bar or one of the
/// `trend_confirmation_periods - 1` before; missing if any value of that span is.
#[inline]
fn macd_cross(inputs: &Inputs<'_>, params: &Params, sign: f64) -> Test {
    let periods =
        usize::try_from(params.thresholds.trend_confirmation_periods).unwrap_or(MACD_BARS);
    let now = sign * inputs.tf.macd_histogram.or_nan();
    let mut later = now;
    let mut crossed = false;
    let mut known = !now.is_nan();
    for earlier in inputs.memory.histograms().iter().take(periods) {
        let earlier = sign * earlier.or_nan();
        known &= !earlier.is_nan();
        crossed |= earlier <= 0.0 && later > 0.0;
        later = earlier;
    }
    if !known {
        return Test::missing();
    }
    Test::known(crossed, now, params.scales.macd * inputs.tf.atr14.or_nan())
}
