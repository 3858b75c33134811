//! Parameters and inputs for tests: the defaults of `trading.md`, round scales, a market at rest.

use utb_types::{
    Condition, EnsembleParams, Evaluate, ExitParams, FeedParams, Levels, Params, PatternSignal,
    Scales, Side, StatFeatures, StrategyId, TfFeatures, Thresholds, Timeframe, Value, Vote,
};

use super::{ContextSet, Inputs, Memory, vote};

/// An hour: the age limit of every context here.
pub(crate) const HOUR_NS: i64 = 3_600_000_000_000;
/// Time of every evaluation here.
pub(crate) const NOW_NS: i64 = 1_704_110_400_000_000_000;
/// The configured weights of the user guide.
pub(crate) const WEIGHTS: [f64; 8] = [0.15, 0.12, 0.14, 0.13, 0.16, 0.11, 0.10, 0.09];

pub(crate) const fn v(number: f64) -> Value {
    Value::new(number)
}

/// All parts of [`Inputs`], owned.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) now_ns: i64,
    pub(crate) tf: TfFeatures,
    pub(crate) memory: Memory,
    pub(crate) rsi: [Value; 3],
    pub(crate) levels: Levels,
    pub(crate) bullish: PatternSignal,
    pub(crate) bearish: PatternSignal,
    pub(crate) stat: StatFeatures,
    pub(crate) context: ContextSet,
}

impl World {
    /// A market at rest at 100 with an ATR of 2: everything known but context, nothing fires.
    pub(crate) fn rest() -> Self {
        let tf = TfFeatures {
            bars: 1_000,
            close: v(100.0),
            sma20: v(100.0),
            sma50: v(100.0),
            sma200: v(100.0),
            rsi14: v(50.0),
            macd: v(0.0),
            macd_signal: v(0.0),
            macd_histogram: v(0.0),
            bollinger_upper: v(104.0),
            bollinger_lower: v(96.0),
            adx14: v(22.0),
            atr14: v(2.0),
            volatility_ratio: v(1.0),
            volume_ratio: v(1.0),
            roc10: v(0.0),
            donchian_high: v(104.0),
            donchian_low: v(96.0),
            ..TfFeatures::default()
        };
        let mut memory = Memory::new();
        (0..16).for_each(|_| memory.push(&tf));
        Self {
            now_ns: NOW_NS,
            tf,
            memory,
            rsi: [v(50.0); 3],
            levels: Levels { support: v(95.0), resistance: v(105.0), ..Levels::default() },
            bullish: PatternSignal::default(),
            bearish: PatternSignal::default(),
            stat: StatFeatures {
                z: v(1.0),
                mean_log: v(100.0_f64.ln()),
                std_log: v(0.01),
                reversion_probability: v(0.5),
            },
            context: ContextSet::default(),
        }
    }

    pub(crate) fn inputs(&self) -> Inputs<'_> {
        Inputs {
            now_ns: self.now_ns,
            tf: &self.tf,
            memory: &self.memory,
            rsi_5m: self.rsi[0],
            rsi_15m: self.rsi[1],
            rsi_1h: self.rsi[2],
            levels: &self.levels,
            bullish: &self.bullish,
            bearish: &self.bearish,
            stat: &self.stat,
            context: &self.context,
        }
    }

    pub(crate) fn vote(&self, strategy: StrategyId) -> Vote {
        vote(strategy, &self.inputs(), &params())
    }

    /// This world changed.
    pub(crate) fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut world = self.clone();
        change(&mut world);
        world
    }
}

/// Asserts that the strategy holds because this condition of `side` alone is in `state`.
#[track_caller]
pub(crate) fn assert_alone(
    world: &World,
    strategy: StrategyId,
    (side, condition): (Side, &str),
    state: Condition,
) {
    let vote = world.vote(strategy);
    let states = if side == Side::Buy { vote.buy } else { vote.sell };
    let names = super::CONDITIONS[strategy.index()];
    assert_eq!(vote.side, Side::Hold, "{vote:?}");
    assert!(vote.strength.abs() < 1e-300 && vote.confidence.abs() < 1e-300);
    assert_eq!((vote.stop, vote.target), (Value::ABSENT, Value::ABSENT));
    for (name, found) in names.iter().zip(states) {
        let expected = if *name == condition { state } else { Condition::Held };
        assert_eq!(found, expected, "{name} of {vote:?}");
    }
}

