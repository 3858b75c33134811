//! The exported `Replay`.

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use utb_core::CoreError;

use crate::error::{bytes, refused};
use crate::pipeline::Pipeline;

/// Recorded events, copied and checked once.
#[pyclass(module = "utb._core", frozen)]
#[derive(Debug)]
pub(crate) struct Replay {
    inner: utb_core::Replay,
}

#[pymethods]
impl Replay {
    #[new]
    #[expect(clippy::needless_pass_by_value, reason = "an extracted buffer is owned")]
    fn new(py: Python<'_>, records: PyBuffer<u8>) -> PyResult<Self> {
        let records = bytes(py, "records", &records)?;
        let inner = py.detach(|| utb_core::Replay::new(&records)).map_err(refused)?;
        Ok(Self { inner })
    }

    fn __len__(&self) -> usize {
        self.inner.len()
    }

    #[pyo3(
        signature = (pipeline, start, until_ts_ns, stop_instrument = -1),
        text_signature = "($self, pipeline, start, until_ts_ns, stop_instrument=-1)"
    )]
    fn advance<'py>(
        &self,
        py: Python<'py>,
        mut pipeline: PyRefMut<'py, Pipeline>,
        start: usize,
        until_ts_ns: i64,
        stop_instrument: i64,
    ) -> PyResult<(usize, Option<Bound<'py, PyBytes>>)> {
        let stop = match stop_instrument {
            -1 => None,
            index => Some(u32::try_from(index).map_err(|_| {
                refused(CoreError::range("stop_instrument", index, "-1 or an index"))
            })?),
        };
        let target = &mut pipeline.inner;
        let next =
            py.detach(|| self.inner.advance(target, start, until_ts_ns, stop)).map_err(refused)?;
        Ok((next, pipeline.take(py)))
    }
}
