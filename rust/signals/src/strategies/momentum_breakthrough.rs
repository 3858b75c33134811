//! Momentum breakthrough: strong RSI on three timeframes, volume, and a close beyond the channel.
//!
//! SELL mirror: `rsi_momentum` mean(RSI)/100 < 1 - `min_momentum_strength`; `volume` the same;
//! `breakout` close < lowest low of the 20 bars before; `roc` ROC10 < 0. Leaves a short when RSI14
//! crosses above 50 or the MACD histogram turns positive.
//!
//! Confidence: the mean of the strength and of the share of the three timeframes whose own RSI is
//! beyond the threshold.

use utb_types::{Params, Side, Value, Vote};

use super::condition::{Opinion, Test};
use super::memory::{crossed_above, crossed_below};
use super::{Exits, Inputs};

/// The middle of the RSI: momentum on neither side.
const RSI_MIDDLE: f64 = 50.0;

#[inline]
pub(super) fn vote(inputs: &Inputs<'_>, params: &Params) -> Vote {
    let (tf, limits, scales) = (inputs.tf, &params.thresholds, &params.scales);
    let close = tf.close.or_nan();
    let breakout_scale = scales.atr * tf.atr14.or_nan();
    let rsis = [inputs.rsi_5m, inputs.rsi_15m, inputs.rsi_1h].map(Value::or_nan);
    let momentum = rsis.iter().sum::<f64>() / 3.0 / 100.0;
    let limit = limits.min_momentum_strength;
    let volume = Test::above(
        tf.volume_ratio.or_nan(),
        limits.momentum_volume_ratio,
        limits.momentum_volume_ratio,
    );
    let previous = inputs.memory.previous();
    let opinion = Opinion {
        buy: [
            Test::above(momentum, limit, scales.rsi_momentum),
            volume,
            Test::above(close, tf.donchian_high.or_nan(), breakout_scale),
            Test::above(tf.roc10.or_nan(), 0.0, scales.roc),
        ],
        sell: [
            Test::above(1.0 - momentum, limit, scales.rsi_momentum),
            volume,
            Test::below(close, tf.donchian_low.or_nan(), breakout_scale),
            Test::below(tf.roc10.or_nan(), 0.0, scales.roc),
        ],
        exit_long: crossed_below(previous.rsi14, tf.rsi14, RSI_MIDDLE)
            || crossed_below(previous.macd_histogram, tf.macd_histogram, 0.0),
        exit_short: crossed_above(previous.rsi14, tf.rsi14, RSI_MIDDLE)
            || crossed_above(previous.macd_histogram, tf.macd_histogram, 0.0),
    };
    opinion.vote(
        tf.close,
        |side| exits(side, inputs, params),
        |side, strength| {
            let own = |rsi: f64| if side == Side::Buy { rsi / 100.0 } else { 1.0 - rsi / 100.0 };
            let beyond = rsis.map(|rsi| if own(rsi) > limit { 1.0 } else { 0.0 });
            f64::midpoint(strength, beyond.iter().sum::<f64>() / 3.0)
        },
    )
}

/// Entry -/+ 1.2 ATR and +/- 2.5 ATR.
pub(super) fn exits(side: Side, inputs: &Inputs<'_>, params: &Params) -> Exits {
    let (atr, rules) = (inputs.tf.atr14.or_nan(), &params.exits);
    let (against, with) = (rules.momentum_stop_atr * atr, rules.momentum_target_atr * atr);
    Exits::around(side, inputs.tf.close, against, with)
}
