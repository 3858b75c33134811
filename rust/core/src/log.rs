//! Flat records of closed bars, votes, equity and prices for whoever wants them; off until asked
//! for.

use bytemuck::{Pod, Zeroable};
use utb_types::{Bar, Condition, EventKind, EventRecord, Source, Vote};

use crate::market::{Tick, index};

/// Most records of a kind that wait to be drained; further ones are dropped and counted. A backtest
/// drains its bars, votes and equity at its end.
const RECORDS_MAX: usize = 1 << 22;
/// The same for prices, 16 MiB: those of some seconds, as they are drained several times a second.
const TICKS_MAX: usize = 1 << 18;

/// A kind of log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LogKind {
    /// [`BarRecord`]s.
    Bars,
    /// [`EquityRecord`]s.
    Equity,
    /// [`VoteRecord`]s.
    Votes,
    /// [`EventRecord`]s of the prices that were applied.
    Ticks,
}

impl LogKind {
    /// All kinds, in order.
    pub const ALL: [Self; 4] = [Self::Bars, Self::Equity, Self::Votes, Self::Ticks];

    /// Returns the name that Python uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bars => "bars",
            Self::Equity => "equity",
            Self::Votes => "votes",
            Self::Ticks => "ticks",
        }
    }
}

/// A closed bar, 64 bytes, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct BarRecord {
    /// Open time, nanoseconds.
    pub ts_ns: i64,
    /// Dense instrument index.
    pub instrument: u32,
    /// [`utb_types::Timeframe::index`].
    pub timeframe: u32,
    /// Open, high, low, close.
    pub ohlc: [f64; 4],
    /// Base volume; NaN = unknown.
    pub volume: f64,
    /// Zero.
    pub reserved: u64,
}

/// One strategy's vote at one closed bar, 64 bytes, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct VoteRecord {
    /// Open time of the bar, nanoseconds.
    pub ts_ns: i64,
    /// Dense instrument index.
    pub instrument: u32,
    /// Strategy index.
    pub strategy: u8,
    /// 0 HOLD, 1 BUY, 2 SELL.
    pub side: u8,
    /// BUY conditions: 0 missing, 1 failed, 2 held; in order, unused places 0.
    pub buy: [u8; 4],
    /// SELL conditions.
    pub sell: [u8; 4],
    /// Bit 0: would leave a LONG position; bit 1: would leave a short one.
    pub exits: u8,
    /// Zero.
    pub reserved: u8,
    /// Close of the bar.
    pub close: f64,
    /// Strength 0..1.
    pub strength: f64,
    /// Confidence 0..1.
    pub confidence: f64,
    /// Stop; NaN = none.
    pub stop: f64,
    /// Target; NaN = none.
    pub target: f64,
}

/// Equity at an end of a strategy bar, 16 bytes, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct EquityRecord {
    /// End of the bar, nanoseconds.
    pub ts_ns: i64,
    /// Equity at the last marks before it.
    pub equity: f64,
}

const _: () = assert!(size_of::<BarRecord>() == 64 && size_of::<VoteRecord>() == 64);
const _: () = assert!(size_of::<EquityRecord>() == 16);

/// One kind of record.
#[derive(Clone, Debug)]
pub(crate) struct Log<T> {
    on: bool,
    records: Vec<T>,
    most: usize,
    dropped: u64,
}

impl<T> Log<T> {
    const fn new(most: usize) -> Self {
        Self { on: false, records: Vec::new(), most, dropped: 0 }
    }
}

impl<T: Pod> Log<T> {
    #[inline]
    pub(crate) const fn is_on(&self) -> bool {
        self.on
    }

    fn switch(&mut self, on: bool) {
        self.on = on;
    }

    pub(crate) fn push(&mut self, record: T) {
        if self.records.len() < self.most {
            self.records.push(record);
        } else {
            self.dropped += 1;
        }
    }

    fn drain(&mut self) -> Vec<u8> {
        let bytes = bytemuck::cast_slice(&self.records).to_vec();
        self.records.clear();
        bytes
    }
}

/// All logs.
#[derive(Clone, Debug)]
pub(crate) struct Logs {
    pub(crate) bars: Log<BarRecord>,
    pub(crate) votes: Log<VoteRecord>,
    pub(crate) equity: Log<EquityRecord>,
    pub(crate) ticks: Log<EventRecord>,
}

impl Default for Logs {
    fn default() -> Self {
        Self {
            bars: Log::new(RECORDS_MAX),
            votes: Log::new(RECORDS_MAX),
            equity: Log::new(RECORDS_MAX),
            ticks: Log::new(TICKS_MAX),
        }
    }
}

impl Logs {
    pub(crate) fn switch(&mut self, on: &[LogKind]) {
        self.bars.switch(on.contains(&LogKind::Bars));
        self.equity.switch(on.contains(&LogKind::Equity));
        self.votes.switch(on.contains(&LogKind::Votes));
        self.ticks.switch(on.contains(&LogKind::Ticks));
    }

    pub(crate) fn drain(&mut self, kind: LogKind) -> Vec<u8> {
        match kind {
            LogKind::Bars => self.bars.drain(),
            LogKind::Equity => self.equity.drain(),
            LogKind::Votes => self.votes.drain(),
            LogKind::Ticks => self.ticks.drain(),
        }
    }

    pub(crate) const fn dropped(&self, kind: LogKind) -> u64 {
        match kind {
            LogKind::Bars => self.bars.dropped,
            LogKind::Equity => self.equity.dropped,
            LogKind::Votes => self.votes.dropped,
            LogKind::Ticks => self.ticks.dropped,
        }
    }
}

/// Returns the record of a price.
pub(crate) fn tick_record(instrument: usize, source: Source, tick: &Tick) -> EventRecord {
    EventRecord {
        ts_ns: tick.ts_ns,
        ts_recv_ns: tick.ts_recv_ns,
        instrument: index(instrument),
        kind: EventKind::Price as u16,
        source: source as u16,
        price: tick.price,
        volume: tick.volume.or_nan(),
        liquidity: tick.liquidity.or_nan(),
        slot: 0,
        index: 0,
    }
}

/// Returns the record of a closed bar.
pub(crate) const fn bar_record(instrument: u32, timeframe: u32, bar: &Bar) -> BarRecord {
    BarRecord {
        ts_ns: bar.open_ns,
        instrument,
        timeframe,
        ohlc: [bar.open, bar.high, bar.low, bar.close],
        volume: bar.volume.or_nan(),
        reserved: 0,
    }
}

/// Returns the record of a vote.
pub(crate) fn vote_record(instrument: u32, strategy: u8, bar: &Bar, vote: &Vote) -> VoteRecord {
    let code = |conditions: [Condition; 4]| conditions.map(|condition| condition as u8);
    VoteRecord {
        ts_ns: bar.open_ns,
        instrument,
        strategy,
        side: vote.side as u8,
        buy: code(vote.buy),
        sell: code(vote.sell),
        exits: u8::from(vote.exit_long) | u8::from(vote.exit_short) << 1,
        reserved: 0,
        close: bar.close,
        strength: vote.strength,
        confidence: vote.confidence,
        stop: vote.stop.or_nan(),
        target: vote.target.or_nan(),
    }
}
