//! SPL Token; each function takes the program, as Token-2022 reads the same bytes.

use super::{AccountMeta, Instruction, associated_token, system};
use crate::{Key, SolanaError, program};

/// Returns a transfer without the mint's check.
pub fn transfer(
    token_program: Key,
    from: Key,
    to: Key,
    owner: Key,
    amount_raw: u64,
) -> Instruction {
    let accounts =
        [AccountMeta::writable(from), AccountMeta::writable(to), AccountMeta::signer(owner)];
    Instruction::of(token_program, &accounts, &[&[3], &amount_raw.to_le_bytes()])
}

/// A transfer that names the mint and its decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckedTransfer {
    /// Token account that pays.
    pub from: Key,
    /// The mint.
    pub mint: Key,
    /// Token account that receives.
    pub to: Key,
    /// Owner of `from`; signs.
    pub owner: Key,
    /// Base units.
    pub amount_raw: u64,
    /// Of the mint.
    pub decimals: u8,
}

impl CheckedTransfer {
    pub(super) fn accounts(&self) -> [AccountMeta; 4] {
        [
            AccountMeta::writable(self.from),
            AccountMeta::readonly(self.mint),
            AccountMeta::writable(self.to),
            AccountMeta::signer(self.owner),
        ]
    }
}

/// Returns a transfer that fails if mint or decimals are others.
pub fn transfer_checked(token_program: Key, transfer: &CheckedTransfer) -> Instruction {
    let data: [&[u8]; 3] = [&[12], &transfer.amount_raw.to_le_bytes(), &[transfer.decimals]];
    Instruction::of(token_program, &transfer.accounts(), &data)
}

/// Returns the right of a delegate to take an amount.
pub fn approve(
    token_program: Key,
    account: Key,
    delegate: Key,
    owner: Key,
    amount_raw: u64,
) -> Instruction {
    let accounts = [
        AccountMeta::writable(account),
        AccountMeta::readonly(delegate),
        AccountMeta::signer(owner),
    ];
    Instruction::of(token_program, &accounts, &[&[4], &amount_raw.to_le_bytes()])
}

/// Returns the end of a delegate's right.
pub fn revoke(token_program: Key, account: Key, owner: Key) -> Instruction {
    let accounts = [AccountMeta::writable(account), AccountMeta::signer(owner)];
    Instruction::of(token_program, &accounts, &[&[5]])
}

/// Returns the closing of an account; its lamports go to `destination`. Fails on one unit of dust.
pub fn close_account(
    token_program: Key,
    account: Key,
    destination: Key,
    owner: Key,
) -> Instruction {
    let accounts = [
        AccountMeta::writable(account),
        AccountMeta::writable(destination),
        AccountMeta::signer(owner),
    ];
    Instruction::of(token_program, &accounts, &[&[9]])
}

/// Returns the update of a wrapped-SOL account's amount to its lamports.
pub fn sync_native(token_program: Key, account: Key) -> Instruction {
    Instruction::of(token_program, &[AccountMeta::writable(account)], &[&[17]])
}

/// Returns the first setting of an account's mint and owner.
pub fn initialize_account3(token_program: Key, account: Key, mint: Key, owner: Key) -> Instruction {
    let accounts = [AccountMeta::writable(account), AccountMeta::readonly(mint)];
    Instruction::of(token_program, &accounts, &[&[18], owner.as_bytes()])
}

/// Returns what turns `lamports` of a wallet into wrapped SOL in its associated account.
///
/// # Errors
///
/// Returns [`SolanaError::NoProgramAddress`] if the wallet has no associated account.
pub fn wrap(wallet: Key, lamports: u64) -> Result<[Instruction; 3], SolanaError> {
    let create =
        associated_token::create_idempotent(wallet, wallet, program::WRAPPED_SOL, program::TOKEN)?;
    let account = wrapped_account(wallet)?;
    Ok([create, system::transfer(wallet, account, lamports), sync_native(program::TOKEN, account)])
}

/// Returns what turns all wrapped SOL of a wallet into lamports: it closes the associated account.
///
/// # Errors
///
/// Returns [`SolanaError::NoProgramAddress`] if the wallet has no associated account.
pub fn unwrap(wallet: Key) -> Result<Instruction, SolanaError> {
    Ok(close_account(program::TOKEN, wrapped_account(wallet)?, wallet, wallet))
}

fn wrapped_account(wallet: Key) -> Result<Key, SolanaError> {
    crate::pda::associated_token(&wallet, &program::WRAPPED_SOL, &program::TOKEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_and_accounts_follow_the_layout() {
        let [a, b, c, d] = [1, 2, 3, 4].map(|byte| Key([byte; 32]));
        let checked =
            CheckedTransfer { from: a, mint: b, to: c, owner: d, amount_raw: 258, decimals: 6 };
        let built = transfer_checked(program::TOKEN, &checked);
        assert_eq!(built.data, [12, 2, 1, 0, 0, 0, 0, 0, 0, 6]);
        assert_eq!(built.accounts[3], AccountMeta::signer(d));
        assert_eq!(transfer(program::TOKEN, a, b, c, 1).data, [3, 1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(approve(program::TOKEN, a, b, c, 1).data, [4, 1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(revoke(program::TOKEN, a, b).data, [5]);
        assert_eq!(close_account(program::TOKEN, a, b, c).data, [9]);
        assert_eq!(sync_native(program::TOKEN, a).data, [0x11]);
        let opened = initialize_account3(program::TOKEN_2022, a, b, c);
        assert_eq!(opened.data, [&[0x12][..], &[3; 32]].concat());
        assert_eq!(opened.program, program::TOKEN_2022);
    }

    #[test]
    fn wrapping_pays_into_the_account_it_creates_and_unwrapping_closes_it() {
        let wallet = Key::known("FAe4sisG95oZ42w7buUn5qEE4TAnfTTFPiguZUHmhiF");
        let [create, pay, sync] = wrap(wallet, 5).unwrap();
        let account = create.accounts[1].key;
        assert_eq!(pay.accounts[1].key, account);
        assert_eq!(sync.accounts[0].key, account);
        assert_eq!(unwrap(wallet).unwrap().accounts[0].key, account);
    }
}
