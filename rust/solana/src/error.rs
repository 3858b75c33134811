//! What is wrong with bytes from outside, or with what a caller asks to be encoded.

use thiserror::Error;

/// Why bytes were not read, or a request was not encoded.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SolanaError {
    /// The bytes ended inside a field.
    #[error("{field} ends after {available} bytes, needs {needed}")]
    Truncated {
        /// The field.
        field: &'static str,
        /// Bytes that were left.
        available: usize,
        /// Bytes it needs.
        needed: usize,
    },
    /// Bytes are left after the last field.
    #[error("{count} bytes follow the end of the {field}")]
    Trailing {
        /// What ended.
        field: &'static str,
        /// Bytes left.
        count: usize,
    },
    /// A message version that is not built and not read.
    #[error("message version {version} is not supported, must be legacy or 0")]
    UnsupportedVersion {
        /// The version in the first byte.
        version: u8,
    },
    /// A value is outside its range.
    #[error("{field} is {value}, must be {expected}")]
    Range {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// What it must be.
        expected: String,
    },
    /// No bump seed leads off the curve; does not happen for honest seeds (2^-255).
    #[error("no program address exists for these seeds")]
    NoProgramAddress,
}

impl SolanaError {
    /// Returns (field, value, what it must be).
    pub fn parts(&self) -> (&'static str, String, String) {
        match self {
            Self::Truncated { field, available, needed } => {
                (field, format!("{available} bytes"), format!("{needed} bytes"))
            }
            Self::Trailing { field, count } => {
                (field, format!("followed by {count} bytes"), "the end".into())
            }
            Self::UnsupportedVersion { version } => {
                ("message version", version.to_string(), "legacy or 0".into())
            }
            Self::Range { field, value, expected } => (field, value.clone(), expected.clone()),
            Self::NoProgramAddress => {
                ("seeds", "on the curve with every bump".into(), "a program address".into())
            }
        }
    }

    /// Returns a [`SolanaError::Range`].
    #[expect(clippy::needless_pass_by_value, reason = "callers hand over numbers and texts alike")]
    pub fn range(field: &'static str, value: impl ToString, expected: impl Into<String>) -> Self {
        Self::Range { field, value: value.to_string(), expected: expected.into() }
    }
}
