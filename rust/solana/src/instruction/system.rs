//! System program: lamports, new accounts, nonces.

use super::{AccountMeta, Instruction};
use crate::program::{RECENT_BLOCKHASHES, RENT, SYSTEM};
use crate::{Key, SolanaError, pda};

/// A new account at an address made from a seed text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeedAccount<'a> {
    /// Whose signature opens it.
    pub base: Key,
    /// UTF-8, at most 32 bytes.
    pub seed: &'a [u8],
    /// Program that owns it.
    pub owner: Key,
}

impl SeedAccount<'_> {
    /// Returns its address.
    ///
    /// # Errors
    ///
    /// Returns [`SolanaError::Range`] for a seed that is too long or no UTF-8.
    pub fn address(&self) -> Result<Key, SolanaError> {
        pda::create_with_seed(&self.base, self.seed, &self.owner)
    }

    fn seed_length(&self) -> [u8; 8] {
        (self.seed.len() as u64).to_le_bytes()
    }
}

/// Returns a payment.
pub fn transfer(from: Key, to: Key, lamports: u64) -> Instruction {
    let accounts = [AccountMeta::writable_signer(from), AccountMeta::writable(to)];
    Instruction::of(SYSTEM, &accounts, &[&[2, 0, 0, 0], &lamports.to_le_bytes()])
}

/// Returns the opening of an account of `space` bytes whose own key signs.
pub fn create_account(
    payer: Key,
    account: Key,
    lamports: u64,
    space: u64,
    owner: Key,
) -> Instruction {
    let accounts = [AccountMeta::writable_signer(payer), AccountMeta::writable_signer(account)];
    let data: [&[u8]; 4] =
        [&[0; 4], &lamports.to_le_bytes(), &space.to_le_bytes(), owner.as_bytes()];
    Instruction::of(SYSTEM, &accounts, &data)
}

/// Returns the opening of a seed account: it fails on the chain if the address is in use, which
/// makes it a guard that only one of several transactions can pass.
///
/// # Errors
///
/// Returns [`SolanaError::Range`] for a seed that is too long or no UTF-8.
pub fn create_account_with_seed(
    payer: Key,
    account: &SeedAccount<'_>,
    lamports: u64,
    space: u64,
) -> Result<Instruction, SolanaError> {
    let mut accounts =
        vec![AccountMeta::writable_signer(payer), AccountMeta::writable(account.address()?)];
    if account.base != payer {
        accounts.push(AccountMeta::signer(account.base));
    }
    let data: [&[u8]; 7] = [
        &[3, 0, 0, 0],
        account.base.as_bytes(),
        &account.seed_length(),
        account.seed,
        &lamports.to_le_bytes(),
        &space.to_le_bytes(),
        account.owner.as_bytes(),
    ];
    Ok(Instruction::of(SYSTEM, &accounts, &data))
}

/// Returns a payment out of a seed account of the System program.
///
/// # Errors
///
/// Returns [`SolanaError::Range`] for a seed that is too long or no UTF-8.
pub fn transfer_with_seed(
    from: &SeedAccount<'_>,
    to: Key,
    lamports: u64,
) -> Result<Instruction, SolanaError> {
    let accounts = [
        AccountMeta::writable(from.address()?),
        AccountMeta::signer(from.base),
        AccountMeta::writable(to),
    ];
    let data: [&[u8]; 5] = [
        &[11, 0, 0, 0],
        &lamports.to_le_bytes(),
        &from.seed_length(),
        from.seed,
        from.owner.as_bytes(),
    ];
    Ok(Instruction::of(SYSTEM, &accounts, &data))
}

/// Returns the step of a nonce; must be a transaction's first instruction.
pub fn advance_nonce(nonce: Key, authority: Key) -> Instruction {
    let accounts = [
        AccountMeta::writable(nonce),
        AccountMeta::readonly(RECENT_BLOCKHASHES),
        AccountMeta::signer(authority),
    ];
    Instruction::of(SYSTEM, &accounts, &[&[4, 0, 0, 0]])
}

/// Returns the payment of `lamports` out of a nonce account.
pub fn withdraw_nonce(nonce: Key, authority: Key, to: Key, lamports: u64) -> Instruction {
    let accounts = [
        AccountMeta::writable(nonce),
        AccountMeta::writable(to),
        AccountMeta::readonly(RECENT_BLOCKHASHES),
        AccountMeta::readonly(RENT),
        AccountMeta::signer(authority),
    ];
    Instruction::of(SYSTEM, &accounts, &[&[5, 0, 0, 0], &lamports.to_le_bytes()])
}

/// Returns the first setting of a nonce account's authority.
pub fn initialize_nonce(nonce: Key, authority: Key) -> Instruction {
    let accounts = [
        AccountMeta::writable(nonce),
        AccountMeta::readonly(RECENT_BLOCKHASHES),
        AccountMeta::readonly(RENT),
    ];
    Instruction::of(SYSTEM, &accounts, &[&[6, 0, 0, 0], authority.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAYER: Key = Key::known("FAe4sisG95oZ42w7buUn5qEE4TAnfTTFPiguZUHmhiF");

    /// Layout of `solana.md` 7.6 of the specification, its address vector included.
    #[test]
    fn guard_vector_is_exact() {
        let seed = "ab".repeat(16);
        let guard = SeedAccount { base: PAYER, seed: seed.as_bytes(), owner: SYSTEM };
        let built = create_account_with_seed(PAYER, &guard, 890_880, 0).unwrap();
        let address = Key::known("59A9toprHK5MLZjYQmgwiRqFh1FHxtEvGTYsfRFQkJya");
        let accounts = [AccountMeta::writable_signer(PAYER), AccountMeta::writable(address)];
        assert_eq!(built.accounts, accounts);
        let expected = [
            &[3, 0, 0, 0][..],
            &PAYER.0,
            &[32, 0, 0, 0, 0, 0, 0, 0],
            seed.as_bytes(),
            &890_880_u64.to_le_bytes(),
            &[0; 8],
            &[0; 32],
        ];
        assert_eq!(built.data, expected.concat());
        let back = transfer_with_seed(&guard, PAYER, 890_880).unwrap();
        let expected = [
            &[11, 0, 0, 0][..],
            &890_880_u64.to_le_bytes(),
            &[32, 0, 0, 0, 0, 0, 0, 0],
            seed.as_bytes(),
            &[0; 32],
        ];
        assert_eq!(back.data, expected.concat());
        assert_eq!(back.accounts.first(), Some(&AccountMeta::writable(address)));
    }

    #[test]
    fn seed_above_32_bytes_is_refused() {
        let guard = SeedAccount { base: PAYER, seed: &[b'a'; 33], owner: SYSTEM };
        assert!(create_account_with_seed(PAYER, &guard, 1, 0).is_err());
    }
}
