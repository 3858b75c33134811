//! Memo: text in the transaction's log, version 2 of the program.

use super::{AccountMeta, Instruction};
use crate::{Key, program};

/// Returns a memo; the chain refuses text that is no UTF-8. Signers are named in the log.
pub fn memo(text: &[u8], signers: &[Key]) -> Instruction {
    let accounts: Vec<AccountMeta> = signers.iter().copied().map(AccountMeta::signer).collect();
    Instruction::of(program::MEMO, &accounts, &[text])
}
