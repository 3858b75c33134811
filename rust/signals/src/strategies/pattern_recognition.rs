//! Pattern recognition: a confirmed pattern next to a level.
//!
//! SELL mirror: `pattern` a bearish one; `near_support` close within `pattern_support_atr` ATR below
//! resistance; `confirmed` a later close below the pattern's low; stop resistance x 1.02, target the
//! nearest support. Leaves a short on a bullish pattern of that strength, or at a bearish one's own
//! target.
//!
//! No pattern within 3 bars is known, not missing: `pattern` and `confirmed` fail. `near_support`
//! includes its bound ("within"). Without a resistance the strategy holds. It leaves early when a
//! close reaches the own target of the newest bullish pattern before it. The excess of `confirmed`
//! is the close beyond the pattern, in ATR.

use utb_types::{Params, PatternSignal, Side, Value, Vote};

use super::condition::{Opinion, Test};
use super::{Exits, Inputs};

#[inline]
pub(super) fn vote(inputs: &Inputs<'_>, params: &Params) -> Vote {
    let (close, limit) = (inputs.tf.close.or_nan(), params.thresholds.pattern_strength);
    let (bullish, bearish) = (inputs.bullish, inputs.bearish);
    let before = inputs.memory.previous().close.or_nan();
    let (long_target, short_target) = inputs.memory.pattern_targets();
    let (long_target, short_target) = (long_target.or_nan(), short_target.or_nan());
    let opinion = Opinion {
        buy: [
            strong(bullish, params),
            near(close - inputs.levels.support.or_nan(), inputs, params),
            confirmed(bullish, close - bullish.high.or_nan(), inputs, params),
        ],
        sell: [
            strong(bearish, params),
            near(inputs.levels.resistance.or_nan() - close, inputs, params),
            confirmed(bearish, bearish.low.or_nan() - close, inputs, params),
        ],
        exit_long: bearish.strength.or_nan() > limit || crossed(before, close, long_target),
        exit_short: bullish.strength.or_nan() > limit || crossed(-before, -close, -short_target),
    };
    opinion.vote(inputs.tf.close, |side| exits(side, inputs, params), |_, strength| strength)
}

/// Support x 0.98 and the next resistance; mirrored for SELL.
pub(super) fn exits(side: Side, inputs: &Inputs<'_>, params: &Params) -> Exits {
    let share = params.exits.pattern_stop;
    let (support, resistance) = (inputs.levels.support, inputs.levels.resistance);
    if side == Side::Buy {
        return Exits { stop: Value::new(support.or_nan() * (1.0 - share)), target: resistance };
    }
    Exits { stop: Value::new(resistance.or_nan() * (1.0 + share)), target: support }
}

/// Whether the price went from below `target` to it or beyond; false if any of them is absent.
#[inline]
fn crossed(before: f64, close: f64, target: f64) -> bool {
    before < target && close >= target
}

#[inline]
fn strong(pattern: &PatternSignal, params: &Params) -> Test {
    let limit = params.thresholds.pattern_strength;
    let strength = pattern.strength.get().unwrap_or(0.0);
    Test::known(strength > limit, strength - limit, params.scales.pattern).of(strength, limit)
}

/// `distance` from the level, in quote units, is between 0 and the limit.
#[inline]
fn near(distance: f64, inputs: &Inputs<'_>, params: &Params) -> Test {
    let distance_atr = distance / inputs.tf.atr14.or_nan();
    if !distance_atr.is_finite() {
        return Test::missing();
    }
    let limit = params.thresholds.pattern_support_atr;
    let held = (0.0..=limit).contains(&distance_atr);
    Test::known(held, limit - distance_atr, params.scales.atr).of(distance_atr, limit)
}

#[inline]
fn confirmed(pattern: &PatternSignal, beyond: f64, inputs: &Inputs<'_>, params: &Params) -> Test {
    let held = pattern.strength.is_present() && pattern.confirmed;
    Test::known(held, beyond, params.scales.atr * inputs.tf.atr14.or_nan())
}
