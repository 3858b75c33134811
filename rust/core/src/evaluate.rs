//! The strategies' look at a closed bar, or at a tick.

use utb_signals::ensemble::{Action, Verdict, regime};
use utb_signals::strategies::{Inputs, vote, vote_all};
use utb_signals::triggers::Close;
use utb_types::{
    Bar, DecisionView, Params, Regime, STRATEGY_COUNT, StrategyId, TfFeatures, Timeframe, Value,
    Vote,
};

use crate::event::{Decision, DecisionFeatures, EngineEvent};
use crate::log::vote_record;
use crate::market::{Tick, index};
use crate::pipeline::Pipeline;
use crate::state::{Evaluation, SeriesSet};

/// Bits of the strategies that read more than the strategy timeframe's own peek.
const MOMENTUM: u8 = 1 << StrategyId::MomentumBreakthrough.index();
const PATTERN: u8 = 1 << StrategyId::PatternRecognition.index();
const STATISTICAL: u8 = 1 << StrategyId::StatisticalArbitrage.index();

/// Where and when a decision is made.
#[derive(Clone, Copy, Debug)]
struct Place {
    ts_ns: i64,
    instrument: u32,
    bar_open_ns: i64,
    price: f64,
    liquidity: Value,
}

impl Pipeline {
    /// Returns the features of the last closed bar of an instrument's strategy timeframe and its
    /// regime; `None` before the first bar.
    pub fn features(&self, instrument: u32) -> Option<(DecisionFeatures, Regime)> {
        let place = instrument as usize;
        let timeframe = self.registry.get(place)?.timeframe;
        let (hot, cold) = (self.state.hot.get(place)?, self.state.cold.get(place)?);
        let tf = cold.series.features(timeframe).filter(|tf| tf.bars > 0)?;
        let features = features_of(tf, &cold.series, hot.mark.liquidity);
        Some((features, regime(tf, &self.params.ensemble)))
    }

    /// All strategies vote on a bar of the strategy timeframe that just closed; the ensemble
    /// judges; then stops and targets move and the leads may leave early.
    pub(crate) fn evaluate_close(&mut self, instrument: usize, bar: &Bar, ts_ns: i64) {
        let Self { params, registry, state, events, logs, .. } = self;
        let Some(timeframe) = registry.get(instrument).map(|it| it.timeframe) else { return };
        let (Some(hot), Some(cold)) = (state.hot.get(instrument), state.cold.get_mut(instrument))
        else {
            return;
        };
        let (series, strategy) = (&cold.series, &mut cold.strategy);
        let Some(tf) = series.features(timeframe) else { return };
        strategy.take(bar, tf.atr14, params.thresholds.pattern_strength);
        let inputs = Inputs {
            now_ns: ts_ns,
            tf,
            memory: &strategy.memory,
            rsi_5m: series.rsi(Timeframe::M5),
            rsi_15m: series.rsi(Timeframe::M15),
            rsi_1h: series.rsi(Timeframe::H1),
            levels: &strategy.near,
            bullish: &strategy.bullish,
            bearish: &strategy.bearish,
            stat: &strategy.stat_features,
            context: &cold.context,
        };
        let votes = vote_all(&inputs, params);
        let weights = weights(tf, params);
        let verdict = strategy.standing.on_close(&votes, &inputs, &weights, params);
        state.diversity.push(&votes);
        state.counters.evaluations += 1;
        let dense = index(instrument);
        if logs.votes.is_on() {
            for (strategy, vote) in (0..).zip(&votes) {
                logs.votes.push(vote_record(dense, strategy, bar, vote));
            }
        }
        let place = Place {
            ts_ns,
            instrument: dense,
            bar_open_ns: bar.open_ns,
            price: bar.close,
            liquidity: hot.mark.liquidity,
        };
        match &verdict {
            Verdict::Act(action) => {
                events.push(decision(&place, action, (&votes, tf, series), params));
            }
            Verdict::Hold(reason) => {
                if let Some(count) = state.counters.holds.get_mut(*reason as usize) {
                    *count += 1;
                }
            }
        }
        strategy.memory.push_patterns(&strategy.bullish, &strategy.bearish);
        strategy.memory.push(tf);
        let evaluation =
            Evaluation { ts_ns, bar_open_ns: bar.open_ns, votes, ..Evaluation::default() };
        strategy.last.insert(evaluation).judged(&verdict);
        let close = Close { instrument: dense, ts_ns, tf, votes: &votes };
        let first = events.len();
        let events = std::cell::RefCell::new(events);
        state.triggers.on_close(
            &close,
            &mut |moved| events.borrow_mut().push(EngineEvent::from(moved)),
            &mut |fired| events.borrow_mut().push(EngineEvent::from(fired)),
        );
        debug_assert!(events.borrow().len() >= first);
    }

