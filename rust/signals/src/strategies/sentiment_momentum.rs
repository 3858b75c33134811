//! Sentiment momentum: high and rising sentiment with attention and news.
//!
//! SELL mirror: `overall` < 1 - `sentiment_threshold`; `momentum` < -`sentiment_momentum`;
//! `social_volume` the same (attention has no side); `news` at least one negative item. Leaves a
//! short when overall > 1 - `sentiment_exit`.
//!
//! The excess of `news` is the number of items beyond the first. Confidence: strength x freshness.

use utb_types::{Params, Side, Vote};

use super::condition::{Opinion, Test};
use super::context::fresh;
use super::{Exits, Inputs};

#[inline]
pub(super) fn vote(inputs: &Inputs<'_>, params: &Params) -> Vote {
    let context = inputs.context.sentiment.as_ref();
    let Some((sentiment, freshness)) =
        fresh(context, inputs.now_ns, params.feeds.sentiment_max_age_ns)
    else {
        return Vote::default();
    };
    let (limits, scales) = (&params.thresholds, &params.scales);
    let (overall, momentum) = (sentiment.overall.or_nan(), sentiment.momentum.or_nan());
    let high = limits.sentiment_threshold;
    let social = Test::above(
        sentiment.social_volume.or_nan(),
        limits.sentiment_social_volume,
        scales.social_volume,
    );
    let news = |items: u32| {
        let count = f64::from(items);
        Test::known(items >= 1, count - 1.0, scales.news).of(count, 1.0)
    };
    let rise = limits.sentiment_momentum;
    let opinion = Opinion {
        buy: [
            Test::above(overall, high, scales.sentiment),
            Test::above(momentum, rise, scales.sentiment_momentum),
            social,
            news(sentiment.news_positive),
        ],
        sell: [
            Test::above(1.0 - overall, high, scales.sentiment),
            Test::below(momentum, -rise, scales.sentiment_momentum),
            social,
            news(sentiment.news_negative),
        ],
        exit_long: overall < limits.sentiment_exit,
        exit_short: 1.0 - overall < limits.sentiment_exit,
    };
    opinion.vote(
        inputs.tf.close,
        |side| exits(side, inputs, params),
        |_, strength| strength * freshness,
    )
}

/// Entry -/+ 1.3 ATR and +/- 2 ATR.
pub(super) fn exits(side: Side, inputs: &Inputs<'_>, params: &Params) -> Exits {
    let (atr, rules) = (inputs.tf.atr14.or_nan(), &params.exits);
    let (against, with) = (rules.sentiment_stop_atr * atr, rules.sentiment_target_atr * atr);
    Exits::around(side, inputs.tf.close, against, with)
}
