//! Raydium AMM v4: the form of 8 accounts, without the order book.

use super::swap::{Amounts, MintOf, Trader};
use super::{AccountMeta, Instruction};
use crate::{Key, program};

/// Signs for every pool's vaults.
pub const AUTHORITY: Key = Key::known("5Q544fKrFoe6tsEbD7S8EmxGTJYAKtTVhAW5Q5pge4j1");
/// `SwapBaseInV2`.
const SWAP_BASE_IN: u8 = 16;

/// Keys of a pool; only the classic token program is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// `AmmInfo` account.
    pub pool: Key,
    /// Vault of the coin (base in the program's words).
    pub coin_vault: Key,
    /// Vault of the pc (quote in the program's words).
    pub pc_vault: Key,
    /// Mint of the coin.
    pub coin_mint: Key,
    /// Mint of the pc.
    pub pc_mint: Key,
}

impl Pool {
    /// Returns coin and pc.
    pub fn mints(&self) -> [MintOf; 2] {
        [self.coin_mint, self.pc_mint].map(|mint| MintOf { mint, token_program: program::TOKEN })
    }

    /// Returns the swap; the direction follows from the source account's mint.
    pub fn swap(&self, trader: &Trader, amounts: Amounts) -> Instruction {
        let accounts = [
            AccountMeta::readonly(program::TOKEN),
            AccountMeta::writable(self.pool),
            AccountMeta::readonly(AUTHORITY),
            AccountMeta::writable(self.coin_vault),
            AccountMeta::writable(self.pc_vault),
            AccountMeta::writable(trader.source),
            AccountMeta::writable(trader.destination),
            AccountMeta::signer(trader.user),
        ];
        Instruction::of(program::RAYDIUM_AMM, &accounts, &[&[SWAP_BASE_IN], &amounts.to_bytes()])
    }
}