    /// Strategies with `evaluate = "tick"` vote on the forming bar of the strategy timeframe.
    ///
    /// Only their own votes are taken, on peeked indicators; the votes of the others stand as they
    /// are and nothing ages. Levels are those around the price, patterns those of closed bars;
    /// RSI of the other timeframes is peeked for momentum. While the forming bar is partial, they
    /// wait. Then leads among them may leave early.
    pub(crate) fn evaluate_tick(&mut self, instrument: usize, tick: &Tick) {
        let mask = self.tick_mask;
        let Self { params, registry, state, events, .. } = self;
        let Some(timeframe) = registry.get(instrument).map(|it| it.timeframe) else { return };
        let (Some(hot), Some(cold)) = (state.hot.get(instrument), state.cold.get_mut(instrument))
        else {
            return;
        };
        let (series, strategy) = (&cold.series, &mut cold.strategy);
        let (Some(bar), Some(own)) = (hot.builder.forming(timeframe), series.get(timeframe)) else {
            return;
        };
        let tf = own.peek(&bar);
        let rsi = |other: Timeframe| {
            if other == timeframe {
                return tf.rsi14;
            }
            if mask & MOMENTUM == 0 {
                return series.rsi(other);
            }
            let peeked = hot.builder.forming(other).zip(series.get(other));
            peeked.map_or_else(|| series.rsi(other), |(bar, series)| series.peek(&bar).rsi14)
        };
        let near = if mask & PATTERN == 0 {
            strategy.near
        } else {
            strategy.levels.levels(bar.close, tf.atr14)
        };
        let stat = if mask & STATISTICAL == 0 {
            strategy.stat_features
        } else {
            strategy.stat.peek(bar.close)
        };
        let inputs = Inputs {
            now_ns: tick.ts_ns,
            tf: &tf,
            memory: &strategy.memory,
            rsi_5m: rsi(Timeframe::M5),
            rsi_15m: rsi(Timeframe::M15),
            rsi_1h: rsi(Timeframe::H1),
            levels: &near,
            bullish: &strategy.bullish,
            bearish: &strategy.bearish,
            stat: &stat,
            context: &cold.context,
        };
        let votes = vote_some(mask, &inputs, params);
        let weights = weights(&tf, params);
        state.counters.tick_evaluations += 1;
        let verdict = strategy.standing.on_tick((&votes, mask), &inputs, &weights, params);
        let last = strategy.last.get_or_insert_default();
        (last.ts_ns, last.bar_open_ns) = (tick.ts_ns, bar.open_ns);
        last.take(&votes, mask);
        last.judged(&verdict);
        if let Verdict::Act(action) = &verdict {
            let place = Place {
                ts_ns: tick.ts_ns,
                instrument: index(instrument),
                bar_open_ns: bar.open_ns,
                price: tick.price,
                liquidity: hot.mark.liquidity,
            };
            events.push(decision(&place, action, (&last.votes, &tf, series), params));
        }
        let close =
            Close { instrument: index(instrument), ts_ns: tick.ts_ns, tf: &tf, votes: &votes };
        state.triggers.on_votes(&close, tick.price, mask, &mut |fired| {
            events.push(EngineEvent::from(fired));
        });
    }
}

/// The votes whose bit is in `mask`; the others hold.
#[inline]
fn vote_some(mask: u8, inputs: &Inputs<'_>, params: &Params) -> [Vote; STRATEGY_COUNT] {
    let mut votes = [Vote::default(); STRATEGY_COUNT];
    for (slot, id) in votes.iter_mut().zip(StrategyId::ALL) {
        if mask & (1 << id.index()) != 0 {
            *slot = vote(id, inputs, params);
        }
    }
    votes
}

/// The weights row of the instrument's regime.
#[inline]
fn weights(tf: &TfFeatures, params: &Params) -> [f64; STRATEGY_COUNT] {
    let row = regime(tf, &params.ensemble) as usize;
    params.weights.get(row).copied().unwrap_or([0.0; STRATEGY_COUNT])
}

#[cold]
fn decision(
    place: &Place,
    action: &Action,
    (votes, tf, series): (&[Vote; STRATEGY_COUNT], &TfFeatures, &SeriesSet),
    params: &Params,
) -> EngineEvent {
    EngineEvent::Decision(Box::new(Decision {
        view: DecisionView {
            ts_ns: place.ts_ns,
            instrument: place.instrument,
            bar_open_ns: place.bar_open_ns,
            side: action.side,
            lead: action.lead,
            price: place.price,
            stop: action.stop,
            target: action.target,
            consensus: action.consensus,
            confidence: action.confidence,
            participation: action.participation,
            weights: action.weights,
            sides: action.standing.sides,
            strengths: action.standing.strengths,
            confidences: action.standing.confidences,
            regime: regime(tf, &params.ensemble),
        },
        conditions: votes.each_ref().map(|vote| vote.buy),
        features: features_of(tf, series, place.liquidity),
        params_version: params.version,
    }))
}

fn features_of(tf: &TfFeatures, series: &SeriesSet, liquidity_quote: Value) -> DecisionFeatures {
    DecisionFeatures {
        atr: tf.atr14,
        adx: tf.adx14,
        volatility_ratio: tf.volatility_ratio,
        trend_4h: trend_4h(series),
        liquidity_quote,
    }
}

/// Sign of SMA20 - SMA50 on 4h; `None` before its warm-up.
fn trend_4h(series: &SeriesSet) -> Option<i8> {
    let features = series.features(Timeframe::H4)?;
    let (fast, slow) = (features.sma20.get()?, features.sma50.get()?);
    fast.partial_cmp(&slow).map(|order| order as i8)
}
