//! Whole transactions: signatures, accounts and instructions by name.

use super::layouts::{Decoded, decode_instruction};
use crate::message::{MessageView, SIGNATURE_BYTES, Source, Version};
use crate::transaction::TransactionView;
use crate::{Key, SolanaError};

/// An account as an instruction uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountUse {
    /// Where it comes from; an entry of a table has no address until the table is read.
    pub source: Source,
    /// Whether it signs.
    pub signer: bool,
    /// Whether it may change.
    pub writable: bool,
    /// What it is to the instruction, where that is known.
    pub role: Option<&'static str>,
}

/// An instruction of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodedInstruction {
    /// Address of the program.
    pub program: Key,
    /// What the data say.
    pub decoded: Decoded,
    /// Accounts in the program's order.
    pub accounts: Vec<AccountUse>,
}

/// A transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodedTransaction {
    /// Signatures in the order of the signers; none for a message alone.
    pub signatures: Vec<[u8; SIGNATURE_BYTES]>,
    /// The message's format.
    pub version: Version,
    /// Who pays.
    pub fee_payer: Key,
    /// Blockhash, or the nonce of a durable transaction.
    pub blockhash: Key,
    /// Instructions in order.
    pub instructions: Vec<DecodedInstruction>,
}

/// Reads a transaction from the wire.
///
/// # Errors
///
/// Returns [`SolanaError`] with the field, and [`SolanaError::UnsupportedVersion`] by number for
/// every version but 0.
pub fn decode_transaction(bytes: &[u8]) -> Result<DecodedTransaction, SolanaError> {
    let view = TransactionView::parse(bytes)?;
    Ok(DecodedTransaction { signatures: view.signatures.to_vec(), ..of_message(&view.message) })
}

/// Reads a message alone.
///
/// # Errors
///
/// As [`decode_transaction`].
pub fn decode_message(bytes: &[u8]) -> Result<DecodedTransaction, SolanaError> {
    MessageView::parse(bytes).map(|view| of_message(&view))
}

fn of_message(view: &MessageView<'_>) -> DecodedTransaction {
    let instructions = view.instructions().map(|instruction| {
        // The view has checked every index.
        let program = view.key(instruction.program).unwrap_or_default();
        let count = instruction.accounts.len();
        let decoded = decode_instruction(&program, count, instruction.data);
        let accounts = instruction.accounts.iter().enumerate().filter_map(|(place, index)| {
            Some(AccountUse {
                source: view.source(*index)?,
                signer: view.is_signer(*index),
                writable: view.is_writable(*index),
                role: decoded.accounts.get(place).copied(),
            })
        });
        DecodedInstruction { program, accounts: accounts.collect(), decoded }
    });
    DecodedTransaction {
        signatures: Vec::new(),
        version: view.version(),
        fee_payer: view.fee_payer().unwrap_or_default(),
        blockhash: view.blockhash(),
        instructions: instructions.collect(),
    }
}
