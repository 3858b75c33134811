//! Recorded bars as event records, and merging of record streams.

use utb_types::{EventKind, EventRecord, Source};

use crate::CoreError;

/// Events of one recorded bar.
pub const EVENTS_PER_BAR: usize = 4;

/// Columns of recorded bars, all of one length.
#[derive(Clone, Copy, Debug)]
pub struct BarColumns<'a> {
    /// Open times, nanoseconds since the epoch, rising.
    pub ts_ns: &'a [i64],
    /// Open prices.
    pub open: &'a [f64],
    /// High prices.
    pub high: &'a [f64],
    /// Low prices.
    pub low: &'a [f64],
    /// Close prices.
    pub close: &'a [f64],
    /// Base volumes; NaN = unknown.
    pub volume: &'a [f64],
}

/// One recorded bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecordedBar {
    /// Open time, nanoseconds since the epoch.
    pub ts_ns: i64,
    /// Open, high, low, close.
    pub ohlc: [f64; 4],
    /// Base volume; NaN = unknown.
    pub volume: f64,
}

/// Returns the four events of a recorded bar of length `span_ns`.
///
/// Open, low, high, close (or open, high, low, close if it closed down) at 0, 1/3, 2/3 of its span
/// and its last nanosecond; the volume comes with the close.
pub fn events_of(
    bar: &RecordedBar,
    span_ns: i64,
    instrument: u32,
    source: Source,
) -> [EventRecord; EVENTS_PER_BAR] {
    let [open, high, low, close] = bar.ohlc;
    let (second, third) = if close < open { (high, low) } else { (low, high) };
    let record = |offset_ns: i64, price: f64, volume: f64| EventRecord {
        ts_ns: bar.ts_ns + offset_ns,
        ts_recv_ns: bar.ts_ns + offset_ns,
        instrument,
        kind: EventKind::Price as u16,
        source: source as u16,
        price,
        volume,
        liquidity: f64::NAN,
        slot: 0,
        index: 0,
    };
    [
        record(0, open, 0.0),
        record(span_ns / 3, second, 0.0),
        record(2 * (span_ns / 3), third, 0.0),
        record(span_ns - 1, close, bar.volume),
    ]
}

/// Returns the records of recorded bars.
///
/// # Errors
///
/// Returns the row of the first bar that is not one: unequal columns, times that do not rise by at
/// least the span, prices that are not positive or outside low..high, a negative volume.
pub fn explode(
    columns: &BarColumns<'_>,
    span_ns: i64,
    instrument: u32,
) -> Result<Vec<EventRecord>, CoreError> {
    let rows = columns.ts_ns.len();
    for (field, len) in [
        ("open", columns.open.len()),
        ("high", columns.high.len()),
        ("low", columns.low.len()),
        ("close", columns.close.len()),
        ("volume", columns.volume.len()),
    ] {
        if len != rows {
            return Err(CoreError::range(field, format!("{len} rows"), format!("{rows} rows")));
        }
    }
    if span_ns < 4 {
        return Err(CoreError::range("span_ns", span_ns, ">= 4"));
    }
    let mut records = Vec::with_capacity(rows * EVENTS_PER_BAR);
    let mut free_from_ns = i64::MIN;
    let prices = columns.open.iter().zip(columns.high).zip(columns.low).zip(columns.close);
    let bars = columns.ts_ns.iter().zip(prices).zip(columns.volume);
    for (row, ((&ts_ns, (((&open, &high), &low), &close)), &volume)) in bars.enumerate() {
        let bar = RecordedBar { ts_ns, ohlc: [open, high, low, close], volume };
        check(row, &bar, free_from_ns)?;
        free_from_ns = ts_ns.saturating_add(span_ns);
        records.extend(events_of(&bar, span_ns, instrument, Source::Recorded));
    }
    Ok(records)
}

