//! The eight strategies: pure functions from one instrument's inputs to a [`Vote`].
//!
//! Conditions, thresholds and exits are those of the table in `trading.md`; each file documents the
//! mirror that makes its SELL vote. Common rules:
//! - a condition with a missing input is [`Condition::Missing`](utb_types::Condition), the others
//!   still say true or false, and the strategy holds;
//! - thresholds are strict: a value at its threshold fails;
//! - a vote needs all its conditions, a stop and a target (a BUY also 0 < stop < close < target),
//!   and the other side not complete;
//! - strength is 0.5 + 0.5 x the mean excess over the conditions; confidence is the strength unless
//!   the file says otherwise, then scaled by the forecast.

mod condition;
mod context;
#[cfg(test)]
pub(crate) mod fixture;
mod mean_reversion;
mod memory;
mod momentum_breakthrough;
mod pattern_recognition;
mod sentiment_momentum;
mod statistical_arbitrage;
#[cfg(test)]
mod tests;
mod trend_following;
mod volatility_breakout;
mod whale_tracking;

use utb_types::{
    Levels, Params, PatternSignal, STRATEGY_COUNT, Side, StatFeatures, StrategyId, TfFeatures,
    Value, Vote,
};

pub use self::condition::Exits;
pub use self::context::{ContextSet, ForecastContext, Timed};
pub use self::memory::{MACD_BARS, Memory};

/// Everything a strategy may look at, for one instrument at one time.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// Time of the event in hand, nanoseconds; never before the `ts_ns` of a context in the set.
    pub now_ns: i64,
    /// Strategy timeframe: the bar that just closed, or the peek with the forming bar.
    pub tf: &'a TfFeatures,
    /// The closed bars before `tf`.
    pub memory: &'a Memory,
    /// RSI14 of the last closed 5m bar (or its peek), 0..100.
    pub rsi_5m: Value,
    /// See `rsi_5m`.
    pub rsi_15m: Value,
    /// See `rsi_5m`.
    pub rsi_1h: Value,
    /// Nearest swing levels.
    pub levels: &'a Levels,
    /// Strongest bullish pattern of the last 3 bars.
    pub bullish: &'a PatternSignal,
    /// Strongest bearish pattern of the last 3 bars.
    pub bearish: &'a PatternSignal,
    /// Statistics of the own log price.
    pub stat: &'a StatFeatures,
    /// Slow inputs.
    pub context: &'a ContextSet,
}

/// Names of each strategy's conditions, in the order of `trading.md` and of [`Vote::buy`].
pub const CONDITIONS: [&[&str]; STRATEGY_COUNT] = [
    &["rsi_momentum", "volume", "breakout", "roc"],
    &["band_or_rsi", "deviation", "volume"],
    &["sma_stack", "adx", "macd_cross", "above_sma20"],
    &["volatility_ratio", "volume", "band_break"],
    &["buy_sell_ratio", "accumulation", "outflow"],
    &["overall", "momentum", "social_volume", "news"],
    &["pattern", "near_support", "confirmed"],
    &["z", "reversion_probability", "price_difference"],
];

/// How each strategy's BUY conditions compare their [`utb_types::Measure`], in the same order;
/// `None` where a condition is not about one number.
///
/// `near_support` also needs a distance >= 0.
pub const COMPARISONS: [&[Option<&str>]; STRATEGY_COUNT] = [
    &[Some(">"), Some(">"), Some(">"), Some(">")],
    &[None, Some(">"), Some(">")],
    &[Some(">"), Some(">"), None, Some(">")],
    &[Some(">"), Some(">"), Some(">")],
    &[Some(">"), Some(">"), Some(">")],
    &[Some(">"), Some(">"), Some(">"), Some(">=")],
    &[Some(">"), Some("<="), None],
    &[Some("<"), Some(">"), Some(">")],
];

/// Returns one strategy's vote.
#[inline]
pub fn vote(strategy: StrategyId, inputs: &Inputs<'_>, params: &Params) -> Vote {
    let vote = match strategy {
        StrategyId::MomentumBreakthrough => momentum_breakthrough::vote(inputs, params),
        StrategyId::MeanReversion => mean_reversion::vote(inputs, params),
        StrategyId::TrendFollowing => trend_following::vote(inputs, params),
        StrategyId::VolatilityBreakout => volatility_breakout::vote(inputs, params),
        StrategyId::WhaleTracking => whale_tracking::vote(inputs, params),
        StrategyId::SentimentMomentum => sentiment_momentum::vote(inputs, params),
        StrategyId::PatternRecognition => pattern_recognition::vote(inputs, params),
        StrategyId::StatisticalArbitrage => statistical_arbitrage::vote(inputs, params),
    };
    with_forecast(vote, inputs, params)
}

/// Returns all votes in the order of [`StrategyId::ALL`].
#[inline]
pub fn vote_all(inputs: &Inputs<'_>, params: &Params) -> [Vote; STRATEGY_COUNT] {
    // Spelled out: going through the match above costs a jump per strategy that is not predicted.
    let votes = [
        momentum_breakthrough::vote(inputs, params),
        mean_reversion::vote(inputs, params),
        trend_following::vote(inputs, params),
        volatility_breakout::vote(inputs, params),
        whale_tracking::vote(inputs, params),
        sentiment_momentum::vote(inputs, params),
        pattern_recognition::vote(inputs, params),
        statistical_arbitrage::vote(inputs, params),
    ];
    votes.map(|vote| with_forecast(vote, inputs, params))
}

/// Scales the confidence of a vote by the forecast, if that is fresh and skilled.
#[inline]
fn with_forecast(mut vote: Vote, inputs: &Inputs<'_>, params: &Params) -> Vote {
    if vote.side != Side::Hold {
        let forecast = context::fresh(
            inputs.context.forecast.as_ref(),
            inputs.now_ns,
            params.feeds.forecast_max_age_ns,
        );
        let influence = params.ensemble.forecast_influence;
        vote.confidence =
            context::scale_by_forecast(vote.confidence, vote.side, forecast, influence);
    }
    vote
}

/// Returns stop and target of an entry at the close of `inputs.tf` led by `strategy`.
///
/// The same rule a vote uses, for a vote that stands from an earlier bar: the entry would be made
/// now. Absent where an input is missing.
pub fn exits(strategy: StrategyId, side: Side, inputs: &Inputs<'_>, params: &Params) -> Exits {
    match strategy {
        StrategyId::MomentumBreakthrough => momentum_breakthrough::exits(side, inputs, params),
        StrategyId::MeanReversion => mean_reversion::exits(side, inputs, params),
        StrategyId::TrendFollowing => trend_following::exits(side, inputs, params),
        StrategyId::VolatilityBreakout => volatility_breakout::exits(side, inputs, params),
        StrategyId::WhaleTracking => whale_tracking::exits(side, inputs, params),
        StrategyId::SentimentMomentum => sentiment_momentum::exits(side, inputs, params),
        StrategyId::PatternRecognition => pattern_recognition::exits(side, inputs, params),
        StrategyId::StatisticalArbitrage => statistical_arbitrage::exits(side, inputs, params),
    }
}
