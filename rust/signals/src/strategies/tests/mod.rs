//! Tests of the strategies: one file each, and what holds for all of them.

mod all;
mod mean_reversion;
mod momentum_breakthrough;
mod pattern_recognition;
mod sentiment_momentum;
mod statistical_arbitrage;
mod trend_following;
mod volatility_breakout;
mod whale_tracking;