fn check(row: usize, bar: &RecordedBar, free_from_ns: i64) -> Result<(), CoreError> {
    let at = |text: String| format!("{text} in row {row}");
    if bar.ts_ns < free_from_ns.max(0) {
        let expected = format!("at least {}", free_from_ns.max(0));
        return Err(CoreError::range("ts", at(bar.ts_ns.to_string()), expected));
    }
    let [open, high, low, close] = bar.ohlc;
    let sound = low > 0.0 && low <= open.min(close) && open.max(close) <= high;
    if !(sound && high.is_finite() && open.is_finite() && close.is_finite()) {
        let value = at(format!("{open}, {high}, {low}, {close}"));
        return Err(CoreError::range("bar", value, "0 < low <= open, close <= high"));
    }
    if bar.volume < 0.0 || bar.volume.is_infinite() {
        return Err(CoreError::range("volume", at(bar.volume.to_string()), ">= 0, or NaN"));
    }
    Ok(())
}

/// Merges streams that are each sorted by time into one sorted by (time, instrument, stream).
///
/// # Errors
///
/// Returns the stream whose times fall.
pub fn merge(streams: &[&[EventRecord]]) -> Result<Vec<EventRecord>, CoreError> {
    for (number, stream) in streams.iter().enumerate() {
        if !stream.is_sorted_by_key(|record| record.ts_recv_ns) {
            return Err(CoreError::range(
                "records",
                format!("stream {number} with falling times"),
                "sorted by ts_recv_ns",
            ));
        }
    }
    let total = streams.iter().map(|stream| stream.len()).sum();
    let mut merged = Vec::with_capacity(total);
    for stream in streams {
        merged.extend_from_slice(stream);
    }
    merged.sort_by_key(|record: &EventRecord| (record.ts_recv_ns, record.instrument));
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::{BarColumns, explode, merge};

    const MINUTE_NS: i64 = 60_000_000_000;

    fn columns<'a>(ts_ns: &'a [i64], rows: &'a [[f64; 1]; 5]) -> BarColumns<'a> {
        let [open, high, low, close, volume] = rows;
        BarColumns { ts_ns, open, high, low, close, volume }
    }

    #[test]
    fn test_explode_of_a_rising_bar_goes_low_first_and_of_a_falling_one_high_first() {
        let rising = columns(&[0], &[[10.0], [12.0], [9.0], [11.0], [5.0]]);
        let records = explode(&rising, MINUTE_NS, 3).unwrap();
        let prices: Vec<_> = records.iter().map(|it| (it.ts_ns, it.price, it.volume)).collect();
        let third = 20_000_000_000;
        assert_eq!(
            prices,
            [(0, 10.0, 0.0), (third, 9.0, 0.0), (2 * third, 12.0, 0.0), (MINUTE_NS - 1, 11.0, 5.0)]
        );
        assert!(records.iter().all(|it| it.instrument == 3 && it.source == 3 && it.kind == 0));
        let falling = columns(&[0], &[[11.0], [12.0], [9.0], [10.0], [5.0]]);
        let records = explode(&falling, MINUTE_NS, 3).unwrap();
        assert_eq!(records.iter().map(|it| it.price).collect::<Vec<_>>(), [11.0, 12.0, 9.0, 10.0]);
    }

    #[test]
    fn test_explode_of_what_is_no_bar_names_the_row() {
        let bad = columns(&[0], &[[10.0], [9.0], [8.0], [8.5], [5.0]]);
        let text = explode(&bad, MINUTE_NS, 0).unwrap_err().to_string();
        assert_eq!(text, "bar is 10, 9, 8, 8.5 in row 0, must be 0 < low <= open, close <= high");
        let negative = columns(&[0], &[[10.0], [12.0], [9.0], [11.0], [-1.0]]);
        assert!(explode(&negative, MINUTE_NS, 0).unwrap_err().to_string().contains("volume is -1"));
    }

    #[test]
    fn test_merge_orders_by_time_then_instrument() {
        let bar = columns(&[0], &[[10.0], [12.0], [9.0], [11.0], [5.0]]);
        let (first, second) =
            (explode(&bar, MINUTE_NS, 1).unwrap(), explode(&bar, MINUTE_NS, 0).unwrap());
        let order: Vec<_> =
            merge(&[&first, &second]).unwrap().iter().map(|it| it.instrument).collect();
        assert_eq!(order, [0, 1, 0, 1, 0, 1, 0, 1]);
        let falling: Vec<_> = first.iter().rev().copied().collect();
        assert!(merge(&[&falling]).is_err());
    }
}
