//! Flat records of closed bars, votes and equity for whoever wants them; off until asked for.

use bytemuck::{Pod, Zeroable};
use utb_types::{Bar, Condition, Vote};

/// Most records of a kind that wait to be drained; further ones are dropped and counted.
const RECORDS_MAX: usize = 1 << 22;

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
    dropped: u64,
}

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self { on: false, records: Vec::new(), dropped: 0 }
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
        if self.records.len() < RECORDS_MAX {
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
#[derive(Clone, Debug, Default)]
pub(crate) struct Logs {
    pub(crate) bars: Log<BarRecord>,
    pub(crate) votes: Log<VoteRecord>,
    pub(crate) equity: Log<EquityRecord>,
}

impl Logs {
    pub(crate) fn switch(&mut self, bars: bool, equity: bool, votes: bool) {
        self.bars.switch(bars);
        self.equity.switch(equity);
        self.votes.switch(votes);
    }

    pub(crate) fn drain_bars(&mut self) -> Vec<u8> {
        self.bars.drain()
    }

    pub(crate) fn drain_votes(&mut self) -> Vec<u8> {
        self.votes.drain()
    }

    pub(crate) fn drain_equity(&mut self) -> Vec<u8> {
        self.equity.drain()
    }

    pub(crate) const fn dropped(&self) -> u64 {
        self.bars.dropped + self.votes.dropped + self.equity.dropped
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
