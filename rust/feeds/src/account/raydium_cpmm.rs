//! Raydium CPMM `PoolState`, 637 bytes, and `AmmConfig`, 236 bytes.
//!
//! Source: raydium-io/raydium-cp-swap programs/cp-swap/src/states.

use super::{key_at, u64_at};

/// Length of a pool.
const POOL_BYTES: usize = 637;
/// First eight bytes of a pool: `sha256("account:PoolState")`.
const POOL_DISCRIMINATOR: [u8; 8] = [0xf7, 0xed, 0xe3, 0xf5, 0xd7, 0xc3, 0xde, 0x46];
/// Length of a configuration.
const CONFIG_BYTES: usize = 236;
/// First eight bytes of a configuration: `sha256("account:AmmConfig")`.
const CONFIG_DISCRIMINATOR: [u8; 8] = [0xda, 0xf4, 0x21, 0x68, 0xcb, 0xcb, 0x2b, 0x6f];

/// A Raydium CPMM pool.
///
/// Its reserves are the vaults' balances less protocol, fund and creator fees of that side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RaydiumCpmm {
    /// The account with the fee rates.
    pub amm_config: [u8; 32],
    /// Vaults of token 0 and token 1.
    pub vaults: [[u8; 32]; 2],
    /// Mints of token 0 and token 1.
    pub mints: [[u8; 32]; 2],
    /// Bit 0: deposits off, bit 1: withdrawals off, bit 2: swaps off.
    pub status: u8,
    /// Decimals of the two mints.
    pub decimals: [u8; 2],
    /// Protocol fees in the vaults, base units.
    pub protocol_fees_raw: [u64; 2],
    /// Fund fees in the vaults, base units.
    pub fund_fees_raw: [u64; 2],
    /// Creator fees in the vaults, base units.
    pub creator_fees_raw: [u64; 2],
    /// Unix time from which the pool trades, seconds.
    pub open_time_s: u64,
    /// Where the creator fee is taken: 0 both sides, 1 only token 0, 2 only token 1.
    pub creator_fee_on: u8,
    /// Whether there is a creator fee.
    pub creator_fee_enabled: bool,
}

/// Fee rates of CPMM pools, out of 1,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RaydiumCpmmConfig {
    /// Number of the configuration.
    pub index: u16,
    /// Fee of a swap.
    pub trade_fee_rate: u64,
    /// Share of the trade fee that goes to the protocol.
    pub protocol_fee_rate: u64,
    /// Share of the trade fee that goes to the fund.
    pub fund_fee_rate: u64,
    /// Creator fee of a swap, where the pool enables it.
    pub creator_fee_rate: u64,
}

/// Reads a pool, or returns `None` if it is something else.
#[inline]
pub(super) fn decode(bytes: &[u8]) -> Option<RaydiumCpmm> {
    if bytes.len() != POOL_BYTES || !bytes.starts_with(&POOL_DISCRIMINATOR) {
        return None;
    }
    Some(RaydiumCpmm {
        amm_config: key_at(bytes, 8)?,
        vaults: [key_at(bytes, 72)?, key_at(bytes, 104)?],
        mints: [key_at(bytes, 168)?, key_at(bytes, 200)?],
        status: *bytes.get(329)?,
        decimals: [*bytes.get(331)?, *bytes.get(332)?],
        protocol_fees_raw: [u64_at(bytes, 341)?, u64_at(bytes, 349)?],
        fund_fees_raw: [u64_at(bytes, 357)?, u64_at(bytes, 365)?],
        creator_fees_raw: [u64_at(bytes, 397)?, u64_at(bytes, 405)?],
        open_time_s: u64_at(bytes, 373)?,
        creator_fee_on: *bytes.get(389)?,
        creator_fee_enabled: *bytes.get(390)? != 0,
    })
}

/// Reads a configuration, or returns `None` if it is something else.
#[inline]
pub(super) fn config(bytes: &[u8]) -> Option<RaydiumCpmmConfig> {
    if bytes.len() != CONFIG_BYTES || !bytes.starts_with(&CONFIG_DISCRIMINATOR) {
        return None;
    }
    let index = bytes.get(10..)?.first_chunk().map(|chunk| u16::from_le_bytes(*chunk))?;
    Some(RaydiumCpmmConfig {
        index,
        trade_fee_rate: u64_at(bytes, 12)?,
        protocol_fee_rate: u64_at(bytes, 20)?,
        fund_fee_rate: u64_at(bytes, 28)?,
        creator_fee_rate: u64_at(bytes, 108)?,
    })
}
