//! Raydium AMM v4 `AmmInfo`, 752 bytes.
//!
//! Source: raydium-io/raydium-amm program/src/state.rs.

use super::{key_at, u64_at};

/// Length of the account.
const BYTES: usize = 752;

/// A Raydium AMM v4 pool ("coin" is the base, "pc" the quote side).
///
/// Its reserves are the vaults' balances less what is owed to the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RaydiumV4 {
    /// 1 initialised, 6 swap only, 7 waiting for `pool_open_time_s`: the states that swap.
    pub status: u64,
    /// Decimals of the coin mint.
    pub coin_decimals: u64,
    /// Decimals of the pc mint.
    pub pc_decimals: u64,
    /// Swap fee, numerator.
    pub swap_fee_numerator: u64,
    /// Swap fee, denominator; 0 in a broken account.
    pub swap_fee_denominator: u64,
    /// Coins in the vault that are owed to the protocol, base units.
    pub need_take_pnl_coin_raw: u64,
    /// Pc in the vault that are owed to the protocol, base units.
    pub need_take_pnl_pc_raw: u64,
    /// Unix time from which the pool trades, seconds.
    pub pool_open_time_s: u64,
    /// Vault of the coin side.
    pub coin_vault: [u8; 32],
    /// Vault of the pc side.
    pub pc_vault: [u8; 32],
    /// Mint of the coin side.
    pub coin_mint: [u8; 32],
    /// Mint of the pc side.
    pub pc_mint: [u8; 32],
}

/// Reads the account, or returns `None` if its length is another.
#[inline]
pub(super) fn decode(bytes: &[u8]) -> Option<RaydiumV4> {
    if bytes.len() != BYTES {
        return None;
    }
    Some(RaydiumV4 {
        status: u64_at(bytes, 0)?,
        coin_decimals: u64_at(bytes, 32)?,
        pc_decimals: u64_at(bytes, 40)?,
        swap_fee_numerator: u64_at(bytes, 176)?,
        swap_fee_denominator: u64_at(bytes, 184)?,
        need_take_pnl_coin_raw: u64_at(bytes, 192)?,
        need_take_pnl_pc_raw: u64_at(bytes, 200)?,
        pool_open_time_s: u64_at(bytes, 224)?,
        coin_vault: key_at(bytes, 336)?,
        pc_vault: key_at(bytes, 368)?,
        coin_mint: key_at(bytes, 400)?,
        pc_mint: key_at(bytes, 432)?,
    })
}
