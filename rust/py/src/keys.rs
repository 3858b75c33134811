//! Addresses, signatures and their texts.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use utb_core::CoreError;
use utb_solana::message::SIGNATURE_BYTES;
use utb_solana::{Key, SolanaError, key as text, pda};

use crate::error::{out_of_range, refused};

/// Returns the 32 bytes that a field holds.
pub(crate) fn key(field: &'static str, bytes: &[u8]) -> PyResult<Key> {
    Key::from_slice(bytes)
        .map_err(|_| out_of_range(field, format!("{} bytes", bytes.len()), "32 bytes"))
}

/// Returns a refusal of the chain's formats.
pub(crate) fn unreadable(error: SolanaError) -> PyErr {
    refused(CoreError::from(error))
}

#[pyo3::pyfunction]
#[pyo3(signature = (text, /))]
pub(crate) fn key_bytes<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyBytes>> {
    let key = Key::from_base58(text).map_err(unreadable)?;
    Ok(PyBytes::new(py, &key.0))
}

#[pyo3::pyfunction]
#[pyo3(signature = (key, /))]
pub(crate) fn key_text(key: &[u8]) -> PyResult<String> {
    if let Ok(signature) = <&[u8; SIGNATURE_BYTES]>::try_from(key) {
        return Ok(text::signature_text(signature));
    }
    let read = Key::from_slice(key)
        .map_err(|_| out_of_range("key", format!("{} bytes", key.len()), "32 or 64 bytes"))?;
    Ok(read.to_base58())
}

#[pyo3::pyfunction]
#[pyo3(signature = (text, /))]
pub(crate) fn signature_bytes<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyBytes>> {
    let signature = text::signature_of(text).map_err(unreadable)?;
    Ok(PyBytes::new(py, &signature))
}

#[pyo3::pyfunction]
#[pyo3(signature = (seeds, program, /))]
#[expect(clippy::needless_pass_by_value, reason = "pyo3 hands over what it made")]
pub(crate) fn find_program_address<'py>(
    py: Python<'py>,
    seeds: Vec<Vec<u8>>,
    program: &[u8],
) -> PyResult<(Bound<'py, PyBytes>, u8)> {
    let program = key("program", program)?;
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    let (address, bump) = pda::find_program_address(&seeds, &program).map_err(unreadable)?;
    Ok((PyBytes::new(py, &address.0), bump))
}

#[pyo3::pyfunction]
#[pyo3(signature = (owner, mint, token_program, /))]
pub(crate) fn associated_token_address<'py>(
    py: Python<'py>,
    owner: &[u8],
    mint: &[u8],
    token_program: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let (owner, mint) = (key("owner", owner)?, key("mint", mint)?);
    let token_program = key("token_program", token_program)?;
    let address = pda::associated_token(&owner, &mint, &token_program).map_err(unreadable)?;
    Ok(PyBytes::new(py, &address.0))
}

#[pyo3::pyfunction]
#[pyo3(signature = (base, seed, owner, /))]
pub(crate) fn create_with_seed<'py>(
    py: Python<'py>,
    base: &[u8],
    seed: &[u8],
    owner: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let (base, owner) = (key("base", base)?, key("owner", owner)?);
    let address = pda::create_with_seed(&base, seed, &owner).map_err(unreadable)?;
    Ok(PyBytes::new(py, &address.0))
}
