//! Pure functions over recorded bars, for research and tests: the same code as the pipeline's.

use utb_signals::bars::BarBuilder;
use utb_signals::indicators::Series;
use utb_signals::patterns::{NAMES, PatternScanner};
use utb_types::{Bar, EventRecord, PatternSignal, TfFeatures, Timeframe, Value};

/// No strength is above 1, so no confirmed pattern comes before a stronger one.
const NO_PREFERENCE: f64 = 1.0;

/// Returns all indicators after each closed bar.
pub fn indicators(bars: impl Iterator<Item = Bar>) -> Vec<TfFeatures> {
    let mut series = Series::new();
    bars.map(|bar| {
        series.update(&bar);
        *series.features()
    })
    .collect()
}

/// Returns all indicators with each bar peeked in before it closes.
pub fn indicators_peek(bars: impl Iterator<Item = Bar>) -> Vec<TfFeatures> {
    let mut series = Series::new();
    bars.map(|bar| {
        let peeked = series.peek(&bar);
        series.update(&bar);
        peeked
    })
    .collect()
}

/// Returns the closed bars of `timeframe` from records of one instrument; the last one is among
/// them if the last record is its last nanosecond.
pub fn resample(records: &[EventRecord], finest: Timeframe, timeframe: Timeframe) -> Vec<Bar> {
    let mut builder = BarBuilder::new(finest);
    let mut bars = Vec::new();
    let mut close = |builder: &mut BarBuilder, ts_ns: i64| {
        while let Some(group) = builder.next_close(ts_ns) {
            bars.extend(group.bars.get(timeframe.index()).copied().flatten());
        }
    };
    for record in records {
        close(&mut builder, record.ts_ns);
        builder.apply(record.ts_ns, record.price, Value::new(record.volume));
    }
    if let Some(last) = records.last() {
        close(&mut builder, last.ts_ns.saturating_add(1));
    }
    bars
}

/// Returns (row, name, signal) of the strongest pattern per direction that each bar completes.
pub fn patterns(bars: impl Iterator<Item = Bar>) -> Vec<(usize, &'static str, PatternSignal)> {
    let (mut series, mut scanner) = (Series::new(), PatternScanner::new());
    let mut rows = Vec::new();
    for (place, bar) in bars.enumerate() {
        series.update(&bar);
        scanner.update(&bar, series.features().atr14);
        for signal in [scanner.bullish(NO_PREFERENCE), scanner.bearish(NO_PREFERENCE)] {
            let fresh = signal.strength.is_present() && signal.age_bars == 0;
            let name = NAMES.get(usize::from(signal.pattern)).filter(|_| fresh);
            rows.extend(name.map(|name| (place, *name, signal)));
        }
    }
    rows
}
