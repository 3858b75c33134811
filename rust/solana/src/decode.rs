//! What transactions say, for people and for explanations: instructions and errors by name.
//!
//! Reading never guesses: a program that is not listed is "unknown" with its address, an
//! instruction that is not listed has no name, data that do not fit the layout of their name are
//! malformed. Nothing here decides about money; what may be signed is decided on
//! [`crate::message::MessageView`] itself.

mod error_words;
mod errors;
mod layouts;
mod names;
mod programs;
mod transaction;
mod venues;

pub use error_words::{instruction_error, transaction_error};
pub use errors::{ProgramError, program_error};
pub use layouts::{Decoded, Field, FieldValue, decode_instruction};
pub use programs::program_name;
pub use transaction::{
    AccountUse, DecodedInstruction, DecodedTransaction, decode_message, decode_transaction,
};
