//! Signatures and a message: what goes over the wire.

use crate::message::{MessageView, SIGNATURE_BYTES, TRANSACTION_BYTES_MAX};
use crate::{SolanaError, short_vec};

/// A transaction read in place.
#[derive(Clone, Copy, Debug)]
pub struct TransactionView<'a> {
    /// Signatures in the order of the signers; all zero where one is missing.
    pub signatures: &'a [[u8; SIGNATURE_BYTES]],
    /// What they sign.
    pub message: MessageView<'a>,
}

impl<'a> TransactionView<'a> {
    /// Reads a transaction.
    ///
    /// # Errors
    ///
    /// Returns [`SolanaError`] with the field for bytes that are no valid transaction: above 1232,
    /// a message that is none, or another number of signatures than its header asks for.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, SolanaError> {
        if bytes.len() > TRANSACTION_BYTES_MAX {
            return Err(too_long(bytes.len()));
        }
        let (count, at) = short_vec::read(bytes)?;
        let rest = bytes.get(at..).unwrap_or_default();
        let needed = usize::from(count) * SIGNATURE_BYTES;
        let (signatures, message) = rest.split_at_checked(needed).ok_or({
            SolanaError::Truncated { field: "signatures", available: rest.len(), needed }
        })?;
        let message = MessageView::parse(message)?;
        let signers = message.header().signers;
        if count != u16::from(signers) {
            return Err(SolanaError::range("signatures", count, format!("{signers}, the signers")));
        }
        Ok(Self { signatures: signatures.as_chunks().0, message })
    }

    /// Returns the transaction's id: its first signature.
    pub fn id(&self) -> Option<&'a [u8; SIGNATURE_BYTES]> {
        self.signatures.first()
    }
}

/// Returns the transaction of a message and its signatures.
///
/// # Errors
///
/// Returns [`SolanaError`] if the message is none, the number of signatures is not the header's, or
/// the whole is above 1232 bytes.
pub fn assemble(
    message: &[u8],
    signatures: &[[u8; SIGNATURE_BYTES]],
) -> Result<Vec<u8>, SolanaError> {
    let signers = MessageView::parse(message)?.header().signers;
    if signatures.len() != usize::from(signers) {
        let expected = format!("{signers}, the signers");
        return Err(SolanaError::range("signatures", signatures.len(), expected));
    }
    let length = 1 + signatures.len() * SIGNATURE_BYTES + message.len();
    let mut bytes = Vec::with_capacity(length);
    short_vec::push_count("signatures", signatures.len(), &mut bytes)?;
    bytes.extend_from_slice(signatures.as_flattened());
    bytes.extend_from_slice(message);
    if bytes.len() > TRANSACTION_BYTES_MAX {
        return Err(too_long(bytes.len()));
    }
    Ok(bytes)
}

fn too_long(length: usize) -> SolanaError {
    SolanaError::range("transaction length", length, format!("<= {TRANSACTION_BYTES_MAX}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instruction::{memo, system};
    use crate::message::{compile_legacy, compile_v0};
    use crate::{Key, program};

    const PAYER: Key = Key::known("FAe4sisG95oZ42w7buUn5qEE4TAnfTTFPiguZUHmhiF");

    #[test]
    fn assembled_transaction_reads_back() {
        let transfer = system::transfer(PAYER, Key([9; 32]), 1);
        let message = compile_legacy(PAYER, &[transfer], Key([7; 32])).unwrap();
        let bytes = assemble(&message, &[[5; 64]]).unwrap();
        assert_eq!(bytes.len(), 215);
        let view = TransactionView::parse(&bytes).unwrap();
        assert_eq!(view.id(), Some(&[5; 64]));
        assert_eq!(view.message.bytes(), message);
    }

    #[test]
    fn wrong_number_of_signatures_is_refused_both_ways() {
        let transfer = system::transfer(PAYER, Key([9; 32]), 1);
        let message = compile_v0(PAYER, &[transfer], &[], Key([7; 32])).unwrap();
        assert!(assemble(&message, &[]).is_err());
        assert!(assemble(&message, &[[5; 64]; 2]).is_err());
        let two = [&[2][..], &[5; 128], &message].concat();
        assert!(TransactionView::parse(&two).is_err());
    }

    /// A memo fills what is left: header 3, payer and program, blockhash, instruction.
    #[test]
    fn limit_is_1232_bytes() {
        let overhead = 65 + 3 + 1 + 64 + 32 + 1 + 1 + 1 + 2;
        for (spare, fits) in [(0, true), (1, false)] {
            let text = vec![b'a'; TRANSACTION_BYTES_MAX - overhead + spare];
            let memo = memo::memo(&text, &[]);
            let built = compile_legacy(PAYER, &[memo], Key([7; 32]))
                .and_then(|message| assemble(&message, &[[5; 64]]));
            assert_eq!(built.is_ok(), fits, "{built:?}");
        }
        assert_eq!(program::MEMO, memo::memo(b"", &[]).program);
    }
}
