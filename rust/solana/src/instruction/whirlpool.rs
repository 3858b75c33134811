//! Orca Whirlpool: `swap_v2`, which knows both token programs.

use super::swap::{Amounts, MintOf, Trader};
use super::{AccountMeta, Instruction};
use crate::{Key, SolanaError, pda, program};

const SWAP_V2: [u8; 8] = [0x2b, 0x04, 0xed, 0x0b, 0x1a, 0xc9, 0x1e, 0x62];
/// No limit of the price: the minimum output bounds it.
const NO_PRICE_LIMIT: [u8; 16] = [0; 16];
const INPUT_IS_EXACT: u8 = 1;
const NO_REMAINING_ACCOUNTS: u8 = 0;

/// Keys of a pool and the tick arrays of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// The deployment: [`program::WHIRLPOOL`] or [`program::WHIRLPOOL_IMMUTABLE`].
    pub program: Key,
    /// `Whirlpool` account.
    pub pool: Key,
    /// Token a.
    pub token_a: MintOf,
    /// Token b.
    pub token_b: MintOf,
    /// Vault of token a.
    pub vault_a: Key,
    /// Vault of token b.
    pub vault_b: Key,
    /// The array of the current tick and the next two in the direction of the swap.
    pub tick_arrays: [Key; 3],
    /// Adaptive fee state; its address is fixed even where it does not exist.
    pub oracle: Key,
}

impl Pool {
    /// Returns the swap of token a for b (`a_in`) or of b for a.
    pub fn swap(&self, a_in: bool, trader: &Trader, amounts: Amounts) -> Instruction {
        let (owner_a, owner_b) = if a_in {
            (trader.source, trader.destination)
        } else {
            (trader.destination, trader.source)
        };
        let [tick_array_0, tick_array_1, tick_array_2] = self.tick_arrays;
        let accounts = [
            AccountMeta::readonly(self.token_a.token_program),
            AccountMeta::readonly(self.token_b.token_program),
            AccountMeta::readonly(program::MEMO),
            AccountMeta::signer(trader.user),
            AccountMeta::writable(self.pool),
            AccountMeta::readonly(self.token_a.mint),
            AccountMeta::readonly(self.token_b.mint),
            AccountMeta::writable(owner_a),
            AccountMeta::writable(self.vault_a),
            AccountMeta::writable(owner_b),
            AccountMeta::writable(self.vault_b),
            AccountMeta::writable(tick_array_0),
            AccountMeta::writable(tick_array_1),
            AccountMeta::writable(tick_array_2),
            AccountMeta::writable(self.oracle),
        ];
        let flags = [INPUT_IS_EXACT, u8::from(a_in), NO_REMAINING_ACCOUNTS];
        let data: [&[u8]; 4] = [&SWAP_V2, &amounts.to_bytes(), &NO_PRICE_LIMIT, &flags];
        Instruction::of(self.program, &accounts, &data)
    }
}

/// Returns the address of the tick array that starts at a tick.
///
/// # Errors
///
/// Returns [`SolanaError::NoProgramAddress`] if there is none.
pub fn tick_array(program: &Key, pool: &Key, start_tick: i32) -> Result<Key, SolanaError> {
    let start = start_tick.to_string();
    let seeds: [&[u8]; 3] = [b"tick_array", &pool.0, start.as_bytes()];
    pda::find_program_address(&seeds, program).map(|(key, _)| key)
}

/// Returns the address of a pool's oracle.
///
/// # Errors
///
/// Returns [`SolanaError::NoProgramAddress`] if there is none.
pub fn oracle(program: &Key, pool: &Key) -> Result<Key, SolanaError> {
    pda::find_program_address(&[b"oracle", &pool.0], program).map(|(key, _)| key)
}
