//! JSON for people and metrics: counters, and one instrument's state (its shape: `view` in
//! `python/utb/_core.pyi`).

use std::collections::BTreeMap;

use serde::Serialize;
use utb_signals::ensemble::Tally;
use utb_signals::strategies::{COMPARISONS, CONDITIONS};
use utb_types::{
    Bar, Condition, EnsembleParams, HoldReason, Levels, PatternSignal, Regime, STRATEGY_COUNT,
    Side, StatFeatures, StrategyId, TfFeatures, Timeframe, Value, Vote,
};

use crate::CoreError;
use crate::log::LogKind;
use crate::pipeline::Pipeline;
use crate::state::{Evaluation, HOLD_REASONS, SourceCounts};

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
    /// By log.
    log_records_dropped: BTreeMap<&'static str, u64>,
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
    lead: Option<StrategyId>,
    /// Side of the larger mass, acted on or not.
    leaning: Side,
    consensus: Value,
    confidence: Value,
    participation: Value,
    min_consensus: f64,
    min_confidence: f64,
    min_participation: f64,
}

impl EvaluationView {
    fn of(last: &Evaluation, tally: Option<Tally>, limits: &EnsembleParams) -> Self {
        let number = |read: fn(&Tally) -> f64| tally.as_ref().map(read).into();
        let nothing = last.hold == Some(HoldReason::NoVotes);
        Self {
            ts_ns: last.ts_ns,
            bar_open_ns: last.bar_open_ns,
            side: last.side,
            hold: last.hold,
            lead: last.lead,
            leaning: tally.map_or(Side::Hold, |tally| tally.side),
            consensus: number(|tally| tally.consensus),
            confidence: number(|tally| tally.confidence),
            participation: if nothing {
                Value::new(0.0)
            } else {
                number(|tally| tally.participation)
            },
            min_consensus: limits.min_consensus,
            min_confidence: limits.min_confidence,
            min_participation: limits.min_participation,
        }
    }
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
    /// In the instrument's present regime.
    weight: f64,
    stop: Value,
    target: Value,
    /// BUY conditions, in order.
    conditions: Vec<ConditionView>,
}

#[derive(Serialize)]
struct ConditionView {
    name: &'static str,
    /// Null where an input was missing.
    held: Option<bool>,
    /// How `value` is compared with `limit`; null where there is no single number.
    op: Option<&'static str>,
    value: Value,
    limit: Value,
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
            log_records_dropped: LogKind::ALL
                .map(|kind| (kind.name(), self.logs.dropped(kind)))
                .into(),
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
        let ensemble = &self.params.ensemble;
        let regime = own.map_or(Regime::Neutral, |tf| utb_signals::ensemble::regime(tf, ensemble));
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
            regime,
            votes: self.votes_view(place, regime),
            evaluation: strategy
                .last
                .as_ref()
                .map(|last| EvaluationView::of(last, strategy.standing.tally(), ensemble)),
        };
        serde_json::to_vec(&view).map_err(|error| CoreError::document("view", error))
    }

    fn votes_view(&self, instrument: usize, regime: Regime) -> Vec<VoteView> {
        let Some(cold) = self.state.cold.get(instrument) else { return Vec::new() };
        let latest =
            cold.strategy.last.as_ref().map_or([Vote::default(); STRATEGY_COUNT], |it| it.votes);
        let standing = cold.strategy.standing.view(&self.params.ensemble);
        let sides = standing.sides.into_iter().zip(standing.strengths).zip(standing.confidences);
        let weights = self.params.weights.get(regime as usize).copied().unwrap_or_default();
        StrategyId::ALL
            .into_iter()
            .zip(&latest)
            .zip(sides.zip(weights))
            .map(|((id, vote), (((side, strength), confidence), weight))| VoteView {
                strategy: id.name(),
                side,
                strength,
                confidence,
                latest: vote.side,
                weight,
                stop: vote.stop,
                target: vote.target,
                conditions: conditions_view(id, vote),
            })
            .collect()
    }
}

fn conditions_view(id: StrategyId, vote: &Vote) -> Vec<ConditionView> {
    let names = CONDITIONS.get(id.index()).copied().unwrap_or_default();
    let comparisons = COMPARISONS.get(id.index()).copied().unwrap_or_default();
    let found = vote.buy.into_iter().zip(vote.measures);
    names
        .iter()
        .zip(comparisons)
        .zip(found)
        .map(|((name, op), (condition, measure))| ConditionView {
            name,
            held: truth(condition),
            op: *op,
            value: measure.value,
            limit: measure.limit,
        })
        .collect()
}

fn truth(condition: Condition) -> Option<bool> {
    match condition {
        Condition::Missing => None,
        Condition::Failed => Some(false),
        Condition::Held => Some(true),
    }
}
