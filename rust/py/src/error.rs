//! Errors of the core as Python exceptions, and what buffers must look like.

use pyo3::buffer::{Element, PyBuffer};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use utb_core::CoreError;

/// Every refusal is a `ValueError` with the attributes `field`, `value` and `expected`.
#[expect(clippy::needless_pass_by_value, reason = "used as a function in map_err")]
pub(crate) fn refused(error: CoreError) -> PyErr {
    let refusal = PyValueError::new_err(error.to_string());
    let (field, value, expected) = error.parts();
    Python::attach(|py| {
        let named = [("field", field), ("value", value.as_str()), ("expected", expected.as_str())];
        for (name, text) in named {
            // A plain `ValueError` takes any attribute; without one the text still says it.
            refusal.value(py).setattr(name, text).ok();
        }
    });
    refusal
}

/// Returns the refusal of a value.
pub(crate) fn out_of_range(field: &'static str, value: impl ToString, expected: &str) -> PyErr {
    refused(CoreError::range(field, value, expected))
}

/// Copies a contiguous buffer of numbers.
pub(crate) fn column<T: Element>(
    py: Python<'_>,
    name: &'static str,
    buffer: &PyBuffer<T>,
) -> PyResult<Vec<T>> {
    if buffer.dimensions() != 1 || !buffer.is_c_contiguous() {
        return Err(out_of_range(name, "not contiguous", "contiguous, of 1 dimension"));
    }
    buffer.to_vec(py)
}

/// Copies a contiguous buffer of bytes, whatever its shape.
pub(crate) fn bytes(
    py: Python<'_>,
    name: &'static str,
    buffer: &PyBuffer<u8>,
) -> PyResult<Vec<u8>> {
    if !buffer.is_c_contiguous() {
        return Err(out_of_range(name, "not contiguous", "contiguous"));
    }
    buffer.to_vec(py)
}
