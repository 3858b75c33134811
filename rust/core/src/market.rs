//! One market event: time passes, bars close, the price is applied.

use utb_signals::bars::{Applied, CloseGroup};
use utb_types::{Bar, EventKind, EventRecord, Source, Timeframe, Value};

use crate::event::EngineEvent;
use crate::instrument::hash;
use crate::log::{EquityRecord, bar_record, tick_record};
use crate::pipeline::Pipeline;
use crate::state::SourceCounts;

/// One price with its time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tick {
    pub(crate) ts_ns: i64,
    /// When it was received.
    pub(crate) ts_recv_ns: i64,
    /// Quote per base, finite and > 0.
    pub(crate) price: f64,
    /// Base volume since the one before; absent if unknown.
    pub(crate) volume: Value,
    /// Quote-side liquidity in quote units; absent if the source does not give it.
    pub(crate) liquidity: Value,
}

impl Pipeline {
    /// Takes one recorded event: the path of [`crate::Replay`].
    pub fn on_record(&mut self, record: &EventRecord) {
        let instrument = record.instrument as usize;
        let source = u8::try_from(record.source).ok().and_then(Source::from_index);
        let Some(source) = source.filter(|_| instrument < self.state.hot.len()) else {
            self.counts(Source::Recorded).reject("unknown_instrument");
            return;
        };
        let valid = record.price > 0.0
            && record.price.is_finite()
            && (record.volume.is_nan() || (0.0..f64::INFINITY).contains(&record.volume))
            && record.ts_ns >= 0;
        if !valid {
            self.counts(source).reject("range");
            return;
        }
        let tick = Tick {
            ts_ns: record.ts_ns,
            ts_recv_ns: record.ts_recv_ns,
            price: record.price,
            volume: Value::new(record.volume),
            liquidity: Value::new(record.liquidity),
        };
        if EventKind::from_index(record.kind) == Some(EventKind::Check) {
            self.clock_to(tick.ts_ns);
            self.cross_check(instrument, source, tick.price);
            return;
        }
        if record.slot != 0 && self.is_repeat(instrument, source, (record.slot, record.index)) {
            return;
        }
        self.on_price(instrument, source, &tick);
    }

