//! Vocabulary of the trading core: time, bars, events, signals, context and parameters.
//!
//! Everything here is plain data with its meaning; no algorithm, no I/O.

mod bar;
mod context;
mod event;
mod features;
mod params;
mod signal;
mod time;
mod value;

pub use bar::Bar;
pub use context::{Context, ContextKind, HedgeContext, SentimentContext, WhaleContext};
pub use event::{EventKind, EventRecord, PoolRole, Source};
pub use features::{Levels, PatternSignal, StatFeatures, TfFeatures};
pub use params::{
    EnsembleParams, Evaluate, ExitParams, FeedParams, Params, RegimeWeights, RiskParams, Scales,
    Thresholds,
};
pub use signal::{
    CONDITION_MAX, Condition, DecisionView, HoldReason, Lead, Measure, Regime, STRATEGY_COUNT,
    Side, StrategyId, TriggerKind, Vote,
};
pub use time::{TIMEFRAME_COUNT, Timeframe};
pub use value::Value;
