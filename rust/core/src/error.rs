//! What a caller did wrong. Market data never ends here: a bad item is counted and left out.

use thiserror::Error;
use utb_solana::SolanaError;

/// Why the core refused a call.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CoreError {
    /// A document could not be read.
    #[error("{what} is not valid: {reason}")]
    Document {
        /// Which document.
        what: &'static str,
        /// What the reader said.
        reason: String,
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
    /// A saved state does not belong to this build, these instruments or this timeframe.
    #[error("state {field} is {value}, must be {expected}")]
    State {
        /// What does not match.
        field: &'static str,
        /// The value in the state.
        value: String,
        /// The value here.
        expected: String,
    },
    /// Bytes of the chain were not read, or an order cannot be encoded.
    #[error(transparent)]
    Chain(#[from] SolanaError),
}

impl CoreError {
    /// Returns a [`CoreError::Range`].
    #[expect(clippy::needless_pass_by_value, reason = "callers hand over numbers and texts alike")]
    pub fn range(field: &'static str, value: impl ToString, expected: impl Into<String>) -> Self {
        Self::Range { field, value: value.to_string(), expected: expected.into() }
    }

    /// Returns (field, value, what it must be).
    pub fn parts(&self) -> (&'static str, String, String) {
        match self {
            Self::Document { what, reason } => (what, "not valid".into(), reason.clone()),
            Self::Range { field, value, expected } | Self::State { field, value, expected } => {
                (field, value.clone(), expected.clone())
            }
            Self::Chain(error) => error.parts(),
        }
    }

    /// Returns a [`CoreError::Document`].
    #[expect(clippy::needless_pass_by_value, reason = "callers hand over errors they own")]
    pub fn document(what: &'static str, reason: impl ToString) -> Self {
        Self::Document { what, reason: reason.to_string() }
    }
}
