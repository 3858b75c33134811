//! JSON for people and metrics: counters, and one instrument's state.

use std::collections::BTreeMap;

use serde::Serialize;
use utb_signals::strategies::CONDITIONS;
use utb_types::{
    Bar, Condition, HoldReason, Levels, PatternSignal, Regime, STRATEGY_COUNT, Side, StatFeatures,
    StrategyId, TfFeatures, Timeframe, Value,
};

use crate::CoreError;
use crate::pipeline::Pipeline;
use crate::state::{HOLD_REASONS, SourceCounts};

/// Sources by [`utb_types::Source`] number.
const SOURCES: [&str; 4] = ["dexscreener", "birdeye", "helius", "recorded"];
/// Hold reasons by number.
const HOLDS: [&str; HOLD_REASONS] =
    ["WARM_UP", "NO_VOTES", "LOW_CONSENSUS", "LOW_CONFIDENCE", "LOW_PARTICIPATION"];

#[derive(Serialize)]
struct CountersView<'a> {
    evaluations: u64,
    tick_evaluations: u64,
    holds_by_reason: BTreeMap<&'static str, u64>,
    bars: BTreeMap<&'static str, u64>,
    restarts: u64,
    items: BTreeMap<&'static str, &'a SourceCounts>,
    /// Symbol to reason of its last evaluation; null if that decided.
    holds: BTreeMap<&'a str, Option<HoldReason>>,
    log_records_dropped: u64,
}

#[derive(Serialize)]
struct InstrumentView<'a> {
    instrument: u32,
    symbol: &'a str,
    price: Value,
    ts_ns: Option<i64>,
    events: u64,
    liquidity_quote: Value,
    timeframe: &'static str,
    forming: Option<Bar>,
    features: BTreeMap<&'static str, &'a TfFeatures>,
    levels: &'a Levels,
    bullish: &'a PatternSignal,
    bearish: &'a PatternSignal,
    statistics: &'a StatFeatures,
    regime: Regime,
    votes: Vec<VoteView>,
    evaluation: Option<EvaluationView>,
}

#[derive(Serialize)]
struct EvaluationView {
    ts_ns: i64,
    bar_open_ns: i64,
    side: Side,
    hold: Option<HoldReason>,
}

#[derive(Serialize)]
struct VoteView {
    strategy: &'static str,
    /// What stands, after decay.
    side: Side,
    strength: f64,
    confidence: f64,
    /// Side of the latest evaluation.
    latest: Side,
    stop: Value,
    target: Value,
    /// BUY conditions by name: true, false, or null where an input was missing.
    conditions: BTreeMap<&'static str, Option<bool>>,
}

impl Pipeline {
    /// Returns the counters as JSON.
    ///
    /// # Errors
    ///
    /// Returns what the encoder says; memory is its only reason.
    pub fn counters_json(&self) -> Result<Vec<u8>, CoreError> {
        let counters = &self.state.counters;
        let last = |index: usize| self.state.cold.get(index)?.strategy.last;
        let instruments = self.registry.all().iter().enumerate();
        let view = CountersView {
            evaluations: counters.evaluations,
            tick_evaluations: counters.tick_evaluations,
            holds_by_reason: HOLDS.into_iter().zip(counters.holds).collect(),
            bars: Timeframe::ALL.map(Timeframe::name).into_iter().zip(counters.bars).collect(),
            restarts: counters.restarts,
            items: SOURCES.into_iter().zip(&counters.sources).collect(),
            holds: instruments
                .filter_map(|(index, it)| Some((it.symbol.as_str(), last(index)?.hold)))
                .collect(),
            log_records_dropped: self.logs.dropped(),
        };
        serde_json::to_vec(&view).map_err(|error| CoreError::document("counters", error))
    }

    /// Returns one instrument's state as JSON. Absent numbers are null.
    ///
    /// # Errors
    ///
    /// Returns an unknown instrument.
    pub fn view_json(&self, instrument: u32) -> Result<Vec<u8>, CoreError> {
        self.check_instrument(instrument)?;
        let place = instrument as usize;
        let (Some(named), Some(hot), Some(cold)) =
            (self.registry.get(place), self.state.hot.get(place), self.state.cold.get(place))
        else {
            return Err(CoreError::range("instrument", instrument, "known"));
        };
        let features = Timeframe::ALL.into_iter().filter_map(|timeframe| {
            let features = cold.series.features(timeframe)?;
            (features.bars > 0).then_some((timeframe.name(), features))
        });
        let own = cold.series.features(named.timeframe);
        let strategy = &cold.strategy;
        let view = InstrumentView {
            instrument,
            symbol: &named.symbol,
            price: if hot.mark.events > 0 { Value::new(hot.mark.price) } else { Value::ABSENT },
            ts_ns: (hot.mark.events > 0).then_some(hot.mark.ts_ns),
            events: hot.mark.events,
            liquidity_quote: hot.mark.liquidity,
            timeframe: named.timeframe.name(),
            forming: hot.builder.forming(named.timeframe),
            features: features.collect(),
            levels: &strategy.near,
            bullish: &strategy.bullish,
            bearish: &strategy.bearish,
            statistics: &strategy.stat_features,
            regime: own.map_or(Regime::Neutral, |tf| {
                utb_signals::ensemble::regime(tf, &self.params.ensemble)
            }),
            votes: self.votes_view(place),
            evaluation: strategy.last.map(|last| EvaluationView {
                ts_ns: last.ts_ns,
                bar_open_ns: last.bar_open_ns,
                side: last.side,
                hold: last.hold,
            }),
        };
        serde_json::to_vec(&view).map_err(|error| CoreError::document("view", error))
    }

    fn votes_view(&self, instrument: usize) -> Vec<VoteView> {
        let Some(cold) = self.state.cold.get(instrument) else { return Vec::new() };
        let latest =
            cold.strategy.last.map_or([utb_types::Vote::default(); STRATEGY_COUNT], |it| it.votes);
        let standing = cold.strategy.standing.view(&self.params.ensemble);
        let sides = standing.sides.into_iter().zip(standing.strengths).zip(standing.confidences);
        let named = StrategyId::ALL.into_iter().zip(CONDITIONS).zip(latest);
        named
            .zip(sides)
            .map(|(((id, names), vote), ((side, strength), confidence))| VoteView {
                strategy: id.name(),
                side,
                strength,
                confidence,
                latest: vote.side,
                stop: vote.stop,
                target: vote.target,
                conditions: names.iter().copied().zip(vote.buy.map(truth)).collect(),
            })
            .collect()
    }
}

fn truth(condition: Condition) -> Option<bool> {
    match condition {
        Condition::Missing => None,
        Condition::Failed => Some(false),
        Condition::Held => Some(true),
    }
}
