//! Raydium CPMM: constant product, fee on the input, a creator's fee on either side.
//!
//! Source: raydium-io/raydium-cp-swap programs/cp-swap/src. Token 0 is side A.

use super::bytes::{array_at, key_at, u8_at, u16_at, u64_at};
use super::math::{mul_div_ceil, mul_div_floor, narrow, share_ceil, share_floor};
use super::{Price, Side, Swap, Unquotable};
use crate::Key;

/// Length of a pool.
const POOL_BYTES: usize = 637;
/// `sha256("account:PoolState")`, first eight bytes.
const POOL_DISCRIMINATOR: [u8; 8] = [0xf7, 0xed, 0xe3, 0xf5, 0xd7, 0xc3, 0xde, 0x46];
/// Length of a configuration.
const CONFIG_BYTES: usize = 236;
/// `sha256("account:AmmConfig")`, first eight bytes.
const CONFIG_DISCRIMINATOR: [u8; 8] = [0xda, 0xf4, 0x21, 0x68, 0xcb, 0xcb, 0x2b, 0x6f];
/// Bit of the status that switches swaps off.
const SWAP_OFF: u8 = 4;
/// Denominator of the rates.
const RATE: u64 = 1_000_000;

/// Where a pool takes its creator's fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreatorFeeOn {
    /// On the input, whichever token it is.
    Input,
    /// On token 0 only: on the input or on the output.
    Token0,
    /// On token 1 only.
    Token1,
}

/// A pool's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RaydiumCpmm {
    /// The account with the rates.
    pub config: Key,
    /// Vaults of token 0 and 1.
    pub vaults: [Key; 2],
    /// Mints of token 0 and 1.
    pub mints: [Key; 2],
    /// Token programs of token 0 and 1.
    pub token_programs: [Key; 2],
    /// The account with the price history.
    pub observation: Key,
    /// Bit 0: deposits off, bit 1: withdrawals off, bit 2: swaps off.
    pub status: u8,
    /// Decimals of token 0 and 1.
    pub decimals: [u8; 2],
    /// Tokens in the vaults that belong to protocol, fund and creator, base units.
    pub owed_raw: [u64; 2],
    /// Unix time from which the pool swaps, seconds.
    pub open_time_s: u64,
    /// Where the creator's fee is taken; `None` without one.
    pub creator_fee_on: Option<CreatorFeeOn>,
}

/// The rates that pools share, out of 1,000,000.
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
    /// The creator's fee of a swap, where the pool has one.
    pub creator_fee_rate: u64,
}

impl RaydiumCpmmConfig {
    /// Reads a configuration, or returns `None` if it is something else.
    pub fn decode(data: &[u8]) -> Option<Self> {
        if data.len() != CONFIG_BYTES || array_at(data, 0)? != CONFIG_DISCRIMINATOR {
            return None;
        }
        let config = Self {
            index: u16_at(data, 10)?,
            trade_fee_rate: u64_at(data, 12)?,
            protocol_fee_rate: u64_at(data, 20)?,
            fund_fee_rate: u64_at(data, 28)?,
            creator_fee_rate: u64_at(data, 108)?,
        };
        let taken = config.trade_fee_rate.checked_add(config.creator_fee_rate)?;
        let shared = config.protocol_fee_rate.checked_add(config.fund_fee_rate)?;
        (taken < RATE && shared <= RATE).then_some(config)
    }
}

