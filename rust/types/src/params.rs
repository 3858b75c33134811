//! Parameters of the core: values an operator may change, swapped atomically between frames.
//!
//! Python fills these from `trading.toml` and sends them as one JSON document; the defaults live
//! in `config/trading_template.toml` only.

use serde::{Deserialize, Serialize};

use crate::{STRATEGY_COUNT, Timeframe};

/// When a strategy looks: at the close of a bar, or at every tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Evaluate {
    Close,
    Tick,
}

/// Entry thresholds of the strategies (`[strategies.thresholds]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Thresholds {
    pub min_momentum_strength: f64,
    pub momentum_volume_ratio: f64,
    pub min_mean_reversion_deviation: f64,
    pub mean_reversion_rsi: f64,
    pub mean_reversion_volume_ratio: f64,
    pub trend_confirmation_periods: u32,
    pub trend_adx: f64,
    pub volatility_ratio: f64,
    pub volatility_breakout_multiplier: f64,
    pub volatility_exit_ratio: f64,
    pub whale_buy_sell_ratio: f64,
    pub whale_accumulation: f64,
    pub whale_exit_accumulation: f64,
    pub whale_wallets_full: u32,
    pub sentiment_threshold: f64,
    pub sentiment_momentum: f64,
    pub sentiment_social_volume: f64,
    pub sentiment_exit: f64,
    pub pattern_strength: f64,
    pub pattern_support_atr: f64,
    pub stat_z: f64,
    pub stat_reversion_probability: f64,
    pub stat_price_difference: f64,
    pub stat_exit_z: f64,
}

/// Scales of the excess in `strength` (`[strategies.scales]`), all > 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Scales {
    /// Of mean(RSI)/100 above its threshold.
    pub rsi_momentum: f64,
    /// Of RSI below (above) the mean-reversion level, in RSI points.
    pub rsi: f64,
    /// Of a distance in ATR (breakout, Bollinger break, price above SMA20, near support).
    pub atr: f64,
    /// Of ROC10, percent.
    pub roc: f64,
    /// Of the deviation from SMA20, fraction.
    pub deviation: f64,
    /// Of the relative gaps in the SMA stack, fraction of the price.
    pub sma_stack: f64,
    pub adx: f64,
    /// Of MACD minus signal, in ATR.
    pub macd: f64,
    pub volatility_ratio: f64,
    pub whale_ratio: f64,
    pub whale_accumulation: f64,
    /// Of net outflow, USD.
    pub whale_outflow_usd: f64,
    pub sentiment: f64,
    pub sentiment_momentum: f64,
    pub social_volume: f64,
    /// Of the number of positive news items.
    pub news: f64,
    pub pattern: f64,
    pub stat_z: f64,
    pub stat_probability: f64,
    pub stat_price_difference: f64,
}

/// Exit rules (`[strategies.exits]` and `[risk]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct ExitParams {
    pub momentum_stop_atr: f64,
    pub momentum_target_atr: f64,
    pub mean_reversion_stop: f64,
    pub trend_stop_atr: f64,
    pub trend_target_atr: f64,
    pub volatility_stop_atr: f64,
    pub volatility_target_atr: f64,
    pub whale_stop_atr: f64,
    pub whale_target_atr: f64,
    pub sentiment_stop_atr: f64,
    pub sentiment_target_atr: f64,
    pub pattern_stop: f64,
    pub stat_stop_atr: f64,
    pub trailing_stop_enabled: bool,
    pub trailing_stop_atr_multiplier: f64,
    /// Factor on the stop's ATR multiplier while volatility is high (0.8) or low (1.1).
    pub high_volatility_stop_factor: f64,
    pub low_volatility_stop_factor: f64,
    /// Volatility ratios above/below which volatility is high/low (1.5, 0.7).
    pub high_volatility_ratio: f64,
    pub low_volatility_ratio: f64,
    pub partial_fraction: f64,
    /// ATR multiple of the tightened stop in SAFE_MODE.
    pub safe_mode_stop_atr: f64,
    /// Fall within `flash_crash_window_ns` that halts an instrument, fraction.
    pub flash_crash_fall: f64,
    pub flash_crash_window_ns: i64,
}

/// Ensemble rules (`[ensemble]` and `trading.min_confidence`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct EnsembleParams {
    pub min_consensus: f64,
    pub min_confidence: f64,
    pub min_participation: f64,
    pub vote_horizon_bars: u32,
    pub forecast_influence: f64,
    pub diversity_window: u32,
    /// ADX above which the regime is trending (25).
    pub regime_trending_adx: f64,
    /// ADX below which the regime is ranging (20).
    pub regime_ranging_adx: f64,
    /// Volatility ratio above which the regime is turbulent (1.5).
    pub regime_turbulent_ratio: f64,
}

/// Final weights by regime: index by [`crate::Regime`], then by strategy; each row sums to 1.
pub type RegimeWeights = [[f64; STRATEGY_COUNT]; 4];

/// Rules for feeds and context ages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct FeedParams {
    pub close_grace_ns: i64,
    pub max_gap_ns: i64,
    /// Price jump against the last one that rejects an item as an outlier, factor > 1.
    pub outlier_factor: f64,
    /// Difference to the primary price that marks a cross-check as diverging, fraction.
    pub cross_check_difference: f64,
    /// Ages past which a context is missing; confidence falls linearly to 0 towards it.
    pub whale_max_age_ns: i64,
    pub sentiment_max_age_ns: i64,
    pub forecast_max_age_ns: i64,
    pub hedge_max_age_ns: i64,
    pub venue_max_age_ns: i64,
}

/// Correlation of returns (`[risk]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct RiskParams {
    /// Common 1h returns below which the correlation is unknown.
    pub correlation_min_samples: u32,
    /// The correlation is multiplied by n / (n + this), >= 0.
    pub correlation_shrink: f64,
}

/// All parameters of the core.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Params {
    /// Grows by one with each change; every decision carries it.
    pub version: u64,
    pub timeframe: Timeframe,
    pub evaluate: [Evaluate; STRATEGY_COUNT],
    pub stat_window_bars: u32,
    pub reversion_horizon_bars: u32,
    pub thresholds: Thresholds,
    pub scales: Scales,
    pub exits: ExitParams,
    pub ensemble: EnsembleParams,
    pub weights: RegimeWeights,
    pub feeds: FeedParams,
    pub risk: RiskParams,
}
