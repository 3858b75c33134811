//! Bars of all timeframes from one stream of prices.
//!
//! The timeframes are nested and all built from the same events: an event touches only the finest
//! forming bar, and a bar that closes is folded into the next coarser one. A bar in which nothing
//! traded repeats the last close with volume 0; it leaves no trace in the coarser bar unless that
//! one stays silent too, so a bar is the same whatever the finest timeframe is.

use serde::{Deserialize, Serialize};
use utb_types::{Bar, TIMEFRAME_COUNT, Timeframe, Value};

/// Last time that is taken, one day before the end of the clock: the end of its bars must fit.
const TS_NS_MAX: i64 = i64::MAX - Timeframe::D1.span_ns();

/// What an event did to the forming bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It became the last price.
    Updated,
    /// It is older than the last event but inside the finest forming bar: only high, low and
    /// volume took note.
    LateInside,
    /// Dropped: it is older than the finest forming bar, its price is not a positive number, or
    /// its time is not one (negative, or within a day of the end of `i64`).
    Late,
}

/// The bars that end at one instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CloseGroup {
    /// The instant at which they end, nanoseconds; exclusive.
    pub end_ns: i64,
    /// By [`Timeframe::index`]; `None` where no bar ends here, or where it is partial.
    pub bars: [Option<Bar>; TIMEFRAME_COUNT],
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Forming {
    open: f64,
    high: f64,
    low: f64,
    close: f64,
    volume: f64,
    traded: bool,
    partial: bool,
}

impl Forming {
    /// A bar in which nothing has traded yet.
    const fn silent(last_close: f64, partial: bool) -> Self {
        Self {
            open: last_close,
            high: last_close,
            low: last_close,
            close: last_close,
            volume: 0.0,
            traded: false,
            partial,
        }
    }

    fn fold(&mut self, later: &Self) {
        if !later.traded {
            return;
        }
        if self.traded {
            self.high = self.high.max(later.high);
            self.low = self.low.min(later.low);
            self.close = later.close;
            self.volume += later.volume;
        } else {
            *self = Self { partial: self.partial, ..*later };
        }
    }

    fn bar(&self, open_ns: i64) -> Bar {
        Bar {
            open_ns,
            open: self.open,
            high: self.high,
            low: self.low,
            close: self.close,
            volume: Value::new(self.volume),
        }
    }
}

/// Builds the bars of one instrument.
///
/// The first finest bar after a (re)start counts as whole even if events of its beginning were
/// missed. A coarser bar that started before that finest bar is *partial*: it is neither shown by
/// [`BarBuilder::forming`] nor closed, so it never enters the indicators of its timeframe.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BarBuilder {
    finest: Timeframe,
    started: bool,
    open_ns: i64,
    end_ns: i64,
    last_ts_ns: i64,
    /// The finest one holds its events; a coarser one holds the finer bars that closed inside it.
    forming: [Forming; TIMEFRAME_COUNT],
}

impl BarBuilder {
    /// Builds no timeframe finer than `finest`, which is the bar size of the input (or the finest
    /// one that is wanted).
    pub const fn new(finest: Timeframe) -> Self {
        Self {
            finest,
            started: false,
            open_ns: 0,
            end_ns: 0,
            last_ts_ns: 0,
            forming: [Forming::silent(0.0, false); TIMEFRAME_COUNT],
        }
    }

    /// Closes the earliest-ending forming bars whose end is at or before `ts_ns`, all timeframes
    /// that end at that same instant. To be called until `None` before an event at `ts_ns` is
    /// applied.
    #[inline]
    pub fn next_close(&mut self, ts_ns: i64) -> Option<CloseGroup> {
        if !self.started || ts_ns < self.end_ns { None } else { Some(self.close()) }
    }

