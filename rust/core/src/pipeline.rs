//! The pipeline: one per process, one thread, a pure function of what it is given.

use utb_feeds::Scratch;
use utb_signals::triggers::{ArmError, Armed};
use utb_types::{Context, Evaluate, Params, PoolRole, STRATEGY_COUNT, Source, Timeframe, Value};

use crate::CoreError;
use crate::arming::ArmedDocument;
use crate::bindings::Bindings;
use crate::correlation::correlation;
use crate::event::EngineEvent;
use crate::ingest::DeepestPair;
use crate::instrument::Registry;
use crate::log::{LogKind, Logs};
use crate::portfolio::Portfolio;
use crate::stages::StageLog;
use crate::state::{Mark, State};

/// Prices, contexts and positions in; decisions and fired triggers out.
///
/// Order per market event at `ts`: ends of days and strategy bars up to `ts`; bars of all
/// instruments whose end + grace is at or before `ts`, oldest first, then by index, each stamped
/// end + grace; the own bars that end at or before `ts`; then the price itself.
#[derive(Debug)]
pub struct Pipeline {
    pub(crate) params: Params,
    /// Bit (1 << strategy) of those that look at every tick.
    pub(crate) tick_mask: u8,
    pub(crate) registry: Registry,
    pub(crate) input: Timeframe,
    pub(crate) state: State,
    pub(crate) bindings: Bindings,
    pub(crate) logs: Logs,
    pub(crate) stages: StageLog,
    pub(crate) events: Vec<EngineEvent>,
    pub(crate) scratch: Scratch,
    pub(crate) pairs: Vec<DeepestPair>,
}

impl Pipeline {
    /// Starts from JSON parameters and instruments; no timeframe finer than `input` is built.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the documents.
    pub fn new(params: &[u8], instruments: &[u8], input: Timeframe) -> Result<Self, CoreError> {
        let params = params_of(params)?;
        let registry = Registry::from_json(instruments, input)?;
        let state = State::new(registry.all(), &params, input);
        Ok(Self {
            tick_mask: tick_mask(&params),
            params,
            state,
            registry,
            input,
            bindings: Bindings::default(),
            logs: Logs::default(),
            stages: StageLog::default(),
            events: Vec::with_capacity(16),
            scratch: Scratch::with_capacity(64),
            pairs: Vec::with_capacity(64),
        })
    }

    /// Swaps the parameters; they act from the next event on.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the document, or the parameter that cannot change in a run.
    pub fn set_params(&mut self, params: &[u8]) -> Result<(), CoreError> {
        let params = params_of(params)?;
        for (field, new, old) in [
            ("stat_window_bars", params.stat_window_bars, self.params.stat_window_bars),
            (
                "reversion_horizon_bars",
                params.reversion_horizon_bars,
                self.params.reversion_horizon_bars,
            ),
            (
                "diversity_window",
                params.ensemble.diversity_window,
                self.params.ensemble.diversity_window,
            ),
            ("timeframe", params.timeframe as u32, self.params.timeframe as u32),
        ] {
            if new != old {
                return Err(CoreError::range(field, new, format!("{old} until the next start")));
            }
        }
        self.adopt(params);
        Ok(())
    }

    fn adopt(&mut self, params: Params) {
        self.tick_mask = tick_mask(&params);
        self.params = params;
        self.apply_params();
    }

    /// Brings what was derived from the parameters up to them.
    pub(crate) fn apply_params(&mut self) {
        self.state.triggers.set_params(&self.params.exits);
        for (hot, instrument) in self.state.hot.iter_mut().zip(self.registry.all()) {
            let finest = instrument.finest(self.input);
            hot.gap_max_ns = self.params.feeds.max_gap_ns.max(finest.span_ns());
        }
        for instrument in 0..self.state.hot.len() {
            self.schedule(instrument);
        }
    }

    /// Takes a slow input as JSON, made at `ts_ns`.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with it.
    pub fn set_context(
        &mut self,
        instrument: u32,
        context: &[u8],
        ts_ns: i64,
    ) -> Result<(), CoreError> {
        let context: Context =
            sonic_rs::from_slice(context).map_err(|error| CoreError::document("context", error))?;
        self.check_instrument(instrument)?;
        if let Some(cold) = self.state.cold.get_mut(instrument as usize) {
            cold.context.set(context, ts_ns);
        }
        Ok(())
    }

