//! Errors of the core as Python exceptions, and what buffers must look like.

use pyo3::buffer::{Element, PyBuffer};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use utb_core::CoreError;

/// Every refusal is a `ValueError` that names the field, its value and what it must be.
#[expect(clippy::needless_pass_by_value, reason = "used as a function in map_err")]
pub(crate) fn refused(error: CoreError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Copies a contiguous buffer of numbers.
pub(crate) fn column<T: Element>(
    py: Python<'_>,
    name: &str,
    buffer: &PyBuffer<T>,
) -> PyResult<Vec<T>> {
    if buffer.dimensions() != 1 || !buffer.is_c_contiguous() {
        let message = format!("{name} is not contiguous in 1 dimension, must be");
        return Err(PyValueError::new_err(message));
    }
    buffer.to_vec(py)
}

/// Copies a contiguous buffer of bytes, whatever its shape.
pub(crate) fn bytes(py: Python<'_>, name: &str, buffer: &PyBuffer<u8>) -> PyResult<Vec<u8>> {
    if !buffer.is_c_contiguous() {
        return Err(PyValueError::new_err(format!("{name} is not contiguous, must be")));
    }
    buffer.to_vec(py)
}