    /// Takes one price, with the base volume traded since the one before.
    ///
    /// An absent volume makes the volume of its bars absent. Bars that should have been closed by
    /// [`BarBuilder::next_close`] before are closed unseen.
    #[inline]
    pub fn apply(&mut self, ts_ns: i64, price: f64, volume: Value) -> Applied {
        if !(price > 0.0 && price < f64::INFINITY && (0..=TS_NS_MAX).contains(&ts_ns)) {
            return Applied::Late;
        }
        if !self.started {
            self.start(ts_ns, price);
        }
        if ts_ns < self.open_ns {
            return Applied::Late;
        }
        debug_assert!(ts_ns < self.end_ns, "next_close must be called until None");
        while ts_ns >= self.end_ns {
            self.close();
        }
        let late = ts_ns < self.last_ts_ns;
        let Some(bar) = self.forming.get_mut(self.finest.index()) else { return Applied::Late };
        bar.volume += volume.or_nan();
        if bar.traded {
            bar.high = bar.high.max(price);
            bar.low = bar.low.min(price);
            if !late {
                bar.close = price;
            }
        } else {
            bar.traded = true;
            (bar.open, bar.high, bar.low, bar.close) = (price, price, price, price);
        }
        if late {
            return Applied::LateInside;
        }
        self.last_ts_ns = ts_ns;
        Applied::Updated
    }

    /// Returns the forming bar of a timeframe, `None` before the first event, for a timeframe
    /// finer than the finest, and while it is partial.
    #[inline]
    pub fn forming(&self, timeframe: Timeframe) -> Option<Bar> {
        let finest = self.finest.index();
        let mut whole = *self.forming.get(timeframe.index())?;
        if !self.started || timeframe < self.finest || whole.partial {
            return None;
        }
        // From coarse to fine is from old to new.
        for finer in self.forming.get(finest..timeframe.index())?.iter().rev() {
            whole.fold(finer);
        }
        Some(whole.bar(timeframe.open_ns(self.open_ns)))
    }

    /// Returns whether the forming bar of a timeframe started before the first event was seen.
    pub fn is_partial(&self, timeframe: Timeframe) -> bool {
        self.forming.get(timeframe.index()).is_some_and(|bar| bar.partial)
    }

    /// Forgets everything: after a gap that is longer than the limit, which the caller sees by
    /// [`BarBuilder::last_ts_ns`].
    pub fn restart(&mut self) {
        *self = Self::new(self.finest);
    }

    /// Returns the finest timeframe that is built.
    pub const fn finest(&self) -> Timeframe {
        self.finest
    }

    /// Returns the time of the newest event, `None` before the first one.
    #[inline]
    pub const fn last_ts_ns(&self) -> Option<i64> {
        if self.started { Some(self.last_ts_ns) } else { None }
    }

    /// Returns when the finest forming bar ends, `None` before the first event.
    #[inline]
    pub const fn next_end_ns(&self) -> Option<i64> {
        if self.started { Some(self.end_ns) } else { None }
    }

    #[cold]
    fn start(&mut self, ts_ns: i64, price: f64) {
        self.started = true;
        self.open_ns = self.finest.open_ns(ts_ns);
        self.end_ns = self.open_ns + self.finest.span_ns();
        self.last_ts_ns = ts_ns;
        for (bar, timeframe) in self.forming.iter_mut().zip(Timeframe::ALL) {
            *bar = Forming::silent(price, timeframe.open_ns(self.open_ns) < self.open_ns);
        }
    }

    fn close(&mut self) -> CloseGroup {
        let end_ns = self.end_ns;
        let mut bars = [None; TIMEFRAME_COUNT];
        let mut finer: Option<Forming> = None;
        let timeframes = Timeframe::ALL.into_iter().zip(&mut self.forming).zip(&mut bars);
        for ((timeframe, forming), closed) in timeframes.skip(self.finest.index()) {
            if let Some(finer) = &finer {
                forming.fold(finer);
            }
            if timeframe.open_ns(end_ns) != end_ns {
                break;
            }
            if !forming.partial {
                *closed = Some(forming.bar(end_ns - timeframe.span_ns()));
            }
            finer = Some(*forming);
            *forming = Forming::silent(forming.close, false);
        }
        self.open_ns = end_ns;
        self.end_ns = end_ns + self.finest.span_ns();
        CloseGroup { end_ns, bars }
    }
}

#[cfg(test)]
#[path = "bars_tests.rs"]
mod tests;
