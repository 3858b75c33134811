//! Everything that changes per event: what `save` writes and `load` reads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utb_signals::bars::BarBuilder;
use utb_signals::diversity::Diversity;
use utb_signals::ensemble::{Standing, Verdict};
use utb_signals::flash_crash::FlashCrash;
use utb_signals::indicators::Series;
use utb_signals::levels::SwingLevels;
use utb_signals::patterns::PatternScanner;
use utb_signals::stat::StatWindow;
use utb_signals::strategies::{ContextSet, Memory};
use utb_signals::triggers::Triggers;
use utb_types::{
    Bar, HoldReason, Levels, Params, PatternSignal, STRATEGY_COUNT, Side, Source, StatFeatures,
    StrategyId, TIMEFRAME_COUNT, TfFeatures, Timeframe, Value, Vote,
};

use crate::correlation::HourCloses;
use crate::feed::FeedState;
use crate::instrument::Instrument;
use crate::portfolio::Portfolio;

/// Number of hold reasons.
pub(crate) const HOLD_REASONS: usize = 5;

/// Last price of an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// Quote per base, > 0; 0 before the first price.
    pub price: f64,
    /// Time of the price, nanoseconds.
    pub ts_ns: i64,
    /// Price events seen.
    pub events: u64,
    /// Quote-side liquidity in quote units, where the source gives it.
    pub liquidity: Value,
}

/// What every price of an instrument touches.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Hot {
    pub(crate) mark: Mark,
    /// A gap longer than this restarts the warm-up; never less than one finest bar.
    pub(crate) gap_max_ns: i64,
    /// Whether the portfolio holds it.
    pub(crate) held: bool,
    /// Whether it has no timer: before the first event, and past the gap limit.
    pub(crate) parked: bool,
    /// The source whose prices count.
    pub(crate) primary: Source,
    pub(crate) builder: BarBuilder,
    pub(crate) crash: FlashCrash,
}

/// What the strategies and the ensemble found last: at the close of a bar of the strategy
/// timeframe, or later at a tick, for those that look at ticks.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Evaluation {
    pub(crate) ts_ns: i64,
    pub(crate) bar_open_ns: i64,
    /// The latest of each strategy.
    pub(crate) votes: [Vote; STRATEGY_COUNT],
    /// HOLD with a reason, or the side of the decision.
    pub(crate) side: Side,
    pub(crate) hold: Option<HoldReason>,
    /// The lead of the decision.
    pub(crate) lead: Option<StrategyId>,
}

impl Evaluation {
    /// Takes the votes whose bit (1 << strategy) is in `mask`.
    #[inline]
    pub(crate) fn take(&mut self, votes: &[Vote; STRATEGY_COUNT], mask: u8) {
        for (bit, (slot, vote)) in self.votes.iter_mut().zip(votes).enumerate() {
            if mask & (1 << bit) != 0 {
                *slot = *vote;
            }
        }
    }

    /// Notes what the ensemble said.
    #[inline]
    pub(crate) const fn judged(&mut self, verdict: &Verdict) {
        (self.side, self.hold, self.lead) = match verdict {
            Verdict::Act(action) => (action.side, None, Some(action.lead)),
            Verdict::Hold(reason) => (Side::Hold, Some(*reason), None),
        };
    }
}

/// State of the strategy timeframe.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Strategy {
    pub(crate) memory: Memory,
    pub(crate) levels: SwingLevels,
    pub(crate) patterns: PatternScanner,
    pub(crate) stat: StatWindow,
    pub(crate) standing: Standing,
    pub(crate) near: Levels,
    pub(crate) bullish: PatternSignal,
    pub(crate) bearish: PatternSignal,
    pub(crate) stat_features: StatFeatures,
    pub(crate) last: Option<Evaluation>,
}

impl Strategy {
    fn new(params: &Params) -> Self {
        Self {
            memory: Memory::new(),
            levels: SwingLevels::new(),
            patterns: PatternScanner::new(),
            stat: StatWindow::new(
                params.stat_window_bars as usize,
                params.reversion_horizon_bars as usize,
            ),
            standing: Standing::new(),
            near: Levels::default(),
            bullish: PatternSignal::default(),
            bearish: PatternSignal::default(),
            stat_features: StatFeatures::default(),
            last: None,
        }
    }

    /// Takes a closed bar of the strategy timeframe, with ATR14 at it and the strength above which
    /// a confirmed pattern comes before a stronger one.
    #[inline]
    pub(crate) fn take(&mut self, bar: &Bar, atr14: Value, pattern_strength: f64) {
        self.levels.update(bar);
        self.patterns.update(bar, atr14);
        self.stat.update(bar.close);
        self.near = self.levels.levels(bar.close, atr14);
        self.bullish = self.patterns.bullish(pattern_strength);
        self.bearish = self.patterns.bearish(pattern_strength);
        self.stat_features = self.stat.features();
    }

    fn reset(&mut self) {
        self.memory.reset();
        self.levels.reset();
        self.patterns.reset();
        self.stat.reset();
        self.standing.reset();
        self.near = Levels::default();
        self.bullish = PatternSignal::default();
        self.bearish = PatternSignal::default();
        self.stat_features = StatFeatures::default();
    }
}