    /// Returns whether (source, slot or transaction, index) was seen, and remembers it.
    pub(crate) fn is_repeat(
        &mut self,
        instrument: usize,
        source: Source,
        (slot, index): (u64, u64),
    ) -> bool {
        let mut key = [0; 24];
        let words = [source as u64, slot, index];
        for (to, word) in key.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *to = word.to_le_bytes();
        }
        let Some(cold) = self.state.cold.get_mut(instrument) else { return false };
        let repeat = !cold.feed.recent.insert(hash(&key));
        if repeat {
            self.counts(source).duplicate += 1;
        }
        repeat
    }

    /// Takes a price that passed the checks of its source; returns whether it counted.
    #[inline]
    pub(crate) fn on_price(&mut self, instrument: usize, source: Source, tick: &Tick) -> bool {
        self.stages.touch(index(instrument));
        self.clock_to(tick.ts_ns);
        let primary = self.state.hot.get(instrument).map(|it| it.primary);
        if primary != Some(source) && source != Source::Recorded {
            self.cross_check(instrument, source, tick.price);
            return false;
        }
        if !self.pass_gap_and_outlier(instrument, source, tick) {
            return false;
        }
        let Some(hot) = self.state.hot.get_mut(instrument) else { return false };
        let closes = hot.builder.next_end_ns().is_some_and(|end_ns| end_ns <= tick.ts_ns);
        if closes {
            self.close_until(instrument, tick.ts_ns, tick.ts_ns);
        }
        let Some(hot) = self.state.hot.get_mut(instrument) else { return false };
        match hot.builder.apply(tick.ts_ns, tick.price, tick.volume) {
            Applied::Late => {
                self.counts(source).late += 1;
                false
            }
            Applied::LateInside => {
                let counts = self.counts(source);
                counts.accepted += 1;
                counts.late_inside += 1;
                self.log_tick(instrument, source, tick);
                true
            }
            Applied::Updated => {
                hot.mark.price = tick.price;
                hot.mark.ts_ns = tick.ts_ns;
                hot.mark.events += 1;
                if tick.liquidity.is_present() {
                    hot.mark.liquidity = tick.liquidity;
                }
                // The timer depends on the time of the last event, so it is set after it.
                if closes || hot.parked {
                    self.schedule(instrument);
                }
                self.counts(source).accepted += 1;
                self.log_tick(instrument, source, tick);
                self.after_price(instrument, tick);
                true
            }
        }
    }

    #[inline]
    fn log_tick(&mut self, instrument: usize, source: Source, tick: &Tick) {
        if self.logs.ticks.is_on() {
            self.logs.ticks.push(tick_record(instrument, source, tick));
        }
    }

    /// Restarts after a gap, or refuses a price that is too far from the last one.
    #[inline]
    fn pass_gap_and_outlier(&mut self, instrument: usize, source: Source, tick: &Tick) -> bool {
        let Some(hot) = self.state.hot.get(instrument) else { return false };
        let Some(last_ns) = hot.builder.last_ts_ns() else { return true };
        let gap_ns = tick.ts_ns.saturating_sub(last_ns);
        if gap_ns > hot.gap_max_ns {
            self.restart(instrument, tick.ts_ns, gap_ns);
            return true;
        }
        let factor = self.params.feeds.outlier_factor;
        let last = hot.mark.price;
        if tick.price > last * factor || tick.price * factor < last {
            self.counts(source).reject("outlier");
            return false;
        }
        true
    }

    /// What follows a new last price: equity, triggers, flash crash, strategies that look at ticks.
    #[inline]
    fn after_price(&mut self, instrument: usize, tick: &Tick) {
        let Self { state, params, .. } = self;
        let Some(hot) = state.hot.get_mut(instrument) else { return };
        let rules = &params.exits;
        let crashed = hot.crash.on_price(
            tick.ts_ns,
            tick.price,
            rules.flash_crash_fall,
            rules.flash_crash_window_ns,
        );
        if hot.held {
            self.revalue(tick.ts_ns);
        }
        let Self { state, events, .. } = self;
        state.triggers.on_price(index(instrument), tick.ts_ns, tick.price, &mut |fired| {
            events.push(EngineEvent::from(fired));
        });
        if crashed {
            self.tell_crash(instrument, tick);
        }
        if self.tick_mask != 0 {
            self.evaluate_tick(instrument, tick);
        }
    }

    #[cold]
    fn tell_crash(&mut self, instrument: usize, tick: &Tick) {
        let Some(hot) = self.state.hot.get(instrument) else { return };
        self.events.push(EngineEvent::FlashCrash {
            ts_ns: tick.ts_ns,
            instrument: index(instrument),
            fall: 1.0 - tick.price / hot.crash.highest(),
            limit: self.params.exits.flash_crash_fall,
        });
    }

    /// Takes the marks of all holdings anew.
    fn revalue(&mut self, ts_ns: i64) {
        let Self { state, events, .. } = self;
        let Some(portfolio) = state.portfolio.as_mut() else { return };
        let hot = &state.hot;
        let fall = portfolio
            .revalue(|instrument| hot.get(instrument as usize).map_or(0.0, |it| it.mark.price));
        if let Some(fall) = fall {
            events.push(EngineEvent::EquityFloor {
                ts_ns,
                equity: fall.equity,
                floor: fall.floor,
                peak: fall.peak,
            });
        }
    }

    /// Compares a secondary source's price with the primary one's.
    fn cross_check(&mut self, instrument: usize, source: Source, price: f64) {
        let Some(hot) = self.state.hot.get(instrument) else { return };
        let (mark, known) = (hot.mark.price, hot.mark.events > 0);
        let limit = self.params.feeds.cross_check_difference;
        let counts = self.counts(source);
        counts.checked += 1;
        if known && (price - mark).abs() > limit * mark {
            counts.diverged += 1;
        }
    }

    /// Lets time pass up to `ts_ns`: ends of days and strategy bars, and the timers.
    #[inline]
    pub(crate) fn clock_to(&mut self, ts_ns: i64) {
        if ts_ns >= self.state.boundary_ns {
            self.pass_boundaries(ts_ns);
        }
        if ts_ns >= self.state.sweep_ns {
            self.sweep(ts_ns);
        }
        self.state.now_ns = self.state.now_ns.max(ts_ns);
    }

    #[cold]
    fn pass_boundaries(&mut self, ts_ns: i64) {
        let timeframe = self.params.timeframe;
        if self.state.boundary_ns == i64::MIN {
            self.state.boundary_ns = timeframe.open_ns(ts_ns).saturating_add(timeframe.span_ns());
            return;
        }
        while ts_ns >= self.state.boundary_ns {
            let end_ns = self.state.boundary_ns;
            if end_ns >= self.state.sweep_ns {
                self.sweep(end_ns);
            }
            if let Some((equity, peak)) = self.equity() {
                if self.logs.equity.is_on() {
                    self.logs.equity.push(EquityRecord { ts_ns: end_ns, equity });
                }
                let day_ns = Timeframe::D1.span_ns();
                if Timeframe::D1.open_ns(end_ns) == end_ns {
                    let day = end_ns / day_ns - 1;
                    self.events.push(EngineEvent::DayClosed { ts_ns: end_ns, day, equity, peak });
                }
            }
            self.state.boundary_ns = end_ns.saturating_add(timeframe.span_ns());
        }
    }

    /// Closes bars by timer: oldest deadline first, then by index, each stamped with its deadline.
    fn sweep(&mut self, ts_ns: i64) {
        while self.state.sweep_ns <= ts_ns {
            let deadline_ns = self.state.sweep_ns;
            let stamp_ns = deadline_ns.max(self.state.now_ns);
            let mut next_ns = i64::MAX;
            for instrument in 0..self.state.due_ns.len() {
                let due_ns = self.state.due_ns.get(instrument).copied().unwrap_or(i64::MAX);
                if due_ns <= deadline_ns {
                    let end_ns = due_ns.saturating_sub(self.params.feeds.close_grace_ns);
                    self.close_until(instrument, end_ns, stamp_ns);
                    self.schedule(instrument);
                }
                let due_ns = self.state.due_ns.get(instrument).copied().unwrap_or(i64::MAX);
                next_ns = next_ns.min(due_ns);
            }
            self.state.sweep_ns = next_ns;
        }
    }

    /// Returns a time before which no timer is due, nanoseconds: bars in silence, ends of days.
    #[inline]
    pub fn next_timer_ns(&self) -> i64 {
        self.state.sweep_ns.min(self.state.boundary_ns)
    }

    /// Closes the instrument's bars that end at or before `end_ns`, at the time `stamp_ns`.
    fn close_until(&mut self, instrument: usize, end_ns: i64, stamp_ns: i64) {
        loop {
            let Some(hot) = self.state.hot.get_mut(instrument) else { return };
            let Some(mut group) = hot.builder.next_close(end_ns) else { return };
            self.close_group(instrument, &mut group, stamp_ns);
        }
    }

    /// Sets the instrument's timer: no bar closes by timer once its end is more than the gap
    /// limit after the last event, for the next event restarts the warm-up anyway.
    pub(crate) fn schedule(&mut self, instrument: usize) {
        let Some(hot) = self.state.hot.get_mut(instrument) else { return };
        let due_ns = match (hot.builder.next_end_ns(), hot.builder.last_ts_ns()) {
            (Some(end_ns), Some(last_ns)) if end_ns.saturating_sub(last_ns) <= hot.gap_max_ns => {
                end_ns.saturating_add(self.params.feeds.close_grace_ns)
            }
            _ => i64::MAX,
        };
        hot.parked = due_ns == i64::MAX;
        if let Some(slot) = self.state.due_ns.get_mut(instrument) {
            *slot = due_ns;
        }
        self.state.sweep_ns = self.state.sweep_ns.min(due_ns);
    }

    /// Takes the bars that end at one instant, all timeframes before the strategies look.
    fn close_group(&mut self, instrument: usize, group: &mut CloseGroup, stamp_ns: i64) {
        self.forget_unsampled_volumes(instrument, group);
        let Some(own) = self.registry.get(instrument).map(|it| it.timeframe) else { return };
        let Some(cold) = self.state.cold.get_mut(instrument) else { return };
        for (timeframe, bar) in Timeframe::ALL.into_iter().zip(&group.bars) {
            let Some(bar) = bar else { continue };
            if let Some(series) = cold.series.get_mut(timeframe) {
                series.update(bar);
            }
            if timeframe == Timeframe::H1 {
                cold.hours.get_or_insert_default().push(bar.open_ns, bar.close);
            }
            if let Some(count) = self.state.counters.bars.get_mut(timeframe.index()) {
                *count += 1;
            }
            if self.logs.bars.is_on() {
                self.logs.bars.push(bar_record(index(instrument), timeframe as u32, bar));
            }
        }
        if let Some(Some(bar)) = group.bars.get(own.index()) {
            let bar: Bar = *bar;
            self.evaluate_close(instrument, &bar, stamp_ns);
        }
    }

    /// With sampled 5-minute volumes, a bar that holds an unsampled 5m bar has no volume.
    fn forget_unsampled_volumes(&mut self, instrument: usize, group: &mut CloseGroup) {
        if self.state.hot.get(instrument).map(|it| it.primary) != Some(Source::DexScreener) {
            return;
        }
        let Some(cold) = self.state.cold.get_mut(instrument) else { return };
        let five = Timeframe::M5.span_ns();
        if group.end_ns % five == 0 && !cold.feed.rolling.sampled(group.end_ns - five) {
            cold.volume_unknown_until_ns = group.end_ns;
        }
        for bar in group.bars.iter_mut().flatten() {
            if cold.volume_unknown_until_ns > bar.open_ns {
                bar.volume = Value::ABSENT;
            }
        }
    }

    /// Starts the warm-up again. Hourly returns stay: the hours of the gap are missing there.
    #[cold]
    fn restart(&mut self, instrument: usize, ts_ns: i64, gap_ns: i64) {
        let (Some(hot), Some(cold)) =
            (self.state.hot.get_mut(instrument), self.state.cold.get_mut(instrument))
        else {
            return;
        };
        hot.builder.restart();
        hot.crash.reset();
        cold.reset();
        self.state.counters.restarts += 1;
        let instrument = index(instrument);
        self.events.push(EngineEvent::WarmUpRestarted { ts_ns, instrument, gap_ns });
    }

    #[inline]
    pub(crate) fn counts(&mut self, source: Source) -> &mut SourceCounts {
        let [dexscreener, birdeye, helius, recorded] = &mut self.state.counters.sources;
        match source {
            Source::DexScreener => dexscreener,
            Source::Birdeye => birdeye,
            Source::Helius => helius,
            Source::Recorded => recorded,
        }
    }
}

/// Returns a dense index as it stands in events.
#[inline]
pub(crate) fn index(instrument: usize) -> u32 {
    u32::try_from(instrument).unwrap_or(u32::MAX)
}
