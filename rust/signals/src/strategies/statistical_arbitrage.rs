//! Statistical arbitrage: a price far from its statistical mean that tends to come back.
//!
//! SELL mirror: `z` > `stat_z`; `reversion_probability` the same; `price_difference` with the sign
//! of a price that is too high. Leaves on either side when |z| < `stat_exit_z`.
//!
//! With a fresh hedge basket, z = (ln close - ln fair)/residual deviation, the probability is the
//! basket's, `price_difference` (BUY) = (fair - close)/fair, and z = 0 is the fair price. Without
//! one, z and probability are those of the instrument's own log price, z = 0 is exp(mean log), and
//! `price_difference` = (other - close)/other needs a fresh price of another venue.
//! Confidence: the reversion probability x freshness of the context used.

use utb_types::{HedgeContext, Params, Side, Value, Vote};

use super::condition::{Opinion, Test};
use super::context::fresh;
use super::{Exits, Inputs};

/// What the strategy compares the price with; NaN where unknown.
struct View {
    z: f64,
    probability: f64,
    /// (reference - close)/reference: positive when the price is too low.
    difference: f64,
    /// The price at z = 0, as it is or as its logarithm.
    mean: Mean,
    freshness: f64,
}

enum Mean {
    Price(f64),
    Log(f64),
}

impl Mean {
    fn price(&self) -> f64 {
        match *self {
            Self::Price(price) => price,
            Self::Log(log) => libm::exp(log),
        }
    }
}

#[inline]
pub(super) fn vote(inputs: &Inputs<'_>, params: &Params) -> Vote {
    let (limits, scales) = (&params.thresholds, &params.scales);
    let view = view(inputs, params);
    let probability =
        Test::above(view.probability, limits.stat_reversion_probability, scales.stat_probability);
    let (difference, scale) = (limits.stat_price_difference, scales.stat_price_difference);
    let back = view.z.abs() < limits.stat_exit_z;
    let opinion = Opinion {
        buy: [
            Test::below(view.z, -limits.stat_z, scales.stat_z),
            probability,
            Test::above(view.difference, difference, scale),
        ],
        sell: [
            Test::above(view.z, limits.stat_z, scales.stat_z),
            probability,
            Test::above(-view.difference, difference, scale),
        ],
        exit_long: back,
        exit_short: back,
    };
    opinion.vote(
        inputs.tf.close,
        |side| exits_at(side, inputs, params, view.mean.price()),
        |_, _| view.probability * view.freshness,
    )
}

/// Entry -/+ 0.8 ATR and the price at z = 0.
pub(super) fn exits(side: Side, inputs: &Inputs<'_>, params: &Params) -> Exits {
    exits_at(side, inputs, params, view(inputs, params).mean.price())
}

fn exits_at(side: Side, inputs: &Inputs<'_>, params: &Params, mean_price: f64) -> Exits {
    let against = params.exits.stat_stop_atr * inputs.tf.atr14.or_nan();
    let around = Exits::around(side, inputs.tf.close, against, 0.0);
    Exits { target: Value::new(mean_price), ..around }
}

#[inline]
fn view(inputs: &Inputs<'_>, params: &Params) -> View {
    let close = inputs.tf.close.or_nan();
    let hedge = fresh(inputs.context.hedge.as_ref(), inputs.now_ns, params.feeds.hedge_max_age_ns);
    if let Some((hedge, freshness)) = hedge.filter(|(hedge, _)| valid(hedge)) {
        return View {
            z: libm::log(close / hedge.fair_price) / hedge.residual_std,
            probability: hedge.reversion_probability,
            difference: (hedge.fair_price - close) / hedge.fair_price,
            mean: Mean::Price(hedge.fair_price),
            freshness,
        };
    }
    let venue = fresh(inputs.context.venue.as_ref(), inputs.now_ns, params.feeds.venue_max_age_ns)
        .filter(|(price, _)| *price > 0.0);
    let (other, freshness) = venue.unwrap_or((f64::NAN, 0.0));
    View {
        z: inputs.stat.z.or_nan(),
        probability: inputs.stat.reversion_probability.or_nan(),
        difference: (other - close) / other,
        mean: Mean::Log(inputs.stat.mean_log.or_nan()),
        freshness,
    }
}

fn valid(hedge: &HedgeContext) -> bool {
    let positive = |number: f64| number.is_finite() && number > 0.0;
    positive(hedge.fair_price)
        && positive(hedge.residual_std)
        && (0.0..=1.0).contains(&hedge.reversion_probability)
}