/// Asserts a vote with its numbers (strength, confidence, stop, target) to 1e-12.
#[track_caller]
pub(crate) fn assert_votes(vote: &Vote, side: Side, numbers: [f64; 4]) {
    assert_eq!(vote.side, side, "{vote:?}");
    let found = [vote.strength, vote.confidence, vote.stop.or_nan(), vote.target.or_nan()];
    for (found, expected) in found.iter().zip(numbers) {
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected} in {vote:?}");
    }
}

pub(crate) fn params() -> Params {
    Params {
        version: 1,
        timeframe: Timeframe::M15,
        evaluate: [Evaluate::Close; 8],
        stat_window_bars: 500,
        reversion_horizon_bars: 24,
        thresholds: thresholds(),
        scales: scales(),
        exits: exits(),
        ensemble: ensemble(),
        weights: [WEIGHTS; 4],
        feeds: FeedParams {
            close_grace_ns: 500_000_000,
            max_gap_ns: 900_000_000_000,
            outlier_factor: 2.0,
            cross_check_difference: 0.01,
            whale_max_age_ns: HOUR_NS,
            sentiment_max_age_ns: HOUR_NS,
            forecast_max_age_ns: HOUR_NS,
            hedge_max_age_ns: HOUR_NS,
            venue_max_age_ns: HOUR_NS,
        },
        risk: utb_types::RiskParams { correlation_min_samples: 60, correlation_shrink: 10.0 },
    }
}

fn thresholds() -> Thresholds {
    Thresholds {
        min_momentum_strength: 0.7,
        momentum_volume_ratio: 1.5,
        min_mean_reversion_deviation: 0.03,
        mean_reversion_rsi: 25.0,
        mean_reversion_volume_ratio: 1.0,
        trend_confirmation_periods: 3,
        trend_adx: 25.0,
        volatility_ratio: 1.8,
        volatility_breakout_multiplier: 2.0,
        volatility_exit_ratio: 1.2,
        whale_buy_sell_ratio: 1.5,
        whale_accumulation: 0.7,
        whale_exit_accumulation: 0.3,
        whale_wallets_full: 3,
        sentiment_threshold: 0.7,
        sentiment_momentum: 0.3,
        sentiment_social_volume: 0.6,
        sentiment_exit: 0.5,
        pattern_strength: 0.6,
        pattern_support_atr: 1.0,
        stat_z: 2.0,
        stat_reversion_probability: 0.7,
        stat_price_difference: 0.005,
        stat_exit_z: 0.5,
    }
}

fn scales() -> Scales {
    Scales {
        rsi_momentum: 0.3,
        rsi: 25.0,
        atr: 1.0,
        roc: 10.0,
        deviation: 0.03,
        sma_stack: 0.02,
        adx: 25.0,
        macd: 0.5,
        volatility_ratio: 1.8,
        whale_ratio: 1.5,
        whale_accumulation: 0.3,
        whale_outflow_usd: 1e6,
        sentiment: 0.3,
        sentiment_momentum: 0.7,
        social_volume: 0.4,
        news: 4.0,
        pattern: 0.4,
        stat_z: 2.0,
        stat_probability: 0.3,
        stat_price_difference: 0.01,
    }
}

pub(crate) fn exits() -> ExitParams {
    ExitParams {
        momentum_stop_atr: 1.2,
        momentum_target_atr: 2.5,
        mean_reversion_stop: 0.03,
        trend_stop_atr: 0.5,
        trend_target_atr: 3.0,
        volatility_stop_atr: 1.0,
        volatility_target_atr: 2.0,
        whale_stop_atr: 1.5,
        whale_target_atr: 2.5,
        sentiment_stop_atr: 1.3,
        sentiment_target_atr: 2.0,
        pattern_stop: 0.02,
        stat_stop_atr: 0.8,
        trailing_stop_enabled: true,
        trailing_stop_atr_multiplier: 2.0,
        high_volatility_stop_factor: 0.8,
        low_volatility_stop_factor: 1.1,
        high_volatility_ratio: 1.5,
        low_volatility_ratio: 0.7,
        partial_fraction: 0.5,
        safe_mode_stop_atr: 1.0,
        flash_crash_fall: 0.10,
        flash_crash_window_ns: 300_000_000_000,
    }
}

pub(crate) fn ensemble() -> EnsembleParams {
    EnsembleParams {
        min_consensus: 0.65,
        min_confidence: 0.6,
        min_participation: 0.20,
        vote_horizon_bars: 6,
        forecast_influence: 0.2,
        diversity_window: 500,
        regime_trending_adx: 25.0,
        regime_ranging_adx: 20.0,
        regime_turbulent_ratio: 1.5,
    }
}
