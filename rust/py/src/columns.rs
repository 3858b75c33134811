//! Pure functions over columns, for research and tests.

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use utb_core::BarColumns;
use utb_types::{Bar, EventRecord, PatternSignal, TfFeatures, Timeframe, Value};

use crate::error::{bytes, column, out_of_range, refused};

/// Columns of [`TfFeatures`] that leave as float64.
type Feature = (&'static str, fn(&TfFeatures) -> Value);
const FEATURES: [Feature; 23] = [
    ("sma20", |it| it.sma20),
    ("sma50", |it| it.sma50),
    ("sma200", |it| it.sma200),
    ("ema12", |it| it.ema12),
    ("ema26", |it| it.ema26),
    ("rsi14", |it| it.rsi14),
    ("macd", |it| it.macd),
    ("macd_signal", |it| it.macd_signal),
    ("macd_histogram", |it| it.macd_histogram),
    ("bollinger_upper", |it| it.bollinger_upper),
    ("bollinger_lower", |it| it.bollinger_lower),
    ("adx14", |it| it.adx14),
    ("plus_di14", |it| it.plus_di14),
    ("minus_di14", |it| it.minus_di14),
    ("atr14", |it| it.atr14),
    ("volatility", |it| it.volatility),
    ("volatility_ratio", |it| it.volatility_ratio),
    ("volume_mean20", |it| it.volume_mean20),
    ("volume_ratio", |it| it.volume_ratio),
    ("roc10", |it| it.roc10),
    ("donchian_high", |it| it.donchian_high),
    ("donchian_low", |it| it.donchian_low),
    ("close", |it| it.close),
];

type Floats = PyBuffer<f64>;

/// Open, high, low, close, volume of one length.
struct Ohlcv([Vec<f64>; 5]);

impl Ohlcv {
    fn read(py: Python<'_>, columns: [&Floats; 5]) -> PyResult<Self> {
        let [open, high, low, close, volume] = columns;
        let read = [
            column(py, "open", open)?,
            column(py, "high", high)?,
            column(py, "low", low)?,
            column(py, "close", close)?,
            column(py, "volume", volume)?,
        ];
        let [first, rest @ ..] = &read;
        if rest.iter().any(|column| column.len() != first.len()) {
            let lens: Vec<_> = read.iter().map(Vec::len).collect();
            return Err(out_of_range("rows", format!("{lens:?}"), "the same in all columns"));
        }
        Ok(Self(read))
    }

    fn bars(&self) -> impl Iterator<Item = Bar> + '_ {
        let [open, high, low, close, volume] = &self.0;
        let prices = open.iter().zip(high).zip(low).zip(close).zip(volume);
        (0..).zip(prices).map(|(open_ns, ((((open, high), low), close), volume))| Bar {
            open_ns,
            open: *open,
            high: *high,
            low: *low,
            close: *close,
            volume: Value::new(*volume),
        })
    }
}

fn feature_columns<'py>(py: Python<'py>, rows: &[TfFeatures]) -> PyResult<Bound<'py, PyDict>> {
    let columns = PyDict::new(py);
    for (name, read) in FEATURES {
        let column: Vec<f64> = rows.iter().map(|row| read(row).or_nan()).collect();
        columns.set_item(name, PyBytes::new(py, bytemuck::cast_slice(&column)))?;
    }
    Ok(columns)
}

/// All indicators after each closed bar.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "an extracted buffer is owned")]
pub(crate) fn indicators(
    py: Python<'_>,
    open: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    volume: Floats,
) -> PyResult<Bound<'_, PyDict>> {
    let columns = Ohlcv::read(py, [&open, &high, &low, &close, &volume])?;
    let rows = py.detach(|| utb_core::indicators(columns.bars()));
    feature_columns(py, &rows)
}

/// All indicators with each bar peeked in before it closes.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "an extracted buffer is owned")]
pub(crate) fn indicators_peek(
    py: Python<'_>,
    open: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    volume: Floats,
) -> PyResult<Bound<'_, PyDict>> {
    let columns = Ohlcv::read(py, [&open, &high, &low, &close, &volume])?;
    let rows = py.detach(|| utb_core::indicators_peek(columns.bars()));
    feature_columns(py, &rows)
}

