//! How long the stages between a frame and its consequences take: a ring of records, and
//! histograms.
//!
//! This crate reads no clock: whoever switches the log on gives one. Durations never reach the
//! state.

use bytemuck::{Pod, Zeroable};

use crate::CoreError;
use crate::durations::{Durations, StageSummary};

/// Number of stages.
pub const STAGE_COUNT: usize = 7;

/// Names of the stages by number: decode and decide are timed here, the others by the caller.
///
/// Decode is from a frame's arrival to its first decoded item, decide to the end of its handling.
pub const STAGES: [&str; STAGE_COUNT] =
    ["decode", "decide", "approve", "journal", "submit", "fill", "snapshot"];

/// [`StageRecord::instrument`] of what belongs to no instrument.
pub const NO_INSTRUMENT: u16 = u16::MAX;

/// Records of the ring, 512 KiB: a second and more of the busiest feeds.
const RING: usize = 1 << 15;
const DECODE: usize = 0;
const DECIDE: usize = 1;

/// One duration, 16 bytes, little-endian.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct StageRecord {
    /// When: the receive time of the frame, or the caller's time, nanoseconds.
    pub ts_ns: i64,
    /// How long, nanoseconds; what does not fit is `u32::MAX`.
    pub duration_ns: u32,
    /// Position in [`STAGES`].
    pub stage: u8,
    /// A [`utb_types::Source`], or 255: none.
    pub source: u8,
    /// Dense index of the last instrument the frame had a price for; [`NO_INSTRUMENT`]: none.
    pub instrument: u16,
}

const _: () = assert!(size_of::<StageRecord>() == 16);

/// The stage log; off, and without memory of its own, until it is given a clock.
#[derive(Clone, Debug, Default)]
pub struct StageLog {
    clock: Option<fn() -> u64>,
    ring: Vec<StageRecord>,
    /// Records written since the log was made, and those of them that were drained or lost.
    written: usize,
    taken: usize,
    dropped: u64,
    stages: Vec<Durations>,
    /// Time of the latest record.
    latest_ns: i64,
    /// Instrument of the last price of the frame in hand.
    touched: u32,
}

impl StageLog {
    /// Switches the log on with a clock of monotonic nanoseconds, or off; what it holds stays.
    pub fn switch(&mut self, clock: Option<fn() -> u64>) {
        self.clock = clock;
        if clock.is_some() && self.ring.is_empty() {
            self.ring = vec![StageRecord::default(); RING];
            self.stages = vec![Durations::new(); STAGE_COUNT];
        }
    }

    /// Returns whether it is on.
    #[inline]
    pub const fn is_on(&self) -> bool {
        self.clock.is_some()
    }

    /// Takes a duration measured by the caller; does nothing while the log is off.
    ///
    /// # Errors
    ///
    /// Returns an unknown stage.
    #[inline]
    pub fn note(&mut self, record: StageRecord) -> Result<(), CoreError> {
        if usize::from(record.stage) >= STAGE_COUNT {
            return Err(CoreError::range("stage", record.stage, format!("below {STAGE_COUNT}")));
        }
        if self.is_on() {
            self.record(record);
        }
        Ok(())
    }

    /// Writes into the ring, over the oldest record if it is full, and counts.
    #[inline]
    fn record(&mut self, record: StageRecord) {
        if let Some(slot) = self.ring.get_mut(self.written % RING) {
            *slot = record;
        }
        self.written += 1;
        self.latest_ns = record.ts_ns;
        if let Some(durations) = self.stages.get_mut(usize::from(record.stage)) {
            durations.add(record.ts_ns, record.duration_ns);
        }
    }

    /// Returns the records since the last call, oldest first; those that were written over are
    /// counted as dropped.
    pub fn drain(&mut self) -> Vec<u8> {
        let lost = (self.written - self.taken).saturating_sub(RING);
        self.dropped += lost as u64;
        let first = self.taken + lost;
        self.taken = self.written;
        let (start, len) = (first % RING, self.written - first);
        let end = (start + len).min(self.ring.len());
        let older = self.ring.get(start..end).unwrap_or_default();
        let newer = self.ring.get(..len - older.len()).unwrap_or_default();
        [bytemuck::cast_slice::<_, u8>(older), bytemuck::cast_slice(newer)].concat()
    }

    /// Returns how many records were lost since the log was made, by the last drain.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Returns the histograms, in the order of [`STAGES`].
    pub fn summaries(&self) -> [StageSummary; STAGE_COUNT] {
        let mut summaries = [StageSummary::default(); STAGE_COUNT];
        for (summary, durations) in summaries.iter_mut().zip(&self.stages) {
            *summary = durations.summary(self.latest_ns);
        }
        summaries
    }

