//! Transactions, instructions and errors by name.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use utb_solana::decode::{self as read, Decoded, FieldValue};
use utb_solana::message::{Source, Version};

use crate::keys::{key, unreadable};

/// A field's value.
#[derive(IntoPyObject)]
pub(crate) enum Value {
    Number(u128),
    Flag(bool),
    Text(String),
}

/// Fields of `engine.decoding.AccountUse`.
type Account<'py> = (
    Option<Bound<'py, PyBytes>>,
    Option<Bound<'py, PyBytes>>,
    u8,
    bool,
    bool,
    Option<&'static str>,
);
/// Program and instruction by name, whether malformed, fields.
type Named = (Option<&'static str>, Option<&'static str>, bool, Vec<(&'static str, Value)>);
/// Fields of `engine.decoding.DecodedTransaction`.
type Transaction<'py> = (
    Vec<Bound<'py, PyBytes>>,
    &'static str,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Vec<(Bound<'py, PyBytes>, Named, Vec<Account<'py>>)>,
);

#[pyo3::pyfunction]
#[pyo3(signature = (data, is_message, /))]
pub(crate) fn decode_transaction<'py>(
    py: Python<'py>,
    data: &[u8],
    is_message: bool,
) -> PyResult<Transaction<'py>> {
    let read = if is_message { read::decode_message(data) } else { read::decode_transaction(data) };
    let transaction = read.map_err(unreadable)?;
    let bytes = |bytes: &[u8]| PyBytes::new(py, bytes);
    let account = |it: read::AccountUse| {
        let (key, table, entry) = match it.source {
            Source::Static(key) => (Some(bytes(&key.0)), None, 0),
            Source::Table { table, entry } => (None, Some(bytes(&table.0)), entry),
        };
        (key, table, entry, it.signer, it.writable, it.role)
    };
    let instructions = transaction.instructions.into_iter().map(|it| {
        let accounts = it.accounts.into_iter().map(account).collect();
        (bytes(&it.program.0), named(it.decoded), accounts)
    });
    let version = match transaction.version {
        Version::Legacy => "legacy",
        Version::V0 => "0",
    };
    Ok((
        transaction.signatures.iter().map(|it| bytes(it)).collect(),
        version,
        bytes(&transaction.fee_payer.0),
        bytes(&transaction.blockhash.0),
        instructions.collect(),
    ))
}

#[pyo3::pyfunction]
#[pyo3(signature = (program, account_count, data, /))]
pub(crate) fn decode_instruction(
    program: &[u8],
    account_count: usize,
    data: &[u8],
) -> PyResult<(Named, Vec<&'static str>)> {
    let decoded = read::decode_instruction(&key("program", program)?, account_count, data);
    let roles = decoded.accounts.to_vec();
    Ok((named(decoded), roles))
}

/// Name and meaning of a program's error.
#[pyo3::pyfunction]
#[pyo3(signature = (program, code, /))]
pub(crate) fn program_error(
    program: &[u8],
    code: u32,
) -> PyResult<Option<(&'static str, &'static str)>> {
    let found = read::program_error(&key("program", program)?, code);
    Ok(found.map(|error| (error.name, error.words)))
}

#[pyo3::pyfunction]
#[pyo3(signature = (program, /))]
pub(crate) fn program_name(program: &[u8]) -> PyResult<Option<&'static str>> {
    Ok(read::program_name(&key("program", program)?))
}

/// Meaning of an error of the runtime: of a transaction, or else of an instruction.
#[pyo3::pyfunction]
#[pyo3(signature = (name, is_instruction, /))]
pub(crate) fn runtime_error(name: &str, is_instruction: bool) -> Option<&'static str> {
    if is_instruction { read::instruction_error(name) } else { read::transaction_error(name) }
}

fn named(decoded: Decoded) -> Named {
    let value = |value| match value {
        FieldValue::Number(number) => Value::Number(number),
        FieldValue::Flag(flag) => Value::Flag(flag),
        FieldValue::Key(key) => Value::Text(key.to_base58()),
        FieldValue::Text(text) => Value::Text(text),
    };
    let fields = decoded.fields.into_iter().map(|it| (it.name, value(it.value)));
    (decoded.program, decoded.name, decoded.malformed, fields.collect())
}
