//! Slow inputs that are computed outside the hot path and enter as versioned context with an age.

use serde::{Deserialize, Serialize};

use crate::Value;

/// Which slow input a context carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContextKind {
    /// Large transfers and swaps over the trailing hour.
    Whale,
    /// Social, news and Fear & Greed.
    Sentiment,
    /// P(up over the next 12 bars) of the forecaster.
    Forecast,
    /// Fair value from the hedge basket.
    Hedge,
    /// Price on another venue.
    Venue,
}

/// Whale activity over the trailing hour, only items of at least `whale_min_transaction_size` USD.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WhaleContext {
    /// Bought, USD, >= 0.
    pub buys_usd: f64,
    /// Sold, USD, >= 0.
    pub sells_usd: f64,
    /// Distinct wallets that took part.
    pub wallets: u32,
    /// Net outflow from known exchange wallets, USD; positive = leaves the exchanges.
    pub outflow_usd: f64,
}

/// Sentiment, already combined from the sources that were there (`trading.md`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SentimentContext {
    /// Overall, 0..1.
    #[serde(default)]
    pub overall: Value,
    /// Change of overall over 6 h, scaled (+0.3 = a rise of 0.15), -1..1.
    #[serde(default)]
    pub momentum: Value,
    /// Percentile of the last hour's mentions among the last 7 days, 0..1.
    #[serde(default)]
    pub social_volume: Value,
    /// Positive news items on the asset in the last hour.
    pub news_positive: u32,
    /// Negative news items on the asset in the last hour.
    pub news_negative: u32,
}

/// Fair value from the rolling least-squares hedge basket.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HedgeContext {
    /// Fair price from the basket, quote per base, > 0.
    pub fair_price: f64,
    /// Standard deviation of the log-price residual, > 0.
    pub residual_std: f64,
    /// Probability that the residual is less than half as far from its mean 24 bars from now.
    pub reversion_probability: f64,
}

/// One slow input of one instrument.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Context {
    /// Large transfers and swaps.
    Whale(WhaleContext),
    /// Social, news, Fear & Greed.
    Sentiment(SentimentContext),
    /// P(up) of the forecaster; `skill` is its out-of-sample Brier skill over the base rate.
    Forecast {
        /// P(up over the next 12 bars), 0..1.
        p_up: f64,
        /// Out-of-sample skill; <= 0 makes the forecast neutral.
        skill: f64,
    },
    /// Fair value from the hedge basket.
    Hedge(HedgeContext),
    /// Price of the same asset on another venue, quote per base.
    Venue {
        /// Price there, > 0.
        price: f64,
    },
}

impl Context {
    /// Returns which input this is.
    pub const fn kind(&self) -> ContextKind {
        match self {
            Self::Whale(_) => ContextKind::Whale,
            Self::Sentiment(_) => ContextKind::Sentiment,
            Self::Forecast { .. } => ContextKind::Forecast,
            Self::Hedge(_) => ContextKind::Hedge,
            Self::Venue { .. } => ContextKind::Venue,
        }
    }
}