    /// Starts timing a frame; `None` while the log is off.
    #[inline]
    pub(crate) fn start(&mut self) -> Option<Watch> {
        let clock = self.clock?;
        self.touched = u32::MAX;
        Some(Watch { clock, began_ns: clock(), decoded_ns: None })
    }

    /// Notes whose price the frame in hand has.
    #[inline]
    pub(crate) const fn touch(&mut self, instrument: u32) {
        self.touched = instrument;
    }

    /// Ends timing a frame.
    pub(crate) fn finish(&mut self, watch: Watch, source: u8, ts_ns: i64) {
        let decided_ns = (watch.clock)();
        let instrument = u16::try_from(self.touched).unwrap_or(NO_INSTRUMENT);
        let ends = [(DECODE, watch.decoded_ns), (DECIDE, Some(decided_ns))];
        for (stage, end_ns) in ends {
            let Some(end_ns) = end_ns else { continue };
            self.record(StageRecord {
                ts_ns,
                duration_ns: duration(end_ns.saturating_sub(watch.began_ns)),
                stage: u8::try_from(stage).unwrap_or(u8::MAX),
                source,
                instrument,
            });
        }
    }
}

/// Returns nanoseconds as a record holds them.
#[inline]
pub fn duration(ns: u64) -> u32 {
    u32::try_from(ns).unwrap_or(u32::MAX)
}

/// A frame being timed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch {
    clock: fn() -> u64,
    began_ns: u64,
    decoded_ns: Option<u64>,
}

impl Watch {
    /// Notes that an item was decoded; only the first counts.
    #[inline]
    pub(crate) fn decoded(&mut self) {
        if self.decoded_ns.is_none() {
            self.decoded_ns = Some((self.clock)());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{RING, StageLog, StageRecord};
    use crate::durations::BOUNDS_NS;

    const MINUTE_NS: i64 = 60_000_000_000;

    fn log() -> StageLog {
        let mut log = StageLog::default();
        log.switch(Some(|| 0));
        log
    }

    fn took(ts_ns: i64, duration_ns: u32) -> StageRecord {
        StageRecord { ts_ns, duration_ns, stage: 1, source: 1, instrument: 7 }
    }

    fn drained(log: &mut StageLog) -> Vec<StageRecord> {
        bytemuck::pod_collect_to_vec(&log.drain())
    }

    #[test]
    fn test_buckets_count_at_or_below_each_bound() {
        let mut log = log();
        for duration in [250, 251, 1_000_000_000, 1_000_000_001] {
            log.record(took(0, duration));
        }
        let summary = log.summaries()[1];
        assert_eq!((summary.count, summary.max_ns), (4, 1_000_000_001));
        assert_eq!(summary.sum_ns, 2_000_000_502);
        assert_eq!((summary.buckets[0], summary.buckets[1], summary.buckets[18]), (1, 2, 2));
        assert_eq!(summary.buckets[BOUNDS_NS.len() - 1], 3);
    }

    /// 98 of 10 ns and two of 2,000 ns: the 99th of a hundred is long, the 50th short.
    #[test]
    fn test_percentiles_are_those_of_the_last_minute() {
        let mut log = log();
        for _ in 0..100 {
            log.record(took(0, 900));
        }
        for number in 0..100 {
            log.record(took(2 * MINUTE_NS + number, if number < 98 { 10 } else { 2_000 }));
        }
        let summary = log.summaries()[1];
        assert_eq!((summary.p50_ns, summary.p99_ns), (10, 2_000));
        assert_eq!(summary.count, 200);
        let mut later = took(9 * MINUTE_NS, 5);
        later.stage = 2;
        log.record(later);
        let [_, decide, approve, ..] = log.summaries();
        assert_eq!((decide.p50_ns, decide.count), (0, 200));
        assert_eq!((approve.p50_ns, approve.p99_ns, approve.count), (5, 5, 1));
    }

    #[test]
    fn test_ring_keeps_the_newest_and_counts_what_it_lost() {
        let mut log = log();
        log.record(took(1, 1));
        assert_eq!(drained(&mut log), [took(1, 1)]);
        let count = RING + 5;
        for number in 0..count {
            log.record(took(i64::try_from(number).unwrap(), 1));
        }
        let rows = drained(&mut log);
        assert_eq!((rows.len(), rows[0].ts_ns, log.dropped()), (RING, 5, 5));
        assert!(rows.is_sorted_by_key(|row| row.ts_ns));
        assert!(log.drain().is_empty());
    }

    #[test]
    fn test_log_that_is_off_takes_nothing() {
        let mut log = StageLog::default();
        assert!(log.note(took(0, 1)).is_ok());
        assert!(log.start().is_none() && log.drain().is_empty());
        assert_eq!(log.summaries()[1].count, 0);
        let unknown = StageRecord { stage: 7, ..took(0, 1) };
        assert_eq!(log.note(unknown).unwrap_err().to_string(), "stage is 7, must be below 7");
    }
}
