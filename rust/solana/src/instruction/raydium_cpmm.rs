//! Raydium CPMM: `swap_base_input`.

use super::swap::{Amounts, MintOf, Trader};
use super::{AccountMeta, Instruction};
use crate::{Key, program};

/// Signs for every pool's vaults.
pub const AUTHORITY: Key = Key::known("GpMZbSM2GgvTKHJirzeGfMFoaZ8UR2X7F4v8vHTvxFbL");
const SWAP_BASE_INPUT: [u8; 8] = [0x8f, 0xbe, 0x5a, 0xda, 0xc4, 0x1e, 0x33, 0xde];

/// Keys of a pool, as its `PoolState` holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// `PoolState` account.
    pub pool: Key,
    /// `AmmConfig` account: its fee rates.
    pub amm_config: Key,
    /// Vault of token 0.
    pub vault_0: Key,
    /// Vault of token 1.
    pub vault_1: Key,
    /// Token 0.
    pub token_0: MintOf,
    /// Token 1.
    pub token_1: MintOf,
    /// Price observations.
    pub observation: Key,
}

impl Pool {
    /// Returns the swap of token 0 for 1 (`zero_in`) or of 1 for 0.
    pub fn swap(&self, zero_in: bool, trader: &Trader, amounts: Amounts) -> Instruction {
        let zero = (self.vault_0, self.token_0);
        let one = (self.vault_1, self.token_1);
        let ((vault_in, input), (vault_out, output)) =
            if zero_in { (zero, one) } else { (one, zero) };
        let accounts = [
            AccountMeta::signer(trader.user),
            AccountMeta::readonly(AUTHORITY),
            AccountMeta::readonly(self.amm_config),
            AccountMeta::writable(self.pool),
            AccountMeta::writable(trader.source),
            AccountMeta::writable(trader.destination),
            AccountMeta::writable(vault_in),
            AccountMeta::writable(vault_out),
            AccountMeta::readonly(input.token_program),
            AccountMeta::readonly(output.token_program),
            AccountMeta::readonly(input.mint),
            AccountMeta::readonly(output.mint),
            AccountMeta::writable(self.observation),
        ];
        let data: [&[u8]; 2] = [&SWAP_BASE_INPUT, &amounts.to_bytes()];
        Instruction::of(program::RAYDIUM_CPMM, &accounts, &data)
    }
}