/// Bars of a coarser timeframe from event records of one instrument.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "an extracted buffer is owned")]
pub(crate) fn resample<'py>(
    py: Python<'py>,
    records: PyBuffer<u8>,
    finest: &str,
    timeframe: &str,
) -> PyResult<Bound<'py, PyDict>> {
    let records = bytes(py, "records", &records)?;
    let (finest, timeframe) = (named(finest)?, named(timeframe)?);
    if !records.len().is_multiple_of(size_of::<EventRecord>()) {
        return Err(out_of_range("record bytes", records.len(), "a multiple of 64"));
    }
    let records: Vec<EventRecord> = bytemuck::allocation::pod_collect_to_vec(&records);
    let bars = py.detach(|| utb_core::resample(&records, finest, timeframe));
    let columns = PyDict::new(py);
    let times: Vec<i64> = bars.iter().map(|bar| bar.open_ns).collect();
    columns.set_item("ts", PyBytes::new(py, bytemuck::cast_slice(&times)))?;
    let floats: [BarColumn; 5] = [
        ("open", |bar| bar.open),
        ("high", |bar| bar.high),
        ("low", |bar| bar.low),
        ("close", |bar| bar.close),
        ("volume", |bar| bar.volume.or_nan()),
    ];
    for (name, read) in floats {
        let column: Vec<f64> = bars.iter().map(read).collect();
        columns.set_item(name, PyBytes::new(py, bytemuck::cast_slice(&column)))?;
    }
    Ok(columns)
}

/// A column of bars that leaves as float64.
type BarColumn = (&'static str, fn(&Bar) -> f64);
type PatternRow = (usize, &'static str, f64, Option<f64>, bool);

/// Patterns completed on each closed bar.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "an extracted buffer is owned")]
pub(crate) fn patterns(
    py: Python<'_>,
    open: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    volume: Floats,
) -> PyResult<Vec<PatternRow>> {
    let columns = Ohlcv::read(py, [&open, &high, &low, &close, &volume])?;
    let rows = py.detach(|| utb_core::patterns(columns.bars()));
    let row = |(place, name, signal): &(usize, &'static str, PatternSignal)| {
        let strength = signal.strength.get().unwrap_or_default();
        (*place, *name, strength, signal.target.get(), signal.confirmed)
    };
    Ok(rows.iter().map(row).collect())
}

/// Recorded bars as event records.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "an extracted buffer is owned")]
#[expect(clippy::too_many_arguments, reason = "the columns of a bar")]
pub(crate) fn explode(
    py: Python<'_>,
    ts_ns: PyBuffer<i64>,
    open: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    volume: Floats,
    span_ns: i64,
    instrument: u32,
) -> PyResult<Bound<'_, PyBytes>> {
    let times = column(py, "ts_ns", &ts_ns)?;
    let columns = Ohlcv::read(py, [&open, &high, &low, &close, &volume])?;
    let Ohlcv([open, high, low, close, volume]) = &columns;
    let columns = BarColumns { ts_ns: &times, open, high, low, close, volume };
    let records =
        py.detach(|| utb_core::explode(&columns, span_ns, instrument)).map_err(refused)?;
    Ok(PyBytes::new(py, bytemuck::cast_slice(&records)))
}

/// Record buffers merged by (time, instrument), stable.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "extracted buffers are owned")]
pub(crate) fn merge(py: Python<'_>, streams: Vec<PyBuffer<u8>>) -> PyResult<Bound<'_, PyBytes>> {
    let mut records: Vec<Vec<EventRecord>> = Vec::with_capacity(streams.len());
    for stream in &streams {
        let bytes = bytes(py, "records", stream)?;
        if !bytes.len().is_multiple_of(size_of::<EventRecord>()) {
            return Err(out_of_range("record bytes", bytes.len(), "a multiple of 64"));
        }
        records.push(bytemuck::allocation::pod_collect_to_vec(&bytes));
    }
    let merged = py.detach(|| {
        let slices: Vec<&[EventRecord]> = records.iter().map(Vec::as_slice).collect();
        utb_core::merge(&slices)
    });
    Ok(PyBytes::new(py, bytemuck::cast_slice(&merged.map_err(refused)?)))
}

fn named(timeframe: &str) -> PyResult<Timeframe> {
    Timeframe::ALL
        .into_iter()
        .find(|it| it.name() == timeframe)
        .ok_or_else(|| out_of_range("timeframe", timeframe, "one of 1m, 5m, 15m, 1h, 4h, 1d"))
}
