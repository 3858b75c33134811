//! Mean reversion: a close far from its 20-bar mean.
//!
//! SELL mirror: `band_or_rsi` close > upper Bollinger or RSI14 > 100 - `mean_reversion_rsi`;
//! `deviation` (close - SMA20)/SMA20 > `min_mean_reversion_deviation`; `volume` the same. Leaves a
//! short when close <= SMA20.

use utb_types::{Params, Side, Value, Vote};

use super::condition::{Opinion, Test};
use super::{Exits, Inputs};

#[inline]
pub(super) fn vote(inputs: &Inputs<'_>, params: &Params) -> Vote {
    let (tf, limits, scales) = (inputs.tf, &params.thresholds, &params.scales);
    let (close, sma20, rsi) = (tf.close.or_nan(), tf.sma20.or_nan(), tf.rsi14.or_nan());
    let band_scale = scales.atr * tf.atr14.or_nan();
    let deviation = (sma20 - close) / sma20;
    let volume = Test::above(
        tf.volume_ratio.or_nan(),
        limits.mean_reversion_volume_ratio,
        limits.mean_reversion_volume_ratio,
    );
    let oversold = limits.mean_reversion_rsi;
    let opinion = Opinion {
        buy: [
            Test::below(close, tf.bollinger_lower.or_nan(), band_scale)
                .or(Test::below(rsi, oversold, scales.rsi)),
            Test::above(deviation, limits.min_mean_reversion_deviation, scales.deviation),
            volume,
        ],
        sell: [
            Test::above(close, tf.bollinger_upper.or_nan(), band_scale).or(Test::above(
                rsi,
                100.0 - oversold,
                scales.rsi,
            )),
            Test::above(-deviation, limits.min_mean_reversion_deviation, scales.deviation),
            volume,
        ],
        exit_long: close >= sma20,
        exit_short: close <= sma20,
    };
    opinion.vote(tf.close, |side| exits(side, inputs, params), |_, strength| strength)
}

/// Entry x 0.97 (SELL: x 1.03) and SMA20.
pub(super) fn exits(side: Side, inputs: &Inputs<'_>, params: &Params) -> Exits {
    let share = params.exits.mean_reversion_stop;
    let factor = if side == Side::Buy { 1.0 - share } else { 1.0 + share };
    Exits { stop: Value::new(inputs.tf.close.or_nan() * factor), target: inputs.tf.sma20 }
}
