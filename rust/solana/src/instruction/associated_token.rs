//! Associated token accounts: one account per owner, mint and token program.

use super::{AccountMeta, Instruction};
use crate::{Key, SolanaError, pda, program};

/// Returns the opening of an owner's account; fails on the chain if it is there.
///
/// # Errors
///
/// Returns [`SolanaError::NoProgramAddress`] if there is no such address.
pub fn create(
    payer: Key,
    owner: Key,
    mint: Key,
    token_program: Key,
) -> Result<Instruction, SolanaError> {
    instruction(payer, owner, mint, token_program, 0)
}

/// Returns the opening of an owner's account; does nothing if it is there.
///
/// # Errors
///
/// Returns [`SolanaError::NoProgramAddress`] if there is no such address.
pub fn create_idempotent(
    payer: Key,
    owner: Key,
    mint: Key,
    token_program: Key,
) -> Result<Instruction, SolanaError> {
    instruction(payer, owner, mint, token_program, 1)
}

fn instruction(
    payer: Key,
    owner: Key,
    mint: Key,
    token_program: Key,
    tag: u8,
) -> Result<Instruction, SolanaError> {
    let account = pda::associated_token(&owner, &mint, &token_program)?;
    let accounts = [
        AccountMeta::writable_signer(payer),
        AccountMeta::writable(account),
        AccountMeta::readonly(owner),
        AccountMeta::readonly(mint),
        AccountMeta::readonly(program::SYSTEM),
        AccountMeta::readonly(token_program),
    ];
    Ok(Instruction::of(program::ASSOCIATED_TOKEN, &accounts, &[&[tag]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_program_is_part_of_the_address() {
        let [owner, mint] = [1, 2].map(|byte| Key([byte; 32]));
        let old = create(owner, owner, mint, program::TOKEN).unwrap();
        let new = create_idempotent(owner, owner, mint, program::TOKEN_2022).unwrap();
        assert_eq!((old.data, new.data), (vec![0], vec![1]));
        assert_ne!(old.accounts[1].key, new.accounts[1].key);
    }
}
