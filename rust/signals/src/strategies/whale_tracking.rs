//! Whale tracking: who moved large amounts over the trailing hour.
//!
//! SELL mirror (distribution): `buy_sell_ratio` sells/buys > `whale_buy_sell_ratio`; `accumulation`
//! score < 1 - `whale_accumulation`; `outflow` net outflow < 0, that is coins go to the exchanges.
//! Leaves a short when buys/sells > `whale_buy_sell_ratio` or score > 1 - `whale_exit_accumulation`.
//!
//! Sells of 0 with buys above 0 are an infinite ratio: held. Neither buys nor sells is an hour
//! without whales, which is known: the ratio fails, the score is 0.5, nothing is left early.
//! Amounts that are negative or not finite count as missing. Confidence: strength x freshness.

use utb_types::{Params, Side, Vote, WhaleContext};

use super::condition::{Opinion, Test};
use super::context::fresh;
use super::{Exits, Inputs};

#[inline]
pub(super) fn vote(inputs: &Inputs<'_>, params: &Params) -> Vote {
    let context = inputs.context.whale.as_ref();
    let found = fresh(context, inputs.now_ns, params.feeds.whale_max_age_ns)
        .filter(|(whale, _)| valid(whale));
    let Some((whale, freshness)) = found else { return Vote::default() };
    let (limits, scales) = (&params.thresholds, &params.scales);
    let (buys, sells) = (whale.buys_usd, whale.sells_usd);
    let limit = limits.whale_buy_sell_ratio;
    let score = accumulation(&whale, limits.whale_wallets_full);
    let high = limits.whale_accumulation;
    let outflow = |sign: f64| Test::above(sign * whale.outflow_usd, 0.0, scales.whale_outflow_usd);
    let opinion = Opinion {
        buy: [
            ratio_above(buys, sells, limit, scales.whale_ratio),
            Test::above(score, high, scales.whale_accumulation),
            outflow(1.0),
        ],
        sell: [
            ratio_above(sells, buys, limit, scales.whale_ratio),
            Test::above(1.0 - score, high, scales.whale_accumulation),
            outflow(-1.0),
        ],
        exit_long: sells > limit * buys || score < limits.whale_exit_accumulation,
        exit_short: buys > limit * sells || 1.0 - score < limits.whale_exit_accumulation,
    };
    opinion.vote(
        inputs.tf.close,
        |side| exits(side, inputs, params),
        |_, strength| strength * freshness,
    )
}

/// Entry -/+ 1.5 ATR and +/- 2.5 ATR.
pub(super) fn exits(side: Side, inputs: &Inputs<'_>, params: &Params) -> Exits {
    let (atr, rules) = (inputs.tf.atr14.or_nan(), &params.exits);
    let (against, with) = (rules.whale_stop_atr * atr, rules.whale_target_atr * atr);
    Exits::around(side, inputs.tf.close, against, with)
}

fn valid(whale: &WhaleContext) -> bool {
    let amount = |usd: f64| usd.is_finite() && usd >= 0.0;
    amount(whale.buys_usd) && amount(whale.sells_usd) && whale.outflow_usd.is_finite()
}

/// Whether over/under > limit, written without the division so that `under` may be 0.
#[inline]
fn ratio_above(over: f64, under: f64, limit: f64, scale: f64) -> Test {
    let ratio = over / under;
    Test::known(over > limit * under, ratio - limit, scale).of(ratio, limit)
}

/// 0.5 + 0.5 x (buys - sells)/(buys + sells), damped towards 0.5 below `wallets_full` wallets.
///
/// In 0..1; 0.5 without activity.
#[inline]
fn accumulation(whale: &WhaleContext, wallets_full: u32) -> f64 {
    let sum = whale.buys_usd + whale.sells_usd;
    if sum <= 0.0 {
        return 0.5;
    }
    let lean = 0.5 * (whale.buys_usd - whale.sells_usd) / sum;
    let weight = if whale.wallets < wallets_full {
        f64::from(whale.wallets) / f64::from(wallets_full)
    } else {
        1.0
    };
    0.5 + lean * weight
}
