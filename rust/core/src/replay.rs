//! Recorded events through the pipeline, as fast as it goes.

use utb_types::{EventKind, EventRecord, Source};

use crate::CoreError;
use crate::pipeline::Pipeline;

/// Checked records, sorted by `ts_recv_ns`.
#[derive(Clone, Debug)]
pub struct Replay {
    records: Vec<EventRecord>,
    instruments: u32,
}

impl Replay {
    /// Copies and checks records.
    ///
    /// # Errors
    ///
    /// Returns the first record with an unknown kind or source, or a time before its
    /// predecessor's, or a length that is no multiple of 64 bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, CoreError> {
        let size = size_of::<EventRecord>();
        if !bytes.len().is_multiple_of(size) {
            let value = format!("{} bytes", bytes.len());
            return Err(CoreError::range("records", value, format!("a multiple of {size}")));
        }
        let records: Vec<EventRecord> = bytemuck::allocation::pod_collect_to_vec(bytes);
        let mut last_ns = i64::MIN;
        let mut instruments = 0;
        for (place, record) in records.iter().enumerate() {
            let at = |value: String| format!("{value} in record {place}");
            if record.ts_recv_ns < last_ns {
                let value = at(record.ts_recv_ns.to_string());
                return Err(CoreError::range("ts_recv_ns", value, format!(">= {last_ns}")));
            }
            if EventKind::from_index(record.kind).is_none() {
                return Err(CoreError::range("kind", at(record.kind.to_string()), "0 or 1"));
            }
            let source = u8::try_from(record.source).ok().and_then(Source::from_index);
            if source.is_none() {
                return Err(CoreError::range("source", at(record.source.to_string()), "in 0..=3"));
            }
            last_ns = record.ts_recv_ns;
            instruments = instruments.max(record.instrument.saturating_add(1));
        }
        Ok(Self { records, instruments })
    }

    /// Returns the number of records.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Feeds records from `start` whose `ts_recv_ns` is at or before `until_ns`; returns the index
    /// of the next record.
    ///
    /// Stops early once there are events, or after the first record of `stop_instrument`. A timer
    /// that yields events stops it before the record that let the time pass, so that those events
    /// can be handled first. Without an early stop the timers run up to `until_ns`.
    ///
    /// # Errors
    ///
    /// Returns an instrument the pipeline does not know, or a start after the end.
    pub fn advance(
        &self,
        pipeline: &mut Pipeline,
        start: usize,
        until_ns: i64,
        stop_instrument: Option<u32>,
    ) -> Result<usize, CoreError> {
        let known = pipeline.len();
        if self.instruments as usize > known {
            let value = self.instruments.saturating_sub(1);
            return Err(CoreError::range("instrument", value, format!("below {known}")));
        }
        let Some(rest) = self.records.get(start..) else {
            let expected = format!("at most {}", self.records.len());
            return Err(CoreError::range("start", start, expected));
        };
        let mut next = start;
        for record in rest {
            if record.ts_recv_ns > until_ns {
                break;
            }
            if record.ts_ns >= pipeline.next_timer_ns() {
                pipeline.clock_to(record.ts_ns);
                if !pipeline.events().is_empty() {
                    return Ok(next);
                }
            }
            next += 1;
            pipeline.on_record(record);
            if !pipeline.events().is_empty() || stop_instrument == Some(record.instrument) {
                return Ok(next);
            }
        }
        pipeline.advance_to(until_ns);
        Ok(next)
    }
}
