//! What the core says: votes, decisions, fired triggers.

use serde::{Deserialize, Serialize};

use crate::Value;

/// Number of strategies.
pub const STRATEGY_COUNT: usize = 8;

/// The eight strategies, in the order used everywhere (bit sets, API, `utb votes`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[allow(missing_docs)]
pub enum StrategyId {
    MomentumBreakthrough = 0,
    MeanReversion = 1,
    TrendFollowing = 2,
    VolatilityBreakout = 3,
    WhaleTracking = 4,
    SentimentMomentum = 5,
    PatternRecognition = 6,
    StatisticalArbitrage = 7,
}

impl StrategyId {
    /// All strategies in order.
    pub const ALL: [Self; STRATEGY_COUNT] = [
        Self::MomentumBreakthrough,
        Self::MeanReversion,
        Self::TrendFollowing,
        Self::VolatilityBreakout,
        Self::WhaleTracking,
        Self::SentimentMomentum,
        Self::PatternRecognition,
        Self::StatisticalArbitrage,
    ];

    /// Returns the position in [`StrategyId::ALL`].
    #[inline]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Returns the name used in TOML, JSON and ClickHouse.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MomentumBreakthrough => "momentum_breakthrough",
            Self::MeanReversion => "mean_reversion",
            Self::TrendFollowing => "trend_following",
            Self::VolatilityBreakout => "volatility_breakout",
            Self::WhaleTracking => "whale_tracking",
            Self::SentimentMomentum => "sentiment_momentum",
            Self::PatternRecognition => "pattern_recognition",
            Self::StatisticalArbitrage => "statistical_arbitrage",
        }
    }
}

/// Direction of a vote or decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Side {
    #[default]
    Hold = 0,
    Buy = 1,
    Sell = 2,
}

/// State of one named condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Condition {
    /// An input was missing: the strategy abstains.
    #[default]
    Missing = 0,
    /// Not met.
    Failed = 1,
    /// Met.
    Held = 2,
}

/// Most conditions a strategy has.
pub const CONDITION_MAX: usize = 4;

/// The one number that a condition compares, and what it compares it with.
///
/// Both are absent where the condition is not about one number, or the strategy abstained before
/// it looked; the value alone is absent where it is not known or not finite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// The number, in the condition's own unit.
    pub value: Value,
    /// Its limit, in the same unit.
    pub limit: Value,
}

/// One strategy's opinion on one instrument at one bar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Vote {
    /// BUY, SELL or HOLD.
    pub side: Side,
    /// Strength 0..1; 0 for HOLD.
    pub strength: f64,
    /// Confidence 0..1; 0 for HOLD.
    pub confidence: f64,
    /// Stop price; absent for HOLD.
    pub stop: Value,
    /// Target price; absent for HOLD.
    pub target: Value,
    /// BUY conditions in the order of `trading.md`; unused places are `Missing`.
    pub buy: [Condition; CONDITION_MAX],
    /// SELL conditions (the mirror), same order.
    pub sell: [Condition; CONDITION_MAX],
    /// What the BUY conditions compared, same order; for display.
    pub measures: [Measure; CONDITION_MAX],
    /// Whether the strategy would leave a LONG position now (its "leaves early when").
    pub exit_long: bool,
    /// The mirror: ends a standing SELL vote.
    pub exit_short: bool,
}

/// Market regime of one instrument on its strategy timeframe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Regime {
    /// None of the others, or inputs absent.
    #[default]
    Neutral = 0,
    /// ADX > 25.
    Trending = 1,
    /// ADX < 20.
    Ranging = 2,
    /// Volatility ratio > 1.5 (wins over the other two).
    Turbulent = 3,
}

/// Why the ensemble does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[repr(u8)]
#[allow(missing_docs)]
pub enum HoldReason {
    WarmUp = 0,
    NoVotes = 1,
    LowConsensus = 2,
    LowConfidence = 3,
    LowParticipation = 4,
}

/// What a resting trigger did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[repr(u8)]
#[allow(missing_docs)]
pub enum TriggerKind {
    Stop = 0,
    Target = 1,
    Trailing = 2,
    Partial = 3,
    EarlyExit = 4,
}

/// The strategy that owns a position's exits; `None` for a manual entry.
pub type Lead = Option<StrategyId>;

/// A decision of the ensemble to act, with everything that led to it.
#[derive(Clone, Debug, PartialEq)]
pub struct DecisionView {
    /// Time of the event that closed the bar, nanoseconds.
    pub ts_ns: i64,
    /// Dense instrument index.
    pub instrument: u32,
    /// Open time of the bar it was decided on.
    pub bar_open_ns: i64,
    /// BUY or SELL.
    pub side: Side,
    /// Strategy with the largest weight x strength on the winning side.
    pub lead: StrategyId,
    /// Close of the bar, quote per base.
    pub price: f64,
    /// Lead's stop price.
    pub stop: Value,
    /// Lead's target price.
    pub target: Value,
    /// Larger mass / total mass, 0.5..1.
    pub consensus: f64,
    /// Weighted mean confidence of the winning side.
    pub confidence: f64,
    /// Sum of the weights of standing votes.
    pub participation: f64,
    /// Weights used.
    pub weights: [f64; STRATEGY_COUNT],
    /// Standing side of each strategy at the decision.
    pub sides: [Side; STRATEGY_COUNT],
    /// Standing strength (decayed) of each strategy.
    pub strengths: [f64; STRATEGY_COUNT],
    /// Confidence of each standing vote.
    pub confidences: [f64; STRATEGY_COUNT],
    /// Regime of the instrument.
    pub regime: Regime,
}
