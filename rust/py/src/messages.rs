//! Instructions, messages and transactions put together.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use utb_core::{CoreError, instruction_named, read_instructions, read_tables, write_instruction};
use utb_solana::message::{SIGNATURE_BYTES, compile_legacy as legacy, compile_v0 as v0};
use utb_solana::transaction as wire;

use crate::error::{out_of_range, refused};
use crate::keys::{key, unreadable};

#[pyo3::pyfunction]
#[pyo3(signature = (name, keys, numbers, data, /))]
#[expect(clippy::needless_pass_by_value, reason = "pyo3 hands over what it made")]
pub(crate) fn instruction<'py>(
    py: Python<'py>,
    name: &str,
    keys: Vec<Vec<u8>>,
    numbers: Vec<u64>,
    data: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let keys = keys.iter().map(|it| key("key", it)).collect::<PyResult<Vec<_>>>()?;
    let bytes = instruction_named(name, &keys, &numbers, data)
        .and_then(|it| write_instruction(&it))
        .map_err(refused)?;
    Ok(PyBytes::new(py, &bytes))
}

#[pyo3::pyfunction]
#[pyo3(signature = (payer, instructions, blockhash, /))]
pub(crate) fn compile_legacy<'py>(
    py: Python<'py>,
    payer: &[u8],
    instructions: &[u8],
    blockhash: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let (payer, blockhash) = (key("payer", payer)?, key("blockhash", blockhash)?);
    let message = read_instructions(instructions)
        .and_then(|it| Ok(legacy(payer, &it, blockhash)?))
        .map_err(refused)?;
    Ok(PyBytes::new(py, &message))
}

#[pyo3::pyfunction]
#[pyo3(signature = (payer, instructions, blockhash, tables, /))]
pub(crate) fn compile_v0<'py>(
    py: Python<'py>,
    payer: &[u8],
    instructions: &[u8],
    blockhash: &[u8],
    tables: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let (payer, blockhash) = (key("payer", payer)?, key("blockhash", blockhash)?);
    let message = read_instructions(instructions)
        .and_then(|it| Ok::<_, CoreError>(v0(payer, &it, &read_tables(tables)?, blockhash)?))
        .map_err(refused)?;
    Ok(PyBytes::new(py, &message))
}

#[pyo3::pyfunction]
#[pyo3(signature = (message, signatures, /))]
#[expect(clippy::needless_pass_by_value, reason = "pyo3 hands over what it made")]
pub(crate) fn transaction<'py>(
    py: Python<'py>,
    message: &[u8],
    signatures: Vec<Vec<u8>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let whole = |it: &Vec<u8>| {
        <[u8; SIGNATURE_BYTES]>::try_from(it.as_slice())
            .map_err(|_| out_of_range("signature", format!("{} bytes", it.len()), "64 bytes"))
    };
    let signatures = signatures.iter().map(whole).collect::<PyResult<Vec<_>>>()?;
    let bytes = wire::assemble(message, &signatures).map_err(unreadable)?;
    Ok(PyBytes::new(py, &bytes))
}