/// Indicators of the timeframes from the finest on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SeriesSet {
    series: Vec<Series>,
    first: usize,
}

impl SeriesSet {
    /// Returns the indicators of a timeframe; `None` if it is finer than the input.
    #[inline]
    pub(crate) fn get(&self, timeframe: Timeframe) -> Option<&Series> {
        self.series.get(timeframe.index().checked_sub(self.first)?)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, timeframe: Timeframe) -> Option<&mut Series> {
        self.series.get_mut(timeframe.index().checked_sub(self.first)?)
    }

    /// Returns the features of a timeframe at its last closed bar.
    #[inline]
    pub(crate) fn features(&self, timeframe: Timeframe) -> Option<&TfFeatures> {
        self.get(timeframe).map(Series::features)
    }

    /// Returns RSI14 of a timeframe at its last closed bar.
    #[inline]
    pub(crate) fn rsi(&self, timeframe: Timeframe) -> Value {
        self.features(timeframe).map_or(Value::ABSENT, |features| features.rsi14)
    }
}

/// What only closing bars, frames and callers touch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cold {
    pub(crate) series: SeriesSet,
    pub(crate) strategy: Strategy,
    pub(crate) context: ContextSet,
    pub(crate) hours: Option<Box<HourCloses>>,
    pub(crate) feed: FeedState,
    /// End of the last 5m bar without a sampled volume.
    pub(crate) volume_unknown_until_ns: i64,
}

impl Cold {
    /// Starts the warm-up again.
    pub(crate) fn reset(&mut self) {
        self.series.series.iter_mut().for_each(Series::reset);
        self.strategy.reset();
        self.volume_unknown_until_ns = i64::MIN;
    }
}

/// What came from one source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SourceCounts {
    pub(crate) frames: u64,
    pub(crate) accepted: u64,
    pub(crate) late: u64,
    pub(crate) late_inside: u64,
    pub(crate) duplicate: u64,
    pub(crate) checked: u64,
    pub(crate) diverged: u64,
    pub(crate) control: u64,
    pub(crate) rejected: BTreeMap<String, u64>,
}

impl SourceCounts {
    pub(crate) fn reject(&mut self, reason: &str) {
        match self.rejected.get_mut(reason) {
            Some(count) => *count += 1,
            None => {
                self.rejected.insert(reason.to_owned(), 1);
            }
        }
    }
}

/// Number of sources.
pub(crate) const SOURCE_COUNT: usize = 4;

/// Counts since the first start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counters {
    pub(crate) evaluations: u64,
    pub(crate) tick_evaluations: u64,
    pub(crate) bars: [u64; TIMEFRAME_COUNT],
    pub(crate) holds: [u64; HOLD_REASONS],
    pub(crate) restarts: u64,
    pub(crate) sources: [SourceCounts; SOURCE_COUNT],
}

/// The whole state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) hot: Vec<Hot>,
    pub(crate) cold: Vec<Cold>,
    /// When each instrument's forming bar closes by timer; `i64::MAX`: not by timer.
    pub(crate) due_ns: Vec<i64>,
    /// At or before the earliest of `due_ns`.
    pub(crate) sweep_ns: i64,
    /// Latest time seen.
    pub(crate) now_ns: i64,
    /// Next end of a bar of the default strategy timeframe; `i64::MIN` before the first event.
    pub(crate) boundary_ns: i64,
    pub(crate) portfolio: Option<Portfolio>,
    pub(crate) triggers: Triggers,
    pub(crate) diversity: Diversity,
    pub(crate) counters: Counters,
}

impl State {
    pub(crate) fn new(instruments: &[Instrument], params: &Params, input: Timeframe) -> Self {
        let hot = |instrument: &Instrument| {
            let finest = instrument.finest(input);
            Hot {
                mark: Mark::default(),
                gap_max_ns: params.feeds.max_gap_ns.max(finest.span_ns()),
                held: false,
                parked: true,
                primary: instrument.primary,
                builder: BarBuilder::new(finest),
                crash: FlashCrash::new(),
            }
        };
        let cold = |instrument: &Instrument| {
            let first = instrument.finest(input).index();
            Cold {
                series: SeriesSet { series: vec![Series::new(); TIMEFRAME_COUNT - first], first },
                strategy: Strategy::new(params),
                context: ContextSet::default(),
                hours: None,
                feed: FeedState::default(),
                volume_unknown_until_ns: i64::MIN,
            }
        };
        Self {
            hot: instruments.iter().map(hot).collect(),
            cold: instruments.iter().map(cold).collect(),
            due_ns: vec![i64::MAX; instruments.len()],
            sweep_ns: i64::MAX,
            now_ns: i64::MIN,
            boundary_ns: i64::MIN,
            portfolio: None,
            triggers: Triggers::new(instruments.len(), &params.exits),
            diversity: Diversity::new(params.ensemble.diversity_window),
            counters: Counters::default(),
        }
    }
}