    /// Says what a subscription delivers; an earlier one of the same role ends.
    ///
    /// # Errors
    ///
    /// Returns an unknown instrument, a source without subscriptions, or a key that is no id.
    pub fn bind(
        &mut self,
        source: Source,
        key: &str,
        instrument: u32,
        role: PoolRole,
    ) -> Result<(), CoreError> {
        if source != Source::Helius {
            return Err(CoreError::range("source", source as u8, "2, helius"));
        }
        let subscription = key
            .parse::<u64>()
            .map_err(|_| CoreError::range("key", key, "a subscription id, 0..2^64"))?;
        self.check_instrument(instrument)?;
        self.bindings.bind(subscription, instrument, role);
        if let Some(cold) = self.state.cold.get_mut(instrument as usize) {
            let pool = cold.feed.pool.get_or_insert_default();
            if role == PoolRole::Pool {
                pool.bind_account();
            }
        }
        Ok(())
    }

    /// Takes what the ledger holds, as JSON.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with it.
    pub fn set_portfolio(&mut self, portfolio: &[u8]) -> Result<(), CoreError> {
        let mut portfolio = Portfolio::from_json(portfolio, self.state.hot.len())?;
        portfolio.succeed(self.state.portfolio.as_ref());
        let hot = &mut self.state.hot;
        for (index, hot) in hot.iter_mut().enumerate() {
            hot.held = portfolio.holds(u32::try_from(index).unwrap_or(u32::MAX));
        }
        portfolio.start(|instrument| hot.get(instrument as usize).map_or(0.0, |it| it.mark.price));
        self.state.portfolio = Some(portfolio);
        Ok(())
    }

    /// Arms the exits of a position given as JSON; one with the same id is replaced.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with it, or that another position of the instrument is armed.
    pub fn arm(&mut self, position: &[u8]) -> Result<(), CoreError> {
        let document = ArmedDocument::from_json(position)?;
        self.check_instrument(document.instrument)?;
        let armed: Armed = document.armed(self.atr(document.instrument as usize))?;
        let ts_ns = self.state.now_ns;
        let Self { state, events, .. } = self;
        state
            .triggers
            .arm(armed, ts_ns, &mut |moved| events.push(EngineEvent::from(moved)))
            .map_err(|error| match error {
                ArmError::Taken { position_id } => CoreError::range(
                    "position_id",
                    armed.position_id,
                    format!("{position_id}, which is armed on that instrument"),
                ),
                ArmError::NotFinite => CoreError::range("position", "not finite", "finite prices"),
            })
    }

    /// Ends a position's exits; false if it was not armed.
    pub fn disarm(&mut self, position_id: u64) -> bool {
        self.state.triggers.disarm(position_id)
    }

    /// Says that an exit order failed: the position's triggers are live again.
    pub fn release(&mut self, position_id: u64) -> bool {
        self.state.triggers.release(position_id)
    }

    /// Raises stops to at most `atr_multiple` ATR below the last price, of one instrument or all.
    ///
    /// # Errors
    ///
    /// Returns an unknown instrument or a multiple that is not positive.
    pub fn tighten(&mut self, instrument: Option<u32>, atr_multiple: f64) -> Result<(), CoreError> {
        if !(atr_multiple > 0.0 && atr_multiple.is_finite()) {
            return Err(CoreError::range("atr_multiple", atr_multiple, "finite, > 0"));
        }
        let ts_ns = self.state.now_ns;
        let range = match instrument {
            Some(one) => {
                self.check_instrument(one)?;
                one..one + 1
            }
            None => 0..u32::try_from(self.state.hot.len()).unwrap_or(u32::MAX),
        };
        let Self { state, events, .. } = self;
        for instrument in range {
            state.triggers.tighten_to_atr(instrument, atr_multiple, ts_ns, &mut |moved| {
                events.push(EngineEvent::from(moved));
            });
        }
        Ok(())
    }

    /// Runs the timers: closes bars whose end + grace is at or before `ts_ns`.
    pub fn advance_to(&mut self, ts_ns: i64) {
        self.clock_to(ts_ns);
    }