impl RaydiumCpmm {
    /// Reads a pool, or returns `None` if it is something else.
    pub fn decode(data: &[u8]) -> Option<Self> {
        if data.len() != POOL_BYTES || array_at(data, 0)? != POOL_DISCRIMINATOR {
            return None;
        }
        let creator_fee_on = match u8_at(data, 389)? {
            0 => CreatorFeeOn::Input,
            1 => CreatorFeeOn::Token0,
            2 => CreatorFeeOn::Token1,
            _ => return None,
        };
        // Fees owed to the protocol, the fund and the creator.
        let owed = |side: usize| {
            [341, 357, 397]
                .into_iter()
                .try_fold(0_u64, |sum, at| sum.checked_add(u64_at(data, at + 8 * side)?))
        };
        Some(Self {
            config: key_at(data, 8)?,
            vaults: [key_at(data, 72)?, key_at(data, 104)?],
            mints: [key_at(data, 168)?, key_at(data, 200)?],
            token_programs: [key_at(data, 232)?, key_at(data, 264)?],
            observation: key_at(data, 296)?,
            status: u8_at(data, 329)?,
            decimals: [u8_at(data, 331)?, u8_at(data, 332)?],
            owed_raw: [owed(0)?, owed(1)?],
            open_time_s: u64_at(data, 373)?,
            creator_fee_on: (u8_at(data, 390)? != 0).then_some(creator_fee_on),
        })
    }

    /// Checks that the pool swaps; `now_s` is the chain's unix time if it is known.
    ///
    /// # Errors
    ///
    /// Returns [`Unquotable`] with the reason if it does not.
    pub fn check_open(&self, now_s: Option<u64>) -> Result<(), Unquotable> {
        if self.status & SWAP_OFF != 0 {
            return Err(Unquotable::SwapOff);
        }
        match now_s {
            _ if self.open_time_s == 0 => Ok(()),
            None => Err(Unquotable::ClockUnknown),
            // The program demands a block time later than the opening time.
            Some(now_s) if now_s > self.open_time_s => Ok(()),
            Some(_) => Err(Unquotable::NotOpenYet(self.open_time_s)),
        }
    }

    /// Returns the reserves, given the vaults' balances.
    ///
    /// # Errors
    ///
    /// Returns [`Unquotable::TooLittleLiquidity`] if a side is empty or owes all it has.
    pub fn reserves(&self, vaults_raw: [u64; 2]) -> Result<[u64; 2], Unquotable> {
        let ([first, second], [owed_first, owed_second]) = (vaults_raw, self.owed_raw);
        let reserve = |vault: u64, owed| vault.checked_sub(owed).filter(|reserve| *reserve > 0);
        match (reserve(first, owed_first), reserve(second, owed_second)) {
            (Some(first), Some(second)) => Ok([first, second]),
            _ => Err(Unquotable::TooLittleLiquidity),
        }
    }

    /// Returns the creator's rate on the input and on the output.
    fn creator_rates(&self, config: &RaydiumCpmmConfig, input: Side) -> [u64; 2] {
        let on_input = match self.creator_fee_on {
            None => return [0, 0],
            Some(CreatorFeeOn::Input) => true,
            Some(CreatorFeeOn::Token0) => input == Side::A,
            Some(CreatorFeeOn::Token1) => input == Side::B,
        };
        if on_input { [config.creator_fee_rate, 0] } else { [0, config.creator_fee_rate] }
    }

    /// Swaps an exact input that arrives in the vault (a transfer fee is off already).
    ///
    /// # Errors
    ///
    /// Returns [`Unquotable`] if the pool cannot pay, or pays nothing.
    pub fn exact_in(
        &self,
        config: &RaydiumCpmmConfig,
        vaults_raw: [u64; 2],
        input: Side,
        amount_raw: u64,
    ) -> Result<Swap, Unquotable> {
        let reserves @ [reserve_in, reserve_out] = input.order(self.reserves(vaults_raw)?);
        let creator = self.creator_rates(config, input);
        let [creator_in, creator_out] = creator;
        let fee_in_raw = share_ceil(amount_raw, config.trade_fee_rate + creator_in, RATE)
            .ok_or(Unquotable::Overflow)?;
        let net_raw = amount_raw.checked_sub(fee_in_raw).ok_or(Unquotable::TooSmall)?;
        let total_in = u128::from(reserve_in) + u128::from(net_raw);
        let paid_raw = mul_div_floor(reserve_out.into(), net_raw.into(), total_in)
            .and_then(narrow)
            .ok_or(Unquotable::Overflow)?;
        let fee_out_raw = share_ceil(paid_raw, creator_out, RATE).ok_or(Unquotable::Overflow)?;
        let flow = Flow { in_raw: amount_raw, paid_raw, fee_in_raw, fee_out_raw };
        flow.finish(config, reserves, creator_in)
    }

