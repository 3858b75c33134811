//! Volatility breakout: volatility and volume surge while the close leaves the Bollinger bands.
//!
//! SELL mirror: `volatility_ratio` and `volume` the same; `band_break` close < lower Bollinger.
//! Leaves on either side when the volatility ratio is below `volatility_exit_ratio`.

use utb_types::{Params, Side, Vote};

use super::condition::{Opinion, Test};
use super::{Exits, Inputs};

#[inline]
pub(super) fn vote(inputs: &Inputs<'_>, params: &Params) -> Vote {
    let (tf, limits, scales) = (inputs.tf, &params.thresholds, &params.scales);
    let close = tf.close.or_nan();
    let band_scale = scales.atr * tf.atr14.or_nan();
    let ratio = tf.volatility_ratio.or_nan();
    let volatility = Test::above(ratio, limits.volatility_ratio, scales.volatility_ratio);
    let volume = Test::above(
        tf.volume_ratio.or_nan(),
        limits.volatility_breakout_multiplier,
        limits.volatility_breakout_multiplier,
    );
    let calm = ratio < limits.volatility_exit_ratio;
    let opinion = Opinion {
        buy: [volatility, volume, Test::above(close, tf.bollinger_upper.or_nan(), band_scale)],
        sell: [volatility, volume, Test::below(close, tf.bollinger_lower.or_nan(), band_scale)],
        exit_long: calm,
        exit_short: calm,
    };
    opinion.vote(tf.close, |side| exits(side, inputs, params), |_, strength| strength)
}

/// Entry -/+ 1 ATR and +/- 2 ATR.
pub(super) fn exits(side: Side, inputs: &Inputs<'_>, params: &Params) -> Exits {
    let (atr, rules) = (inputs.tf.atr14.or_nan(), &params.exits);
    let (against, with) = (rules.volatility_stop_atr * atr, rules.volatility_target_atr * atr);
    Exits::around(side, inputs.tf.close, against, with)
}