    /// Returns the last price of an instrument, `None` before the first one.
    pub fn mark(&self, instrument: u32) -> Option<Mark> {
        let mark = self.state.hot.get(instrument as usize)?.mark;
        (mark.events > 0).then_some(mark)
    }

    /// Returns ATR14 of an instrument's strategy timeframe at its last closed bar.
    pub fn atr(&self, instrument: usize) -> Value {
        let timeframe = self.registry.get(instrument).map(|it| it.timeframe);
        let features = timeframe
            .zip(self.state.cold.get(instrument))
            .and_then(|(timeframe, cold)| cold.series.features(timeframe));
        features.map_or(Value::ABSENT, |features| features.atr14)
    }

    /// Returns (equity, peak) at the last marks; `None` without a portfolio and while a held
    /// instrument has no mark.
    pub fn equity(&self) -> Option<(f64, f64)> {
        self.state.portfolio.as_ref()?.equity()
    }

    /// Returns the shrunk correlation of hourly log returns over 30 days.
    pub fn correlation(&self, left: u32, right: u32) -> Option<f64> {
        let hours = |index: u32| self.state.cold.get(index as usize)?.hours.as_deref();
        correlation(hours(left)?, hours(right)?, &self.params.risk)
    }

    /// Returns the mean positive vote correlation of each strategy with the others.
    pub fn diversity(&self) -> [f64; STRATEGY_COUNT] {
        self.state.diversity.mean_positive_correlation()
    }

    /// Returns the number of instruments.
    pub fn len(&self) -> usize {
        self.state.hot.len()
    }

    /// Returns whether there is no instrument.
    pub fn is_empty(&self) -> bool {
        self.state.hot.is_empty()
    }

    /// Returns the events since the last [`Pipeline::clear_events`].
    #[inline]
    pub fn events(&self) -> &[EngineEvent] {
        &self.events
    }

    /// Forgets the events that were read.
    #[inline]
    pub fn clear_events(&mut self) {
        self.events.clear();
    }

    /// Switches these logs on and the others off; what they hold stays.
    pub fn log(&mut self, on: &[LogKind]) {
        self.logs.switch(on);
    }

    /// Returns the records of a kind since the last call.
    pub fn drain(&mut self, kind: LogKind) -> Vec<u8> {
        self.logs.drain(kind)
    }

    /// Returns how many records of a kind were dropped since the start, because nobody drained.
    pub fn log_dropped(&self, kind: LogKind) -> u64 {
        self.logs.dropped(kind)
    }

    /// Returns the stage log.
    pub const fn stages(&self) -> &StageLog {
        &self.stages
    }

    /// Returns the stage log, to switch, to write and to drain.
    pub const fn stages_mut(&mut self) -> &mut StageLog {
        &mut self.stages
    }

    pub(crate) fn check_instrument(&self, instrument: u32) -> Result<(), CoreError> {
        let count = self.state.hot.len();
        if (instrument as usize) < count {
            return Ok(());
        }
        Err(CoreError::range("instrument", instrument, format!("below {count}")))
    }
}

fn params_of(json: &[u8]) -> Result<Params, CoreError> {
    let params: Params =
        sonic_rs::from_slice(json).map_err(|error| CoreError::document("params", error))?;
    for (field, value) in
        [("close_grace_ns", params.feeds.close_grace_ns), ("max_gap_ns", params.feeds.max_gap_ns)]
    {
        if value < 0 {
            return Err(CoreError::range(field, value, ">= 0"));
        }
    }
    if params.feeds.outlier_factor.is_nan() || params.feeds.outlier_factor <= 1.0 {
        return Err(CoreError::range("outlier_factor", params.feeds.outlier_factor, "> 1"));
    }
    for row in &params.weights {
        if !row.iter().all(|weight| weight.is_finite() && *weight >= 0.0) {
            return Err(CoreError::range("weights", format!("{row:?}"), "finite, >= 0"));
        }
    }
    Ok(params)
}

fn tick_mask(params: &Params) -> u8 {
    let bits = params.evaluate.iter().enumerate();
    bits.fold(0, |mask, (index, evaluate)| mask | u8::from(*evaluate == Evaluate::Tick) << index)
}