    /// Swaps for an exact output that leaves the vault for the user (before a transfer fee).
    ///
    /// # Errors
    ///
    /// Returns [`Unquotable`] if the pool cannot pay.
    pub fn exact_out(
        &self,
        config: &RaydiumCpmmConfig,
        vaults_raw: [u64; 2],
        input: Side,
        amount_raw: u64,
    ) -> Result<Swap, Unquotable> {
        let reserves @ [reserve_in, reserve_out] = input.order(self.reserves(vaults_raw)?);
        let [creator_in, creator_out] = self.creator_rates(config, input);
        let paid_raw =
            share_ceil(amount_raw, RATE, RATE - creator_out).ok_or(Unquotable::Overflow)?;
        let left = reserve_out
            .checked_sub(paid_raw)
            .filter(|left| *left > 0)
            .ok_or(Unquotable::TooLittleLiquidity)?;
        let net_raw = mul_div_ceil(reserve_in.into(), paid_raw.into(), left.into());
        let kept = RATE - config.trade_fee_rate - creator_in;
        let in_raw = net_raw.and_then(|net| mul_div_ceil(net, RATE.into(), kept.into()));
        let (net_raw, in_raw) = net_raw
            .zip(in_raw)
            .and_then(|(net, gross)| narrow(net).zip(narrow(gross)))
            .ok_or(Unquotable::Overflow)?;
        let flow = Flow {
            in_raw,
            paid_raw,
            fee_in_raw: in_raw.saturating_sub(net_raw),
            fee_out_raw: paid_raw - amount_raw,
        };
        flow.finish(config, reserves, creator_in)
    }
}

/// What moves in a swap, before prices.
#[expect(clippy::struct_field_names, reason = "the unit of every amount is in its name")]
struct Flow {
    in_raw: u64,
    /// What the curve pays, the creator's fee included.
    paid_raw: u64,
    fee_in_raw: u64,
    fee_out_raw: u64,
}

impl Flow {
    /// Adds the prices; shares of protocol, fund and creator stay in the vaults, out of the reserves.
    fn finish(
        self,
        config: &RaydiumCpmmConfig,
        [reserve_in, reserve_out]: [u64; 2],
        creator_in: u64,
    ) -> Result<Swap, Unquotable> {
        let Self { in_raw, paid_raw, fee_in_raw, fee_out_raw } = self;
        let out_raw = paid_raw.saturating_sub(fee_out_raw);
        if in_raw == 0 || out_raw == 0 {
            return Err(Unquotable::TooSmall);
        }
        let rate = config.trade_fee_rate + creator_in;
        let after = || {
            let creator_raw =
                if rate == 0 { 0 } else { share_floor(fee_in_raw, creator_in, rate)? };
            let trade_raw = fee_in_raw - creator_raw;
            let protocol_raw = share_floor(trade_raw, config.protocol_fee_rate, RATE)?;
            let fund_raw = share_floor(trade_raw, config.fund_fee_rate, RATE)?;
            let stays_raw = in_raw.checked_sub(creator_raw + protocol_raw + fund_raw)?;
            reserve_in.checked_add(stays_raw)
        };
        let left = reserve_out
            .checked_sub(paid_raw)
            .filter(|left| *left > 0)
            .ok_or(Unquotable::TooLittleLiquidity)?;
        let total_in = after().ok_or(Unquotable::Overflow)?;
        let price = |out: u64, into: u64| Price::of_reserves(out.into(), into.into());
        Ok(Swap {
            in_raw,
            out_raw,
            fee_in_raw,
            fee_out_raw,
            price_before: price(reserve_out, reserve_in).ok_or(Unquotable::TooLittleLiquidity)?,
            price_after: price(left, total_in).ok_or(Unquotable::TooLittleLiquidity)?,
        })
    }
}
