//! The exported `Pipeline`.

use std::collections::BTreeMap;

use pyo3::buffer::{PyBuffer, ReadOnlyCell};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use utb_core::{CoreError, LogKind, STAGES, StageRecord, duration, encode};
use utb_types::{PoolRole, Source, Timeframe};

use crate::clock::monotonic_ns;
use crate::error::{bytes, out_of_range, refused};

/// Most bytes of a payload that are copied; the decoders take frames of at most half of it.
const PAYLOAD_BYTES_MAX: usize = 8 << 20;

/// Whether the frame was taken, and what happened.
type Ingested<'py> = (bool, Option<Bound<'py, PyBytes>>);
type FeaturesTuple = (Option<f64>, Option<f64>, Option<f64>, Option<i8>, u8, Option<f64>);
type MarkTuple = (f64, i64, u64, Option<f64>, Option<f64>);
type StageTuple = (&'static str, u64, u64, u32, u32, u32, Vec<u64>);

/// Prices, contexts and positions in; decisions and fired triggers out.
#[pyclass(module = "utb._core")]
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) inner: utb_core::Pipeline,
    payload: Vec<u8>,
}

impl Pipeline {
    /// Hands over what happened, as `MessagePack`.
    pub(crate) fn take<'py>(&mut self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        if self.inner.events().is_empty() {
            return None;
        }
        let encoded = encode(self.inner.events());
        self.inner.clear_events();
        encoded.map(|bytes| PyBytes::new(py, &bytes))
    }
}

#[pymethods]
impl Pipeline {
    #[new]
    #[pyo3(signature = (params, instruments, finest = "1m"))]
    fn new(params: &[u8], instruments: &[u8], finest: &str) -> PyResult<Self> {
        let timeframe = Timeframe::ALL.into_iter().find(|it| it.name() == finest);
        let finest = timeframe.ok_or_else(|| {
            refused(CoreError::range("finest", finest, "one of 1m, 5m, 15m, 1h, 4h, 1d"))
        })?;
        let inner = utb_core::Pipeline::new(params, instruments, finest).map_err(refused)?;
        Ok(Self { inner, payload: Vec::new() })
    }

    fn set_params(&mut self, params: &[u8]) -> PyResult<()> {
        self.inner.set_params(params).map_err(refused)
    }

    fn set_context(&mut self, instrument: u32, context: &[u8], ts_ns: i64) -> PyResult<()> {
        self.inner.set_context(instrument, context, ts_ns).map_err(refused)
    }

    fn bind(&mut self, source: u8, key: &str, instrument: u32, role: &str) -> PyResult<()> {
        let role = match role {
            "base_vault" => PoolRole::BaseVault,
            "quote_vault" => PoolRole::QuoteVault,
            "pool" => PoolRole::Pool,
            other => {
                let expected = "one of base_vault, quote_vault, pool";
                return Err(refused(CoreError::range("role", other, expected)));
            }
        };
        self.inner.bind(source_of(source)?, key, instrument, role).map_err(refused)
    }

    fn ingest<'py>(
        &mut self,
        py: Python<'py>,
        source: u8,
        payload: &Bound<'py, PyAny>,
        ts_recv_ns: i64,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let source = source_of(source)?;
        self.with_bytes(payload, |inner, bytes| inner.ingest(source, bytes, ts_recv_ns))?;
        Ok(self.take(py))
    }

    fn ingest_at<'py>(
        &mut self,
        py: Python<'py>,
        source: u8,
        payload: &Bound<'py, PyAny>,
        ts_recv_ns: i64,
    ) -> PyResult<Option<Ingested<'py>>> {
        let source = source_of(source)?;
        let taken =
            self.with_bytes(payload, |inner, bytes| inner.ingest_at(source, bytes, ts_recv_ns))?;
        let events = self.take(py);
        Ok(if taken && events.is_none() { None } else { Some((taken, events)) })
    }

    fn advance_to<'py>(&mut self, py: Python<'py>, ts_ns: i64) -> Option<Bound<'py, PyBytes>> {
        self.inner.advance_to(ts_ns);
        self.take(py)
    }

    fn arm(&mut self, position: &[u8]) -> PyResult<()> {
        self.inner.arm(position).map_err(refused)
    }

    fn disarm(&mut self, position_id: u64) {
        self.inner.disarm(position_id);
    }

    fn release(&mut self, position_id: u64) {
        self.inner.release(position_id);
    }

    fn tighten<'py>(
        &mut self,
        py: Python<'py>,
        instrument: Option<u32>,
        atr_multiple: f64,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.inner.tighten(instrument, atr_multiple).map_err(refused)?;
        Ok(self.take(py))
    }

    fn set_portfolio(&mut self, portfolio: &[u8]) -> PyResult<()> {
        self.inner.set_portfolio(portfolio).map_err(refused)
    }

    fn mark(&self, instrument: u32) -> PyResult<Option<MarkTuple>> {
        self.known(instrument)?;
        let Some(mark) = self.inner.mark(instrument) else { return Ok(None) };
        let atr = self.inner.atr(instrument as usize).get();
        Ok(Some((mark.price, mark.ts_ns, mark.events, mark.liquidity.get(), atr)))
    }

    fn features(&self, instrument: u32) -> PyResult<Option<FeaturesTuple>> {
        self.known(instrument)?;
        let features = self.inner.features(instrument).map(|(features, regime)| {
            (
                features.atr.get(),
                features.adx.get(),
                features.volatility_ratio.get(),
                features.trend_4h,
                regime as u8,
                features.liquidity_quote.get(),
            )
        });
        Ok(features)
    }

    fn next_timer_ns(&self) -> i64 {
        self.inner.next_timer_ns()
    }

    fn equity(&self) -> Option<(f64, f64)> {
        self.inner.equity()
    }

    fn correlation(&self, a: u32, b: u32) -> PyResult<Option<f64>> {
        self.known(a)?;
        self.known(b)?;
        Ok(self.inner.correlation(a, b))
    }

    fn diversity(&self) -> Vec<f64> {
        self.inner.diversity().to_vec()
    }

    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let json = self.inner.counters_json().map_err(refused)?;
        Ok(PyBytes::new(py, &json))
    }

    fn view<'py>(&self, py: Python<'py>, instrument: u32) -> PyResult<Bound<'py, PyBytes>> {
        let json = self.inner.view_json(instrument).map_err(refused)?;
        Ok(PyBytes::new(py, &json))
    }

    fn drain_bars<'py>(&mut self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.inner.drain(LogKind::Bars))
    }

    fn drain_equity<'py>(&mut self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.inner.drain(LogKind::Equity))
    }

    fn drain_votes<'py>(&mut self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.inner.drain(LogKind::Votes))
    }

    fn drain_ticks<'py>(&mut self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.inner.drain(LogKind::Ticks))
    }

    fn drain_stages<'py>(&mut self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.inner.stages_mut().drain())
    }

    fn log_dropped(&self) -> BTreeMap<&'static str, u64> {
        let logs = LogKind::ALL.map(|kind| (kind.name(), self.inner.log_dropped(kind)));
        logs.into_iter().chain([("stages", self.inner.stages().dropped())]).collect()
    }

    #[pyo3(signature = (*, bars = false, equity = false, votes = false, ticks = false, stages = false))]
    #[expect(clippy::fn_params_excessive_bools, reason = "keyword arguments of Python")]
    fn log(&mut self, bars: bool, equity: bool, votes: bool, ticks: bool, stages: bool) {
        let asked = LogKind::ALL.into_iter().zip([bars, equity, votes, ticks]);
        let on: Vec<LogKind> = asked.filter(|(_, on)| *on).map(|(kind, _)| kind).collect();
        self.inner.log(&on);
        self.inner.stages_mut().switch(stages.then_some(monotonic_ns));
    }

    fn record_stage(
        &mut self,
        stage: u8,
        source: u8,
        instrument: u16,
        ts_ns: i64,
        duration_ns: i64,
    ) -> PyResult<()> {
        let duration_ns = duration(u64::try_from(duration_ns).unwrap_or(0));
        let record = StageRecord { ts_ns, duration_ns, stage, source, instrument };
        self.inner.stages_mut().note(record).map_err(refused)
    }

    fn stages(&self) -> Vec<StageTuple> {
        let stages = STAGES.into_iter().zip(self.inner.stages().summaries());
        stages
            .map(|(name, it)| {
                (name, it.count, it.sum_ns, it.max_ns, it.p50_ns, it.p99_ns, it.buckets.to_vec())
            })
            .collect()
    }

    fn save<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let state = self.inner.save().map_err(refused)?;
        Ok(PyBytes::new(py, &state))
    }

    #[expect(clippy::needless_pass_by_value, reason = "an extracted buffer is owned")]
    fn load(&mut self, py: Python<'_>, state: PyBuffer<u8>) -> PyResult<()> {
        let state = bytes(py, "state", &state)?;
        self.inner.load(&state).map_err(refused)
    }

    fn __len__(&self) -> usize {
        self.inner.len()
    }
}

impl Pipeline {
    /// Hands the bytes of a payload to the core.
    #[inline]
    fn with_bytes<R>(
        &mut self,
        payload: &Bound<'_, PyAny>,
        take: impl FnOnce(&mut utb_core::Pipeline, &[u8]) -> R,
    ) -> PyResult<R> {
        if let Ok(bytes) = payload.cast::<PyBytes>() {
            // Immutable, so it is read where it lies.
            return Ok(take(&mut self.inner, bytes.as_bytes()));
        }
        let buffer = PyBuffer::<u8>::get(payload)?;
        let Some(cells) = buffer.as_slice(payload.py()) else {
            return Err(out_of_range("payload", "not contiguous", "contiguous bytes"));
        };
        // Of what is too long for every decoder, enough is copied for them to say so.
        let cells = cells.get(..PAYLOAD_BYTES_MAX).unwrap_or(cells);
        self.payload.clear();
        self.payload.extend(cells.iter().map(ReadOnlyCell::get));
        Ok(take(&mut self.inner, &self.payload))
    }

    fn known(&self, instrument: u32) -> PyResult<()> {
        let count = self.inner.len();
        if (instrument as usize) < count {
            return Ok(());
        }
        let expected = format!("below {count}");
        Err(refused(CoreError::range("instrument", instrument, expected)))
    }
}

fn source_of(source: u8) -> PyResult<Source> {
    Source::from_index(source).ok_or_else(|| out_of_range("source", source, "in 0..=3"))
}
